/**
 * IPv6: RFC 8200 section 3, and the extension headers of its section 4 and of RFC 4302.
 *
 *   0   4  version: 6 (4 bits), DSCP (6), ECN (2), flow label (20)
 *   4   2  payload length: all that follows this header
 *   6   1  next header
 *   7   1  hop limit
 *   8  16  source address
 *  24  16  destination address
 *  40      extension headers, then the upper-layer protocol
 *
 * An extension header begins with the next header (1 byte) and, but for the fragment header, its own length (1
 * byte: in units of 8 bytes beyond the first 8; for AH in units of 4 bytes beyond the first 8).
 */

import { formatIpv6, parseIpv6 } from '../address/index.js'
import { concatBytes, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { malformed, truncated } from './frame-error.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { ipProtocols } from './ip-protocols.js'
import { byteField, type Input, requireMultiple, uint } from './record.js'

const fixedLength = 40

/** Headers that are walked: only these. Whatever else follows is the upper-layer protocol. */
export function isIpv6Extension(protocol: number): boolean {
  return (
    protocol === ipProtocols.hopByHop ||
    protocol === ipProtocols.routing ||
    protocol === ipProtocols.fragment ||
    protocol === ipProtocols.destinationOptions ||
    protocol === ipProtocols.ah
  )
}

/** Where the extension headers of a packet lead. */
export interface Ipv6Chain {
  /** The upper-layer protocol, or the header that the walk stopped at. */
  protocol: number
  /** Where it begins. */
  offset: number
  /** Offset of the fragment header, or -1. */
  fragmentHeader: number
  /** A routing header has addresses still to visit. */
  routed: boolean
  /** Length of the header at `offset` that is not all there, or 0. */
  missing: number
}

/** Walks the extension headers of the packet at `start` up to `limit`, the end of its payload. Never throws. */
export function walkIpv6Extensions(bytes: Uint8Array, start: number, limit: number, chain: Ipv6Chain): void {
  let protocol = bytes[start + 6]!
  let at = start + fixedLength
  chain.fragmentHeader = -1
  chain.routed = false
  chain.missing = 0
  while (isIpv6Extension(protocol)) {
    const length = at + 8 <= limit ? ipv6ExtensionLength(bytes, at, protocol) : 8
    if (at + length > limit) {
      chain.missing = length
      break
    }
    if (protocol === ipProtocols.routing && bytes[at + 3] !== 0) chain.routed = true
    const later = protocol === ipProtocols.fragment && readUint16(bytes, at + 2) >= 8
    if (protocol === ipProtocols.fragment) chain.fragmentHeader = at
    protocol = bytes[at]!
    at += length
    if (later) break
  }
  chain.protocol = protocol
  chain.offset = at
}

const scratch: Ipv6Chain = { protocol: 0, offset: 0, fragmentHeader: -1, routed: false, missing: 0 }

export class Ipv6View extends FrameView {
  /** The upper-layer protocol after the extension headers; in a later fragment, that of the fragment header. */
  readonly protocol: number
  readonly payloadOffset: number
  /** Offset of the fragment header in `bytes`, or -1. */
  readonly #fragmentHeader: number
  /** A routing header has addresses still to visit: the checksum covers the last of them instead. */
  readonly isRouted: boolean

  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('ipv6', fixedLength, bytes, start, end)
    const version = bytes[this.start]! >> 4
    if (version !== 6) throw malformed('ipv6', `the version is ${version}`)
    const limit = this.payloadEnd
    const chain = scratch
    walkIpv6Extensions(bytes, this.start, limit, chain)
    if (chain.missing > 0) {
      if (this.isCut) throw truncated('ipv6', chain.offset + chain.missing - this.start, limit - this.start)
      throw malformed('ipv6', `extension header ${chain.protocol} is longer than the packet`)
    }
    this.protocol = chain.protocol
    this.payloadOffset = chain.offset
    this.#fragmentHeader = chain.fragmentHeader
    this.isRouted = chain.routed
  }

  get dscp(): number {
    return (readUint16(this.bytes, this.start) >> 6) & 0x3f
  }

  get ecn(): number {
    return (this.bytes[this.start + 1]! >> 4) & 3
  }

  get flowLabel(): number {
    return readUint32(this.bytes, this.start) & 0xfffff
  }

  /** The field: bytes after the fixed header; 0 in a jumbogram or a packet that offload has still to cut. */
  get length(): number {
    return readUint16(this.bytes, this.start + 4)
  }

  /** Type of the first header after the fixed one. */
  get nextHeader(): number {
    return this.bytes[this.start + 6]!
  }

  get hopLimit(): number {
    return this.bytes[this.start + 7]!
  }

  get source(): string {
    return formatIpv6(this.bytes, this.start + 8)
  }

  get destination(): string {
    return formatIpv6(this.bytes, this.start + 24)
  }

  /** A real fragment: an atomic one, with offset 0 and nothing to follow, is a whole packet (RFC 6946). */
  get isFragment(): boolean {
    return this.#fragmentHeader >= 0 && (readUint16(this.bytes, this.#fragmentHeader + 2) & 0xfff9) !== 0
  }

  /** In bytes; 0 without a fragment header. */
  get fragmentOffset(): number {
    return this.#fragmentHeader < 0 ? 0 : readUint16(this.bytes, this.#fragmentHeader + 2) & 0xfff8
  }

  get moreFragments(): boolean {
    return this.#fragmentHeader >= 0 && (this.bytes[this.#fragmentHeader + 3]! & 1) !== 0
  }

  /** Of the fragment header; 0 without one. */
  get identification(): number {
    return this.#fragmentHeader < 0 ? 0 : readUint32(this.bytes, this.#fragmentHeader + 4)
  }

  override get payloadEnd(): number {
    return Math.min(this.end, this.start + fixedLength + this.#wholeLength)
  }

  /** Bytes after the extension headers that the header speaks of: more than are there if the packet was cut. */
  get payloadLength(): number {
    return this.start + fixedLength + this.#wholeLength - this.payloadOffset
  }

  /** The packet ends before its payload length. */
  get isCut(): boolean {
    return fixedLength + this.length > this.end - this.start
  }

  get #wholeLength(): number {
    const { length } = this
    if (length !== 0 || this.nextHeader === ipProtocols.none) return length
    return this.end - this.start - fixedLength
  }
}

