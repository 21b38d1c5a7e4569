import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  outOfRange,
  requireInteger,
} from '../errors/index.js'
import { GsoColumn } from './gso-column.js'
import { type LinkType, linkTypes } from './link-type.js'

/**
 * What is known of each frame beside its bytes, a column each. Captures and capture files have them; which ones, the
 * source says. Entry `i` belongs to frame `i`.
 */
export interface FrameColumns {
  /** When the frame was seen, in nanoseconds since 1970. */
  readonly timestamps?: BigInt64Array | undefined
  /** Bytes that the frame had on the wire, where only its beginning is kept. */
  readonly originalLengths?: Uint32Array | undefined
  /** Direction, reception type, checksum status: the bits of {@link frameFlags}. */
  readonly flags?: Uint32Array | undefined
  /** The outermost VLAN tag where it is not in the bytes: `tpid << 16 | tci`; 0 is none. */
  readonly vlans?: Uint32Array | undefined
  /** The interface: its index in the namespace of a capture, its number in the section of a file. */
  readonly interfaces?: Uint32Array | undefined
  /** What is left undone in each frame: of ports that carry super-frames. */
  readonly gso?: GsoColumn | undefined
}

/**
 * Bits of the column `flags`, those of `epb_flags` in a pcapng file (draft-ietf-opsawg-pcapng, Enhanced Packet
 * Block). Direction and reception type are numbers, `flags & mask`; 0 is unknown. Bits 5 to 8 are the bytes of frame
 * check sequence at the frame's end.
 */
export const frameFlags = {
  directionMask: 0x3,
  inbound: 0x1,
  outbound: 0x2,
  receptionMask: 0x1c,
  unicast: 0x04,
  multicast: 0x08,
  broadcast: 0x0c,
  /** For another host; seen because the interface is promiscuous. */
  promiscuous: 0x10,
  /** The checksum of the transport protocol is yet to be filled in by a device. */
  checksumNotReady: 0x200,
  /** The device or the kernel has verified the checksum. */
  checksumValid: 0x400,
  /** A super-frame: a device would have cut it to segments of TCP. */
  segmentationOffloaded: 0x800,
} as const

/**
 * Several frames in one piece of memory, as columns: frame `i` is the `lengths[i]` bytes of `slab` from
 * `offsets[i]`. A single frame is a batch of one.
 *
 * A batch that a port delivered lives until the next step of the iterator, or until {@link release} if
 * {@link keep} was called. After that its methods throw `ERR_BATCH_RELEASED` and views taken from it may have
 * length 0; they never show another frame's bytes.
 */
export interface FrameBatch<L extends LinkType = LinkType>
  extends Iterable<Uint8Array>,
    FrameColumns,
    Disposable {
  readonly linkType: L
  readonly count: number
  readonly slab: Uint8Array
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  /** A view of frame `i`; no copy. @throws RangeError `ERR_OUT_OF_RANGE` */
  frame(i: number): Uint8Array
  /** A copy of frame `i`, yours for good. @throws RangeError `ERR_OUT_OF_RANGE` */
  copy(i: number): Uint8Array
  /** The caller takes over: the batch outlives the iterator's next step, until it is released. */
  keep(): this
  /** Gives the memory back. Idempotent. */
  release(): void
}

export interface AllocateOptions<L extends LinkType> {
  linkType: L
  /** Most frames. */
  frames: number
  /** Bytes for all frames together, without headroom and tailroom. */
  bytes: number
  /** Free bytes before every frame, for a tunnel's header. Default 0. */
  headroom?: number
  /** Free bytes after every frame. Default 0. */
  tailroom?: number
  /** With a column `gso`, all zero. Default false. */
  gso?: boolean
}

/** A batch in JavaScript's own memory: built with `append`, edited in place with `setLength`. */
export class BufferBatch<L extends LinkType = LinkType> implements FrameBatch<L> {
  readonly linkType: L
  readonly slab: Uint8Array
  readonly headroom: number
  readonly tailroom: number
  readonly #offsets: Uint32Array
  readonly #lengths: Uint32Array
  readonly #gso: GsoColumn | undefined
  #count = 0
  #end = 0

  constructor(options: AllocateOptions<L>) {
    if (typeof options !== 'object' || options === null) {
      throw invalidArgumentType('options', 'an object', options)
    }
    if (typeof options.linkType !== 'string' || !Object.hasOwn(linkTypes, options.linkType)) {
      throw invalidArgumentValue('options.linkType', options.linkType, 'must name a link type')
    }
    const frames = requireInteger('frames', options.frames, 1, 1 << 20)
    const bytes = requireInteger('bytes', options.bytes, 0, 1 << 30)
    this.headroom = requireInteger('headroom', options.headroom ?? 0, 0, 65536)
    this.tailroom = requireInteger('tailroom', options.tailroom ?? 0, 0, 65536)
    this.linkType = options.linkType
    this.slab = new Uint8Array(bytes + frames * (this.headroom + this.tailroom))
    this.#offsets = new Uint32Array(frames)
    this.#lengths = new Uint32Array(frames)
    this.#gso = options.gso ? new GsoColumn(frames) : undefined
  }

