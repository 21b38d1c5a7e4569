import { invalidArgumentType } from '../errors/index.js'
import type { LinkType } from './link-type.js'

/** A frame with what it begins with, as `packets()` gives it. */
export interface LinkedFrame {
  readonly data: Uint8Array
  readonly linkType: LinkType
  /** Bytes that it had on the wire, if known. */
  readonly originalLength?: number | undefined
  /** The bits of `frameFlags`, if known. */
  readonly flags?: number | undefined
}

/** What is known of a frame, and the options behind it, which stand in place of the link type if the frame has its own. */
export function linkedFrame<O>(
  frame: Uint8Array | LinkedFrame,
  second: LinkType | O | undefined,
  third?: O,
): [packet: LinkedFrame, options: O | undefined] {
  if (frame instanceof Uint8Array) {
    return [{ data: frame, linkType: (second as LinkType | undefined) ?? 'ethernet' }, third]
  }
  if ((frame as LinkedFrame | null | undefined)?.data instanceof Uint8Array) return [frame, second as O]
  throw invalidArgumentType('frame', 'an instance of Uint8Array, or a packet with data and linkType', frame)
}
