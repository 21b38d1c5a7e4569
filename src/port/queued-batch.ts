import { outOfRange } from '../errors/index.js'
import { type FrameBatch, type GsoColumn, type LinkType, releasedBatch } from '../frames/index.js'
import type { FrameRun } from './frame-queue.js'
import { share } from './sender-line.js'

/** A batch that an in-memory port delivers. */
export class QueuedBatch<L extends LinkType> implements FrameBatch<L> {
  readonly linkType: L
  readonly count: number
  #run: FrameRun | undefined
  #kept = false

  constructor(linkType: L, run: FrameRun) {
    this.linkType = linkType
    this.count = run.lengths.length
    this.#run = run
  }

  get slab(): Uint8Array {
    return this.#alive().slab
  }

  get offsets(): Uint32Array {
    return this.#alive().offsets
  }

  get lengths(): Uint32Array {
    return this.#alive().lengths
  }

  get gso(): GsoColumn | undefined {
    return this.#alive().gso
  }

  get kept(): boolean {
    return this.#kept
  }

  frame(i: number): Uint8Array {
    const { slab, offsets, lengths } = this.#checked(i)
    return slab.subarray(offsets[i]!, offsets[i]! + lengths[i]!)
  }

  copy(i: number): Uint8Array {
    const { slab, offsets, lengths } = this.#checked(i)
    return slab.slice(offsets[i]!, offsets[i]! + lengths[i]!)
  }

  keep(): this {
    this.#alive()
    this.#kept = true
    return this
  }

  [share](): QueuedBatch<L> {
    return new QueuedBatch(this.linkType, this.#alive())
  }

  release(): void {
    this.#run = undefined
  }

  [Symbol.dispose](): void {
    this.release()
  }

  *[Symbol.iterator](): IterableIterator<Uint8Array> {
    for (let i = 0; i < this.count; i++) yield this.frame(i)
  }

  #alive(): FrameRun {
    if (!this.#run) throw releasedBatch()
    return this.#run
  }

  #checked(i: number): FrameRun {
    const run = this.#alive()
    if (!Number.isInteger(i) || i < 0 || i >= this.count) throw outOfRange('i', `>= 0 and < ${this.count}`, i)
    return run
  }
}
