import { type ArpRecord, decodeArp } from './arp.js'
import { etherTypes } from './ether-types.js'
import { type EthernetRecord, ethernetRecord } from './ethernet.js'
import { FrameError, type FrameErrorCode, type FrameLayer, truncated } from './frame-error.js'
import { decodeIcmp, type IcmpRecord } from './icmp.js'
import { decodeIcmpv6, type Icmpv6Record } from './icmpv6.js'
import { ipProtocols } from './ip-protocols.js'
import { type Ipv4Record, Ipv4View, ipv4Record } from './ipv4.js'
import { type Ipv6Record, Ipv6View, ipv6Record } from './ipv6.js'
import { type LinkCursor, nextVlan, openLink } from './link-layer.js'
import type { LinkType } from './link-type.js'
import {
  decodeNeighborDiscovery,
  isNeighborDiscovery,
  type NeighborDiscoveryRecord,
} from './neighbor-discovery.js'
import { decodeTcp, type TcpRecord } from './tcp.js'
import { type UdpRecord, UdpView, udpRecord } from './udp.js'
import { type VlanRecord, vlanRecord } from './vlan.js'

/** Something wrong with a frame. */
export interface FrameIssue {
  layer: FrameLayer
  code: FrameErrorCode
  message: string
}

/** The headers of a frame, outermost first; those that are not there, or cannot be read, are absent. */
export interface DecodedFrame {
  ethernet?: EthernetRecord
  /** Outermost first. The type before a tag (0x8100 or 0x88a8) is that of `ethernet` or of the tag before. */
  vlans: VlanRecord[]
  arp?: ArpRecord
  ipv4?: Ipv4Record
  ipv6?: Ipv6Record
  icmp?: IcmpRecord
  icmpv6?: Icmpv6Record
  /** With `icmpv6`, for its types 133 to 137. */
  neighborDiscovery?: NeighborDiscoveryRecord
  udp?: UdpRecord
  tcp?: TcpRecord
  /** What follows the last header decoded, without padding; shares memory with the frame, as all payloads do. */
  payload: Uint8Array
  issues: FrameIssue[]
}

/**
 * Decodes every header from the link's to the transport's. Never throws on bytes: what is wrong with them is
 * listed in `issues`, and decoding stops there. A packet that was cut is decoded as far as it goes. Fragments have
 * an upper-layer header only if they are the first. Checksums are not looked at: see {@link verifyChecksums}.
 * @throws TypeError when `frame` is no Uint8Array or `linkType` is unknown
 */
export function decode(frame: Uint8Array, linkType: LinkType = 'ethernet'): DecodedFrame {
  const decoded: DecodedFrame = { vlans: [], payload: frame, issues: [] }
  try {
    const link = openLink(frame, linkType)
    decodeLink(decoded, frame, link)
    decodeNetwork(decoded, link.etherType)
  } catch (error) {
    note(decoded, error)
  }
  return decoded
}

function decodeLink(decoded: DecodedFrame, frame: Uint8Array, link: LinkCursor): void {
  const { ethernet } = link
  if (ethernet) {
    decoded.ethernet = ethernetRecord(ethernet)
    const available = ethernet.end - ethernet.payloadOffset
    if (ethernet.hasLength && ethernet.typeOrLength > available)
      note(decoded, truncated('ethernet', ethernet.typeOrLength, available))
  }
  decoded.payload = frame.subarray(link.offset, link.end)
  for (let tag = nextVlan(frame, link); tag; tag = nextVlan(frame, link)) {
    const record = vlanRecord(tag)
    decoded.vlans.push(record)
    decoded.payload = record.payload
  }
}

// From here on, `decoded.payload` holds what is left to decode, so that it is right whenever a decoder throws.

function decodeNetwork(decoded: DecodedFrame, etherType: number): void {
  const bytes = decoded.payload
  if (etherType === etherTypes.ipv4) {
    const view = new Ipv4View(bytes)
    if (view.isCut) note(decoded, truncated('ipv4', view.totalLength, bytes.length))
    decoded.ipv4 = ipv4Record(view)
    decoded.payload = decoded.ipv4.payload
    if (view.fragmentOffset === 0) decodeTransport(decoded, view, ipProtocols.icmp)
  } else if (etherType === etherTypes.ipv6) {
    const view = new Ipv6View(bytes)
    if (view.isCut) note(decoded, truncated('ipv6', 40 + view.length, bytes.length))
    decoded.ipv6 = ipv6Record(view)
    decoded.payload = decoded.ipv6.payload
    if (view.fragmentOffset === 0) decodeTransport(decoded, view, ipProtocols.icmpv6)
  } else if (etherType === etherTypes.arp) {
    decoded.arp = decodeArp(bytes)
    decoded.payload = bytes.subarray(bytes.length)
  }
}

/** `icmp` is the one of the two ICMP protocols that belongs to this version of IP. */
function decodeTransport(decoded: DecodedFrame, ip: Ipv4View | Ipv6View, icmp: number): void {
  const bytes = decoded.payload
  if (ip.protocol === ipProtocols.tcp) {
    decoded.tcp = decodeTcp(bytes)
    decoded.payload = decoded.tcp.payload
  } else if (ip.protocol === ipProtocols.udp) {
    const view = new UdpView(bytes)
    // A first fragment, or what is left of a cut packet, is shorter by right.
    if (view.isCut && !ip.isFragment && !ip.isCut) note(decoded, truncated('udp', view.length, bytes.length))
    decoded.udp = udpRecord(view)
    decoded.payload = decoded.udp.payload
  } else if (ip.protocol === icmp && icmp === ipProtocols.icmp) {
    decoded.icmp = decodeIcmp(bytes)
    decoded.payload = decoded.icmp.payload
  } else if (ip.protocol === icmp) {
    decoded.icmpv6 = decodeIcmpv6(bytes)
    decoded.payload = decoded.icmpv6.payload
    if (isNeighborDiscovery(decoded.icmpv6.type)) {
      decoded.neighborDiscovery = decodeNeighborDiscovery(bytes)
      decoded.payload = bytes.subarray(bytes.length)
    }
  }
}

function note(decoded: DecodedFrame, error: unknown): void {
  if (!(error instanceof FrameError)) throw error
  const { layer, code, message } = error
  decoded.issues.push({ layer, code, message })
}
