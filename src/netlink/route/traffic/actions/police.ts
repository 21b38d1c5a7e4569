import { requireInteger } from '../../../../errors/index.js'
import { bytes, field, littleEndian, readTable, table, u64, wordOf } from '../../../core/index.js'
import { bytesOf, parseRate, type Rate, rateSpecLength, readRate, ticksOf, writeRateSpec } from '../rate.js'
import { structBytes, structOfBytes } from '../struct.js'
import { type ActionKind, type Verdict, verdictOf, verdicts } from './action.js'

/** What is beyond a rate meets its verdict; the rest goes on with the next action. */
export interface PoliceAction {
  kind: 'police'
  rate: Rate
  /** Bytes that may go at once. Read, it is about what was set. */
  burst: number
  /** The longest packet that is not beyond it. 0: no bound. */
  mtu?: number | undefined
  /** Default `reclassify`. */
  verdict?: Verdict | undefined
}

/** include/uapi/linux/pkt_cls.h, enum TCA_POLICE_* */
const attributes = table('TCA_POLICE_', {
  parameters: field(1, 'TBF', bytes),
  table: field(2, 'RATE', bytes),
  rate: field(8, 'RATE64', u64),
})
const { fields } = attributes

/** Bytes of struct tc_police, and where its rate is. */
const length = 56
const rateAt = 20
/** TC_RTAB_SIZE: the kernel wants a table of times, and does not look into it. */
const tableBytes = 1024
const cellLog = 3

export const police: ActionKind = {
  name: 'police',
  table: attributes,
  options: ['rate', 'burst', 'mtu', 'verdict'],
  write: (writer, path, { rate, burst, mtu = 0, verdict }) => {
    const bytesPerSecond = parseRate(`${path}.rate`, rate as Rate)
    requireInteger(`${path}.burst`, burst, 1, 0xffff_ffff)
    requireInteger(`${path}.mtu`, mtu, 0, 0xffff_ffff)
    const struct = structBytes(length, view => {
      view.setInt32(4, verdictOf(path, verdict, 'reclassify'), littleEndian)
      view.setUint32(12, ticksOf(burst as number, bytesPerSecond), littleEndian)
      view.setUint32(16, mtu as number, littleEndian)
      writeRateSpec(view, rateAt, bytesPerSecond)
      view.setUint8(rateAt, cellLog)
    })
    writer.bytes(fields.parameters.type, '', struct)
    writer.bytes(fields.table.type, '', new Uint8Array(tableBytes))
    if (bytesPerSecond >= 1n << 32n) writer.u64(fields.rate.type, 'rate', bytesPerSecond)
  },
  read: cursor => {
    const { parameters, rate } = readTable(attributes, cursor).values
    if (!parameters) return {}
    const view = structOfBytes(parameters, length)
    const bytesPerSecond = rate ?? BigInt(view.getUint32(rateAt + rateSpecLength - 4, littleEndian))
    return {
      rate: readRate(bytesPerSecond),
      burst: bytesOf(view.getUint32(12, littleEndian), bytesPerSecond),
      mtu: view.getUint32(16, littleEndian),
      verdict: wordOf(verdicts, view.getInt32(4, littleEndian)),
    }
  },
}
