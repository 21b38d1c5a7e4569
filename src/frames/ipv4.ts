/**
 * IPv4: RFC 791 section 3.1, with the traffic class bits of RFC 2474 and RFC 3168.
 *
 *   0   1  version: 4 (4 bits), header length in 32-bit words: 5 to 15 (4)
 *   1   1  DSCP (6 bits), ECN (2)
 *   2   2  total length, header included
 *   4   2  identification
 *   6   2  reserved, don't fragment, more fragments (1 bit each), fragment offset in units of 8 bytes (13)
 *   8   1  time to live
 *   9   1  protocol
 *  10   2  header checksum
 *  12   4  source address
 *  16   4  destination address
 *  20      options, padded to a multiple of 4
 */

import { formatIpv4, parseIpv4 } from '../address/index.js'
import { checksumSum, finishChecksum, readUint16, writeUint16 } from '../bytes/index.js'
import type { ChecksumVerdict } from './checksum.js'
import { malformed, truncated } from './frame-error.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, noBytes, requireMultiple, uint } from './record.js'

const fixedLength = 20

export class Ipv4View extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('ipv4', fixedLength, bytes, start, end)
    const version = bytes[this.start]! >> 4
    if (version !== 4) throw malformed('ipv4', `the version is ${version}`)
    const { headerLength, totalLength } = this
    if (headerLength < fixedLength) throw malformed('ipv4', `the header length is ${headerLength}`)
    this.require('ipv4', headerLength)
    if (totalLength !== 0 && totalLength < headerLength)
      throw malformed('ipv4', `the total length of ${totalLength} is less than the header's`)
  }

  /** In bytes. */
  get headerLength(): number {
    return (this.bytes[this.start]! & 15) * 4
  }

  get dscp(): number {
    return this.bytes[this.start + 1]! >> 2
  }

  get ecn(): number {
    return this.bytes[this.start + 1]! & 3
  }

  /** In bytes, header included; 0 in a packet that segmentation offload has still to cut. */
  get totalLength(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  get identification(): number {
    return readUint16(this.bytes, this.start + 4)
  }

  get reservedFlag(): boolean {
    return (this.bytes[this.start + 6]! & 0x80) !== 0
  }

  get dontFragment(): boolean {
    return (this.bytes[this.start + 6]! & 0x40) !== 0
  }

  get moreFragments(): boolean {
    return (this.bytes[this.start + 6]! & 0x20) !== 0
  }

  /** In bytes. */
  get fragmentOffset(): number {
    return (readUint16(this.bytes, this.start + 6) & 0x1fff) * 8
  }

  get isFragment(): boolean {
    return (readUint16(this.bytes, this.start + 6) & 0x3fff) !== 0
  }

  get ttl(): number {
    return this.bytes[this.start + 8]!
  }

  get protocol(): number {
    return this.bytes[this.start + 9]!
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + 10)
  }

  get source(): string {
    return formatIpv4(this.bytes, this.start + 12)
  }

  get destination(): string {
    return formatIpv4(this.bytes, this.start + 16)
  }

  get payloadOffset(): number {
    return this.start + this.headerLength
  }

  override get payloadEnd(): number {
    return Math.min(this.end, this.payloadOffset + this.payloadLength)
  }

  /** Bytes of payload that the header speaks of: more than are there if the packet was cut. */
  get payloadLength(): number {
    const total = this.totalLength
    return (total === 0 ? this.end - this.start : total) - this.headerLength
  }

  /** The packet ends before its total length. */
  get isCut(): boolean {
    return this.totalLength > this.end - this.start
  }
}

export interface Ipv4Record {
  /** 0 to 63. */
  dscp: number
  /** 0 to 3. */
  ecn: number
  /** Bytes, header included. */
  totalLength: number
  identification: number
  reservedFlag: boolean
  dontFragment: boolean
  moreFragments: boolean
  /** Bytes, a multiple of 8. */
  fragmentOffset: number
  ttl: number
  protocol: number
  checksum: number
  source: string
  destination: string
  /** As on the wire: 0 to 40 bytes, a multiple of 4. */
  options: Uint8Array
  payload: Uint8Array
}

/**
 * `totalLength` and `checksum` are computed unless given, so leave them out of a record that you changed. `ttl`
 * is 64 unless given, the rest 0.
 */
export type Ipv4Input = Input<Ipv4Record, 'protocol' | 'source' | 'destination' | 'payload'>

/**
 * Decodes one packet; what follows its total length is padding. A total length of 0 means all that is there.
 * @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED`
 */
export function decodeIpv4(bytes: Uint8Array): Ipv4Record {
  const view = new Ipv4View(bytes)
  if (view.isCut) throw truncated('ipv4', view.totalLength, bytes.length)
  return ipv4Record(view)
}

export function ipv4Record(view: Ipv4View): Ipv4Record {
  return {
    dscp: view.dscp,
    ecn: view.ecn,
    totalLength: view.totalLength,
    identification: view.identification,
    reservedFlag: view.reservedFlag,
    dontFragment: view.dontFragment,
    moreFragments: view.moreFragments,
    fragmentOffset: view.fragmentOffset,
    ttl: view.ttl,
    protocol: view.protocol,
    checksum: view.checksum,
    source: view.source,
    destination: view.destination,
    options: view.bytes.subarray(view.start + fixedLength, view.payloadOffset),
    payload: view.payload(),
  }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeIpv4(record: Ipv4Input): Uint8Array {
  const payload = byteField('payload', record.payload)
  const options = byteField('options', record.options, noBytes)
  const headerLength = fixedLength + requireMultiple('options.length', options.length, 4)
  const offset = requireMultiple('fragmentOffset', uint('fragmentOffset', record.fragmentOffset, 16, 0), 8)
  const bytes = withHeader(headerLength, payload)
  bytes[0] = 0x40 | uint('header length', headerLength / 4, 4)
  bytes[1] = (uint('dscp', record.dscp, 6, 0) << 2) | uint('ecn', record.ecn, 2, 0)
  writeUint16(bytes, 2, uint('totalLength', record.totalLength, 16, bytes.length))
  writeUint16(bytes, 4, uint('identification', record.identification, 16, 0))
  const flags =
    (record.reservedFlag ? 0x8000 : 0) |
    (record.dontFragment ? 0x4000 : 0) |
    (record.moreFragments ? 0x2000 : 0)
  writeUint16(bytes, 6, flags | (offset >> 3))
  bytes[8] = uint('ttl', record.ttl, 8, 64)
  bytes[9] = uint('protocol', record.protocol, 8)
  bytes.set(parseIpv4(record.source), 12)
  bytes.set(parseIpv4(record.destination), 16)
  bytes.set(options, fixedLength)
  const checksum = finishChecksum(checksumSum(bytes, 0, headerLength))
  writeUint16(bytes, 10, uint('checksum', record.checksum, 16, checksum))
  return bytes
}

/** The header's checksum; `unverifiable` when the header is not whole. */
export function verifyIpv4Checksum(bytes: Uint8Array): ChecksumVerdict {
  const headerLength = ((bytes[0] ?? 0) & 15) * 4
  if (headerLength < fixedLength || headerLength > bytes.length) return 'unverifiable'
  return finishChecksum(checksumSum(bytes, 0, headerLength)) === 0 ? 'ok' : 'bad'
}