  get gso(): GsoColumn | undefined {
    return this.#gso?.slice(0, this.#count)
  }

  get count(): number {
    return this.#count
  }

  get offsets(): Uint32Array {
    return this.#offsets.subarray(0, this.#count)
  }

  get lengths(): Uint32Array {
    return this.#lengths.subarray(0, this.#count)
  }

  /** Copies a frame to the end; false when the batch is full. */
  append(frame: Uint8Array): boolean {
    if (!(frame instanceof Uint8Array)) throw invalidArgumentType('frame', 'an instance of Uint8Array', frame)
    const room = this.reserve(frame.length)
    room?.set(frame)
    return room !== undefined
  }

  /**
   * A frame of so many bytes at the end, for the caller to write: what is there is what was there before. `undefined`
   * when the batch is full.
   */
  reserve(length: number): Uint8Array | undefined {
    requireInteger('length', length, 0, 1 << 30)
    const offset = this.#end + this.headroom
    const end = offset + length + this.tailroom
    if (this.#count === this.#offsets.length || end > this.slab.length) return undefined
    this.#offsets[this.#count] = offset
    this.#lengths[this.#count] = length
    this.#gso?.set(this.#count, {})
    this.#count++
    this.#end = end
    return this.slab.subarray(offset, offset + length)
  }

  /** Takes the last frame out again. @throws RangeError when there is none */
  drop(): void {
    const last = this.#count - 2
    this.#check(last + 1)
    this.#count--
    this.#end = last < 0 ? 0 : this.#offsets[last]! + this.#lengths[last]! + this.tailroom
  }

  /** Grows or shrinks frame `i` at its end, within its tailroom. */
  setLength(i: number, length: number): void {
    const offset = this.#check(i)
    const limit = (i + 1 < this.#count ? this.#offsets[i + 1]! - this.headroom : this.#end) - offset
    this.#lengths[i] = requireInteger('length', length, 0, limit)
  }

  /** Moves the start of frame `i` by `bytes`: negative takes headroom, positive cuts the front off. */
  moveStart(i: number, bytes: number): void {
    const offset = this.#check(i)
    const least = i === 0 ? 0 : this.#offsets[i - 1]! + this.#lengths[i - 1]!
    const start = requireInteger('bytes', bytes, least - offset, this.#lengths[i]!)
    this.#offsets[i] = offset + start
    this.#lengths[i]! -= start
  }

  /** Empties the batch for reuse. */
  clear(): void {
    this.#count = 0
    this.#end = 0
  }

  frame(i: number): Uint8Array {
    const offset = this.#check(i)
    return this.slab.subarray(offset, offset + this.#lengths[i]!)
  }

  copy(i: number): Uint8Array {
    const offset = this.#check(i)
    return this.slab.slice(offset, offset + this.#lengths[i]!)
  }

  /** Memory of JavaScript's own needs no keeping; both are here because every batch has them. */
  keep(): this {
    return this
  }

  release(): void {}

  [Symbol.dispose](): void {}

  *[Symbol.iterator](): IterableIterator<Uint8Array> {
    for (let i = 0; i < this.#count; i++) yield this.frame(i)
  }

  #check(i: number): number {
    if (!Number.isInteger(i) || i < 0 || i >= this.#count)
      throw outOfRange('i', `>= 0 and < ${this.#count}`, i)
    return this.#offsets[i]!
  }
}

export const FrameBatch = {
  /** An empty batch with room for `frames` frames and `bytes` bytes. */
  allocate<L extends LinkType>(options: AllocateOptions<L>): BufferBatch<L> {
    return new BufferBatch(options)
  },

  /** A batch that copies the given frames. */
  from<L extends LinkType>(linkType: L, frames: readonly Uint8Array[]): BufferBatch<L> {
    if (!Array.isArray(frames)) throw invalidArgumentType('frames', 'an array of Uint8Array', frames)
    for (const frame of frames) {
      if (!(frame instanceof Uint8Array)) throw invalidArgumentType('frames', 'an array of Uint8Array', frame)
    }
    if (frames.length === 0) throw invalidArgumentValue('frames', frames, 'must hold at least one frame')
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0)
    const batch = new BufferBatch({ linkType, frames: frames.length, bytes })
    for (const frame of frames) batch.append(frame)
    return batch
  },
}

export function releasedBatch(): NetloomError {
  return new NetloomError(
    'ERR_BATCH_RELEASED',
    'the batch went back to its port: call keep() before the next step, or copy the frames',
  )
}
