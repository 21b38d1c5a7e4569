import { writeUint16 } from '../bytes/index.js'
import { type ArpInput, encodeArp } from './arp.js'
import { type Dhcpv4Input, encodeDhcpv4 } from './dhcpv4.js'
import { type Dhcpv6Input, encodeDhcpv6 } from './dhcpv6.js'
import { type DnsInput, encodeDns } from './dns-input.js'
import { headroom } from './encode-size.js'
import { etherTypes } from './ether-types.js'
import { type EthernetInput, encodeEthernet } from './ethernet.js'
import { makeInRoom } from './frame-room.js'
import { encodeGeneve, type GeneveInput } from './geneve.js'
import { encodeGre, type GreInput } from './gre.js'
import { headers } from './header-kinds.js'
import { encodeIcmp, type IcmpInput } from './icmp.js'
import { encodeIcmpv6, type Icmpv6Input } from './icmpv6.js'
import { encodeIgmp, type IgmpInput } from './igmp.js'
import { ipProtocols } from './ip-protocols.js'
import { encodeIpv4, type Ipv4Input } from './ipv4.js'
import { encodeIpv6, type Ipv6Input } from './ipv6.js'
import { checkLayers } from './layer-checks.js'
import { encodeLinuxSll, type LinuxSllInput } from './linux-sll.js'
import { encodeLinuxSll2, type LinuxSll2Input } from './linux-sll2.js'
import { encodeLlc, type LlcInput, llcAccessPoints } from './llc.js'
import { encodeLldp, type LldpRecord } from './lldp.js'
import { encodeLoopback, type LoopbackInput } from './loopback.js'
import { encodeMld, type MldInput } from './mld.js'
import { encodeMpls, type MplsInput } from './mpls.js'
import { encodeNeighborDiscovery, type NeighborDiscoveryInput } from './neighbor-discovery.js'
import { encodePppoe, type PppoeInput, pppoeCodes, pppProtocols } from './pppoe.js'
import { byteField, noBytes, uint, withFields } from './record.js'
import { encodeStp, type StpInput } from './stp.js'
import { encodeTcp, type TcpInput } from './tcp.js'
import { encodeUdp, type UdpInput } from './udp.js'
import { encodeVlan, type VlanInput } from './vlan.js'
import { encodeVxlan, type VxlanInput } from './vxlan.js'
import { encodeWireguard, type WireguardRecord, wireguardTypes } from './wireguard.js'

/** A layer without what the layers inside it determine. */
type Layer<T, K extends string> = Omit<T, K> & { [P in K & keyof T]?: T[P] | undefined }

/**
 * The layers of a frame, outermost first: at most one of each level; what a tunnel carries or an ICMP error quotes is
 * `inner`. What {@link decode} returns is one of these.
 */
export interface FrameLayers {
  ethernet?: EthernetInput | Layer<EthernetInput, 'payload'>
  linuxSll?: Layer<LinuxSllInput, 'protocol' | 'payload'>
  linuxSll2?: Layer<LinuxSll2Input, 'protocol' | 'payload'>
  loopback?: Layer<LoopbackInput, 'family' | 'payload'>
  /** Outermost first. */
  vlans?: Layer<VlanInput, 'type' | 'payload'>[]
  /** That of STP follows from `stp`. */
  llc?: Layer<LlcInput, 'payload'>
  /** Outermost first; the last is the bottom of the stack. */
  mpls?: Layer<MplsInput, 'payload'>[]
  pppoe?: Layer<PppoeInput, 'payload'>
  arp?: ArpInput
  lldp?: LldpRecord
  stp?: StpInput
  ipv4?: Layer<Ipv4Input, 'protocol' | 'payload'>
  ipv6?: Layer<Ipv6Input, 'protocol' | 'payload'>
  icmp?: Layer<IcmpInput, 'payload'>
  icmpv6?: Layer<Icmpv6Input, 'payload'>
  /** Wins over `icmpv6`. */
  neighborDiscovery?: NeighborDiscoveryInput
  /** Wins over `icmpv6`. */
  mld?: MldInput
  igmp?: IgmpInput
  udp?: Layer<UdpInput, 'payload'>
  tcp?: Layer<TcpInput, 'payload'>
  gre?: Layer<GreInput, 'protocol' | 'payload'>
  vxlan?: Layer<VxlanInput, 'payload'>
  geneve?: Layer<GeneveInput, 'protocol' | 'payload'>
  dhcpv4?: Dhcpv4Input
  dhcpv6?: Dhcpv6Input
  wireguard?: WireguardRecord
  /** Over UDP, or over TCP with its length before it; by dns-packet ({@link registerDns}). `payload` wins. */
  dns?: DnsInput
  /** Wins over `payload`. */
  inner?: FrameLayers
  /** Of the innermost layer; the layers' own payloads are not looked at. */
  payload?: Uint8Array | undefined
}