/** In bytes; the first two of the header must be there. */
export function ipv6ExtensionLength(bytes: Uint8Array, at: number, type: number): number {
  if (type === ipProtocols.fragment) return 8
  const field = bytes[at + 1]!
  return type === ipProtocols.ah ? (field + 2) * 4 : (field + 1) * 8
}

export interface Ipv6FragmentExtension {
  type: typeof ipProtocols.fragment
  /** Bytes, a multiple of 8. */
  fragmentOffset: number
  moreFragments: boolean
  identification: number
}

export interface Ipv6OpaqueExtension {
  /** Hop-by-hop options 0, routing 43, authentication 51 or destination options 60. */
  type: 0 | 43 | 51 | 60
  /** What follows the next header and length bytes: 6 bytes and a multiple of 8 (of 4 for 51). */
  body: Uint8Array
}

export type Ipv6Extension = Ipv6FragmentExtension | Ipv6OpaqueExtension

export interface Ipv6Record {
  /** 0 to 63. */
  dscp: number
  /** 0 to 3. */
  ecn: number
  /** 0 to 0xfffff. */
  flowLabel: number
  /** Bytes after the fixed header, extensions included. */
  length: number
  hopLimit: number
  source: string
  destination: string
  extensions: Ipv6Extension[]
  /** What the payload is, after all extension headers. */
  protocol: number
  payload: Uint8Array
}

