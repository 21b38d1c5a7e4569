import { requireOptions } from '../errors/index.js'
import { ArpView, arpOperations } from './arp.js'
import {
  describeIgmp,
  describeLldp,
  describePppoe,
  describeStp,
  describeWireguard,
} from './describe-control.js'
import { describeDhcpv4, describeDhcpv6 } from './describe-dhcp.js'
import { describeDns } from './describe-dns.js'
import { describeIcmp, describeIcmpv6 } from './describe-icmp.js'
import { describeTcp, describeUdp } from './describe-transport.js'
import { dnsMessage } from './dns.js'
import { etherTypes } from './ether-types.js'
import { EthernetView } from './ethernet.js'
import { FrameError } from './frame-error.js'
import { GeneveView, geneveRecord } from './geneve.js'
import { GreView } from './gre.js'
import { headers } from './header-kinds.js'
import { dnsStart, type HeaderWalk, notIp, walkFrame } from './header-walk.js'
import { ipProtocols } from './ip-protocols.js'
import { Ipv4View } from './ipv4.js'
import { Ipv6View } from './ipv6.js'
import type { LinkType } from './link-type.js'
import { type LinkedFrame, linkedFrame } from './linked-frame.js'
import { LinuxSllView } from './linux-sll.js'
import { LinuxSll2View } from './linux-sll2.js'
import { LlcView } from './llc.js'
import { LoopbackView } from './loopback.js'
import { MplsView } from './mpls.js'
import { VlanView } from './vlan.js'
import { VxlanView } from './vxlan.js'

export interface DescribeOptions {
  /** Begin with the MAC addresses, where the link has them. Default false. */
  link?: boolean
}

/**
 * A frame in one line, in the manner of tcpdump:
 *
 *     ARP who-has 10.0.0.2 tell 10.0.0.1
 *     IP 10.0.0.1.40000 > 10.0.0.2.80: tcp SYN seq 123 win 64240 <mss 1460,sackOK> length 0
 *     IP6 fe80::1 > ff02::1:ff00:2: icmp6 neighbor solicitation, who has fe80::2
 *     IP 10.0.0.1.49152 > 10.0.0.2.4789: vxlan vni 5: IP 192.168.0.1 > 192.168.0.2: icmp echo request, id 1, seq 1, length 64
 *
 * Never throws on bytes: what cannot be read is described as such (`[truncated tcp: 20 bytes needed, 4 there]`).
 * The line holds no control characters, whatever the frame does. It is for people: its wording may change.
 * @param linkType what the bytes begin with: `ethernet` unless given; a packet says it itself
 * @throws TypeError when `frame` is neither a Uint8Array nor a packet, or `linkType` or an option is unknown
 */
export function describe(frame: Uint8Array, linkType?: LinkType, options?: DescribeOptions): string
export function describe(packet: LinkedFrame, options?: DescribeOptions): string
export function describe(
  given: Uint8Array | LinkedFrame,
  second?: LinkType | DescribeOptions,
  third?: DescribeOptions,
): string {
  const [{ data: frame, linkType }, options] = linkedFrame(given, second, third)
  const { link = false } = requireOptions('options', options, ['link'])
  const walk = walkFrame(frame, linkType)
  if (linkType === 'ip' && walk.following === headers.none) return complaint(notIp(frame))
  if (walk.following === headers.none) return `length ${frame.length}`
  return describeNext(walk, { withLink: link, addresses: '' })
}

interface Context {
  withLink: boolean
  /** ` 02:00:00:00:00:01 > 02:00:00:00:00:02`, for what has nothing else to tell who speaks. */
  addresses: string
}

/** The next header and all that follow. */
function describeNext(walk: HeaderWalk, context: Context): string {
  if (!walk.next()) return walk.tooDeep ? '[malformed: more headers than are read]' : ''
  const prefix = walk.header === headers.ipv4 ? 'IP ' : walk.header === headers.ipv6 ? 'IP6 ' : ''
  try {
    return prefix + describeHeader(walk, context)
  } catch (error) {
    return prefix + complaint(error)
  }
}

