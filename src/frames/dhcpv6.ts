/**
 * DHCP for IPv6: RFC 8415 sections 8 and 9. It travels in UDP between the ports 546 (client) and 547 (server, relay).
 *
 *  client and server              relay 12, 13
 *   0   1  type                    0   1  type
 *   1   3  transaction             1   1  hops
 *   4      options                 2  16  link's address
 *                                 18  16  peer's address
 *                                 34      options: see dhcpv6-options.ts
 */
import { formatIpv6, parseIpv6 } from '../address/index.js'
import { concatBytes, readUint32, writeUint32 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { type Dhcpv6Option, decodeDhcpv6Options, encodeDhcpv6Options } from './dhcpv6-options.js'
import { FrameView } from './frame-view.js'
import { type Input, uint } from './record.js'

export const dhcpv6Ports = { client: 546, server: 547 } as const

export const dhcpv6Types = {
  solicit: 1,
  advertise: 2,
  request: 3,
  confirm: 4,
  renew: 5,
  rebind: 6,
  reply: 7,
  release: 8,
  decline: 9,
  reconfigure: 10,
  informationRequest: 11,
  relayForward: 12,
  relayReply: 13,
} as const

/** Where the options begin. */
export function dhcpv6Length(type: number): number {
  return isRelay(type) ? 34 : 4
}

function isRelay(type: number): boolean {
  return type === dhcpv6Types.relayForward || type === dhcpv6Types.relayReply
}

export class Dhcpv6View extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('dhcpv6', 4, bytes, start, end)
    this.require('dhcpv6', dhcpv6Length(this.type))
  }

  /** One of {@link dhcpv6Types}, or another number. */
  get type(): number {
    return this.bytes[this.start]!
  }

  get isRelay(): boolean {
    return isRelay(this.type)
  }

  /** Not of relays' messages. */
  get transactionId(): number {
    return readUint32(this.bytes, this.start) & 0xffffff
  }

  /** Of relays' messages, as are the next two. */
  get hops(): number {
    return this.bytes[this.start + 1]!
  }

  get linkAddress(): string {
    return formatIpv6(this.bytes, this.start + 2)
  }

  get peerAddress(): string {
    return formatIpv6(this.bytes, this.start + 18)
  }

  /** Where the options begin, which run to the end. */
  get payloadOffset(): number {
    return this.start + dhcpv6Length(this.type)
  }
}

export interface Dhcpv6Record {
  type: number
  /** Absent in relays' messages. */
  transactionId?: number | undefined
  /** Of relays' messages. The message that is relayed is in the option `relayMessage`. */
  relay?: { hops: number; linkAddress: string; peerAddress: string } | undefined
  options: Dhcpv6Option[]
}

export type Dhcpv6Input = Input<Dhcpv6Record, 'type'>

/** Decodes a whole message. @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function decodeDhcpv6(bytes: Uint8Array): Dhcpv6Record {
  return dhcpv6Record(new Dhcpv6View(bytes))
}

export function dhcpv6Record(view: Dhcpv6View): Dhcpv6Record {
  const { type, transactionId } = view
  const options = decodeDhcpv6Options(view.bytes, view.payloadOffset, view.end)
  if (!view.isRelay) return { type, transactionId, options }
  const { hops, linkAddress, peerAddress } = view
  return { type, relay: { hops, linkAddress, peerAddress }, options }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeDhcpv6(record: Dhcpv6Input): Uint8Array {
  const { relay } = record
  const type = uint('type', record.type, 8)
  const bytes = new Uint8Array(dhcpv6Length(type))
  if (isRelay(type)) {
    if (!relay) throw invalidArgumentValue('relay', relay, 'must be given with types 12 and 13')
    bytes[1] = uint('relay.hops', relay.hops, 8)
    bytes.set(parseIpv6(relay.linkAddress), 2)
    bytes.set(parseIpv6(relay.peerAddress), 18)
  } else writeUint32(bytes, 0, uint('transactionId', record.transactionId, 24))
  bytes[0] = type
  return concatBytes(bytes, encodeDhcpv6Options(record.options ?? []))
}
