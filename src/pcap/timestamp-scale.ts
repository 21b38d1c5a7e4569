import { invalidArgumentType, outOfRange, requireInteger } from '../errors/index.js'

/** Time stamps count units of 1 / base ** exponent seconds: `{ base: 10, exponent: 6 }` are microseconds. */
export interface TimestampResolution {
  base: 2 | 10
  /** 0 to 127. */
  exponent: number
}

export const microseconds: TimestampResolution = { base: 10, exponent: 6 }
export const nanoseconds: TimestampResolution = { base: 10, exponent: 9 }

const billion = 1_000_000_000n
const littleHost = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1
/** Where the halves of a 64-bit entry are among those of its column. */
export const lowWord = littleHost ? 0 : 1
export const highWord = littleHost ? 1 : 0

/** Turns the time stamps of an interface, 64 bits since 1970 plus an offset, into nanoseconds and back. */
export class TimestampScale {
  readonly #perSecond: bigint
  readonly #offset: bigint
  /** Nanoseconds in a unit where that is a whole number of at most 20 bits and there is no offset; otherwise 0. */
  readonly #factor: number

  constructor(resolution: TimestampResolution, offsetSeconds = 0n) {
    const { base, exponent } = resolution
    if (base !== 2 && base !== 10) throw outOfRange('timestampResolution.base', '2 or 10', base)
    requireInteger('timestampResolution.exponent', exponent, 0, 127)
    if (typeof offsetSeconds !== 'bigint')
      throw invalidArgumentType('timestampOffsetSeconds', 'a bigint', offsetSeconds)
    this.#perSecond = BigInt(base) ** BigInt(exponent)
    this.#offset = offsetSeconds * billion
    const whole = base === 10 && exponent >= 3 && exponent <= 9 && offsetSeconds === 0n
    this.#factor = whole ? 10 ** (9 - exponent) : 0
  }

  /** Rounded down where units are finer. */
  nanoseconds(units: bigint): bigint {
    return (units * billion) / this.#perSecond + this.#offset
  }

  /** Rounded down where units are coarser. @throws RangeError for what 64 bits of units cannot say */
  units(nanoseconds: bigint): bigint {
    const product = (nanoseconds - this.#offset) * this.#perSecond
    if (product < 0n || product / billion >= 1n << 64n)
      throw outOfRange('timestamp', 'within what the interface can express', nanoseconds)
    return product / billion
  }

  /** Whether units are nanoseconds since 1970. */
  get isNanoseconds(): boolean {
    return this.#factor === 1
  }

  /** Whether nanoseconds say all that these units do. */
  isExact(units: bigint): boolean {
    return this.#factor > 0 || (units * billion) % this.#perSecond === 0n
  }

  /** Writes `high << 32 | low` units to `words`, the two halves of each entry of a column; no bigint is made. */
  store(words: Uint32Array, index: number, high: number, low: number): void {
    const factor = this.#factor
    const at = index * 2
    if (factor === 1) {
      words[at + lowWord] = low
      words[at + highWord] = high
    } else if (factor > 0) {
      const product = low * factor
      words[at + lowWord] = product
      words[at + highWord] = high * factor + Math.floor(product / 0x100000000)
    } else {
      const time = this.nanoseconds((BigInt(high) << 32n) | BigInt(low))
      words[at + lowWord] = Number(BigInt.asUintN(32, time))
      words[at + highWord] = Number(BigInt.asUintN(32, time >> 32n))
    }
  }
}

/** The halves of the entries of a column, the same memory. */
export function wordsOf(column: BigInt64Array): Uint32Array {
  return new Uint32Array(column.buffer, column.byteOffset, column.length * 2)
}

/** Writes seconds and a fraction of them in nanoseconds to a column, as {@link TimestampScale.store} does. */
export function storeSeconds(words: Uint32Array, index: number, seconds: number, fraction: number): void {
  // Products of halves, since a double is exact up to 53 bits only.
  const upper = (seconds >>> 16) * 1e9
  const lower = (seconds & 0xffff) * 1e9 + fraction + (upper % 0x10000) * 0x10000
  words[index * 2 + lowWord] = lower
  words[index * 2 + highWord] = Math.floor(upper / 0x10000) + Math.floor(lower / 0x100000000)
}
