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
  u32,
  u32be,
  word,
} from '../../core/index.js'
import { encapsulation, overIpv6 } from './encapsulation.js'
import { linkKind } from './kind.js'
import { linkIndex } from './link-index.js'

/** What is in the tunnel, by its IP protocol number: include/uapi/linux/in.h, IPPROTO_*. */
const protocol = field(9, 'PROTO', word(u8, { any: 0, ipv4: 4, ipv6: 41, mpls: 137 }))

/** include/uapi/linux/if_tunnel.h, enum IFLA_IPTUN_*. */
function shared(address: Codec<string>) {
  return {
    /** The link that the tunnel goes through; by default, where the route to the other end leads. */
    link: field(1, 'LINK', linkIndex),
    local: field(2, 'LOCAL', address),
    remote: field(3, 'REMOTE', address),
    /** 0 takes it over from the packet within. */
    ttl: field(4, 'TTL', u8),
    protocol,
    ...encapsulation(15),
    /** Routes are looked up with this mark. */
    mark: field(20, 'FWMARK', u32),
  }
}

const overIpv4 = {
  ...shared(ipv4),
  /** 1 takes it over from the packet within. */
  tos: field(5, 'TOS', u8),
  pathMtuDiscovery: field(10, 'PMTUDISC', bool8),
}

const options = { whole: true }

/** IPv4 in IPv4, RFC 2003. */
export const ipip = linkKind('ipip', table('IFLA_IPTUN_', overIpv4), options)

const { collectMetadata: _, ...sitRows } = overIpv4

/** IPv6 in IPv4, RFC 4213. */
export const sit = linkKind(
  'sit',
  table('IFLA_IPTUN_', {
    ...sitRows,
    /** include/uapi/linux/if_tunnel.h, SIT_ISATAP, RFC 5214. */
    flags: field(8, 'FLAGS', bits(u16, { isatap: 1 })),
    /** IPv6 rapid deployment, RFC 5969. */
    sixRdPrefix: field(11, '6RD_PREFIX', ipv6),
    sixRdRelayPrefix: field(12, '6RD_RELAY_PREFIX', ipv4),
    sixRdPrefixLength: field(13, '6RD_PREFIXLEN', u16),
    sixRdRelayPrefixLength: field(14, '6RD_RELAY_PREFIXLEN', u16),
  }),
  options,
)

/** IPv4 or IPv6 in IPv6, RFC 2473. */
export const ip6tnl = linkKind(
  'ip6tnl',
  table('IFLA_IPTUN_', {
    ...shared(ipv6),
    ...overIpv6({ limit: 6, flowInfo: 7, flags: 8 }, u32be),
  }),
  options,
)
