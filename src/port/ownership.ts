import type { FrameBatch, LinkType } from '../frames/index.js'
import type { FramePort, ReceiveOptions, WaitOptions } from './port.js'

/**
 * A port's own hook for readers that are more than a loop: like `batches()`, but `owner` then says who reads.
 * A port without it is read through `batches()`, and its owner is `reader`.
 */
export const readAs: unique symbol = Symbol.for('netloom.port.readAs')

export type ReaderKind = Exclude<FramePort['owner'], 'none'>

export type BatchIterator<L extends LinkType> = AsyncIterableIterator<FrameBatch<L>>

interface OwnablePort<L extends LinkType> {
  [readAs]?(kind: ReaderKind, options?: ReceiveOptions & WaitOptions): BatchIterator<L>
}

/** The port's batches, read on behalf of a stream, say. */
export function batchesAs<L extends LinkType>(
  port: FramePort<L> & OwnablePort<L>,
  kind: ReaderKind,
  options?: ReceiveOptions & WaitOptions,
): BatchIterator<L> {
  return port[readAs]?.(kind, options) ?? port.batches(options)
}
