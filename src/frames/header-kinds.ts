/** Which header follows, by the numbers that the one before it has for it. */
import { etherTypes } from './ether-types.js'
import { ipProtocols } from './ip-protocols.js'
import { pppProtocols } from './pppoe.js'

/**
 * Kinds of headers, outermost first: where one is followed by one that is not after it in this list, another packet
 * begins inside the first. VLAN tags and MPLS labels are stacked.
 */
export const headers = {
  none: 0,
  ethernet: 1,
  linuxSll: 2,
  linuxSll2: 3,
  loopback: 4,
  vlan: 5,
  llc: 6,
  mpls: 7,
  pppoe: 8,
  arp: 9,
  lldp: 10,
  stp: 11,
  ipv4: 12,
  ipv6: 13,
  icmp: 14,
  icmpv6: 15,
  igmp: 16,
  tcp: 17,
  udp: 18,
  gre: 19,
  vxlan: 20,
  geneve: 21,
  dhcpv4: 22,
  dhcpv6: 23,
  wireguard: 24,
  dns: 25,
} as const

/** Whether `next` begins another packet inside the one that `header` belongs to. */
export function beginsPacket(header: number, next: number): boolean {
  if (next === header) return next !== headers.vlan && next !== headers.mpls
  return next < header || (header === headers.ipv4 && next === headers.ipv6)
}

export function ofEtherType(type: number): number {
  switch (type) {
    case etherTypes.ipv4:
      return headers.ipv4
    case etherTypes.ipv6:
      return headers.ipv6
    case etherTypes.arp:
      return headers.arp
    case etherTypes.vlan:
    case etherTypes.serviceVlan:
      return headers.vlan
    case etherTypes.mpls:
    case etherTypes.mplsMulticast:
      return headers.mpls
    case etherTypes.pppoeDiscovery:
    case etherTypes.pppoeSession:
      return headers.pppoe
    case etherTypes.ethernet:
      return headers.ethernet
    case etherTypes.lldp:
      return headers.lldp
    default:
      return headers.none
  }
}

/** Each of the two ICMP protocols belongs to its version of IP. */
export function ofProtocol(protocol: number, version: 4 | 6): number {
  switch (protocol) {
    case ipProtocols.tcp:
      return headers.tcp
    case ipProtocols.udp:
      return headers.udp
    case ipProtocols.icmp:
      return version === 4 ? headers.icmp : headers.none
    case ipProtocols.icmpv6:
      return version === 6 ? headers.icmpv6 : headers.none
    case ipProtocols.igmp:
      return version === 4 ? headers.igmp : headers.none
    case ipProtocols.gre:
      return headers.gre
    case ipProtocols.ipv4:
      return headers.ipv4
    case ipProtocols.ipv6:
      return headers.ipv6
    case ipProtocols.mpls:
      return headers.mpls
    default:
      return headers.none
  }
}

export function ofPppProtocol(protocol: number): number {
  if (protocol === pppProtocols.ipv4) return headers.ipv4
  if (protocol === pppProtocols.ipv6) return headers.ipv6
  return protocol === pppProtocols.mpls ? headers.mpls : headers.none
}

/** The field of a loopback link, in either byte order: no family is above 0xff. */
export function ofFamily(field: number): number {
  switch (field > 0xffff ? field >>> 24 : field) {
    case 2:
      return headers.ipv4
    case 10: // Linux
    case 24: // NetBSD, OpenBSD
    case 28: // FreeBSD
    case 30: // macOS
      return headers.ipv6
    default:
      return headers.none
  }
}

/** Errors quote the packet that they are about. */
export function isIcmpError(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12
}

export function isIcmpv6Error(type: number): boolean {
  return type >= 1 && type <= 4
}
