import { invalidArgumentType, invalidArgumentValue, requireInteger } from '../errors/index.js'

/** What an encoder takes for record `R`: the fields `K` must be given, the rest may be left to the encoder. */
export type Input<R, K extends keyof R> = Pick<R, K> & {
  [P in Exclude<keyof R, K>]?: R[P] | undefined
}

/** `value`, or `fallback` when absent; checked to be an unsigned integer of so many bits. */
export function uint(name: string, value: number | undefined, bits: number, fallback?: number): number {
  return requireInteger(name, value ?? fallback, 0, 2 ** bits - 1)
}

/** `value`, or `fallback` when absent; checked to be a byte array. */
export function byteField(name: string, value: Uint8Array | undefined, fallback?: Uint8Array): Uint8Array {
  const bytes = value ?? fallback
  if (!(bytes instanceof Uint8Array)) throw invalidArgumentType(name, 'an instance of Uint8Array', bytes)
  return bytes
}

/** A length in bytes that must come out as a multiple of `unit`. */
export function requireMultiple(name: string, length: number, unit: number): number {
  if (length % unit !== 0) throw invalidArgumentValue(name, length, `must be a multiple of ${unit}`)
  return length
}

/** For fields that are not given; making one each time is not free. */
export const noBytes: Uint8Array = new Uint8Array()

/** `record` with `fields`. A spread would give each object a shape of its own, and reading it would be slow. */
export function withFields<R extends object, F extends object>(record: R, fields: F): R & F {
  return Object.assign({}, record, fields)
}