function describeHeader(walk: HeaderWalk, context: Context): string {
  const { bytes, start, limit } = walk
  switch (walk.header) {
    case headers.ethernet: {
      const { source, destination } = new EthernetView(bytes, start, limit)
      const addresses = `${source} > ${destination}`
      const inner = { ...context, addresses: context.withLink ? '' : ` ${addresses}` }
      return (context.withLink ? `${addresses} ` : '') + describeTyped(walk, inner)
    }
    case headers.vlan:
      return `vlan ${new VlanView(bytes, start, limit).id} ${describeTyped(walk, context)}`
    case headers.linuxSll:
      new LinuxSllView(bytes, start, limit)
      return describeTyped(walk, context)
    case headers.linuxSll2:
      new LinuxSll2View(bytes, start, limit)
      return describeTyped(walk, context)
    case headers.loopback: {
      const { family } = new LoopbackView(bytes, start, limit)
      return walk.following ? describeNext(walk, context) : `family ${family}, length ${rest(walk)}`
    }
    case headers.llc:
      return describeLlc(walk, context)
    case headers.mpls: {
      const { label, ttl } = new MplsView(bytes, start, limit)
      const next = walk.following ? describeNext(walk, context) : `length ${rest(walk)}`
      return `mpls ${label} ttl ${ttl} ${next}`
    }
    case headers.pppoe: {
      const text = describePppoe(walk) + short(walk, 'pppoe')
      return walk.following ? `${text}: ${describeNext(walk, context)}` : text
    }
    case headers.arp:
      return describeArp(new ArpView(bytes, start, limit))
    case headers.lldp:
      return `LLDP ${describeLldp(walk)}`
    case headers.stp:
      return `STP ${describeStp(walk)}`
    case headers.ipv4:
      return describeIp(walk, new Ipv4View(bytes, start, limit), context)
    case headers.ipv6:
      return describeIp(walk, new Ipv6View(bytes, start, limit), context)
    case headers.vxlan:
      return `vxlan vni ${new VxlanView(bytes, start, limit).vni}: ${describeNext(walk, context)}`
    case headers.geneve: {
      const { vni, control, options } = geneveRecord(new GeneveView(bytes, start, limit))
      const some = options.length > 0 ? ` options ${options.length}` : ''
      return `geneve vni ${vni}${control ? ' control' : ''}${some}${behind(walk, context)}`
    }
    case headers.dhcpv4:
      return `dhcp ${describeDhcpv4(walk)}`
    case headers.dhcpv6:
      return `dhcp6 ${describeDhcpv6(walk)}`
    case headers.wireguard:
      return `wireguard ${describeWireguard(walk)}`
    case headers.dns: {
      const at = dnsStart(walk)
      return describeDns(dnsMessage(bytes, at, limit), limit - at)
    }
    default:
      return ''
  }
}

/** After a link header or tag with an EtherType. */
function describeTyped(walk: HeaderWalk, context: Context): string {
  const { missing } = walk
  const cut = missing > 0 ? ` [truncated 802.3: ${missing} bytes missing]` : ''
  if (walk.following) return describeNext(walk, context) + cut
  return typeAndLength(walk, context) + cut
}

function typeAndLength(walk: HeaderWalk, context: Context): string {
  const { etherType } = walk
  const length = `length ${rest(walk)}`
  if (etherType <= 1500) return `802.3${context.addresses}, ${length}`
  const name = nameOf(etherTypes, etherType)
  const type = `ethertype 0x${etherType.toString(16).padStart(4, '0')}`
  return `${type}${name ? ` ${name}` : ''}${context.addresses}, ${length}`
}

