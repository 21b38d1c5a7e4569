import { outOfRange } from '../errors/index.js'
import { releasedBatch } from '../frames/index.js'
import type { DeliveredBatch } from '../port/index.js'
import type { CaptureBatch } from './capture-batch.js'
import type { NativePacketPort } from './handle.js'
import type { CaptureLinkType } from './link-type.js'

const none = new Uint8Array(0)

/** Where a block of the ring and its frames are; see native/sys/packet_ring.h. */
export class RingBlock {
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly originalLengths: Uint32Array
  readonly flags: Uint32Array
  readonly vlans: Uint32Array
  readonly interfaces: Uint32Array
  readonly timestamps: BigInt64Array
  readonly headers = none
  readonly #handle: NativePacketPort
  readonly #number: number
  #bytes: Uint8Array | undefined

  /** Takes the block that comes next, of so many frames. */
  constructor(handle: NativePacketPort, frames: number) {
    const columns = new ArrayBuffer(32 * frames)
    const column = (i: number) => new Uint32Array(columns, 4 * i * frames, frames)
    this.offsets = column(0)
    this.lengths = column(1)
    this.originalLengths = column(2)
    this.flags = column(3)
    this.vlans = column(4)
    this.interfaces = column(5)
    this.timestamps = new BigInt64Array(columns, 24 * frames, frames)
    this.#handle = handle
    this.#number = handle.lendBlock(new Uint8Array(columns))
  }

  /** The memory that the kernel wrote. */
  get bytes(): Uint8Array {
    this.#bytes ??= new Uint8Array(this.#handle.showBlock(this.#number))
    return this.#bytes
  }

  /** To the kernel; views of it have length 0 from now on. False if they could not be made so. */
  giveBack(): boolean {
    return this.#handle.giveBack(this.#number, this.#bytes?.buffer as ArrayBuffer | undefined)
  }
}

/** A batch that lies in the ring: nothing of it is copied. */
export class RingBatch<L extends CaptureLinkType> implements CaptureBatch<L>, DeliveredBatch<L> {
  readonly linkType: L
  readonly count: number
  readonly dropped: number
  readonly #onRelease: (batch: RingBatch<L>) => void
  #block: RingBlock | undefined
  #kept = false

  /** @internal */
  constructor(
    linkType: L,
    block: RingBlock,
    count: number,
    dropped: number,
    onRelease: (batch: RingBatch<L>) => void,
  ) {
    this.linkType = linkType
    this.count = count
    this.dropped = dropped
    this.#block = block
    this.#onRelease = onRelease
  }

  get slab(): Uint8Array {
    return this.#alive().bytes
  }

  get offsets(): Uint32Array {
    return this.#alive().offsets.subarray(0, this.count)
  }

  get lengths(): Uint32Array {
    return this.#alive().lengths.subarray(0, this.count)
  }

  get timestamps(): BigInt64Array {
    return this.#alive().timestamps.subarray(0, this.count)
  }

  get originalLengths(): Uint32Array {
    return this.#alive().originalLengths.subarray(0, this.count)
  }

  get flags(): Uint32Array {
    return this.#alive().flags.subarray(0, this.count)
  }

  get vlans(): Uint32Array {
    return this.#alive().vlans.subarray(0, this.count)
  }

  get interfaces(): Uint32Array {
    return this.#alive().interfaces.subarray(0, this.count)
  }

  /** @internal */
  get kept(): boolean {
    return this.#kept
  }

  /** @internal */
  get block(): RingBlock | undefined {
    return this.#block
  }

  frame(i: number): Uint8Array {
    const { bytes, offsets, lengths } = this.#at(i)
    return bytes.subarray(offsets[i]!, offsets[i]! + lengths[i]!)
  }

  copy(i: number): Uint8Array {
    const { bytes, offsets, lengths } = this.#at(i)
    return bytes.slice(offsets[i]!, offsets[i]! + lengths[i]!)
  }

  keep(): this {
    this.#alive()
    this.#kept = true
    return this
  }

  release(): void {
    if (!this.#block) return
    this.#onRelease(this)
    this.#block = undefined
  }

  [Symbol.dispose](): void {
    this.release()
  }

  *[Symbol.iterator](): IterableIterator<Uint8Array> {
    for (let i = 0; i < this.count; i++) yield this.frame(i)
  }

  #alive(): RingBlock {
    if (!this.#block) throw releasedBatch()
    return this.#block
  }

  #at(i: number): RingBlock {
    const block = this.#alive()
    if (!Number.isInteger(i) || i < 0 || i >= this.count) throw outOfRange('i', `>= 0 and < ${this.count}`, i)
    return block
  }
}
