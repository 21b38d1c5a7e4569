import { decodeArp, encodeArp } from './arp.js'
import { decodeDhcpv4, encodeDhcpv4 } from './dhcpv4.js'
import { decodeDhcpv6, encodeDhcpv6 } from './dhcpv6.js'
import { decodeEthernet, encodeEthernet } from './ethernet.js'
import { decodeGeneve, encodeGeneve } from './geneve.js'
import { decodeGre, encodeGre } from './gre.js'
import { decodeIcmp, encodeIcmp } from './icmp.js'
import { decodeIcmpv6, encodeIcmpv6 } from './icmpv6.js'
import { decodeIgmp, encodeIgmp } from './igmp.js'
import { decodeIpv4, encodeIpv4 } from './ipv4.js'
import { decodeIpv6, encodeIpv6 } from './ipv6.js'
import { decodeLinuxSll, encodeLinuxSll } from './linux-sll.js'
import { decodeLinuxSll2, encodeLinuxSll2 } from './linux-sll2.js'
import { decodeLlc, encodeLlc } from './llc.js'
import { decodeLldp, encodeLldp } from './lldp.js'
import { decodeLoopback, encodeLoopback } from './loopback.js'
import { decodeMld, encodeMld } from './mld.js'
import { decodeMpls, encodeMpls } from './mpls.js'
import { decodeNeighborDiscovery, encodeNeighborDiscovery } from './neighbor-discovery.js'
import { decodePppoe, encodePppoe } from './pppoe.js'
import { decodeStp, encodeStp } from './stp.js'
import { decodeTcp, encodeTcp } from './tcp.js'
import { decodeUdp, encodeUdp } from './udp.js'
import { decodeVirtioNet, encodeVirtioNet } from './virtio-net.js'
import { decodeVlan, encodeVlan } from './vlan.js'
import { decodeVxlan, encodeVxlan } from './vxlan.js'
import { decodeWireguard, encodeWireguard } from './wireguard.js'

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
  dhcpv4: { decode: decodeDhcpv4, encode: encodeDhcpv4 },
  dhcpv6: { decode: decodeDhcpv6, encode: encodeDhcpv6 },
  geneve: { decode: decodeGeneve, encode: encodeGeneve },
  gre: { decode: decodeGre, encode: encodeGre },
  igmp: { decode: decodeIgmp, encode: encodeIgmp },
  linuxSll: { decode: decodeLinuxSll, encode: encodeLinuxSll },
  linuxSll2: { decode: decodeLinuxSll2, encode: encodeLinuxSll2 },
  llc: { decode: decodeLlc, encode: encodeLlc },
  lldp: { decode: decodeLldp, encode: encodeLldp },
  loopback: { decode: decodeLoopback, encode: encodeLoopback },
  mld: { decode: decodeMld, encode: encodeMld },
  mpls: { decode: decodeMpls, encode: encodeMpls },
  pppoe: { decode: decodePppoe, encode: encodePppoe },
  stp: { decode: decodeStp, encode: encodeStp },
  virtioNet: { decode: decodeVirtioNet, encode: encodeVirtioNet },
  vxlan: { decode: decodeVxlan, encode: encodeVxlan },
  wireguard: { decode: decodeWireguard, encode: encodeWireguard },
} as const

export type FrameCodecName = keyof typeof frameCodecs
