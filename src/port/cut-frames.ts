import { invalidArgumentValue, requireInteger, requireOptions } from '../errors/index.js'
import { BufferBatch, type FrameBatch, type LinkType } from '../frames/index.js'
import { cutNatively, report } from './handle.js'
import { checkSendable } from './sendable.js'

export interface CutOptions {
  /** Free bytes before every frame, 0 to 65536. Default 0. */
  headroom?: number
  /** Free bytes after every frame. Default 0. */
  tailroom?: number
}

/**
 * The frames that the super-frames of a batch stand for, all checksums complete, in memory of their own: what a port
 * with `offload: 'split'` delivers, made when it is wanted. Frames in whose `gso` nothing is left undone are copied.
 * @throws TypeError `ERR_INVALID_ARG_VALUE` for a frame that contradicts its entry of `gso`; as `trySend()` for a batch
 * that can't be sent
 */
export function cutFrames<L extends LinkType>(batch: FrameBatch<L>, options?: CutOptions): BufferBatch<L> {
  const given = requireOptions('options', options, ['headroom', 'tailroom'])
  const headroom = requireInteger('options.headroom', given.headroom ?? 0, 0, 65536)
  const tailroom = requireInteger('options.tailroom', given.tailroom ?? 0, 0, 65536)
  const { linkType } = batch
  const sendable = checkSendable(batch, linkType)
  const ethernet = linkType === 'ethernet'
  const frames = checked(cutNatively(sendable, ethernet, headroom, tailroom))
  const bytes = report()[1]! * 2 ** 32 + (report()[0]! >>> 0)
  const cut = new BufferBatch({ linkType, frames: Math.max(1, frames), bytes, headroom, tailroom })
  const lengths = new Uint32Array(frames)
  checked(cutNatively(sendable, ethernet, headroom, tailroom, cut.slab, lengths))
  for (const length of lengths) cut.reserve(length)
  return cut
}

function checked(frames: number): number {
  if (frames >= 0) return frames
  const i = -1 - frames
  throw invalidArgumentValue(`batch.gso[${i}]`, undefined, `must agree with the bytes of frame ${i}`)
}
