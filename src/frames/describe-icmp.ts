import { readUint16 } from '../bytes/index.js'
import { describeMld } from './describe-control.js'
import { FrameError } from './frame-error.js'
import type { FrameView } from './frame-view.js'
import { IcmpView, icmpFragmentationNeeded, icmpTypes } from './icmp.js'
import { Icmpv6View, icmpv6Types } from './icmpv6.js'
import { ipProtocols } from './ip-protocols.js'
import { Ipv4View } from './ipv4.js'
import { Ipv6View } from './ipv6.js'
import { isMld, MldView } from './mld.js'
import { isNeighborDiscovery, NeighborDiscoveryView } from './neighbor-discovery.js'
import { decodeNeighborDiscoveryOptions } from './neighbor-discovery-options.js'

type IpView = FrameView & { readonly payloadLength: number }

const unreachable = ['network', 'host', 'protocol', 'port']
const unreachable6 = ['no route', 'prohibited', 'beyond scope of source', 'address', 'port', 'source policy']

/** `echo request, id 1, seq 1, length 64` */
export function describeIcmp(ip: IpView): string {
  const icmp = new IcmpView(ip.bytes, ip.payloadOffset, ip.payloadEnd)
  const { type, code } = icmp
  switch (type) {
    case icmpTypes.echoRequest:
      return `echo request, id ${icmp.identifier}, seq ${icmp.sequence}, length ${ip.payloadLength}`
    case icmpTypes.echoReply:
      return `echo reply, id ${icmp.identifier}, seq ${icmp.sequence}, length ${ip.payloadLength}`
    case icmpTypes.destinationUnreachable:
      if (code === icmpFragmentationNeeded) return `fragmentation needed, mtu ${icmp.mtu}${quote(icmp, 4)}`
      return `unreachable ${unreachable[code] ?? `code ${code}`}${quote(icmp, 4)}`
    case icmpTypes.redirect:
      return `redirect to ${icmp.gateway}${quote(icmp, 4)}`
    case icmpTypes.timeExceeded:
      return `time exceeded ${code === 0 ? 'in transit' : 'in reassembly'}${quote(icmp, 4)}`
    case icmpTypes.parameterProblem:
      return `parameter problem at byte ${icmp.pointer}${quote(icmp, 4)}`
    default:
      return `type ${type} code ${code}, length ${ip.payloadLength}`
  }
}

/** `neighbor solicitation, who has fe80::2` */
export function describeIcmpv6(ip: IpView): string {
  const icmp = new Icmpv6View(ip.bytes, ip.payloadOffset, ip.payloadEnd)
  const { type, code } = icmp
  if (isNeighborDiscovery(type)) {
    return describeNeighborDiscovery(new NeighborDiscoveryView(ip.bytes, ip.payloadOffset, ip.payloadEnd))
  }
  if (isMld(type)) return describeMld(new MldView(ip.bytes, ip.payloadOffset, ip.payloadEnd))
  switch (type) {
    case icmpv6Types.echoRequest:
      return `echo request, id ${icmp.identifier}, seq ${icmp.sequence}, length ${ip.payloadLength}`
    case icmpv6Types.echoReply:
      return `echo reply, id ${icmp.identifier}, seq ${icmp.sequence}, length ${ip.payloadLength}`
    case icmpv6Types.destinationUnreachable:
      return `unreachable ${unreachable6[code] ?? `code ${code}`}${quote(icmp, 6)}`
    case icmpv6Types.packetTooBig:
      return `packet too big, mtu ${icmp.rest}${quote(icmp, 6)}`
    case icmpv6Types.timeExceeded:
      return `time exceeded ${code === 0 ? 'in transit' : 'in reassembly'}${quote(icmp, 6)}`
    case icmpv6Types.parameterProblem:
      return `parameter problem at byte ${icmp.rest}${quote(icmp, 6)}`
    default:
      return `type ${type} code ${code}, length ${ip.payloadLength}`
  }
}

function describeNeighborDiscovery(message: NeighborDiscoveryView): string {
  switch (message.type) {
    case icmpv6Types.routerSolicitation:
      return `router solicitation${describeOptions(message)}`
    case icmpv6Types.routerAdvertisement: {
      const flags = (message.managed ? ' managed' : '') + (message.other ? ' other' : '')
      const lifetime = `lifetime ${message.lifetimeSeconds}s`
      return `router advertisement, ${lifetime}${flags && `,${flags}`}${describeOptions(message)}`
    }
    case icmpv6Types.neighborSolicitation:
      return `neighbor solicitation, who has ${message.target}${describeOptions(message)}`
    case icmpv6Types.neighborAdvertisement: {
      const { router, solicited, override } = message
      const flags =
        (router ? ' router' : '') + (solicited ? ' solicited' : '') + (override ? ' override' : '')
      return `neighbor advertisement, ${message.target}${describeOptions(message)}${flags && `,${flags}`}`
    }
    default:
      return `redirect, ${message.destination} via ${message.target}${describeOptions(message)}`
  }
}

function describeOptions(message: NeighborDiscoveryView): string {
  let text = ''
  try {
    for (const option of decodeNeighborDiscoveryOptions(message.bytes, message.payloadOffset, message.end)) {
      if (option.kind === 'source') text += `, source ${option.macAddress}`
      else if (option.kind === 'target') text += ` is-at ${option.macAddress}`
      else if (option.kind === 'prefix') text += `, prefix ${option.prefix}/${option.length}`
      else if (option.kind === 'mtu') text += `, mtu ${option.mtu}`
      else text += option.number === 14 ? ', nonce' : `, option ${option.number}`
    }
    return text
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    return ' [malformed options]'
  }
}

/** The packet that an error is about, which is cut short as a rule: ` for 10.0.0.1.5000 > 10.0.0.2.53 udp`. */
function quote(icmp: IcmpView | Icmpv6View, version: 4 | 6): string {
  const { bytes, payloadOffset, payloadEnd } = icmp
  try {
    const ip =
      version === 4
        ? new Ipv4View(bytes, payloadOffset, payloadEnd)
        : new Ipv6View(bytes, payloadOffset, payloadEnd)
    const { source, destination, protocol, payloadOffset: upper } = ip
    const name = protocol === ipProtocols.tcp ? 'tcp' : protocol === ipProtocols.udp ? 'udp' : undefined
    if (name && ip.fragmentOffset === 0 && ip.payloadEnd - upper >= 4)
      return ` for ${source}.${readUint16(bytes, upper)} > ${destination}.${readUint16(bytes, upper + 2)} ${name}`
    return ` for ${source} > ${destination} ${name ?? `protocol ${protocol}`}`
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    return ''
  }
}
