import { bits, type Codec, field, presence, u8, u16, u16be, u32, word } from '../../core/index.js'

/** include/uapi/linux/if_tunnel.h, enum tunnel_encap_types. */
const encapsulations = word(u16, { none: 0, fou: 1, gue: 2, mpls: 3 })

/** include/uapi/linux/if_tunnel.h, TUNNEL_ENCAP_FLAG_*. */
const encapsulationFlags = bits(u16, { checksum: 1, checksum6: 2, remoteChecksum: 4 })

/** Rows that tunnels share, which begin at `first`: the packets of the tunnel in packets of UDP (FOU, GUE). */
export function encapsulation(first: number) {
  return {
    encapsulation: field(first, 'ENCAP_TYPE', encapsulations),
    /** Those not given are off. */
    encapsulationFlags: field(first + 1, 'ENCAP_FLAGS', encapsulationFlags),
    /** 0: by the flow. */
    encapsulationSourcePort: field(first + 2, 'ENCAP_SPORT', u16be),
    encapsulationDestinationPort: field(first + 3, 'ENCAP_DPORT', u16be),
    /** Ends and keys come with each packet (routes, filters), not from here. */
    collectMetadata: field(first + 4, 'COLLECT_METADATA', presence),
  }
}

/** include/uapi/linux/ip6_tunnel.h, IP6_TNL_F_*. */
export const ipv6TunnelFlags = {
  /** Packets say nothing of `encapsulationLimit`. */
  ignoreEncapsulationLimit: 1,
  /** Taken over from the packet within. */
  originalTrafficClass: 2,
  originalFlowLabel: 4,
  mobileIpv6: 8,
  copyDscp: 0x10,
  originalMark: 0x20,
  allowLocalRemote: 0x40,
} as const

/** What tunnels through IPv6 share. */
export function overIpv6(rows: { limit: number; flowInfo: number; flags: number }, flowInfo: Codec<number>) {
  return {
    /** How many tunnels a packet may be within, RFC 2473. */
    encapsulationLimit: field(rows.limit, 'ENCAP_LIMIT', u8),
    /** Traffic class and flow label: 8 and 20 bits. */
    flowInfo: field(rows.flowInfo, 'FLOWINFO', flowInfo),
    /** Those not given are off. */
    flags: field(rows.flags, 'FLAGS', bits(u32, ipv6TunnelFlags)),
  }
}
