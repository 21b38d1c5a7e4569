import { invalidArgumentType, outOfRange } from '../../../errors/index.js'
import { type AttributeCursor, type Codec, littleEndian } from '../../core/index.js'

/** The value of an attribute as a struct of at least this length: what an older kernel's lacks is zero. */
export function structOf(cursor: AttributeCursor, length: number): DataView {
  return structOfBytes(cursor.source.subarray(cursor.start, cursor.start + cursor.length), length)
}

export function structOfBytes(value: Uint8Array, length: number): DataView {
  const bytes = new Uint8Array(Math.max(length, value.length))
  bytes.set(value)
  return new DataView(bytes.buffer)
}

export function structBytes(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length)
  write(new DataView(bytes.buffer))
  return bytes
}

/** 32-bit numbers one behind the other. */
export function words(...values: number[]): Uint8Array {
  return structBytes(4 * values.length, view => {
    for (const [i, value] of values.entries()) view.setUint32(4 * i, value, littleEndian)
  })
}

/** A share in percent, as the kernel has it: all of 32 bits are 100. @throws TypeError, RangeError */
export function fromPercent(name: string, percent: number | undefined): number {
  if (percent === undefined) return 0
  if (typeof percent !== 'number') throw invalidArgumentType(name, 'a number', percent)
  if (!(percent >= 0 && percent <= 100)) throw outOfRange(name, '>= 0 and <= 100', percent)
  return Math.round((percent / 100) * 0xffff_ffff)
}

/** With as many digits as were meant: the kernel's steps are finer than a millionth. */
export function toPercent(value: number): number {
  return Math.round((value / 0xffff_ffff) * 1e8) / 1e6
}

/** Microseconds with up to three digits behind the point, in nanoseconds. @throws TypeError, RangeError */
export function fromMicroseconds(name: string, value: number | undefined): bigint {
  if (value === undefined) return 0n
  if (typeof value !== 'number') throw invalidArgumentType(name, 'a number', value)
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER / 1000)) throw outOfRange(name, '>= 0', value)
  return BigInt(Math.round(value * 1000))
}

export function toMicroseconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1000
}

/** Qdiscs that have no settings. */
export const nothing: Codec<Record<string, never>> = {
  write: () => {},
  read: () => ({}),
  examples: [],
}
