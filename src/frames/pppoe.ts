/**
 * PPP over Ethernet: RFC 2516 sections 4 and 5. EtherType 0x8863 finds a session, 0x8864 carries it.
 *
 *   0   1  version: 1 (4 bits), type: 1 (4)
 *   1   1  code: 0 in a session, else what the message of discovery is
 *   2   2  session
 *   4   2  length of what follows
 *   6      in a session: PPP protocol (2), then the payload
 *          in discovery: tags, each: type (2), length (2), data
 */

import { concatBytes, readUint16, writeUint16 } from '../bytes/index.js'
import { malformed, truncated } from './frame-error.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, noBytes, uint } from './record.js'

const headerLength = 6

export const pppoeCodes = {
  session: 0x00,
  /** PADI: who is there? */
  initiation: 0x09,
  /** PADO */
  offer: 0x07,
  /** PADR */
  request: 0x19,
  /** PADS */
  confirmation: 0x65,
  /** PADT */
  termination: 0xa7,
} as const

/** Types of tags. */
export const pppoeTags = {
  endOfList: 0x0000,
  serviceName: 0x0101,
  concentratorName: 0x0102,
  hostUnique: 0x0103,
  concentratorCookie: 0x0104,
  vendorSpecific: 0x0105,
  relaySession: 0x0110,
  /** RFC 4638: the largest payload that the sender can take. */
  maxPayload: 0x0120,
  serviceNameError: 0x0201,
  concentratorError: 0x0202,
  genericError: 0x0203,
} as const

/** PPP protocol numbers (https://www.iana.org/assignments/ppp-numbers). */
export const pppProtocols = {
  ipv4: 0x0021,
  ipv6: 0x0057,
  mpls: 0x0281,
  ipcp: 0x8021,
  ipv6cp: 0x8057,
  lcp: 0xc021,
  pap: 0xc023,
  chap: 0xc223,
} as const

export class PppoeView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('pppoe', headerLength, bytes, start, end)
    if (bytes[this.start] !== 0x11) throw malformed('pppoe', 'version and type are not 1')
    if (this.isSession) {
      this.require('pppoe', headerLength + 2)
      if (this.length < 2) throw malformed('pppoe', `the length is ${this.length}`)
    }
  }

  /** One of {@link pppoeCodes}, or another number. */
  get code(): number {
    return this.bytes[this.start + 1]!
  }

  get isSession(): boolean {
    return this.code === pppoeCodes.session
  }

  get sessionId(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  /** Bytes after the header. */
  get length(): number {
    return readUint16(this.bytes, this.start + 4)
  }

  /** In a session: one of {@link pppProtocols}, or another number. */
  get protocol(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  /** After the PPP protocol; in discovery, where the tags begin. */
  get payloadOffset(): number {
    return this.start + headerLength + (this.isSession ? 2 : 0)
  }

  override get payloadEnd(): number {
    return Math.min(this.end, this.start + headerLength + this.length)
  }

  get isCut(): boolean {
    return headerLength + this.length > this.end - this.start
  }
}

export interface PppoeTag {
  /** One of {@link pppoeTags}, or another number. */
  type: number
  data: Uint8Array
}

export interface PppoeRecord {
  code: number
  sessionId: number
  /** Bytes after the header. */
  length: number
  /** In a session. */
  protocol?: number | undefined
  /** In discovery. */
  tags?: PppoeTag[] | undefined
  /** Of the session; empty in discovery. */
  payload: Uint8Array
}

/** `code` is 0, a session, unless given; `length` is computed unless given. */
export type PppoeInput = Input<PppoeRecord, 'sessionId'>

/** Decodes one message; what follows its length is padding. @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function decodePppoe(bytes: Uint8Array): PppoeRecord {
  const view = new PppoeView(bytes)
  if (view.isCut) throw truncated('pppoe', headerLength + view.length, bytes.length)
  return pppoeRecord(view)
}

export function pppoeRecord(view: PppoeView): PppoeRecord {
  const { code, sessionId, length, bytes, payloadEnd } = view
  if (view.isSession) return { code, sessionId, length, protocol: view.protocol, payload: view.payload() }
  const tags: PppoeTag[] = []
  for (let at = view.payloadOffset; at < payloadEnd; ) {
    const next = at + 4 <= payloadEnd ? at + 4 + readUint16(bytes, at + 2) : payloadEnd + 1
    if (next > payloadEnd) {
      if (view.isCut) throw truncated('pppoe', headerLength + length, view.end - view.start)
      throw malformed('pppoe', 'a tag is longer than the message')
    }
    tags.push({ type: readUint16(bytes, at), data: bytes.subarray(at + 4, next) })
    at = next
  }
  return { code, sessionId, length, tags, payload: bytes.subarray(payloadEnd, payloadEnd) }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodePppoe(record: PppoeInput): Uint8Array {
  const code = uint('code', record.code, 8, pppoeCodes.session)
  const session = code === pppoeCodes.session
  const payload = session ? byteField('payload', record.payload, noBytes) : tagsBody(record.tags ?? [])
  const bytes = withHeader(headerLength + (session ? 2 : 0), payload)
  bytes[0] = 0x11
  bytes[1] = code
  writeUint16(bytes, 2, uint('sessionId', record.sessionId, 16))
  writeUint16(bytes, 4, uint('length', record.length, 16, bytes.length - headerLength))
  if (session) writeUint16(bytes, 6, uint('protocol', record.protocol, 16))
  return bytes
}

function tagsBody(tags: readonly PppoeTag[]): Uint8Array {
  return concatBytes(
    ...tags.flatMap(tag => {
      const data = byteField('tag.data', tag.data)
      const header = new Uint8Array(4)
      writeUint16(header, 0, uint('tag.type', tag.type, 16))
      writeUint16(header, 2, uint('tag.data.length', data.length, 16))
      return [header, data]
    }),
  )
}