function describeLlc(walk: HeaderWalk, context: Context): string {
  const { destination, source, isSnap, organization, protocol } = new LlcView(
    walk.bytes,
    walk.start,
    walk.limit,
  )
  if (walk.following) return describeNext(walk, context)
  if (isSnap && organization === 0) return typeAndLength(walk, context)
  const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`
  const snap = isSnap ? ` snap ${hex(organization, 6)} ${hex(protocol, 4)}` : ''
  return `802.3${context.addresses}, llc ${hex(source, 2)} > ${hex(destination, 2)}${snap}, length ${rest(walk)}`
}

function describeArp(arp: ArpView): string {
  switch (arp.operation) {
    case arpOperations.request:
      return `ARP who-has ${arp.targetIpAddress} tell ${arp.senderIpAddress}`
    case arpOperations.reply:
      return `ARP reply ${arp.senderIpAddress} is-at ${arp.senderMacAddress}`
    default:
      return `ARP operation ${arp.operation} from ${arp.senderIpAddress} to ${arp.targetIpAddress}`
  }
}

function describeIp(walk: HeaderWalk, ip: Ipv4View | Ipv6View, context: Context): string {
  const { source, destination, identification, isFragment, fragmentOffset } = ip
  const cut = ip.isCut ? ` [truncated ${ip instanceof Ipv4View ? 'ipv4' : 'ipv6'}]` : ''
  const more = ip.moreFragments ? ' more' : ''
  if (fragmentOffset > 0) {
    const fragment = `fragment id ${identification} offset ${fragmentOffset}${more}`
    return `${source} > ${destination}: ${fragment}, ${protocolName(ip)} length ${ip.payloadLength}${cut}`
  }
  let text: string
  try {
    text = describeUpper(walk, ip, source, destination, context)
  } catch (error) {
    text = `${source} > ${destination}: ${complaint(error)}`
  }
  return text + (isFragment ? ` [fragment id ${identification} offset 0${more}]` : '') + cut
}

function describeUpper(
  walk: HeaderWalk,
  ip: Ipv4View | Ipv6View,
  source: string,
  destination: string,
  context: Context,
): string {
  const both = `${source} > ${destination}: `
  switch (walk.following) {
    case headers.none:
      return `${both}${protocolName(ip)} length ${ip.payloadLength}`
    case headers.tcp:
      walk.next()
      return describeTcp(ip, source, destination) + (walk.following ? `: ${describeNext(walk, context)}` : '')
    case headers.udp: {
      walk.next()
      const udp = describeUdp(ip, source, destination)
      return walk.following ? `${udp.ports}: ${describeNext(walk, context)}${udp.short}` : udp.text
    }
    case headers.icmp:
      walk.next()
      return `${both}icmp ${describeIcmp(ip)}`
    case headers.icmpv6:
      walk.next()
      return `${both}icmp6 ${describeIcmpv6(ip)}`
    case headers.igmp:
      walk.next()
      return `${both}igmp ${describeIgmp(walk)}`
    case headers.gre: {
      walk.next()
      const { key, sequence } = new GreView(walk.bytes, walk.start, walk.limit)
      const fields =
        (key === undefined ? '' : ` key ${key}`) + (sequence === undefined ? '' : ` seq ${sequence}`)
      return `${both}gre${fields}${behind(walk, context)}`
    }
    default:
      return both + describeNext(walk, context)
  }
}

/** What a tunnel with an EtherType carries. */
function behind(walk: HeaderWalk, context: Context): string {
  if (walk.following) return `: ${describeNext(walk, context)}`
  return ` ${typeAndLength(walk, { ...context, addresses: '' })}`
}

function protocolName(ip: Ipv4View | Ipv6View): string {
  return nameOf(ipProtocols, ip.protocol) ?? `protocol ${ip.protocol}`
}

/** Bytes after the header, those included that are missing. */
function rest(walk: HeaderWalk): number {
  return walk.end + walk.missing - walk.payload
}

function short(walk: HeaderWalk, name: string): string {
  return walk.missing > 0 ? ` [truncated ${name}]` : ''
}

function complaint(error: unknown): string {
  if (!(error instanceof FrameError)) throw error
  return `[${error.code === 'ERR_FRAME_TRUNCATED' ? 'truncated' : 'malformed'} ${error.message}]`
}

function nameOf(numbers: Readonly<Record<string, number>>, number: number): string | undefined {
  for (const name in numbers) if (numbers[name] === number) return name
  return undefined
}
