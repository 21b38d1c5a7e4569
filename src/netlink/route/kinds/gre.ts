import {
  bits,
  bool8,
  type Codec,
  field,
  ipv4,
  ipv6,
  table,
  u8,
  u16,
  u16be,
  u32,
  u32be,
  word,
} from '../../core/index.js'
import { encapsulation, overIpv6 } from './encapsulation.js'
import { linkKind } from './kind.js'
import { linkIndex } from './link-index.js'

/** include/uapi/linux/if_tunnel.h, GRE_*: what the header of a packet has. */
export const greFlags = { checksum: 0x8000, key: 0x2000, sequence: 0x1000 } as const

/** include/uapi/linux/if_tunnel.h, enum IFLA_GRE_*. */
function shared(address: Codec<string>) {
  return {
    /** The link that the tunnel goes through; by default, where the route to the other end leads. */
    link: field(1, 'LINK', linkIndex),
    /** What packets must have, and what they are sent with. `key` follows from a key that is given. */
    inputFlags: field(2, 'IFLAGS', bits(u16be, greFlags)),
    outputFlags: field(3, 'OFLAGS', bits(u16be, greFlags)),
    inputKey: field(4, 'IKEY', u32be),
    outputKey: field(5, 'OKEY', u32be),
    local: field(6, 'LOCAL', address),
    remote: field(7, 'REMOTE', address),
    /** 0 takes it over from the packet within. */
    ttl: field(8, 'TTL', u8),
    ...encapsulation(14),
    /** Routes are looked up with this mark. */
    mark: field(20, 'FWMARK', u32),
  }
}

const overIpv4 = {
  ...shared(ipv4),
  /** 1 takes it over from the packet within. */
  tos: field(9, 'TOS', u8),
  pathMtuDiscovery: field(10, 'PMTUDISC', bool8),
  /** Fragments packets that are too large though they forbid it; only without `pathMtuDiscovery`. */
  ignoreDontFragment: field(19, 'IGNORE_DF', bool8),
}

const throughIpv6 = { ...shared(ipv6), ...overIpv6({ limit: 11, flowInfo: 12, flags: 13 }, u32be) }

/** Encapsulated Remote SPAN, mirrored traffic: Cisco's use of GRE. */
const erspanRows = {
  /** 20 bits, of version 1. */
  index: field(21, 'ERSPAN_INDEX', u32),
  /** 0 to 2. */
  version: field(22, 'ERSPAN_VER', u8),
  /** Of version 2. */
  direction: field(23, 'ERSPAN_DIR', word(u8, { ingress: 0, egress: 1 })),
  /** 6 bits, of version 2. */
  hardwareId: field(24, 'ERSPAN_HWID', u16),
}

const settings = table('IFLA_GRE_', overIpv4)
const settings6 = table('IFLA_GRE_', throughIpv6)

// The kernel looks at a key only where the flags say that there is one.
function prepare(given: Record<string, unknown>): Record<string, unknown> {
  const prepared = { ...given }
  for (const side of ['input', 'output']) {
    const flags = (given[`${side}Flags`] ?? {}) as { key?: boolean }
    if (given[`${side}Key`] !== undefined && flags.key === undefined) {
      prepared[`${side}Flags`] = { ...flags, key: true }
    }
  }
  return prepared
}

const options = { whole: true, prepare }

/** Generic routing encapsulation, RFC 2784 and 2890: IP in IPv4. */
export const gre = linkKind('gre', settings, options)
/** The same with Ethernet in it. */
export const gretap = linkKind('gretap', settings, options)
/** Mirrored Ethernet. */
export const erspan = linkKind('erspan', table('IFLA_GRE_', { ...overIpv4, ...erspanRows }), options)
/** The same over IPv6. */
export const ip6gre = linkKind('ip6gre', settings6, options)
export const ip6gretap = linkKind('ip6gretap', settings6, options)
export const ip6erspan = linkKind('ip6erspan', table('IFLA_GRE_', { ...throughIpv6, ...erspanRows }), options)
