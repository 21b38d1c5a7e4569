/**
 * How headers follow one another: the one place that knows. {@link decode}, {@link describe}, {@link decodeTree},
 * {@link verifyChecksums} and the cursor all stand on it.
 */
import { readUint16, readUint32 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { dhcpv4Length, dhcpv4Ports, isDhcpv4 } from './dhcpv4.js'
import { dhcpv6Length, dhcpv6Ports } from './dhcpv6.js'
import { dnsPorts, isDns } from './dns.js'
import { ethernetHeaderLength, longest802Dot3 } from './ethernet.js'
import { type FrameError, malformed, truncated } from './frame-error.js'
import { geneveLength, genevePort } from './geneve.js'
import { greLength } from './gre.js'
import {
  headers,
  isIcmpError,
  isIcmpv6Error,
  ofEtherType,
  ofFamily,
  ofPppProtocol,
  ofProtocol,
} from './header-kinds.js'
import { ipProtocols } from './ip-protocols.js'
import { type Ipv6Chain, walkIpv6Extensions } from './ipv6.js'
import type { LinkType } from './link-type.js'
import { isSnap, llcAccessPoints, llcLength } from './llc.js'
import { pppoeCodes } from './pppoe.js'
import { noBytes } from './record.js'
import { stpLength } from './stp.js'
import { vxlanPort } from './vxlan.js'
import { wireguardLength, wireguardPort, wireguardTypes } from './wireguard.js'

/** Nothing that is meant seriously has more. */
const mostHeaders = 32

/** Moves from header to header over one frame. Allocates nothing and never throws on bytes; made to be used again. */
export class HeaderWalk {
  bytes: Uint8Array = noBytes
  /** What the walk stands at, one of {@link headers}: `bytes[start, limit)` is what its view wants. */
  header: number = headers.none
  start = 0
  /** Padding included. */
  limit = 0
  /** First byte after the header. */
  payload = 0
  /** First byte after its payload: padding is left out. */
  end = 0
  /** What comes next. */
  following: number = headers.none
  /** The EtherType that led here or leads on, as last seen. */
  etherType = 0
  /** The header cannot be read; its view says why. */
  broken = false
  /** Bytes that the header's length promises beyond what is there. */
  missing = 0
  /** In the packet that an ICMP error quotes, which is cut by right. */
  quoted = false
  /** There are more headers than anybody means. */
  tooDeep = false
  /** Of the innermost IP header: where it is, or -1. */
  ip = -1
  /** Its protocol, after IPv6 extension headers. */
  protocol = 0
  /** It is a fragment. */
  fragment = false
  /** In bytes. */
  fragmentOffset = 0
  /** It is shorter than it says. */
  cut = false
  /** An IPv6 routing header has addresses still to visit. */
  routed = false
  #left = 0
  #quotes = false
  readonly #chain: Ipv6Chain = { protocol: 0, offset: 0, fragmentHeader: -1, routed: false, missing: 0 }

  /** Stands before the first header of `bytes[start, end)`. @throws TypeError for an unknown link type */
  begin(bytes: Uint8Array, start: number, end: number, linkType: LinkType): void {
    this.bytes = bytes
    this.header = headers.none
    this.start = start
    this.limit = end
    this.payload = start
    this.end = end
    this.etherType = 0
    this.broken = false
    this.missing = 0
    this.quoted = false
    this.#quotes = false
    this.tooDeep = false
    this.ip = -1
    this.#left = mostHeaders
    this.following = this.#first(linkType)
  }

  /** Moves to the next header; false when there is none, or none that is known. */
  next(): boolean {
    const header = this.following
    if (header === headers.none) return false
    if (this.#left-- === 0) {
      this.tooDeep = true
      return false
    }
    this.header = header
    this.start = this.payload
    this.limit = this.end
    this.following = headers.none
    this.missing = 0
    if (this.#quotes) this.quoted = true
    if (!this.#enter(header)) {
      this.broken = true
      this.following = headers.none
      this.payload = this.start
      this.end = this.limit
    }
    return true
  }

  #first(linkType: LinkType): number {
    switch (linkType) {
      case 'ethernet':
        return headers.ethernet
      case 'ip':
        return this.#ofVersion()
      case 'ipv4':
        return headers.ipv4
      case 'ipv6':
        return headers.ipv6
      case 'linux-sll':
        return headers.linuxSll
      case 'linux-sll2':
        return headers.linuxSll2
      case 'null':
      case 'loop':
        return headers.loopback
      case 'user0':
        return headers.none
      default:
        throw invalidArgumentValue('linkType', linkType, 'is not a known link type')
    }
  }

  /** Reads the header: where it ends, where its payload does, and what that is. False when it cannot be read. */
  #enter(header: number): boolean {
    const { bytes, start } = this
    switch (header) {
      case headers.ethernet:
        if (!this.#fits(ethernetHeaderLength)) return false
        return this.#typeOrLength(readUint16(bytes, start + 12))
      case headers.vlan:
        return this.#fits(4) && this.#typeOrLength(readUint16(bytes, start + 2))
      case headers.ipv4:
        return this.#ipv4()
      case headers.ipv6:
        return this.#ipv6()
      case headers.tcp:
        return this.#tcp()
      case headers.udp:
        return this.#udp()
      case headers.icmp:
        return this.#icmp(isIcmpError(this.#byte(0)), headers.ipv4, 5, 4)
      case headers.icmpv6:
        return this.#icmp(isIcmpv6Error(this.#byte(0)), headers.ipv6, 4, 8)
      case headers.arp:
        return this.#arp()
      case headers.llc:
        return this.#llc()
      case headers.mpls:
        if (!this.#fits(4)) return false
        this.following = (bytes[start + 2]! & 1) === 0 ? headers.mpls : this.#ofVersion()
        return true
      case headers.pppoe:
        return this.#pppoe()
      case headers.gre:
        if (!this.#fits(4) || !this.#fits(greLength(bytes, start) || Number.MAX_SAFE_INTEGER)) return false
        this.#ofEtherType(readUint16(bytes, start + 2))
        return true
      case headers.vxlan:
        if (!this.#fits(8)) return false
        this.following = headers.ethernet
        return true
      case headers.geneve:
        if (!this.#fits(8) || bytes[start]! >> 6 !== 0 || !this.#fits(geneveLength(bytes, start)))
          return false
        this.#ofEtherType(readUint16(bytes, start + 2))
        return true
      case headers.linuxSll:
        return this.#fits(16) && this.#cooked(readUint16(bytes, start + 14), readUint16(bytes, start + 2))
      case headers.linuxSll2:
        return this.#fits(20) && this.#cooked(readUint16(bytes, start), readUint16(bytes, start + 8))
      case headers.loopback:
        if (!this.#fits(4)) return false
        this.following = ofFamily(readUint32(bytes, start))
        return true
      case headers.stp:
        return this.#fits(4) && this.#fits(stpLength(bytes, start) || Number.MAX_SAFE_INTEGER)
      case headers.igmp:
        return this.#fits(8)
      case headers.dhcpv4:
        return this.#fits(dhcpv4Length) && isDhcpv4(bytes, start)
      case headers.dhcpv6:
        return this.#fits(4) && this.#fits(dhcpv6Length(bytes[start]!))
      case headers.wireguard: {
        const length = this.#fits(4) ? wireguardLength(bytes, start) : 0
        const tag = bytes[start] === wireguardTypes.data ? 16 : 0
        return length > 0 && this.#fits(length + tag) && this.#fits(length)
      }
      case headers.dns:
        return this.#fits(this.limit - start)
      default:
        // LLDP has no header: its list is read whole.
        return this.#fits(2) && this.#fits(0)
    }
  }

  /** Whether so many bytes are there; then they are the header. */
  #fits(length: number): boolean {
    this.payload = this.start + length
    return this.payload <= this.limit
  }

  #byte(offset: number): number {
    return this.start + offset < this.limit ? this.bytes[this.start + offset]! : 0
  }

  /** A length field says that the header and its payload have `total` bytes. */
  #bound(total: number): void {
    const end = this.start + total
    if (end > this.limit) this.missing = end - this.limit
    else this.end = end
  }

  /** Only Ethernet and IPv4 addresses are understood. */
  #arp(): boolean {
    const { bytes, start } = this
    if (!this.#fits(28)) return false
    if (readUint32(bytes, start) !== 0x00010800 || readUint16(bytes, start + 4) !== 0x0604) return false
    this.end = this.payload
    return true
  }

  #typeOrLength(value: number): true {
    if (value > longest802Dot3) this.#ofEtherType(value)
    else {
      this.#bound(this.payload - this.start + value)
      this.etherType = value
      if (this.end > this.payload) this.following = headers.llc
    }
    return true
  }

  #ofEtherType(type: number): void {
    this.etherType = type
    this.following = ofEtherType(type)
  }

  /** What IP begins at `payload`, by its version: for links and labels that do not say. */
  #ofVersion(): number {
    const version = this.payload < this.end ? this.bytes[this.payload]! >> 4 : 0
    return version === 4 ? headers.ipv4 : version === 6 ? headers.ipv6 : headers.none
  }

  #ipv4(): boolean {
    const { bytes, start, limit } = this
    if (limit - start < 20 || bytes[start]! >> 4 !== 4) return false
    const length = (bytes[start]! & 15) * 4
    const total = readUint16(bytes, start + 2)
    if (length < 20 || !this.#fits(length) || (total !== 0 && total < length)) return false
    if (total !== 0) this.#bound(total)
    const fragment = readUint16(bytes, start + 6)
    this.ip = start
    this.cut = this.missing > 0
    this.routed = false
    this.fragment = (fragment & 0x3fff) !== 0
    this.fragmentOffset = (fragment & 0x1fff) * 8
    this.protocol = bytes[start + 9]!
    if (this.fragmentOffset === 0) this.following = ofProtocol(this.protocol, 4)
    return true
  }

  #ipv6(): boolean {
    const { bytes, start, limit } = this
    if (!this.#fits(40) || bytes[start]! >> 4 !== 6) return false
    const length = readUint16(bytes, start + 4)
    if (length !== 0 || bytes[start + 6] === ipProtocols.none) this.#bound(40 + length)
    const chain = this.#chain
    walkIpv6Extensions(bytes, start, Math.min(limit, this.end), chain)
    if (chain.missing > 0) return false
    const fragment = chain.fragmentHeader < 0 ? 0 : readUint16(bytes, chain.fragmentHeader + 2)
    this.ip = start
    this.payload = chain.offset
    this.cut = this.missing > 0
    this.routed = chain.routed
    this.fragment = (fragment & 0xfff9) !== 0
    this.fragmentOffset = fragment & 0xfff8
    this.protocol = chain.protocol
    if (this.fragmentOffset === 0) this.following = ofProtocol(this.protocol, 6)
    return true
  }

  #tcp(): boolean {
    const { bytes, start, end } = this
    if (!this.#fits(20) || bytes[start + 12]! >> 4 < 5 || !this.#fits((bytes[start + 12]! >> 4) * 4))
      return false
    const { payload } = this
    const isPort = isEither(
      readUint16(bytes, start),
      readUint16(bytes, start + 2),
      dnsPorts.dns,
      dnsPorts.dns,
    )
    // With its length before it (RFC 7766 section 8), and nothing else in the segment.
    if (isPort && end - payload > 2 && readUint16(bytes, payload) === end - payload - 2) {
      if (isDns(bytes, payload + 2, end)) this.following = headers.dns
    }
    return true
  }

  #udp(): boolean {
    const { bytes, start } = this
    if (!this.#fits(8)) return false
    const length = readUint16(bytes, start + 4)
    if (length !== 0 && length < 8) return false
    if (length !== 0) this.#bound(length)
    if (this.end > this.payload) {
      this.following = this.#ofPorts(readUint16(bytes, start), readUint16(bytes, start + 2))
    }
    return true
  }

  #ofPorts(source: number, destination: number): number {
    if (destination === vxlanPort) return headers.vxlan
    if (destination === genevePort) return headers.geneve
    if (isEither(source, destination, dhcpv4Ports.server, dhcpv4Ports.client)) return headers.dhcpv4
    if (isEither(source, destination, dhcpv6Ports.server, dhcpv6Ports.client)) return headers.dhcpv6
    if (isEither(source, destination, dnsPorts.dns, dnsPorts.multicast)) {
      return isDns(this.bytes, this.payload, this.end) ? headers.dns : headers.none
    }
    if (source !== wireguardPort && destination !== wireguardPort) return headers.none
    const known = this.end - this.payload >= 4 && wireguardLength(this.bytes, this.payload) > 0
    return known ? headers.wireguard : headers.none
  }

  /** Errors quote a packet, whose length in units of `unit` may be at `lengthAt` (RFC 4884). */
  #icmp(isError: boolean, quoted: number, lengthAt: number, unit: number): boolean {
    if (!this.#fits(8)) return false
    if (isError && this.end > this.payload) {
      const length = this.bytes[this.start + lengthAt]! * unit
      if (length > 0 && this.payload + length < this.end) this.end = this.payload + length
      this.following = quoted
      this.#quotes = true
    }
    return true
  }

  #llc(): boolean {
    const { bytes, start } = this
    if (!this.#fits(3) || !this.#fits(llcLength(bytes, start))) return false
    if (isSnap(bytes, start)) {
      const organization = (bytes[start + 3]! << 16) | readUint16(bytes, start + 4)
      const protocol = readUint16(bytes, start + 6)
      if (organization === 0) this.#ofEtherType(protocol)
      // Cisco's spanning tree of each VLAN.
      else if (organization === 0x00000c && protocol === 0x010b) this.following = headers.stp
    } else if (bytes[start] === llcAccessPoints.stp && bytes[start + 1] === llcAccessPoints.stp) {
      this.following = headers.stp
    }
    return true
  }

  #pppoe(): boolean {
    const { bytes, start } = this
    if (!this.#fits(6) || bytes[start] !== 0x11) return false
    const length = readUint16(bytes, start + 4)
    if (bytes[start + 1] === pppoeCodes.session) {
      if (length < 2 || !this.#fits(8)) return false
      this.following = ofPppProtocol(readUint16(bytes, start + 6))
    }
    this.#bound(6 + length)
    return true
  }

  /** What a netlink socket sent (ARPHRD_NETLINK, 824, of linux/if_arp.h) has a protocol of its own. */
  #cooked(protocol: number, hardwareType: number): true {
    this.etherType = protocol
    if (protocol === 4) this.following = headers.llc
    else if (hardwareType !== 824) this.#ofEtherType(protocol)
    return true
  }
}

function isEither(source: number, destination: number, a: number, b: number): boolean {
  return source === a || source === b || destination === a || destination === b
}

/** Where the message begins that the walk stands at: TCP has its length first. */
export function dnsStart(walk: HeaderWalk): number {
  return walk.protocol === ipProtocols.tcp ? walk.start + 2 : walk.start
}

/** A walk before the first header of a frame. @throws TypeError when `frame` is no Uint8Array */
export function walkFrame(frame: Uint8Array, linkType: LinkType): HeaderWalk {
  const walk = new HeaderWalk()
  walk.begin(frame, 0, frame.length, linkType)
  return walk
}

/** A quoted packet, the datagram in a first fragment, or what is left of it in a packet that was cut. */
export function isCutByRight(walk: HeaderWalk): boolean {
  return walk.quoted || (walk.header === headers.udp && (walk.fragment || walk.cut))
}

/** Of a link of type `ip`. */
export function notIp(frame: Uint8Array): FrameError {
  if (frame.length === 0) return truncated('link', 1, 0)
  return malformed('link', `the packet is neither IPv4 nor IPv6: its version is ${frame[0]! >> 4}`)
}
