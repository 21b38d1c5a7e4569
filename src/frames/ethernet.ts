/**
 * Ethernet: IEEE 802.3 clause 3.2.
 *
 *   0   6  destination address
 *   6   6  source address
 *  12   2  EtherType; up to 1500 it is the payload's length, and an 802.2 LLC header follows
 *  14      payload, padded by senders to 46 bytes
 */

import { formatMacAddress, parseMacAddress } from '../address/index.js'
import { concatBytes, readUint16, writeUint16 } from '../bytes/index.js'
import { requireInteger } from '../errors/index.js'
import { truncated } from './frame-error.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input } from './record.js'

export const ethernetHeaderLength = 14
export const longest802Dot3 = 1500

export class EthernetView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('ethernet', ethernetHeaderLength, bytes, start, end)
  }

  get destination(): string {
    return formatMacAddress(this.bytes, this.start)
  }

  get source(): string {
    return formatMacAddress(this.bytes, this.start + 6)
  }

  /** The EtherType, or the length of an 802.3 frame: see {@link hasLength}. */
  get typeOrLength(): number {
    return readUint16(this.bytes, this.start + 12)
  }

  /** True for an 802.3 frame, whose payload is an LLC header and what follows it. */
  get hasLength(): boolean {
    return this.typeOrLength <= longest802Dot3
  }

  /** The group bit: broadcast is multicast too. */
  get isMulticast(): boolean {
    return (this.bytes[this.start]! & 1) === 1
  }

  get payloadOffset(): number {
    return this.start + ethernetHeaderLength
  }

  override get payloadEnd(): number {
    return this.hasLength ? Math.min(this.end, this.payloadOffset + this.typeOrLength) : this.end
  }
}

/** Ethernet II has `type`; 802.3 has `length` instead. */
export interface EthernetRecord {
  destination: string
  source: string
  /** EtherType, 1501 to 65535. */
  type?: number | undefined
  /** 802.3: bytes of payload, 0 to 1500. */
  length?: number | undefined
  /** With Ethernet II, padding included: only the protocol inside knows where it begins. */
  payload: Uint8Array
  /** 802.3: what follows the payload. */
  trailer?: Uint8Array | undefined
}

/** Without `type`, an 802.3 frame is made, and `length` filled in. Frames are not padded. */
export type EthernetInput = Input<EthernetRecord, 'destination' | 'source' | 'payload'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeEthernet(bytes: Uint8Array): EthernetRecord {
  const view = new EthernetView(bytes)
  const available = view.end - view.payloadOffset
  if (view.hasLength && view.typeOrLength > available)
    throw truncated('ethernet', view.typeOrLength, available)
  return ethernetRecord(view)
}

export function ethernetRecord(view: EthernetView): EthernetRecord {
  const { destination, source, typeOrLength } = view
  const payload = view.payload()
  if (!view.hasLength) return { destination, source, type: typeOrLength, payload }
  const trailer = view.bytes.subarray(view.payloadEnd, view.end)
  return { destination, source, length: typeOrLength, payload, ...(trailer.length > 0 && { trailer }) }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeEthernet(record: EthernetInput): Uint8Array {
  const payload = byteField('payload', record.payload)
  const trailer = record.trailer && byteField('trailer', record.trailer)
  const bytes = withHeader(ethernetHeaderLength, trailer ? concatBytes(payload, trailer) : payload)
  bytes.set(parseMacAddress(record.destination), 0)
  bytes.set(parseMacAddress(record.source), 6)
  const typeOrLength =
    record.type === undefined
      ? requireInteger('length', record.length ?? payload.length, 0, longest802Dot3)
      : requireInteger('type', record.type, longest802Dot3 + 1, 0xffff)
  writeUint16(bytes, 12, typeOrLength)
  return bytes
}
