import { outOfRange } from '../errors/index.js'
import { type FrameBatch, GsoColumn, type LinkType, releasedBatch } from '../frames/index.js'
import type { DeliveredBatch } from './batch-reader.js'
import { share } from './sender-line.js'
import { type Slab, slabPool } from './slab-pool.js'

/** A batch in a native port's memory. Its bytes become visible to JavaScript only when somebody looks. */
export class NativeBatch<L extends LinkType> implements DeliveredBatch<L> {
  readonly linkType: L
  readonly count: number
  /** Bytes of the virtio-net header of each frame, on ports that have one; else 0. */
  readonly vnetHeaderSize: number
  /** Frames that the kernel dropped between the batch before and this one; of captures, else 0. */
  readonly dropped: number
  readonly #memory: Slab
  readonly #first: number
  readonly #owned: boolean
  readonly #captured: boolean
  #timestamps: BigInt64Array | undefined
  #originalLengths: Uint32Array | undefined
  #flags: Uint32Array | undefined
  #vlans: Uint32Array | undefined
  #interfaces: Uint32Array | undefined
  #gso: GsoColumn | undefined
  #kept: boolean
  #released = false

  /** @internal */
  constructor(
    linkType: L,
    memory: Slab,
    first: number,
    count: number,
    vnetHeaderSize: number,
    owned: boolean,
    captured = false,
    dropped = 0,
  ) {
    this.linkType = linkType
    this.#memory = memory
    this.#first = first
    this.count = count
    this.vnetHeaderSize = vnetHeaderSize
    this.#owned = owned
    this.#kept = owned
    this.#captured = captured
    this.dropped = dropped
    memory.live++
  }

  /** @internal True of batches that were made here, and of nothing that poses as one. */
  static is<L extends LinkType>(batch: FrameBatch<L> | Uint8Array): batch is NativeBatch<L> {
    return typeof batch === 'object' && batch !== null && #memory in batch
  }

  /** @internal For the port that sends it on: where the frames are in their slab's columns. */
  get memory(): Slab {
    return this.#memory
  }

  /** @internal */
  get first(): number {
    return this.#first
  }

  get slab(): Uint8Array {
    this.check()
    return this.#memory.bytes
  }

  get offsets(): Uint32Array {
    this.check()
    return this.#memory.offsets.subarray(this.#first, this.#first + this.count)
  }

  get lengths(): Uint32Array {
    this.check()
    return this.#memory.lengths.subarray(this.#first, this.#first + this.count)
  }

  get timestamps(): BigInt64Array | undefined {
    this.check()
    if (!this.#captured) return undefined
    this.#timestamps ??= this.#slice(this.#memory.timestamps)
    return this.#timestamps
  }

  get originalLengths(): Uint32Array | undefined {
    this.check()
    if (!this.#captured) return undefined
    this.#originalLengths ??= this.#slice(this.#memory.originalLengths)
    return this.#originalLengths
  }

  get flags(): Uint32Array | undefined {
    this.check()
    if (!this.#captured) return undefined
    this.#flags ??= this.#slice(this.#memory.flags)
    return this.#flags
  }

  get vlans(): Uint32Array | undefined {
    this.check()
    if (!this.#captured) return undefined
    this.#vlans ??= this.#slice(this.#memory.vlans)
    return this.#vlans
  }

  get interfaces(): Uint32Array | undefined {
    this.check()
    if (!this.#captured) return undefined
    this.#interfaces ??= this.#slice(this.#memory.interfaces)
    return this.#interfaces
  }

  /** Of ports whose descriptor carries a virtio-net header, and that do not cut super-frames. */
  get gso(): GsoColumn | undefined {
    this.check()
    if (this.vnetHeaderSize === 0) return undefined
    const entry = this.#memory.headers.length / this.#memory.offsets.length
    const first = entry * this.#first
    this.#gso ??= new GsoColumn(this.#memory.headers.subarray(first, first + entry * this.count))
    return this.#gso
  }

  /** @internal Its memory is never filled twice. */
  get owned(): boolean {
    return this.#owned
  }

  /** @internal */
  get kept(): boolean {
    return this.#kept
  }

  frame(i: number): Uint8Array {
    const offset = this.#at(i)
    return this.#memory.bytes.subarray(offset, offset + this.#memory.lengths[this.#first + i]!)
  }

  copy(i: number): Uint8Array {
    const offset = this.#at(i)
    return this.#memory.bytes.slice(offset, offset + this.#memory.lengths[this.#first + i]!)
  }

  keep(): this {
    this.check()
    this.#kept = true
    return this
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    if (--this.#memory.live === 0 && !this.#owned) slabPool().free(this.#memory)
  }

  /** @internal See sender-line.ts. */
  [share](): NativeBatch<L> {
    this.check()
    return new NativeBatch(
      this.linkType,
      this.#memory,
      this.#first,
      this.count,
      this.vnetHeaderSize,
      this.#owned,
      this.#captured,
      this.dropped,
    )
  }

  [Symbol.dispose](): void {
    this.release()
  }

  [Symbol.iterator](): IterableIterator<Uint8Array> {
    return new BatchFrames(this)
  }

  /** @internal */
  check(): void {
    if (this.#released) throw releasedBatch()
  }

  /** A column that captures have; made once, as whoever reads frame by frame asks for it each time. */
  #slice<C extends Uint32Array | BigInt64Array>(column: C): C {
    return column.subarray(this.#first, this.#first + this.count) as C
  }

  #at(i: number): number {
    if (this.#released) throw releasedBatch()
    if (!Number.isInteger(i) || i < 0 || i >= this.count) throw outOfRange('i', `>= 0 and < ${this.count}`, i)
    return this.#memory.offsets[this.#first + i]!
  }
}

/** Written by hand, as a generator costs several times as much for a batch of one. */
class BatchFrames implements IterableIterator<Uint8Array> {
  readonly #batch: FrameBatch
  #at = 0

  constructor(batch: FrameBatch) {
    this.#batch = batch
  }

  next(): IteratorResult<Uint8Array> {
    if (this.#at >= this.#batch.count) return { done: true, value: undefined }
    return { done: false, value: this.#batch.frame(this.#at++) }
  }

  [Symbol.iterator](): this {
    return this
  }
}
