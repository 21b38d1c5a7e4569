/** A small, fast, seeded generator of numbers (xorshift32); not for anything but tests. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return (x >>> 0) % limit
  }

  /** Fills the first `length` bytes. */
  fill(bytes: Uint8Array, length: number): void {
    for (let i = 0; i < length; i++) bytes[i] = this.below(256)
  }
}

const tasty = [0, 1, 4, 5, 6, 7, 8, 15, 17, 20, 40, 43, 44, 51, 58, 60, 0x45, 0x60, 0x7f, 0x80, 0x88, 0xff]

/**
 * Bytes to break a decoder with: purely random ones, or one of `samples` with some bytes changed and, at times, the
 * end cut off or prolonged. The result is valid until the next call.
 */
export class Mutator {
  readonly #slab = new Uint8Array(4096)
  readonly #random: Random
  readonly #samples: readonly Uint8Array[]

  constructor(seed: number, samples: readonly Uint8Array[]) {
    this.#random = new Random(seed)
    this.#samples = samples
  }

  next(): Uint8Array {
    const random = this.#random
    const slab = this.#slab
    const sample = this.#samples[random.below(this.#samples.length + 1)]
    if (!sample) {
      const length = random.below(random.below(8) === 0 ? 1600 : 120)
      random.fill(slab, length)
      return slab.subarray(0, length)
    }
    slab.set(sample)
    let length = sample.length
    for (let i = random.below(6); i > 0; i--) {
      const value = random.below(2) === 0 ? tasty[random.below(tasty.length)]! : random.below(256)
      slab[random.below(Math.max(1, length))] = value
    }
    const kind = random.below(4)
    if (kind === 0) length = random.below(length + 1)
    else if (kind === 1) {
      const more = random.below(30)
      slab.fill(random.below(2) * 0x20, length, length + more)
      length += more
    }
    return slab.subarray(0, length)
  }
}
