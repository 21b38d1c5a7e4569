/** The numbers from `low` to `high`, both included. */
export interface Range {
  low: bigint
  high: bigint
}

/** Sorted ranges of numbers of `bits` bits that do not touch. */
export class ValueSet {
  readonly bits: number
  readonly ranges: readonly Range[]

  private constructor(bits: number, ranges: readonly Range[]) {
    this.bits = bits
    this.ranges = ranges
  }

  static of(bits: number, low: bigint, high: bigint): ValueSet {
    return new ValueSet(bits, low <= high ? [{ low, high }] : [])
  }

  union(others: readonly ValueSet[]): ValueSet {
    const all = [this, ...others].flatMap(set => set.ranges)
    all.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0))
    const ranges: Range[] = []
    for (const { low, high } of all) {
      const last = ranges.at(-1)
      if (last === undefined || low > last.high + 1n) ranges.push({ low, high })
      else if (high > last.high) last.high = high
    }
    return new ValueSet(this.bits, ranges)
  }
}

/** A 32-bit word's part of a set: what is in it whatever follows, and what depends on the words that follow. */
export interface WordRange {
  low: number
  high: number
  /** The set that the remaining words must be in; none if all of them are. */
  rest: readonly Range[] | undefined
}

/** Splits ranges of `bits` bits at the boundaries of their first word, of `first` bits. */
export function splitFirstWord(ranges: readonly Range[], bits: number, first: number): WordRange[] {
  const shift = BigInt(bits - first)
  if (shift === 0n)
    return ranges.map(({ low, high }) => ({ low: Number(low), high: Number(high), rest: undefined }))
  const mask = (1n << shift) - 1n
  const words: WordRange[] = []
  const partly = (word: bigint, low: bigint, high: bigint) => {
    const number = Number(word)
    const last = words.at(-1)
    if (last?.low === number && last.rest !== undefined) (last.rest as Range[]).push({ low, high })
    else words.push({ low: number, high: number, rest: [{ low, high }] })
  }
  for (const { low, high } of ranges) {
    let from = low >> shift
    let to = high >> shift
    if (from === to && ((low & mask) !== 0n || (high & mask) !== mask)) {
      partly(from, low & mask, high & mask)
      continue
    }
    if ((low & mask) !== 0n) partly(from++, low & mask, mask)
    const tail = (high & mask) !== mask
    if (tail) to--
    if (from <= to) words.push({ low: Number(from), high: Number(to), rest: undefined })
    if (tail) partly(to + 1n, 0n, high & mask)
  }
  return words
}
