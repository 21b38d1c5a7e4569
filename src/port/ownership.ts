import type { FrameBatch, LinkType } from '../frames/index.js'
import type { NativePortHandle } from './handle.js'
import type { CloseReason, FramePort, ReceiveOptions, WaitOptions } from './port.js'

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

/** Joins a native port to a forward: throws if it is closed, or somebody reads it. */
export const joinForward: unique symbol = Symbol('netloom.port.joinForward')

/** What was forwarded from a port and to it. */
export interface ForwardedCounts {
  receivedFrames: number
  receivedBytes: number
  /** Too long to be read whole. */
  receivedDropped: number
  sentFrames: number
  sentBytes: number
  sentDropped: number
}

/** A forward, as one of its ports sees it. */
export interface ForwardMember {
  counts(): ForwardedCounts
  /** The port is about to close: the forward has let go of it when this returns. */
  portEnded(reason: CloseReason): void
}

/** A port, as its forward sees it. */
export interface ForwardedSide {
  handle: NativePortHandle
  /** Frames at the beginning that are not for it. */
  skip: number
  /** The port is free again. */
  leave(): void
  /** The thread could not read it or write to it any more: the port ends. */
  failed(errno: number): void
  /** Kinds of super-frames that the kernel turned out to refuse, as bits. */
  refused(kinds: number): void
  /** The thread was told that the link is down, or gone. */
  troubled(errno: number): void
}
