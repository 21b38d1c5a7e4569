import { type ArpInput, encodeArp } from './arp.js'
import { etherTypes } from './ether-types.js'
import { type EthernetInput, encodeEthernet } from './ethernet.js'
import { encodeIcmp, type IcmpInput } from './icmp.js'
import { encodeIcmpv6, type Icmpv6Input } from './icmpv6.js'
import { ipProtocols } from './ip-protocols.js'
import { encodeIpv4, type Ipv4Input } from './ipv4.js'
import { encodeIpv6, type Ipv6Input } from './ipv6.js'
import { encodeNeighborDiscovery, type NeighborDiscoveryInput } from './neighbor-discovery.js'
import { encodeTcp, type TcpInput } from './tcp.js'
import { encodeUdp, type UdpInput } from './udp.js'
import { encodeVlan, type VlanInput } from './vlan.js'

/** A layer without what the layers inside it determine. */
type Layer<T, K extends string> = Omit<T, K> & { [P in K & keyof T]?: T[P] | undefined }

/** The layers of a frame: at most one of each level. What {@link decode} returns is one of these. */
export interface FrameLayers {
  ethernet?: EthernetInput | Layer<EthernetInput, 'payload'>
  /** Outermost first. */
  vlans?: Layer<VlanInput, 'type' | 'payload'>[]
  arp?: ArpInput
  ipv4?: Layer<Ipv4Input, 'protocol' | 'payload'>
  ipv6?: Layer<Ipv6Input, 'protocol' | 'payload'>
  icmp?: Layer<IcmpInput, 'payload'>
  icmpv6?: Layer<Icmpv6Input, 'payload'>
  /** Wins over `icmpv6`. */
  neighborDiscovery?: NeighborDiscoveryInput
  udp?: Layer<UdpInput, 'payload'>
  tcp?: Layer<TcpInput, 'payload'>
  /** Of the innermost layer; the layers' own payloads are not looked at. */
  payload?: Uint8Array
}

/**
 * Puts a frame together from the inside out. Types, protocols, lengths and checksums follow from the layers
 * unless set by hand; without `ethernet` the result is a packet for a link of type `ip`.
 * @throws TypeError, RangeError for a field that does not fit
 */
export function encode(layers: FrameLayers): Uint8Array {
  const { ethernet, arp, ipv4, ipv6, vlans = [] } = layers
  const ip = ipv4 ?? ipv6
  const upper = encodeUpper(layers)
  let { bytes } = upper
  let type: number | undefined
  if (arp) {
    bytes = encodeArp(arp)
    type = etherTypes.arp
  } else if (ip) {
    const protocol = ip.protocol ?? upper.protocol ?? ipProtocols.none
    bytes = ipv4
      ? encodeIpv4({ ...ipv4, protocol, payload: bytes })
      : encodeIpv6({ ...ipv6!, protocol, payload: bytes })
    type = ipv4 ? etherTypes.ipv4 : etherTypes.ipv6
  }
  for (const tag of vlans.toReversed()) {
    bytes = encodeVlan({ ...tag, type: tag.type ?? type ?? bytes.length, payload: bytes })
    type = etherTypes.vlan
  }
  return ethernet ? encodeEthernet({ ...ethernet, type: ethernet.type ?? type, payload: bytes }) : bytes
}

function encodeUpper(layers: FrameLayers): { bytes: Uint8Array; protocol?: number } {
  const { icmp, icmpv6, neighborDiscovery, udp, tcp, payload = new Uint8Array() } = layers
  const addresses = layers.ipv4 ?? layers.ipv6
  if (neighborDiscovery)
    return { bytes: encodeNeighborDiscovery(neighborDiscovery, addresses), protocol: ipProtocols.icmpv6 }
  if (icmpv6) return { bytes: encodeIcmpv6({ ...icmpv6, payload }, addresses), protocol: ipProtocols.icmpv6 }
  if (icmp) return { bytes: encodeIcmp({ ...icmp, payload }), protocol: ipProtocols.icmp }
  if (udp) return { bytes: encodeUdp({ ...udp, payload }, addresses), protocol: ipProtocols.udp }
  if (tcp) return { bytes: encodeTcp({ ...tcp, payload }, addresses), protocol: ipProtocols.tcp }
  return { bytes: payload }
}