/** Bytes, and what they begin with: one of `headers`. */
interface Encoded {
  bytes: Uint8Array
  header: number
  /** Of a header that IP carries. */
  protocol?: number
}

/**
 * Puts a frame together from the inside out. Types, protocols, lengths and checksums follow from the layers
 * unless set by hand; without a link's layer the result is a packet for a link of type `ip`.
 * @throws TypeError for layers and fields that are not known, two layers of one level, or one without what carries it;
 * TypeError, RangeError for a field that does not fit; NetloomError `ERR_UNSUPPORTED` for `dns` without dns-packet
 */
export function encode(layers: FrameLayers): Uint8Array {
  checkLayers(layers)
  const { dns, tcp, payload: given } = innermost(layers)
  const payload = byteField('payload', given, dns ? dnsPayload(dns, tcp !== undefined) : noBytes)
  return makeInRoom(headroom(layers), payload, placed => encodePacket(layers, placed).bytes)
}

/** In TCP its length is before it (RFC 1035 section 4.2.2). */
function dnsPayload(dns: DnsInput, inTcp: boolean): Uint8Array {
  const message = encodeDns(dns)
  if (!inTcp) return message
  const bytes = new Uint8Array(2 + message.length)
  writeUint16(bytes, 0, uint('length of dns', message.length, 16))
  bytes.set(message, 2)
  return bytes
}

function innermost(layers: FrameLayers): FrameLayers {
  return layers.inner ? innermost(layers.inner) : layers
}

function encodePacket(layers: FrameLayers, payload: Uint8Array): Encoded {
  const inner = layers.inner ? encodePacket(layers.inner, payload) : { bytes: payload, header: headers.none }
  return encodeLink(layers, encodeNetwork(layers, encodeTransport(layers, encodeApplication(layers, inner))))
}

/** What UDP carries. */
function encodeApplication(layers: FrameLayers, inner: Encoded): Encoded {
  const { vxlan, geneve, dhcpv4, dhcpv6, wireguard } = layers
  const payload = inner.bytes
  if (vxlan) return { bytes: encodeVxlan(withFields(vxlan, { payload })), header: headers.vxlan }
  if (geneve) {
    const protocol = geneve.protocol ?? etherTypeOf(inner)!
    return { bytes: encodeGeneve(withFields(geneve, { protocol, payload })), header: headers.geneve }
  }
  if (dhcpv4) return { bytes: encodeDhcpv4(dhcpv4), header: headers.dhcpv4 }
  if (dhcpv6) return { bytes: encodeDhcpv6(dhcpv6), header: headers.dhcpv6 }
  if (!wireguard) return inner
  const message =
    wireguard.type === wireguardTypes.data && layers.payload ? withFields(wireguard, { payload }) : wireguard
  return { bytes: encodeWireguard(message), header: headers.wireguard }
}

function encodeTransport(layers: FrameLayers, inner: Encoded): Encoded {
  const { icmp, icmpv6, neighborDiscovery, mld, igmp, udp, tcp, gre } = layers
  const addresses = layers.ipv4 ?? layers.ipv6
  const payload = inner.bytes
  if (neighborDiscovery || mld || icmpv6) {
    const bytes = neighborDiscovery
      ? encodeNeighborDiscovery(neighborDiscovery, addresses)
      : mld
        ? encodeMld(mld, addresses)
        : encodeIcmpv6(withFields(icmpv6!, { payload }), addresses)
    return { bytes, header: headers.icmpv6, protocol: ipProtocols.icmpv6 }
  }
  if (icmp)
    return {
      bytes: encodeIcmp(withFields(icmp, { payload })),
      header: headers.icmp,
      protocol: ipProtocols.icmp,
    }
  if (igmp) return { bytes: encodeIgmp(igmp), header: headers.igmp, protocol: ipProtocols.igmp }
  if (udp)
    return {
      bytes: encodeUdp(withFields(udp, { payload }), addresses),
      header: headers.udp,
      protocol: ipProtocols.udp,
    }
  if (tcp)
    return {
      bytes: encodeTcp(withFields(tcp, { payload }), addresses),
      header: headers.tcp,
      protocol: ipProtocols.tcp,
    }
  if (!gre) return inner
  const protocol = gre.protocol ?? etherTypeOf(inner)!
  return {
    bytes: encodeGre(withFields(gre, { protocol, payload })),
    header: headers.gre,
    protocol: ipProtocols.gre,
  }
}

