import { requireOptions } from '../errors/index.js'
import { ArpView, arpOperations } from './arp.js'
import { describeIcmp, describeIcmpv6 } from './describe-icmp.js'
import { describeTcp, describeUdp } from './describe-transport.js'
import { etherTypes } from './ether-types.js'
import { FrameError } from './frame-error.js'
import { ipProtocols } from './ip-protocols.js'
import { Ipv4View } from './ipv4.js'
import { Ipv6View } from './ipv6.js'
import { type LinkCursor, nextVlan, openLink } from './link-layer.js'
import type { LinkType } from './link-type.js'

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
 *
 * Never throws on bytes: what cannot be read is described as such (`[truncated tcp: 20 bytes needed, 4 there]`).
 * The line holds no control characters, whatever the frame does. It is for people: its wording may change.
 * @throws TypeError when `frame` is no Uint8Array, or `linkType` or an option is unknown
 */
export function describe(
  frame: Uint8Array,
  linkType: LinkType = 'ethernet',
  options?: DescribeOptions,
): string {
  const { link: withLink = false } = requireOptions('options', options, ['link'])
  let text = ''
  try {
    const link = openLink(frame, linkType)
    if (withLink && link.ethernet) text = `${link.ethernet.source} > ${link.ethernet.destination} `
    for (let tag = nextVlan(frame, link); tag; tag = nextVlan(frame, link)) text += `vlan ${tag.id} `
    return text + describeNetwork(frame, link, withLink)
  } catch (error) {
    return text + complaint(error)
  }
}

function describeNetwork(frame: Uint8Array, link: LinkCursor, withLink: boolean): string {
  switch (link.etherType) {
    case etherTypes.ipv4:
      return describeIpv4(frame, link)
    case etherTypes.ipv6:
      return describeIpv6(frame, link)
    case etherTypes.arp:
      return describeArp(new ArpView(frame, link.offset, link.end))
  }
  const { ethernet } = link
  const addresses = ethernet && !withLink ? ` ${ethernet.source} > ${ethernet.destination}` : ''
  const length = `length ${link.end - link.offset}`
  if (link.etherType <= 1500) return `802.3${addresses}, ${llc(frame, link)}${length}`
  const name = nameOf(etherTypes, link.etherType)
  const type = `ethertype 0x${link.etherType.toString(16).padStart(4, '0')}`
  return `${type}${name ? ` ${name}` : ''}${addresses}, ${length}`
}

// IEEE 802.2: destination and source service access points, then a control field.
function llc(frame: Uint8Array, link: LinkCursor): string {
  if (link.end - link.offset < 3) return '[truncated llc] '
  const destination = frame[link.offset]!
  const source = frame[link.offset + 1]!
  const name = destination === 0x42 ? ' stp' : destination === 0xaa ? ' snap' : ''
  return `llc${name} 0x${source.toString(16)} > 0x${destination.toString(16)}, `
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

function describeIpv4(frame: Uint8Array, link: LinkCursor): string {
  try {
    const ip = new Ipv4View(frame, link.offset, link.end)
    return `IP ${describeIp(ip, ip.source, ip.destination, ip.identification)}`
  } catch (error) {
    return `IP ${complaint(error)}`
  }
}

function describeIpv6(frame: Uint8Array, link: LinkCursor): string {
  try {
    const ip = new Ipv6View(frame, link.offset, link.end)
    return `IP6 ${describeIp(ip, ip.source, ip.destination, ip.identification)}`
  } catch (error) {
    return `IP6 ${complaint(error)}`
  }
}

function describeIp(ip: Ipv4View | Ipv6View, source: string, destination: string, id: number): string {
  const offset = ip.fragmentOffset
  const more = ip.moreFragments ? ' more' : ''
  if (offset > 0) {
    const protocol = nameOf(ipProtocols, ip.protocol) ?? `protocol ${ip.protocol}`
    const fragment = `fragment id ${id} offset ${offset}${more}, ${protocol} length ${ip.payloadLength}`
    return `${source} > ${destination}: ${fragment}${cut(ip)}`
  }
  const text = describeUpper(ip, source, destination)
  return text + (ip.isFragment ? ` [fragment id ${id} offset 0${more}]` : '') + cut(ip)
}

function describeUpper(ip: Ipv4View | Ipv6View, source: string, destination: string): string {
  const { protocol } = ip
  try {
    if (protocol === ipProtocols.tcp) return describeTcp(ip, source, destination)
    if (protocol === ipProtocols.udp) return describeUdp(ip, source, destination)
    if (protocol === ipProtocols.icmp && ip instanceof Ipv4View)
      return `${source} > ${destination}: icmp ${describeIcmp(ip)}`
    if (protocol === ipProtocols.icmpv6 && ip instanceof Ipv6View)
      return `${source} > ${destination}: icmp6 ${describeIcmpv6(ip)}`
  } catch (error) {
    return `${source} > ${destination}: ${complaint(error)}`
  }
  const name = nameOf(ipProtocols, protocol) ?? `protocol ${protocol}`
  return `${source} > ${destination}: ${name} length ${ip.payloadLength}`
}

function cut(ip: Ipv4View | Ipv6View): string {
  return ip.isCut ? ` [truncated ${ip instanceof Ipv4View ? 'ipv4' : 'ipv6'}]` : ''
}

function complaint(error: unknown): string {
  if (!(error instanceof FrameError)) throw error
  return `[${error.code === 'ERR_FRAME_TRUNCATED' ? 'truncated' : 'malformed'} ${error.message}]`
}

function nameOf(numbers: Readonly<Record<string, number>>, number: number): string | undefined {
  for (const name in numbers) if (numbers[name] === number) return name
  return undefined
}
