import type { DecodedFrame } from '../../src/frames/index.js'

/** What `decode` says where tshark has a field of that name, for one packet: a value, several, or none. */
export type FieldReader = (packet: DecodedFrame) => unknown

type OptionLike = { kind: string; value?: unknown; number?: number }

/** Values of the options of a kind. */
const optionsOf = (options: readonly unknown[] | undefined, kind: string, field = 'value') =>
  (options as Record<string, unknown>[] | undefined)
    ?.filter(option => option.kind === kind)
    .map(option => option[field])

const dhcpv6Numbers: Record<string, number> = {
  clientId: 1,
  serverId: 2,
  iaNa: 3,
  iaTa: 4,
  iaAddress: 5,
  optionRequest: 6,
  preference: 7,
  elapsedCentiseconds: 8,
  relayMessage: 9,
  serverUnicast: 12,
  status: 13,
  rapidCommit: 14,
  interfaceId: 18,
  dnsServers: 23,
  domainSearch: 24,
  iaPd: 25,
  iaPrefix: 26,
  informationRefreshSeconds: 32,
}

/** All options of DHCPv6, nested ones after what holds them. */
function allDhcpv6(options: readonly OptionLike[] = []): OptionLike[] {
  return options.flatMap(option => {
    const nested = (option.value as { options?: OptionLike[] } | undefined)?.options
    return [option, ...allDhcpv6(nested)]
  })
}

const dhcpv6 = (packet: DecodedFrame, kind: string) =>
  allDhcpv6(packet.dhcpv6?.options as OptionLike[])
    .filter(option => option.kind === kind)
    .map(option => option.value)

const flagBits = (flags: Record<string, boolean>) => {
  const names = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ae']
  return names.reduce((bits, name, i) => bits + (flags[name] ? 2 ** i : 0), 0)
}

