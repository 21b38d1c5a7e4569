import { invalidArgumentValue, requireInteger, requireOptions } from '../../../../errors/index.js'
import { bytes, type Codec, field, littleEndian, table, u32, u64 } from '../../../core/index.js'
import { bytesOf, parsePositiveRate, type Rate, readRate, ticksOf, writeRateSpec } from '../rate.js'
import { structBytes, structOf } from '../struct.js'

/** A token bucket. struct tc_tbf_qopt */
export interface TbfSettings {
  rate: Rate
  /** Bytes that may go at once. Read, it is about what was set: the kernel keeps the time that they take. */
  burst: number
  /** Bytes that may wait. */
  limit: number
  peakRate?: Rate | undefined
  /** Bytes that may go at once at the peak rate: at least the link's MTU. Needed with `peakRate`. */
  peakBurst?: number | undefined
  /** Bytes that each packet counts more, and at least. */
  overhead?: number | undefined
  minPacketBytes?: number | undefined
}

/** enum TCA_TBF_* */
const attributes = table('TCA_TBF_', {
  parameters: field(1, 'PARMS', bytes),
  rate: field(4, 'RATE64', u64),
  peakRate: field(5, 'PRATE64', u64),
  burst: field(6, 'BURST', u32),
  peakBurst: field(7, 'PBURST', u32),
})
const { parameters, rate, peakRate, burst, peakBurst } = attributes.fields

export const tbf: Codec<TbfSettings> = {
  table: attributes,
  write: (writer, type, name, value) => {
    const options = requireOptions(name, value, [
      'rate',
      'burst',
      'limit',
      'peakRate',
      'peakBurst',
      'overhead',
      'minPacketBytes',
    ])
    const { overhead = 0, minPacketBytes = 0 } = options
    const bytesPerSecond = parsePositiveRate(`${name}.rate`, options.rate)
    const peak = options.peakRate === undefined ? 0n : parsePositiveRate(`${name}.peakRate`, options.peakRate)
    requireInteger(`${name}.burst`, options.burst, 1, 0xffff_ffff)
    requireInteger(`${name}.limit`, options.limit, 1, 0xffff_ffff)
    requireInteger(`${name}.overhead`, overhead, 0, 0xffff)
    requireInteger(`${name}.minPacketBytes`, minPacketBytes, 0, 0xffff)
    if ((options.peakRate === undefined) !== (options.peakBurst === undefined)) {
      throw invalidArgumentValue(`${name}.peakBurst`, options.peakBurst, 'belongs together with peakRate')
    }
    const atPeak = options.peakBurst ?? 0
    if (options.peakBurst !== undefined) requireInteger(`${name}.peakBurst`, atPeak, 1, 0xffff_ffff)
    writer.nested(type, name, nest => {
      const struct = structBytes(36, view => {
        writeRateSpec(view, 0, bytesPerSecond, overhead, minPacketBytes)
        if (peak > 0n) writeRateSpec(view, 12, peak, overhead, minPacketBytes)
        view.setUint32(24, options.limit, littleEndian)
        view.setUint32(28, ticksOf(options.burst, bytesPerSecond), littleEndian)
        view.setUint32(32, ticksOf(atPeak, peak), littleEndian)
      })
      nest.bytes(parameters.type, '', struct)
      nest.u32(burst.type, 'burst', options.burst)
      if (bytesPerSecond >= 1n << 32n) nest.u64(rate.type, 'rate', bytesPerSecond)
      if (peak >= 1n << 32n) nest.u64(peakRate.type, 'peakRate', peak)
      if (peak > 0n) nest.u32(peakBurst.type, 'peakBurst', atPeak)
    })
  },
  read: outer => {
    let view: DataView = new DataView(new ArrayBuffer(36))
    let rate64: bigint | undefined
    let peak64: bigint | undefined
    const cursor = outer.nested()
    while (cursor.next()) {
      if (cursor.type === parameters.type) view = structOf(cursor, 36)
      else if (cursor.type === rate.type) rate64 = cursor.u64()
      else if (cursor.type === peakRate.type) peak64 = cursor.u64()
    }
    const number = (at: number) => view.getUint32(at, littleEndian)
    const bytesPerSecond = rate64 ?? BigInt(number(8))
    const peak = peak64 ?? BigInt(number(20))
    const settings: TbfSettings = {
      rate: readRate(bytesPerSecond),
      burst: bytesOf(number(28), bytesPerSecond),
      limit: number(24),
      overhead: view.getUint16(2, littleEndian),
      minPacketBytes: view.getUint16(6, littleEndian),
    }
    if (peak > 0n) {
      settings.peakRate = readRate(peak)
      settings.peakBurst = bytesOf(number(32), peak)
    }
    return settings
  },
}
