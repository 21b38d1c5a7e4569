import { decodeArp, encodeArp } from './arp.js'
import { decodeEthernet, encodeEthernet } from './ethernet.js'
import { decodeIcmp, encodeIcmp } from './icmp.js'
import { decodeIcmpv6, encodeIcmpv6 } from './icmpv6.js'
import { decodeIpv4, encodeIpv4 } from './ipv4.js'
import { decodeIpv6, encodeIpv6 } from './ipv6.js'
import { decodeNeighborDiscovery, encodeNeighborDiscovery } from './neighbor-discovery.js'
import { decodeTcp, encodeTcp } from './tcp.js'
import { decodeUdp, encodeUdp } from './udp.js'
import { decodeVlan, encodeVlan } from './vlan.js'

/**
 * Every codec by name. What `decode` returns, `encode` takes as it is; on a well-formed packet the two are
 * inverse to each other.
 */
export const frameCodecs = {
  ethernet: { decode: decodeEthernet, encode: encodeEthernet },
  vlan: { decode: decodeVlan, encode: encodeVlan },
  arp: { decode: decodeArp, encode: encodeArp },
  ipv4: { decode: decodeIpv4, encode: encodeIpv4 },
  ipv6: { decode: decodeIpv6, encode: encodeIpv6 },
  icmp: { decode: decodeIcmp, encode: encodeIcmp },
  icmpv6: { decode: decodeIcmpv6, encode: encodeIcmpv6 },
  neighborDiscovery: { decode: decodeNeighborDiscovery, encode: encodeNeighborDiscovery },
  udp: { decode: decodeUdp, encode: encodeUdp },
  tcp: { decode: decodeTcp, encode: encodeTcp },
} as const

export type FrameCodecName = keyof typeof frameCodecs
