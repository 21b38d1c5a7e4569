/**
 * ICMPv6: RFC 4443 section 2.1.
 *
 *   0   1  type: below 128 an error
 *   1   1  code
 *   2   2  checksum of a pseudo-header and all of it
 *   4   4  by type: identifier and sequence (2 each); MTU (4); pointer (4); flags of neighbor discovery
 *   8      by type: echoed data, the packet in question, or what neighbor-discovery.ts decodes
 */

import { readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { type ChecksumVerdict, type IpAddressPair, upperLayerChecksum } from './checksum.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { ipProtocols } from './ip-protocols.js'
import { byteField, type Input, uint } from './record.js'

const headerLength = 8

export const icmpv6Types = {
  destinationUnreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  listenerQuery: 130,
  listenerReport: 131,
  listenerDone: 132,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
  redirect: 137,
  listenerReportV2: 143,
} as const

export class Icmpv6View extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('icmpv6', headerLength, bytes, start, end)
  }

  /** One of {@link icmpv6Types}, or another number. */
  get type(): number {
    return this.bytes[this.start]!
  }

  get code(): number {
    return this.bytes[this.start + 1]!
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  /** The four bytes whose meaning depends on the type: the MTU of "packet too big", the pointer of a problem. */
  get rest(): number {
    return readUint32(this.bytes, this.start + 4)
  }

  /** Of echoes. */
  get identifier(): number {
    return readUint16(this.bytes, this.start + 4)
  }

  /** Of echoes. */
  get sequence(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  get payloadOffset(): number {
    return this.start + headerLength
  }
}

export interface Icmpv6Record {
  type: number
  code: number
  checksum: number
  /** Echoes. */
  identifier?: number | undefined
  /** Echoes. */
  sequence?: number | undefined
  /** Packet too big. */
  mtu?: number | undefined
  /** Parameter problem: offset in the packet in question. */
  pointer?: number | undefined
  /** The four bytes after the checksum, where no field above covers them; absent when 0. */
  rest?: number | undefined
  payload: Uint8Array
}

/** `checksum` is computed unless given, so leave it out of a record that you changed. `code` is 0 unless given. */
export type Icmpv6Input = Input<Icmpv6Record, 'type' | 'payload'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeIcmpv6(bytes: Uint8Array): Icmpv6Record {
  return icmpv6Record(new Icmpv6View(bytes))
}

export function icmpv6Record(view: Icmpv6View): Icmpv6Record {
  const { type, code, checksum, rest } = view
  const record: Icmpv6Record = { type, code, checksum, payload: view.payload() }
  switch (type) {
    case icmpv6Types.echoRequest:
    case icmpv6Types.echoReply:
      record.identifier = view.identifier
      record.sequence = view.sequence
      break
    case icmpv6Types.packetTooBig:
      record.mtu = rest
      break
    case icmpv6Types.parameterProblem:
      record.pointer = rest
      break
    default:
      if (rest !== 0) record.rest = rest
  }
  return record
}

/**
 * `addresses` are needed unless the record has a checksum: it covers them.
 * @throws TypeError, RangeError for a field that does not fit
 */
export function encodeIcmpv6(record: Icmpv6Input, addresses?: IpAddressPair): Uint8Array {
  const payload = byteField('payload', record.payload)
  const bytes = withHeader(headerLength, payload)
  bytes[0] = uint('type', record.type, 8)
  bytes[1] = uint('code', record.code, 8, 0)
  writeUint32(bytes, 4, uint('rest', record.rest, 32, 0))
  if (record.identifier !== undefined) writeUint16(bytes, 4, uint('identifier', record.identifier, 16))
  if (record.sequence !== undefined) writeUint16(bytes, 6, uint('sequence', record.sequence, 16))
  if (record.mtu !== undefined) writeUint32(bytes, 4, uint('mtu', record.mtu, 32))
  if (record.pointer !== undefined) writeUint32(bytes, 4, uint('pointer', record.pointer, 32))
  setIcmpv6Checksum(bytes, record.checksum, addresses)
  return bytes
}

export function setIcmpv6Checksum(
  bytes: Uint8Array,
  checksum: number | undefined,
  addresses: IpAddressPair | undefined,
): void {
  const value = checksum ?? upperLayerChecksum(bytes, ipProtocols.icmpv6, addresses)
  writeUint16(bytes, 2, uint('checksum', value, 16))
}

/** `bytes` is the whole message, as in an IPv6 payload; `unverifiable` when it is too short to be one. */
export function verifyIcmpv6Checksum(bytes: Uint8Array, addresses: IpAddressPair): ChecksumVerdict {
  if (bytes.length < headerLength) return 'unverifiable'
  return upperLayerChecksum(bytes, ipProtocols.icmpv6, addresses) === 0 ? 'ok' : 'bad'
}