function encodeNetwork(layers: FrameLayers, inner: Encoded): Encoded {
  const { arp, lldp, stp, ipv4, ipv6 } = layers
  if (arp) return { bytes: encodeArp(arp), header: headers.arp }
  if (lldp) return { bytes: encodeLldp(lldp), header: headers.lldp }
  if (stp) return { bytes: encodeStp(stp), header: headers.stp }
  const payload = inner.bytes
  const protocol = ipv4?.protocol ?? ipv6?.protocol ?? protocolOf(inner)
  if (ipv4) return { bytes: encodeIpv4(withFields(ipv4, { protocol, payload })), header: headers.ipv4 }
  if (ipv6) return { bytes: encodeIpv6(withFields(ipv6, { protocol, payload })), header: headers.ipv6 }
  return inner
}

function encodeLink(layers: FrameLayers, network: Encoded): Encoded {
  const { ethernet, linuxSll, linuxSll2, loopback, mpls = [], vlans = [], pppoe, stp } = layers
  const accessPoint = llcAccessPoints.stp
  const llc = layers.llc ?? (stp && { destination: accessPoint, source: accessPoint })
  let { bytes, header } = network
  let type = etherTypeOf(network)
  if (pppoe) {
    const protocol = pppoe.protocol ?? pppProtocolOf(header)
    const isSession = (pppoe.code ?? pppoeCodes.session) === pppoeCodes.session
    bytes = encodePppoe(withFields(pppoe, isSession ? { protocol, payload: bytes } : { payload: bytes }))
    header = headers.pppoe
    type = isSession ? etherTypes.pppoeSession : etherTypes.pppoeDiscovery
  }
  for (const [i, label] of [...mpls.entries()].toReversed()) {
    bytes = encodeMpls(withFields(label, { bottom: label.bottom ?? i === mpls.length - 1, payload: bytes }))
    header = headers.mpls
    type = etherTypes.mpls
  }
  if (llc) {
    bytes = encodeLlc(withFields(llc, { payload: bytes }))
    header = headers.llc
    type = undefined
  }
  for (const tag of vlans.toReversed()) {
    bytes = encodeVlan(withFields(tag, { type: tag.type ?? type ?? bytes.length, payload: bytes }))
    header = headers.vlan
    type = etherTypes.vlan
  }
  const payload = bytes
  if (ethernet) {
    const record = withFields(ethernet, { type: ethernet.type ?? type, payload })
    return { bytes: encodeEthernet(record), header: headers.ethernet }
  }
  // 802.2 without an EtherType is 4 (linux/if_ether.h, ETH_P_802_2).
  const protocol = type ?? 4
  if (linuxSll)
    return {
      bytes: encodeLinuxSll(withFields(linuxSll, { protocol: linuxSll.protocol ?? protocol, payload })),
      header: headers.linuxSll,
    }
  if (linuxSll2)
    return {
      bytes: encodeLinuxSll2(withFields(linuxSll2, { protocol: linuxSll2.protocol ?? protocol, payload })),
      header: headers.linuxSll2,
    }
  if (!loopback) return bytes === network.bytes ? network : { bytes, header }
  const family = header === headers.ipv6 ? 10 : 2
  return {
    bytes: encodeLoopback(withFields(loopback, { family: loopback.family ?? family, payload })),
    header: headers.loopback,
  }
}

function etherTypeOf({ header }: Encoded): number | undefined {
  switch (header) {
    case headers.ipv4:
      return etherTypes.ipv4
    case headers.ipv6:
      return etherTypes.ipv6
    case headers.arp:
      return etherTypes.arp
    case headers.lldp:
      return etherTypes.lldp
    case headers.mpls:
      return etherTypes.mpls
    case headers.vlan:
      return etherTypes.vlan
    case headers.ethernet:
      return etherTypes.ethernet
    case headers.pppoe:
      return etherTypes.pppoeSession
    default:
      return undefined
  }
}

function protocolOf({ header, protocol }: Encoded): number {
  if (protocol !== undefined) return protocol
  if (header === headers.ipv4) return ipProtocols.ipv4
  if (header === headers.ipv6) return ipProtocols.ipv6
  return header === headers.mpls ? ipProtocols.mpls : ipProtocols.none
}

function pppProtocolOf(header: number): number | undefined {
  if (header === headers.ipv4) return pppProtocols.ipv4
  if (header === headers.ipv6) return pppProtocols.ipv6
  return header === headers.mpls ? pppProtocols.mpls : undefined
}
