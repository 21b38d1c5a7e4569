import { invalidArgumentType, outOfRange } from '../errors/index.js'
import type { FrameBatch, LinkType } from '../frames/index.js'
import type { CaptureItem, CapturePacket, CaptureSection } from './capture-items.js'
import type { FileLinkType } from './file-link-type.js'
import type { PacketColumns } from './packet-columns.js'
import { decodePacket } from './packet-record.js'

/**
 * Packets of one link type that follow each other in a capture file. The columns and the bytes are in the memory that
 * was given to the reader; nothing is taken back, so that a batch lasts as long as it is wanted.
 *
 * Where `frames` knows the link type it is a {@link FrameBatch}: `if (batch.linkType === 'ethernet')` tells TypeScript.
 */
export type FileBatch = { [L in LinkType]: FileFrames<L> }[LinkType] | FileFrames<number>

/** Where a batch lies. */
export interface BatchExtent {
  slab: Uint8Array
  columns: PacketColumns
  /** Its entries of the columns: from this one, */
  from: number
  /** up to this one, exclusive. */
  to: number
  /** Its bytes of the slab, headers of packets included. */
  begin: number
  end: number
  /** Of the slab. */
  fileOffset: number
  section: CaptureSection
  linkType: FileLinkType
  /** Simple packets have no time. */
  timed: boolean
}

export function makeFileBatch(extent: BatchExtent): FileBatch {
  return new FileFrames(extent) as FileBatch
}

export class FileFrames<L extends FileLinkType = FileLinkType> implements Iterable<Uint8Array>, Disposable {
  readonly type = 'packets'
  readonly linkType: L
  readonly count: number
  readonly slab: Uint8Array
  /** Where the packets were captured: `interfaces` are numbers in `section.interfaces`. */
  readonly section: CaptureSection
  readonly #extent: BatchExtent
  #offsets: Uint32Array | undefined
  #lengths: Uint32Array | undefined
  #timestamps: BigInt64Array | undefined
  #originalLengths: Uint32Array | undefined
  #flags: Uint32Array | undefined
  #interfaces: Uint32Array | undefined

  /** @internal */
  constructor(extent: BatchExtent) {
    this.linkType = extent.linkType as L
    this.count = extent.to - extent.from
    this.slab = extent.slab
    this.section = extent.section
    this.#extent = extent
  }

  get offsets(): Uint32Array {
    this.#offsets ??= this.#slice(this.#extent.columns.offsets)
    return this.#offsets
  }

  get lengths(): Uint32Array {
    this.#lengths ??= this.#slice(this.#extent.columns.lengths)
    return this.#lengths
  }

  /** Nanoseconds since 1970-01-01 UTC, rounded down where the file is finer, modulo 2 ** 64. None of simple packets. */
  get timestamps(): BigInt64Array | undefined {
    const { timed, columns, from, to } = this.#extent
    if (timed) this.#timestamps ??= columns.timestamps.subarray(from, to)
    return this.#timestamps
  }

  get originalLengths(): Uint32Array {
    this.#originalLengths ??= this.#slice(this.#extent.columns.originalLengths)
    return this.#originalLengths
  }

  /** Only pcapng has them. */
  get flags(): Uint32Array | undefined {
    if (this.section.format === 'pcapng') this.#flags ??= this.#slice(this.#extent.columns.flags)
    return this.#flags
  }

  get interfaces(): Uint32Array {
    this.#interfaces ??= this.#slice(this.#extent.columns.interfaces)
    return this.#interfaces
  }

  /** Files have tags in the bytes. */
  get vlans(): undefined {
    return undefined
  }

  /** The bytes of the file that the batch is from, headers of packets included. */
  get bytes(): Uint8Array {
    return this.slab.subarray(this.#extent.begin, this.#extent.end)
  }

  /** Where they are in the file. */
  get fileOffset(): number {
    return this.#extent.fileOffset + this.#extent.begin
  }

  frame(i: number): Uint8Array {
    const offset = this.#check(i)
    return this.slab.subarray(offset, offset + this.lengths[i]!)
  }

  copy(i: number): Uint8Array {
    const offset = this.#check(i)
    return this.slab.slice(offset, offset + this.lengths[i]!)
  }

  /**
   * Packet `i` with everything that the file says of it; its `data` is no copy.
   * @throws CaptureFileError when its options are malformed
   */
  packet(i: number): CapturePacket {
    this.#check(i)
    return decodePacket(this.#extent, this.#extent.from + i)
  }

  keep(): this {
    return this
  }

  release(): void {}

  [Symbol.dispose](): void {}

  *[Symbol.iterator](): IterableIterator<Uint8Array> {
    for (let i = 0; i < this.count; i++) yield this.frame(i)
  }

  #slice(column: Uint32Array): Uint32Array {
    return column.subarray(this.#extent.from, this.#extent.to)
  }

  #check(i: number): number {
    if (!Number.isInteger(i) || i < 0 || i >= this.count) throw outOfRange('i', `>= 0 and < ${this.count}`, i)
    return this.offsets[i]!
  }
}

/** True for a batch whose frames `decode`, `describe` and ports take. */
export function isFrameBatch(batch: FileBatch): batch is FileBatch & FrameBatch {
  return typeof batch.linkType === 'string'
}

/** True for the packets among the items of a capture file. */
export function isFileBatch(item: unknown): item is FileBatch {
  return item instanceof FileFrames
}

export function requireItem(item: unknown): asserts item is CaptureItem {
  if (typeof item !== 'object' || item === null || !('type' in item))
    throw invalidArgumentType('item', 'something of a capture file', item)
}
