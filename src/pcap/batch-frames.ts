import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import type { FrameBatch } from '../frames/index.js'
import type { FileBatch } from './file-batch.js'
import type { FileLinkType } from './file-link-type.js'
import { taggedFrame } from './tagged-frame.js'

const lengthOfTag = 4

/** What a file gets of each frame of a batch: with the tag that was beside it, cut to a snapshot length. */
export class BatchFrames {
  readonly #linkType: FileLinkType
  readonly #slab: Uint8Array
  readonly #offsets: Uint32Array
  readonly #lengths: Uint32Array
  readonly #originalLengths: Uint32Array | undefined
  readonly #vlans: Uint32Array | undefined

  constructor(batch: FrameBatch | FileBatch) {
    this.#linkType = batch.linkType
    this.#slab = batch.slab
    this.#offsets = batch.offsets
    this.#lengths = batch.lengths
    this.#originalLengths = batch.originalLengths
    this.#vlans = batch.vlans
  }

  /** Most bytes that `frame` can have. A snapshot length of 0 is no limit. */
  mostBytes(i: number, snapLength: number): number {
    const length = this.#lengths[i]! + (this.#vlans === undefined ? 0 : lengthOfTag)
    return snapLength === 0 ? length : Math.min(length, snapLength)
  }

  frame(i: number, snapLength: number): Uint8Array {
    const tag = this.#vlans?.[i] ?? 0
    const offset = this.#offsets[i]!
    const end = offset + this.#lengths[i]!
    if (tag === 0)
      return this.#slab.subarray(offset, snapLength === 0 ? end : Math.min(end, offset + snapLength))
    const tagged = taggedFrame(this.#slab.subarray(offset, end), this.#linkType, tag)
    return snapLength === 0 ? tagged : tagged.subarray(0, snapLength)
  }

  originalLength(i: number): number {
    return (this.#originalLengths?.[i] ?? this.#lengths[i]!) + (this.#vlans?.[i] ? lengthOfTag : 0)
  }
}

export function requireBatch(batch: unknown): asserts batch is FrameBatch | FileBatch {
  if (typeof batch !== 'object' || batch === null || !('slab' in batch) || !('offsets' in batch))
    throw invalidArgumentType('batch', 'a FrameBatch', batch)
}

/** The times of a batch; of all its frames `time` or the present where it has none. */
export function batchTimes(batch: FrameBatch | FileBatch, time: bigint | undefined): BigInt64Array {
  if (batch.timestamps !== undefined) return batch.timestamps
  if (time !== undefined && typeof time !== 'bigint') throw invalidArgumentType('timestamp', 'a bigint', time)
  if (time !== undefined && time < 0n)
    throw invalidArgumentValue('timestamp', time, 'must not be before 1970')
  return new BigInt64Array(batch.count).fill(time ?? BigInt(Date.now()) * 1_000_000n)
}
