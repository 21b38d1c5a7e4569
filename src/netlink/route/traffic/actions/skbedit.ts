import { bytes, field, readTable, table, u16, u32, writeTable } from '../../../core/index.js'
import { type ActionKind, actionStruct, readVerdict, type Verdict, verdictOf } from './action.js'

/** What this system keeps beside a packet. */
export interface SkbeditAction {
  kind: 'skbedit'
  /** Of the packet in this system; a class's handle (`1:10`) as a number. */
  priority?: number | undefined
  queue?: number | undefined
  /** The firewall's mark, and which bits of it. */
  mark?: number | undefined
  markMask?: number | undefined
  /** PACKET_HOST, …: include/uapi/linux/if_packet.h. */
  packetType?: number | undefined
  /** Default `pipe`. */
  verdict?: Verdict | undefined
}

/** include/uapi/linux/tc_act/tc_skbedit.h, enum TCA_SKBEDIT_* */
const values = table('TCA_SKBEDIT_', {
  priority: field(3, 'PRIORITY', u32),
  queue: field(4, 'QUEUE_MAPPING', u16),
  mark: field(5, 'MARK', u32),
  packetType: field(7, 'PTYPE', u16),
  markMask: field(8, 'MASK', u32),
})
const attributes = table('TCA_SKBEDIT_', { parameters: field(2, 'PARMS', bytes), ...values.fields })

export const skbedit: ActionKind = {
  name: 'skbedit',
  table: attributes,
  options: [...Object.keys(values.fields), 'verdict'],
  write: (writer, path, { verdict, ...rest }) => {
    writer.bytes(attributes.fields.parameters.type, 'verdict', actionStruct(verdictOf(path, verdict, 'pipe')))
    writeTable(writer, values, rest, path)
  },
  read: cursor => {
    const { parameters, ...rest } = readTable(attributes, cursor).values
    return { ...rest, ...readVerdict(parameters) }
  },
}
