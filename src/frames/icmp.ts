/**
 * ICMP for IPv4: RFC 792, with the MTU of RFC 1191.
 *
 *   0   1  type
 *   1   1  code
 *   2   2  checksum of all of it
 *   4   4  by type: identifier and sequence (2 each); gateway (4); pointer (1); unused (2) and MTU (2); unused
 *   8      by type: echoed data, or the header and first bytes of the packet in question
 */

import { formatIpv4, parseIpv4 } from '../address/index.js'
import { internetChecksum, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import type { ChecksumVerdict } from './checksum.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, uint } from './record.js'

const headerLength = 8

export const icmpTypes = {
  echoReply: 0,
  destinationUnreachable: 3,
  redirect: 5,
  echoRequest: 8,
  timeExceeded: 11,
  parameterProblem: 12,
  timestampRequest: 13,
  timestampReply: 14,
} as const

/** Code of a destination unreachable that carries an MTU. */
export const icmpFragmentationNeeded = 4

export class IcmpView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('icmp', headerLength, bytes, start, end)
  }

  /** One of {@link icmpTypes}, or another number. */
  get type(): number {
    return this.bytes[this.start]!
  }

  get code(): number {
    return this.bytes[this.start + 1]!
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  /** The four bytes whose meaning depends on the type, as one number. */
  get rest(): number {
    return readUint32(this.bytes, this.start + 4)
  }

  /** Of echoes and timestamps. */
  get identifier(): number {
    return readUint16(this.bytes, this.start + 4)
  }

  /** Of echoes and timestamps. */
  get sequence(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  /** Of a redirect. */
  get gateway(): string {
    return formatIpv4(this.bytes, this.start + 4)
  }

  /** Of a parameter problem: offset in the packet in question. */
  get pointer(): number {
    return this.bytes[this.start + 4]!
  }

  /** Of "fragmentation needed". */
  get mtu(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  get payloadOffset(): number {
    return this.start + headerLength
  }
}

export interface IcmpRecord {
  type: number
  code: number
  checksum: number
  /** Echoes and timestamps. */
  identifier?: number | undefined
  /** Echoes and timestamps. */
  sequence?: number | undefined
  /** Redirect. */
  gateway?: string | undefined
  /** Parameter problem. */
  pointer?: number | undefined
  /** Destination unreachable, fragmentation needed. */
  mtu?: number | undefined
  /** The four bytes after the checksum, where no field above covers them; absent when 0. */
  rest?: number | undefined
  payload: Uint8Array
}

/** `checksum` is computed unless given, so leave it out of a record that you changed. `code` is 0 unless given. */
export type IcmpInput = Input<IcmpRecord, 'type' | 'payload'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeIcmp(bytes: Uint8Array): IcmpRecord {
  return icmpRecord(new IcmpView(bytes))
}

export function icmpRecord(view: IcmpView): IcmpRecord {
  const { type, code, checksum, rest } = view
  const record: IcmpRecord = { type, code, checksum, payload: view.payload() }
  let covered = 0
  switch (type) {
    case icmpTypes.echoReply:
    case icmpTypes.echoRequest:
    case icmpTypes.timestampRequest:
    case icmpTypes.timestampReply:
      record.identifier = view.identifier
      record.sequence = view.sequence
      covered = 0xffffffff
      break
    case icmpTypes.redirect:
      record.gateway = view.gateway
      covered = 0xffffffff
      break
    case icmpTypes.parameterProblem:
      record.pointer = view.pointer
      covered = 0xff000000
      break
    case icmpTypes.destinationUnreachable:
      if (code === icmpFragmentationNeeded) {
        record.mtu = view.mtu
        covered = 0x0000ffff
      }
      break
  }
  const uncovered = (rest & ~covered) >>> 0
  if (uncovered !== 0) record.rest = uncovered
  return record
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeIcmp(record: IcmpInput): Uint8Array {
  const payload = byteField('payload', record.payload)
  const bytes = withHeader(headerLength, payload)
  bytes[0] = uint('type', record.type, 8)
  bytes[1] = uint('code', record.code, 8, 0)
  writeUint32(bytes, 4, uint('rest', record.rest, 32, 0))
  if (record.identifier !== undefined) writeUint16(bytes, 4, uint('identifier', record.identifier, 16))
  if (record.sequence !== undefined) writeUint16(bytes, 6, uint('sequence', record.sequence, 16))
  if (record.gateway !== undefined) bytes.set(parseIpv4(record.gateway), 4)
  if (record.pointer !== undefined) bytes[4] = uint('pointer', record.pointer, 8)
  if (record.mtu !== undefined) writeUint16(bytes, 6, uint('mtu', record.mtu, 16))
  writeUint16(bytes, 2, uint('checksum', record.checksum, 16, internetChecksum(bytes)))
  return bytes
}

/** `bytes` is the whole message, as in an IPv4 payload; `unverifiable` when it is too short to be one. */
export function verifyIcmpChecksum(bytes: Uint8Array): ChecksumVerdict {
  if (bytes.length < headerLength) return 'unverifiable'
  return internetChecksum(bytes) === 0 ? 'ok' : 'bad'
}
