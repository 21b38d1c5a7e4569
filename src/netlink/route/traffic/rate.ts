import { invalidArgumentType, invalidArgumentValue, outOfRange } from '../../../errors/index.js'
import { type Codec, littleEndian } from '../../core/index.js'

/** How fast: in bits or in bytes. What is read has both. */
export interface Rate {
  /** A multiple of 8: the kernel counts bytes. */
  bitsPerSecond?: number | bigint | undefined
  bytesPerSecond?: number | bigint | undefined
}

export function readRate(bytesPerSecond: bigint): Rate {
  return { bitsPerSecond: 8n * bytesPerSecond, bytesPerSecond }
}

/** Bytes in a second. @throws TypeError, RangeError */
export function parseRate(name: string, rate: Rate): bigint {
  if (typeof rate !== 'object' || rate === null) {
    throw invalidArgumentType(name, 'an object with bitsPerSecond or bytesPerSecond', rate)
  }
  for (const key of Object.keys(rate)) {
    if (key !== 'bitsPerSecond' && key !== 'bytesPerSecond') {
      throw invalidArgumentValue(
        `${name}.${key}`,
        (rate as Record<string, unknown>)[key],
        'is not a known option',
      )
    }
  }
  const bits = whole(`${name}.bitsPerSecond`, rate.bitsPerSecond)
  const bytes = whole(`${name}.bytesPerSecond`, rate.bytesPerSecond)
  if (bits !== undefined && bits % 8n !== 0n) {
    throw invalidArgumentValue(
      `${name}.bitsPerSecond`,
      bits,
      'must be a multiple of 8: the kernel counts bytes',
    )
  }
  const value = bytes ?? (bits === undefined ? undefined : bits / 8n)
  if (value === undefined) throw invalidArgumentValue(name, rate, 'needs bitsPerSecond or bytesPerSecond')
  if (bits !== undefined && bits !== 8n * value) throw invalidArgumentValue(name, rate, 'says two things')
  return value
}

/** One at which something moves. @throws TypeError, RangeError */
export function parsePositiveRate(name: string, rate: Rate): bigint {
  const bytesPerSecond = parseRate(name, rate)
  if (bytesPerSecond === 0n) throw outOfRange(name, 'at least 8 bits a second', 0)
  return bytesPerSecond
}

function whole(name: string, value: unknown): bigint | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'bigint' && typeof value !== 'number') {
    throw invalidArgumentType(name, 'a number or a bigint', value)
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw outOfRange(name, 'an integer', value)
  const number = BigInt(value)
  if (number < 0n || number >= 1n << 64n) throw outOfRange(name, '>= 0 and below 2 ** 64', value)
  return number
}

/** What a rate is where there is room for 32 bits: the kernel has another attribute for the rest. */
export function rate32(bytesPerSecond: bigint): number {
  return bytesPerSecond >= 1n << 32n ? 0xffff_ffff : Number(bytesPerSecond)
}

/** A rate in 32 bits, in bytes a second; the largest is unlimited. */
export const rateCodec: Codec<Rate> = {
  write: (writer, type, name, value) => {
    const bytes = parseRate(name, value)
    if (bytes >= 1n << 32n) throw outOfRange(name, 'below 2 ** 32 bytes a second', bytes)
    writer.u32(type, name, Number(bytes))
  },
  read: cursor => readRate(BigInt(cursor.u32())),
  examples: [readRate(0n), readRate(125_000n)],
}

/** Bytes of struct tc_ratespec. */
export const rateSpecLength = 12
/** TC_LINKLAYER_ETHERNET: it is stated, so that the kernel needs no table of times. */
const linkLayerEthernet = 1

export function writeRateSpec(
  view: DataView,
  at: number,
  bytesPerSecond: bigint,
  overhead = 0,
  mpu = 0,
): void {
  view.setUint8(at + 1, linkLayerEthernet)
  view.setUint16(at + 2, overhead, littleEndian)
  view.setUint16(at + 6, mpu, littleEndian)
  view.setUint32(at + 8, rate32(bytesPerSecond), littleEndian)
}

/**
 * One tick of the packet schedulers: PSCHED_SHIFT of include/net/pkt_sched.h is 6, which /proc/net/psched shows as
 * 1000 ns for 64 … in all kernels since 2.6.31.
 */
export const tickNs = 64n

/** How long so many bytes take at a rate, in ticks. */
export function ticksOf(bytes: number, bytesPerSecond: bigint): number {
  if (bytesPerSecond === 0n) return 0
  // As tc does: whole microseconds.
  const microseconds = (BigInt(bytes) * 1_000_000n) / bytesPerSecond
  const ticks = (microseconds * 1000n) / tickNs
  return ticks > 0xffff_ffffn ? 0xffff_ffff : Number(ticks)
}

/** How many bytes so many ticks are at a rate: about what was set, since the kernel keeps the time. */
export function bytesOf(ticks: number, bytesPerSecond: bigint): number {
  return Math.round((Number(bytesPerSecond) * ticks * Number(tickNs)) / 1e9)
}
