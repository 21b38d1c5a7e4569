import type { FrameBatch, LinkType } from '../frames/index.js'
import { FrameIterator } from './frame-iterator.js'
import type { FramePort, ReceiveOptions, WaitOptions } from './port.js'
import { requirePort } from './require-port.js'

/** A frame that says what its first byte belongs to, so that it can be decoded and described. */
export interface Packet<L extends LinkType = LinkType> {
  readonly data: Uint8Array
  readonly linkType: L
  /** When it was seen, in nanoseconds since 1970; of captures and capture files. */
  readonly timestamp?: bigint
  /** Bytes that it had on the wire; of captures and capture files. */
  readonly originalLength?: number
  /** The bits of `frameFlags`; of captures and capture files. */
  readonly flags?: number
  /** The VLAN tag that is not in the bytes, `tpid << 16 | tci`, if there is one. */
  readonly vlan?: number
  /** The interface's index in its namespace, or its number in a file. */
  readonly interface?: number
}

/**
 * One frame at a time, each a copy and yours for good. Simple and safe; `batches()` is the fast way.
 * Owns the port from the call on, as `batches()` does, until it ends or `return()` is called.
 */
export function frames<L extends LinkType>(
  port: FramePort<L>,
  options?: ReceiveOptions & WaitOptions,
): AsyncIterableIterator<Uint8Array> {
  return new FrameIterator(requirePort(port).batches(options), copyOf, options?.signal)
}

/** As {@link frames}, with the link type beside the bytes. */
export function packets<L extends LinkType>(
  port: FramePort<L>,
  options?: ReceiveOptions & WaitOptions,
): AsyncIterableIterator<Packet<L>> {
  return new FrameIterator(requirePort(port).batches(options), packetOf, options?.signal)
}

function copyOf(batch: FrameBatch, i: number): Uint8Array {
  return batch.copy(i)
}

/** Frame `i` of a batch with all that is known of it; a copy. */
export function packetOf<L extends LinkType>(batch: FrameBatch<L>, i: number): Packet<L> {
  const { linkType, timestamps, originalLengths, flags, vlans, interfaces } = batch
  const data = batch.copy(i)
  if (timestamps && originalLengths && flags && interfaces && !vlans?.[i]) {
    // Most packets of captures: in one piece, which costs a fraction of the other way.
    return {
      data,
      linkType,
      timestamp: timestamps[i]!,
      originalLength: originalLengths[i]!,
      flags: flags[i]!,
      interface: interfaces[i]!,
    }
  }
  return {
    data,
    linkType,
    ...(timestamps && { timestamp: timestamps[i]! }),
    ...(originalLengths && { originalLength: originalLengths[i]! }),
    ...(flags && { flags: flags[i]! }),
    ...(vlans?.[i] && { vlan: vlans[i]! }),
    ...(interfaces && { interface: interfaces[i]! }),
  }
}