/** `length` is computed unless given, so leave it out of a record that you changed. `hopLimit` is 64 unless given. */
export type Ipv6Input = Input<Ipv6Record, 'protocol' | 'source' | 'destination' | 'payload'>

/**
 * Decodes one packet; what follows its length is padding. A length of 0 means all that is there. Reserved bits of
 * a fragment header are not kept.
 * @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED`
 */
export function decodeIpv6(bytes: Uint8Array): Ipv6Record {
  const view = new Ipv6View(bytes)
  if (view.isCut) throw truncated('ipv6', fixedLength + view.length, bytes.length)
  return ipv6Record(view)
}

export function ipv6Record(view: Ipv6View): Ipv6Record {
  const extensions: Ipv6Extension[] = []
  let type = view.nextHeader
  for (let at = view.start + fixedLength; at < view.payloadOffset; ) {
    const length = ipv6ExtensionLength(view.bytes, at, type)
    extensions.push(extension(view.bytes, at, type as Ipv6Extension['type'], length))
    type = view.bytes[at]!
    at += length
  }
  return {
    dscp: view.dscp,
    ecn: view.ecn,
    flowLabel: view.flowLabel,
    length: view.length,
    hopLimit: view.hopLimit,
    source: view.source,
    destination: view.destination,
    extensions,
    protocol: view.protocol,
    payload: view.payload(),
  }
}

function extension(
  bytes: Uint8Array,
  at: number,
  type: Ipv6Extension['type'],
  length: number,
): Ipv6Extension {
  if (type !== ipProtocols.fragment) return { type, body: bytes.subarray(at + 2, at + length) }
  const field = readUint16(bytes, at + 2)
  return {
    type,
    fragmentOffset: field & 0xfff8,
    moreFragments: (field & 1) !== 0,
    identification: readUint32(bytes, at + 4),
  }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeIpv6(record: Ipv6Input): Uint8Array {
  const payload = byteField('payload', record.payload)
  const protocol = uint('protocol', record.protocol, 8)
  const extensions = record.extensions ?? []
  const types = [...extensions.map(extension => extension.type), protocol]
  const parts = extensions.map((extension, i) => encodeExtension(extension, types[i + 1]!))
  const chain = concatBytes(...parts)
  const bytes = withHeader(fixedLength + chain.length, payload)
  bytes.set(chain, fixedLength)
  const traffic = (uint('dscp', record.dscp, 6, 0) << 2) | uint('ecn', record.ecn, 2, 0)
  writeUint32(bytes, 0, 0x60000000 | (traffic << 20) | uint('flowLabel', record.flowLabel, 20, 0))
  writeUint16(bytes, 4, uint('length', record.length, 16, bytes.length - fixedLength))
  bytes[6] = types[0]!
  bytes[7] = uint('hopLimit', record.hopLimit, 8, 64)
  bytes.set(parseIpv6(record.source), 8)
  bytes.set(parseIpv6(record.destination), 24)
  return bytes
}

function encodeExtension(extension: Ipv6Extension, next: number): Uint8Array {
  const { type } = extension
  if (!isIpv6Extension(type)) throw invalidArgumentValue('extension.type', type, 'is no extension header')
  if (type === ipProtocols.fragment) {
    const offset = uint('fragmentOffset', extension.fragmentOffset, 16)
    const bytes = Uint8Array.of(next, 0, 0, 0, 0, 0, 0, 0)
    writeUint16(bytes, 2, requireMultiple('fragmentOffset', offset, 8) | (extension.moreFragments ? 1 : 0))
    writeUint32(bytes, 4, uint('identification', extension.identification, 32))
    return bytes
  }
  const body = byteField('extension.body', extension.body)
  const unit = type === ipProtocols.ah ? 4 : 8
  const length = requireMultiple('extension.body.length + 2', body.length + 2, unit)
  return concatBytes(Uint8Array.of(next, uint('extension length', (length - 8) / unit, 8)), body)
}
