/**
 * Neighbor discovery: RFC 4861 section 4. These are ICMPv6 messages (see icmpv6.ts) of types 133 to 137.
 *
 *   0   1  type
 *   1   1  code: 0
 *   2   2  checksum
 *
 *  router solicitation 133        router advertisement 134
 *   4   4  reserved                4   1  current hop limit
 *   8      options                 5   1  managed (1 bit), other (1), reserved (6)
 *                                  6   2  router lifetime in seconds
 *  neighbor solicitation 135       8   4  reachable time in milliseconds
 *   4   4  reserved               12   4  retransmission timer in milliseconds
 *   8  16  target                 16      options
 *  24      options
 *                                 redirect 137
 *  neighbor advertisement 136      4   4  reserved
 *   4   4  router (1 bit),         8  16  target: the better first hop
 *          solicited (1),         24  16  destination
 *          override (1),          40      options
 *          reserved (29)
 *   8  16  target
 *  24      options
 */
import { formatIpv6, parseIpv6 } from '../address/index.js'
import { concatBytes, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import type { IpAddressPair } from './checksum.js'
import { malformed } from './frame-error.js'
import { FrameView } from './frame-view.js'
import { icmpv6Types, setIcmpv6Checksum } from './icmpv6.js'
import {
  decodeNeighborDiscoveryOptions,
  encodeNeighborDiscoveryOption,
  type NeighborDiscoveryOption,
} from './neighbor-discovery-options.js'
import { uint } from './record.js'

/** Bytes before the options; 0 for types that are not neighbor discovery. */
function fixedLengthOf(type: number): number {
  switch (type) {
    case icmpv6Types.routerSolicitation:
      return 8
    case icmpv6Types.routerAdvertisement:
      return 16
    case icmpv6Types.neighborSolicitation:
    case icmpv6Types.neighborAdvertisement:
      return 24
    case icmpv6Types.redirect:
      return 40
    default:
      return 0
  }
}

export function isNeighborDiscovery(icmpv6Type: number): boolean {
  return fixedLengthOf(icmpv6Type) > 0
}

/** A message of any of the five types; `bytes` begin at the ICMPv6 header. */
export class NeighborDiscoveryView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('neighbor discovery', 8, bytes, start, end)
    const length = fixedLengthOf(this.type)
    if (length === 0) throw malformed('neighbor discovery', `ICMPv6 type ${this.type} is something else`)
    this.require('neighbor discovery', length)
  }

  get type(): number {
    return this.bytes[this.start]!
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  /** Of solicitations and advertisements of neighbors, and of redirects. */
  get target(): string {
    return formatIpv6(this.bytes, this.start + 8)
  }

  /** Of a redirect. */
  get destination(): string {
    return formatIpv6(this.bytes, this.start + 24)
  }

  /** Of a neighbor advertisement, as are `solicited` and `override`. */
  get router(): boolean {
    return (this.bytes[this.start + 4]! & 0x80) !== 0
  }

  get solicited(): boolean {
    return (this.bytes[this.start + 4]! & 0x40) !== 0
  }

  get override(): boolean {
    return (this.bytes[this.start + 4]! & 0x20) !== 0
  }

  /** Of a router advertisement, as are the five below. */
  get hopLimit(): number {
    return this.bytes[this.start + 4]!
  }

  get managed(): boolean {
    return (this.bytes[this.start + 5]! & 0x80) !== 0
  }

  get other(): boolean {
    return (this.bytes[this.start + 5]! & 0x40) !== 0
  }

  get lifetimeSeconds(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  get reachableTimeMs(): number {
    return readUint32(this.bytes, this.start + 8)
  }

  get retransmitTimerMs(): number {
    return readUint32(this.bytes, this.start + 12)
  }

  /** Where the options begin, which run to the end. */
  get payloadOffset(): number {
    return this.start + fixedLengthOf(this.type)
  }
}

interface Message {
  checksum: number
  options: NeighborDiscoveryOption[]
}

export interface RouterSolicitation extends Message {
  type: typeof icmpv6Types.routerSolicitation
}

export interface RouterAdvertisement extends Message {
  type: typeof icmpv6Types.routerAdvertisement
  /** For hosts to use; 0 says nothing. */
  hopLimit: number
  /** Addresses come from DHCPv6. */
  managed: boolean
  /** Other settings come from DHCPv6. */
  other: boolean
  /** As a default router; 0 is not one. */
  lifetimeSeconds: number
  /** 0 says nothing. */
  reachableTimeMs: number
  /** 0 says nothing. */
  retransmitTimerMs: number
}

export interface NeighborSolicitation extends Message {
  type: typeof icmpv6Types.neighborSolicitation
  target: string
}

export interface NeighborAdvertisement extends Message {
  type: typeof icmpv6Types.neighborAdvertisement
  target: string
  router: boolean
  solicited: boolean
  override: boolean
}

export interface NeighborRedirect extends Message {
  type: typeof icmpv6Types.redirect
  target: string
  destination: string
}

export type NeighborDiscoveryRecord =
  | RouterSolicitation
  | RouterAdvertisement
  | NeighborSolicitation
  | NeighborAdvertisement
  | NeighborRedirect

type Fillable<R> = R extends Message
  ? Omit<R, 'checksum' | 'options'> & Partial<Pick<R, 'options'>> & { checksum?: number | undefined }
  : never

/** `checksum` is computed unless given, so leave it out of a record that you changed. */
export type NeighborDiscoveryInput = Fillable<NeighborDiscoveryRecord>

/**
 * Decodes a whole ICMPv6 message of types 133 to 137. The code and reserved bits are not kept.
 * @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED`
 */
export function decodeNeighborDiscovery(bytes: Uint8Array): NeighborDiscoveryRecord {
  return neighborDiscoveryRecord(new NeighborDiscoveryView(bytes))
}

export function neighborDiscoveryRecord(view: NeighborDiscoveryView): NeighborDiscoveryRecord {
  const { checksum } = view
  const options = decodeNeighborDiscoveryOptions(view.bytes, view.payloadOffset, view.end)
  switch (view.type) {
    case icmpv6Types.routerSolicitation:
      return { type: icmpv6Types.routerSolicitation, checksum, options }
    case icmpv6Types.routerAdvertisement:
      return {
        type: icmpv6Types.routerAdvertisement,
        checksum,
        hopLimit: view.hopLimit,
        managed: view.managed,
        other: view.other,
        lifetimeSeconds: view.lifetimeSeconds,
        reachableTimeMs: view.reachableTimeMs,
        retransmitTimerMs: view.retransmitTimerMs,
        options,
      }
    case icmpv6Types.neighborSolicitation:
      return { type: icmpv6Types.neighborSolicitation, checksum, target: view.target, options }
    case icmpv6Types.neighborAdvertisement: {
      const { target, router, solicited, override } = view
      const type = icmpv6Types.neighborAdvertisement
      return { type, checksum, target, router, solicited, override, options }
    }
    default: {
      const { target, destination } = view
      return { type: icmpv6Types.redirect, checksum, target, destination, options }
    }
  }
}

/**
 * `addresses` are needed unless the record has a checksum: it covers them.
 * @throws TypeError, RangeError for a field that does not fit
 */
export function encodeNeighborDiscovery(
  record: NeighborDiscoveryInput,
  addresses?: IpAddressPair,
): Uint8Array {
  const fixed = new Uint8Array(fixedLengthOf(record.type))
  switch (record.type) {
    case icmpv6Types.routerSolicitation:
      break
    case icmpv6Types.routerAdvertisement:
      fixed[4] = uint('hopLimit', record.hopLimit, 8)
      fixed[5] = (record.managed ? 0x80 : 0) | (record.other ? 0x40 : 0)
      writeUint16(fixed, 6, uint('lifetimeSeconds', record.lifetimeSeconds, 16))
      writeUint32(fixed, 8, uint('reachableTimeMs', record.reachableTimeMs, 32))
      writeUint32(fixed, 12, uint('retransmitTimerMs', record.retransmitTimerMs, 32))
      break
    case icmpv6Types.neighborAdvertisement:
      fixed[4] = (record.router ? 0x80 : 0) | (record.solicited ? 0x40 : 0) | (record.override ? 0x20 : 0)
      fixed.set(parseIpv6(record.target), 8)
      break
    case icmpv6Types.neighborSolicitation:
      fixed.set(parseIpv6(record.target), 8)
      break
    case icmpv6Types.redirect:
      fixed.set(parseIpv6(record.target), 8)
      fixed.set(parseIpv6(record.destination), 24)
      break
    default:
      throw invalidArgumentValue('type', (record as { type: unknown }).type, 'must be 133 to 137')
  }
  fixed[0] = record.type
  const bytes = concatBytes(fixed, ...(record.options ?? []).map(encodeNeighborDiscoveryOption))
  setIcmpv6Checksum(bytes, record.checksum, addresses)
  return bytes
}
