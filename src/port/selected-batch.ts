import { outOfRange } from '../errors/index.js'
import type { FrameBatch, GsoColumn, LinkType } from '../frames/index.js'

/** Some frames of another batch, with its memory and its life. */
export class SelectedBatch<L extends LinkType> implements FrameBatch<L> {
  readonly linkType: L
  readonly count: number
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly timestamps: BigInt64Array | undefined
  readonly originalLengths: Uint32Array | undefined
  readonly flags: Uint32Array | undefined
  readonly vlans: Uint32Array | undefined
  readonly interfaces: Uint32Array | undefined
  readonly gso: GsoColumn | undefined
  readonly #whole: FrameBatch<L>
  readonly #indexes: Uint32Array

  /** `indexes` are those of the frames, in the order that they shall have. */
  constructor(whole: FrameBatch<L>, indexes: Uint32Array) {
    const pick = (column: Uint32Array) => indexes.map(i => column[i]!)
    this.linkType = whole.linkType
    this.count = indexes.length
    this.offsets = pick(whole.offsets)
    this.lengths = pick(whole.lengths)
    const { timestamps, originalLengths, flags, vlans, interfaces, gso } = whole
    this.timestamps = timestamps && BigInt64Array.from(indexes, i => timestamps[i]!)
    this.originalLengths = originalLengths && pick(originalLengths)
    this.flags = flags && pick(flags)
    this.vlans = vlans && pick(vlans)
    this.interfaces = interfaces && pick(interfaces)
    this.gso = gso?.pick(indexes)
    this.#whole = whole
    this.#indexes = indexes
  }

  get slab(): Uint8Array {
    return this.#whole.slab
  }

  frame(i: number): Uint8Array {
    return this.#whole.frame(this.#index(i))
  }

  copy(i: number): Uint8Array {
    return this.#whole.copy(this.#index(i))
  }

  keep(): this {
    this.#whole.keep()
    return this
  }

  release(): void {
    this.#whole.release()
  }

  [Symbol.dispose](): void {
    this.release()
  }

  *[Symbol.iterator](): IterableIterator<Uint8Array> {
    for (let i = 0; i < this.count; i++) yield this.frame(i)
  }

  #index(i: number): number {
    const index = this.#indexes[i]
    if (index === undefined) throw outOfRange('i', `>= 0 and < ${this.count}`, i)
    return index
  }
}