/** By field of tshark 4.0. */
export const tsharkFields: Record<string, FieldReader> = {
  'eth.dst': p => p.ethernet?.destination,
  'eth.src': p => p.ethernet?.source,
  'eth.type': p => p.ethernet?.type,
  'eth.len': p => p.ethernet?.length,
  'sll.pkttype': p => (p.linuxSll ?? p.linuxSll2)?.packetType,
  'sll.hatype': p => (p.linuxSll ?? p.linuxSll2)?.hardwareType,
  'sll.halen': p => (p.linuxSll ?? p.linuxSll2)?.addressLength,
  'sll.etype': p => (p.linuxSll ?? p.linuxSll2)?.protocol,
  'sll.ifindex': p => p.linuxSll2?.interfaceIndex,
  'null.family': p => p.loopback?.family,
  'vlan.id': p => p.vlans.map(tag => tag.id),
  'vlan.priority': p => p.vlans.map(tag => tag.priority),
  'vlan.dei': p => p.vlans.map(tag => tag.dropEligible),
  'llc.dsap': p => p.llc?.destination,
  'llc.ssap': p => p.llc?.source,
  'llc.control': p => p.llc?.control,
  'mpls.label': p => p.mpls?.map(label => label.label),
  'mpls.exp': p => p.mpls?.map(label => label.trafficClass),
  'mpls.bottom': p => p.mpls?.map(label => label.bottom),
  'mpls.ttl': p => p.mpls?.map(label => label.ttl),
  'pppoe.code': p => p.pppoe?.code,
  'pppoe.session_id': p => p.pppoe?.sessionId,
  'pppoe.payload_length': p => p.pppoe?.length,
  'ppp.protocol': p => p.pppoe?.protocol,
  'arp.opcode': p => p.arp?.operation,
  'arp.src.hw_mac': p => p.arp?.senderMacAddress,
  'arp.src.proto_ipv4': p => p.arp?.senderIpAddress,
  'arp.dst.hw_mac': p => p.arp?.targetMacAddress,
  'arp.dst.proto_ipv4': p => p.arp?.targetIpAddress,
  'lldp.chassis.subtype': p => optionsOf(p.lldp?.elements, 'chassisId', 'subtype'),
  'lldp.port.subtype': p => optionsOf(p.lldp?.elements, 'portId', 'subtype'),
  'lldp.time_to_live': p => optionsOf(p.lldp?.elements, 'timeToLive', 'seconds'),
  'stp.version': p => p.stp?.version,
  'stp.type': p => p.stp?.type,
  'stp.flags': p => p.stp?.configuration?.flags,
  'stp.root.hw': p => p.stp?.configuration?.root.macAddress,
  'stp.root.cost': p => p.stp?.configuration?.rootPathCost,
  'stp.bridge.hw': p => p.stp?.configuration?.bridge.macAddress,
  'stp.port': p => p.stp?.configuration?.portId,
  'ip.src': p => p.ipv4?.source,
  'ip.dst': p => p.ipv4?.destination,
  'ip.id': p => p.ipv4?.identification,
  'ip.ttl': p => p.ipv4?.ttl,
  'ip.proto': p => p.ipv4?.protocol,
  'ip.len': p => p.ipv4?.totalLength,
  'ip.dsfield.dscp': p => p.ipv4?.dscp,
  'ip.dsfield.ecn': p => p.ipv4?.ecn,
  'ip.flags.df': p => p.ipv4?.dontFragment,
  'ip.flags.mf': p => p.ipv4?.moreFragments,
  'ip.frag_offset': p => p.ipv4 && p.ipv4.fragmentOffset / 8,
  'ip.checksum': p => p.ipv4?.checksum,
  'ipv6.src': p => p.ipv6?.source,
  'ipv6.dst': p => p.ipv6?.destination,
  'ipv6.plen': p => p.ipv6?.length,
  'ipv6.hlim': p => p.ipv6?.hopLimit,
  'ipv6.flow': p => p.ipv6?.flowLabel,
  'ipv6.tclass.dscp': p => p.ipv6?.dscp,
  'ipv6.tclass.ecn': p => p.ipv6?.ecn,
  'ipv6.fraghdr.ident': p => p.ipv6?.extensions.flatMap(e => (e.type === 44 ? e.identification : [])),
  'icmp.type': p => p.icmp?.type,
  'icmp.code': p => p.icmp?.code,
  'icmp.checksum': p => p.icmp?.checksum,
  'icmp.seq': p => p.icmp?.sequence,
  'icmpv6.type': p => p.icmpv6?.type,
  'icmpv6.code': p => p.icmpv6?.code,
  'icmpv6.checksum': p => p.icmpv6?.checksum,
  'icmpv6.echo.identifier': p => p.icmpv6?.identifier,
  'icmpv6.echo.sequence_number': p => p.icmpv6?.sequence,
  'icmpv6.nd.ns.target_address': p =>
    p.neighborDiscovery?.type === 135 ? p.neighborDiscovery.target : undefined,
  'icmpv6.nd.na.target_address': p =>
    p.neighborDiscovery?.type === 136 ? p.neighborDiscovery.target : undefined,
  'icmpv6.nd.ra.cur_hop_limit': p =>
    p.neighborDiscovery?.type === 134 ? p.neighborDiscovery.hopLimit : undefined,
  'icmpv6.nd.ra.router_lifetime': p =>
    p.neighborDiscovery?.type === 134 ? p.neighborDiscovery.lifetimeSeconds : undefined,
  'icmpv6.opt.mtu': p => optionsOf(p.neighborDiscovery?.options, 'mtu', 'mtu'),
  'icmpv6.opt.prefix': p => optionsOf(p.neighborDiscovery?.options, 'prefix', 'prefix'),
  'icmpv6.mld.multicast_address': p => p.mld?.group,
  'icmpv6.mldr.mar.multicast_address': p => p.mld?.records?.map(record => record.group),
  'icmpv6.mldr.mar.record_type': p => p.mld?.records?.map(record => record.type),
  'igmp.type': p => p.igmp?.type,
  'igmp.checksum': p => p.igmp?.checksum,
  'igmp.num_grp_recs': p => p.igmp?.records?.length,
  'igmp.record_type': p => p.igmp?.records?.map(record => record.type),
  'tcp.srcport': p => p.tcp?.sourcePort,
  'tcp.dstport': p => p.tcp?.destinationPort,
  'tcp.seq_raw': p => p.tcp?.sequence,
  'tcp.ack_raw': p => p.tcp?.acknowledgment,
  'tcp.flags': p => p.tcp && flagBits(p.tcp.flags),
  'tcp.window_size_value': p => p.tcp?.window,
  'tcp.checksum': p => p.tcp?.checksum,
  'tcp.urgent_pointer': p => p.tcp?.urgentPointer,
  'tcp.options.mss_val': p => optionsOf(p.tcp?.options, 'mss', 'mss'),
  'tcp.options.wscale.shift': p => optionsOf(p.tcp?.options, 'windowScale', 'shift'),
  'tcp.options.timestamp.tsval': p => optionsOf(p.tcp?.options, 'timestamps', 'value'),
  'udp.srcport': p => p.udp?.sourcePort,
  'udp.dstport': p => p.udp?.destinationPort,
  'udp.length': p => p.udp?.length,
  'udp.checksum': p => p.udp?.checksum,
  'gre.proto': p => p.gre?.protocol,
  'gre.checksum': p => p.gre?.checksum,
  'gre.key': p => p.gre?.key,
  'gre.sequence_number': p => p.gre?.sequence,
  'vxlan.flags': p => p.vxlan?.flags,
  'vxlan.vni': p => p.vxlan?.vni,
  'geneve.vni': p => p.geneve?.vni,
  'geneve.proto_type': p => p.geneve?.protocol,
  'geneve.option.class': p => p.geneve?.options.map(option => option.class),
  'dhcp.type': p => p.dhcpv4?.operation,
  'dhcp.id': p => p.dhcpv4?.transactionId,
  'dhcp.secs': p => p.dhcpv4?.seconds,
  'dhcp.hops': p => p.dhcpv4?.hops,
  'dhcp.flags.bc': p => p.dhcpv4?.broadcast,
  'dhcp.ip.client': p => p.dhcpv4?.clientAddress,
  'dhcp.ip.your': p => p.dhcpv4?.yourAddress,
  'dhcp.ip.server': p => p.dhcpv4?.serverAddress,
  'dhcp.ip.relay': p => p.dhcpv4?.relayAddress,
  'dhcp.option.dhcp': p => optionsOf(p.dhcpv4?.options, 'messageType'),
  'dhcp.option.subnet_mask': p => optionsOf(p.dhcpv4?.options, 'subnetMask'),
  'dhcp.option.router': p => optionsOf(p.dhcpv4?.options, 'routers')?.flat(),
  'dhcp.option.requested_ip_address': p => optionsOf(p.dhcpv4?.options, 'requestedAddress'),
  'dhcp.option.dhcp_server_id': p => optionsOf(p.dhcpv4?.options, 'serverIdentifier'),
  'dhcp.option.dhcp_max_message_size': p => optionsOf(p.dhcpv4?.options, 'maxMessageSize'),
  'dhcpv6.msgtype': p => p.dhcpv6?.type,
  'dhcpv6.xid': p => p.dhcpv6?.transactionId,
  'dhcpv6.hopcount': p => p.dhcpv6?.relay?.hops,
  'dhcpv6.linkaddr': p => p.dhcpv6?.relay?.linkAddress,
  'dhcpv6.peeraddr': p => p.dhcpv6?.relay?.peerAddress,
  'dhcpv6.option.type': p =>
    allDhcpv6(p.dhcpv6?.options as OptionLike[]).map(({ kind, number }) => number ?? dhcpv6Numbers[kind]),
  'dhcpv6.iaaddr.ip': p => dhcpv6(p, 'iaAddress').map(value => (value as { address: string }).address),
  'dhcpv6.iaprefix.pref_addr': p => dhcpv6(p, 'iaPrefix').map(value => (value as { prefix: string }).prefix),
  'dhcpv6.dns_server': p => dhcpv6(p, 'dnsServers').flat(),
  'dhcpv6.option_preference': p => dhcpv6(p, 'preference'),
  'wg.type': p => p.wireguard?.type,
  'wg.sender': p => (p.wireguard && 'sender' in p.wireguard ? p.wireguard.sender : undefined),
  'wg.receiver': p => (p.wireguard && 'receiver' in p.wireguard ? p.wireguard.receiver : undefined),
  'wg.counter': p => (p.wireguard && 'counter' in p.wireguard ? p.wireguard.counter : undefined),
}
