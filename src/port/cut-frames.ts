import { NetloomError, requireInteger, requireOptions } from '../errors/index.js'
import { BufferBatch, type FrameBatch, frameFlags, type GsoColumn, type LinkType } from '../frames/index.js'
import { cutNatively, report } from './handle.js'
import { checkSendable, type Sendable } from './sendable.js'

export interface CutOptions {
  /** Free bytes before every frame, 0 to 65536. Default 0. */
  headroom?: number
  /** Free bytes after every frame. Default 0. */
  tailroom?: number
}

/**
 * The frames that the super-frames of a batch stand for, all checksums complete, in memory of their own: what a port
 * with `offload: 'split'` delivers, made when it is wanted. Frames in whose `gso` nothing is left undone are copied, as is
 * what was left of a frame that was captured in part.
 * @throws NetloomError `ERR_FRAME_MALFORMED` for a frame that contradicts its entry of `gso`; as `trySend()` for a batch
 * that can't be sent
 */
export function cutFrames<L extends LinkType>(batch: FrameBatch<L>, options?: CutOptions): BufferBatch<L> {
  const given = requireOptions('options', options, ['headroom', 'tailroom'])
  const headroom = requireInteger('options.headroom', given.headroom ?? 0, 0, 65536)
  const tailroom = requireInteger('options.tailroom', given.tailroom ?? 0, 0, 65536)
  return cut(batch, headroom, tailroom).frames
}

/** @internal A batch as it is, or, if it has super-frames, the frames that they stand for, with all that is known of them. */
export function plainFrames<L extends LinkType>(batch: FrameBatch<L>): FrameBatch<L> {
  if (!batch.gso?.asksAny(batch.count)) return batch
  const { frames, sources } = cut(batch, 0, 0)
  const { timestamps, originalLengths, flags, vlans, interfaces } = batch
  const pick = (column: Uint32Array | undefined) => column && sources.map(i => column[i]!)
  const done = ~(frameFlags.checksumNotReady | frameFlags.segmentationOffloaded)
  const { lengths } = frames
  return Object.assign(frames, {
    timestamps: timestamps && BigInt64Array.from(sources, i => timestamps[i]!),
    originalLengths:
      originalLengths && sources.map((i, k) => (isPart(batch, i) ? originalLengths[i]! : lengths[k]!)),
    flags: flags && sources.map(i => (isPart(batch, i) ? flags[i]! : flags[i]! & done)),
    vlans: pick(vlans),
    interfaces: pick(interfaces),
  })
}

function cut<L extends LinkType>(batch: FrameBatch<L>, headroom: number, tailroom: number) {
  const sendable = ofWholeFrames(batch, checkSendable(batch, batch?.linkType))
  const ethernet = batch.linkType === 'ethernet'
  const count = checked(cutNatively(sendable, ethernet, headroom, tailroom))
  const bytes = report()[1]! * 2 ** 32 + (report()[0]! >>> 0)
  const { linkType } = batch
  const frames = new BufferBatch({ linkType, frames: Math.max(1, count), bytes, headroom, tailroom })
  const lengths = new Uint32Array(count)
  const sources = new Uint32Array(count)
  checked(cutNatively(sendable, ethernet, headroom, tailroom, frames.slab, lengths, sources))
  for (const length of lengths) frames.reserve(length)
  return { frames, sources }
}

/** Of what was captured in part (`snapLength`) nothing can be completed. */
function isPart(batch: FrameBatch, i: number): boolean {
  return batch.originalLengths !== undefined && batch.originalLengths[i]! > batch.lengths[i]!
}

function ofWholeFrames(batch: FrameBatch, sendable: Sendable): Sendable {
  const { gso, count } = sendable
  if (!gso || !batch.originalLengths) return sendable
  let whole: GsoColumn | undefined
  for (let i = 0; i < count; i++) {
    if (!isPart(batch, i) || !gso.asks(i)) continue
    whole ??= gso.pick(Uint32Array.from({ length: count }, (_, k) => k))
    whole.set(i, {})
  }
  return whole ? { ...sendable, gso: whole } : sendable
}

function checked(frames: number): number {
  if (frames >= 0) return frames
  throw new NetloomError(
    'ERR_FRAME_MALFORMED',
    `batch.gso[${-1 - frames}] does not agree with the bytes of its frame`,
  )
}
