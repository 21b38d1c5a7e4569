/**
 * UDP: RFC 768.
 *
 *   0   2  source port
 *   2   2  destination port
 *   4   2  length, header included
 *   6   2  checksum of a pseudo-header and all of it; 0 is none
 *   8      payload
 */

import { readUint16, writeUint16 } from '../bytes/index.js'
import { type ChecksumVerdict, type IpAddressPair, upperLayerChecksum } from './checksum.js'
import { malformed, truncated } from './frame-error.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { ipProtocols } from './ip-protocols.js'
import { byteField, type Input, uint } from './record.js'

const headerLength = 8

export class UdpView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('udp', headerLength, bytes, start, end)
    const { length } = this
    if (length !== 0 && length < headerLength) throw malformed('udp', `the length is ${length}`)
  }

  get sourcePort(): number {
    return readUint16(this.bytes, this.start)
  }

  get destinationPort(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  /** In bytes, header included; 0 in a jumbogram or a datagram that offload has still to cut. */
  get length(): number {
    return readUint16(this.bytes, this.start + 4)
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  get payloadOffset(): number {
    return this.start + headerLength
  }

  override get payloadEnd(): number {
    return Math.min(this.end, this.payloadOffset + this.payloadLength)
  }

  /** Bytes of payload that the header speaks of: more than are there if the datagram was cut. */
  get payloadLength(): number {
    return (this.length === 0 ? this.end - this.start : this.length) - headerLength
  }

  /** The datagram ends before its length: it was cut, or this is its first fragment. */
  get isCut(): boolean {
    return this.length > this.end - this.start
  }
}

export interface UdpRecord {
  sourcePort: number
  destinationPort: number
  /** Bytes, header included. */
  length: number
  checksum: number
  payload: Uint8Array
}

/** `length` and `checksum` are computed unless given, so leave them out of a record that you changed. */
export type UdpInput = Input<UdpRecord, 'sourcePort' | 'destinationPort' | 'payload'>

/**
 * Decodes one datagram; what follows its length is left out. A length of 0 means all that is there.
 * @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED`
 */
export function decodeUdp(bytes: Uint8Array): UdpRecord {
  const view = new UdpView(bytes)
  if (view.isCut) throw truncated('udp', view.length, bytes.length)
  return udpRecord(view)
}

export function udpRecord(view: UdpView): UdpRecord {
  const { sourcePort, destinationPort, length, checksum } = view
  return { sourcePort, destinationPort, length, checksum, payload: view.payload() }
}

/**
 * `addresses` are needed unless the record has a checksum (0 for none): it covers them.
 * @throws TypeError, RangeError for a field that does not fit
 */
export function encodeUdp(record: UdpInput, addresses?: IpAddressPair): Uint8Array {
  const payload = byteField('payload', record.payload)
  const bytes = withHeader(headerLength, payload)
  writeUint16(bytes, 0, uint('sourcePort', record.sourcePort, 16))
  writeUint16(bytes, 2, uint('destinationPort', record.destinationPort, 16))
  writeUint16(bytes, 4, uint('length', record.length, 16, bytes.length))
  // A sum that comes out as 0 is sent as 0xffff, which means the same: 0 says that there is none.
  const checksum = record.checksum ?? (upperLayerChecksum(bytes, ipProtocols.udp, addresses) || 0xffff)
  writeUint16(bytes, 6, uint('checksum', checksum, 16))
  return bytes
}

/**
 * `bytes` is the whole datagram, as in an IP payload; `unverifiable` when it is shorter than its length. Over
 * IPv6 a checksum of 0 is `bad` (RFC 8200 section 8.1).
 */
export function verifyUdpChecksum(bytes: Uint8Array, addresses: IpAddressPair): ChecksumVerdict {
  if (bytes.length < headerLength) return 'unverifiable'
  const length = readUint16(bytes, 4) || bytes.length
  if (length < headerLength || length > bytes.length) return 'unverifiable'
  if (readUint16(bytes, 6) === 0) return addresses.source.includes(':') ? 'bad' : 'absent'
  const sum = upperLayerChecksum(bytes.subarray(0, length), ipProtocols.udp, addresses)
  return sum === 0 ? 'ok' : 'bad'
}
