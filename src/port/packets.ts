import type { LinkType } from '../frames/index.js'
import type { FrameBatch } from './batch.js'
import { FrameIterator } from './frame-iterator.js'
import type { FramePort, ReceiveOptions, WaitOptions } from './port.js'

/** A frame that says what its first byte belongs to, so that it can be decoded and described. */
export interface Packet<L extends LinkType = LinkType> {
  readonly data: Uint8Array
  readonly linkType: L
}

/**
 * One frame at a time, each a copy and yours for good. Simple and safe; `batches()` is the fast way.
 * Owns the port from the call on, as `batches()` does, until it ends or `return()` is called.
 */
export function frames<L extends LinkType>(
  port: FramePort<L>,
  options?: ReceiveOptions & WaitOptions,
): AsyncIterableIterator<Uint8Array> {
  return new FrameIterator(port.batches(options), copyOf, options?.signal)
}

/** As {@link frames}, with the link type beside the bytes. */
export function packets<L extends LinkType>(
  port: FramePort<L>,
  options?: ReceiveOptions & WaitOptions,
): AsyncIterableIterator<Packet<L>> {
  return new FrameIterator(port.batches(options), packetOf, options?.signal)
}

function copyOf(batch: FrameBatch, i: number): Uint8Array {
  return batch.copy(i)
}

function packetOf<L extends LinkType>(batch: FrameBatch<L>, i: number): Packet<L> {
  return { data: batch.copy(i), linkType: batch.linkType }
}
