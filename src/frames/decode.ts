import { requireInteger, requireOptions } from '../errors/index.js'
import { type ArpRecord, decodeArp } from './arp.js'
import { type Dhcpv4Record, Dhcpv4View, dhcpv4Record } from './dhcpv4.js'
import { type Dhcpv6Record, Dhcpv6View, dhcpv6Record } from './dhcpv6.js'
import { type DnsMessage, dnsMessage } from './dns.js'
import { type EthernetRecord, EthernetView, ethernetRecord } from './ethernet.js'
import { FrameError, type FrameErrorCode, type FrameLayer, malformed, truncated } from './frame-error.js'
import { type GeneveRecord, GeneveView, geneveRecord } from './geneve.js'
import { type GreRecord, GreView, greRecord } from './gre.js'
import { beginsPacket, headers } from './header-kinds.js'
import { dnsStart, type HeaderWalk, isCutByRight, notIp, walkFrame } from './header-walk.js'
import { type IcmpRecord, IcmpView, icmpRecord } from './icmp.js'
import { type Icmpv6Record, Icmpv6View, icmpv6Record } from './icmpv6.js'
import { type IgmpRecord, IgmpView, igmpRecord } from './igmp.js'
import { type Ipv4Record, Ipv4View, ipv4Record } from './ipv4.js'
import { type Ipv6Record, Ipv6View, ipv6Record } from './ipv6.js'
import type { LinkType } from './link-type.js'
import { type LinkedFrame, linkedFrame } from './linked-frame.js'
import { type LinuxSllRecord, LinuxSllView, linuxSllRecord } from './linux-sll.js'
import { type LinuxSll2Record, LinuxSll2View, linuxSll2Record } from './linux-sll2.js'
import { type LlcRecord, LlcView, llcRecord } from './llc.js'
import { type LldpRecord, LldpView, lldpRecord } from './lldp.js'
import { type LoopbackRecord, LoopbackView, loopbackRecord } from './loopback.js'
import { isMld, type MldRecord, MldView, mldRecord } from './mld.js'
import { type MplsRecord, MplsView, mplsRecord } from './mpls.js'
import {
  isNeighborDiscovery,
  type NeighborDiscoveryRecord,
  NeighborDiscoveryView,
  neighborDiscoveryRecord,
} from './neighbor-discovery.js'
import { type PppoeRecord, PppoeView, pppoeRecord } from './pppoe.js'
import { type StpRecord, StpView, stpRecord } from './stp.js'
import { type TcpRecord, TcpView, tcpRecord } from './tcp.js'
import { type UdpRecord, UdpView, udpRecord } from './udp.js'
import { type VlanRecord, VlanView, vlanRecord } from './vlan.js'
import { type VxlanRecord, VxlanView, vxlanRecord } from './vxlan.js'
import { type WireguardRecord, WireguardView, wireguardRecord } from './wireguard.js'

/** Something wrong with a frame. */
export interface FrameIssue {
  layer: FrameLayer
  code: FrameErrorCode
  message: string
}

/** The headers of a frame, outermost first; those that are not there, or cannot be read, are absent. */
export interface DecodedFrame {
  ethernet?: EthernetRecord
  linuxSll?: LinuxSllRecord
  linuxSll2?: LinuxSll2Record
  loopback?: LoopbackRecord
  /** Outermost first. The type before a tag (0x8100 or 0x88a8) is that of `ethernet` or of the tag before. */
  vlans: VlanRecord[]
  llc?: LlcRecord
  /** The label stack, outermost first. */
  mpls?: MplsRecord[]
  pppoe?: PppoeRecord
  arp?: ArpRecord
  lldp?: LldpRecord
  stp?: StpRecord
  ipv4?: Ipv4Record
  ipv6?: Ipv6Record
  icmp?: IcmpRecord
  icmpv6?: Icmpv6Record
  /** With `icmpv6`, for its types 133 to 137. */
  neighborDiscovery?: NeighborDiscoveryRecord
  /** With `icmpv6`, for its types 130 to 132 and 143. */
  mld?: MldRecord
  igmp?: IgmpRecord
  udp?: UdpRecord
  tcp?: TcpRecord
  gre?: GreRecord
  vxlan?: VxlanRecord
  geneve?: GeneveRecord
  dhcpv4?: Dhcpv4Record
  dhcpv6?: Dhcpv6Record
  wireguard?: WireguardRecord
  /** The message that `payload` is, behind its length in TCP; after {@link registerDns} only. */
  dns?: DnsMessage
  /** What follows the last header decoded, without padding; shares memory with the frame, as all payloads do. */
  payload: Uint8Array
  /**
   * The packet that `payload` is: in a tunnel, or quoted by an ICMP error, where it is cut by right and extensions may
   * follow it (RFC 4884).
   */
  inner?: DecodedFrame
  /** Of these headers; those of `inner` are there. */
  issues: FrameIssue[]
}

export interface DecodeOptions {
  /** Bytes of the frame on the wire, if more than were captured: the column `originalLengths`. */
  originalLength?: number | undefined
}

/**
 * Decodes every header that is known, through tunnels and into what ICMP errors quote. Never throws on bytes: what is
 * wrong with them is listed in `issues`, and decoding stops there. A packet that was cut is decoded as far as it goes.
 * Fragments have an upper-layer header only if they are the first. Checksums are not looked at: see
 * {@link verifyChecksums}.
 * @param linkType what the bytes begin with: `ethernet` unless given; a packet says it itself
 * @throws TypeError when `frame` is neither a Uint8Array nor a packet, or `linkType` is unknown
 */
export function decode(frame: Uint8Array, linkType?: LinkType, options?: DecodeOptions): DecodedFrame
export function decode(packet: LinkedFrame, options?: DecodeOptions): DecodedFrame
export function decode(
  given: Uint8Array | LinkedFrame,
  second?: LinkType | DecodeOptions,
  third?: DecodeOptions,
): DecodedFrame {
  const [packet, options] = linkedFrame(given, second, third)
  const { data: frame, linkType } = packet
  const { originalLength = packet.originalLength } = requireOptions('options', options, ['originalLength'])
  const walk = walkFrame(frame, linkType)
  const whole: DecodedFrame = { vlans: [], payload: frame, issues: [] }
  const wire = requireInteger('originalLength', originalLength ?? frame.length, 0, 0xffffffff)
  if (wire > frame.length) note(whole, truncated('link', wire, frame.length))
  if (linkType === 'ip' && walk.following === headers.none) note(whole, notIp(frame))
  let level = whole
  let header: number = headers.none
  while (walk.next()) {
    if (beginsPacket(header, walk.header)) {
      const payload = frame.subarray(walk.start, walk.limit)
      level.inner = { vlans: [], payload, issues: [] }
      level = level.inner
    }
    header = walk.header
    try {
      level.payload = read(level, walk, header)
      const layer = layerNames[header]
      if (walk.missing > 0 && layer && !isCutByRight(walk)) {
        const there = walk.limit - walk.start
        note(level, truncated(layer, there + walk.missing, there))
      }
    } catch (error) {
      note(level, error)
    }
  }
  if (walk.tooDeep) note(level, malformed('link', 'there are more headers than are read'))
  return whole
}

/** Headers with a length, in errors. */
const layerNames: Readonly<Record<number, FrameLayer>> = {
  [headers.ethernet]: 'ethernet',
  [headers.vlan]: 'vlan',
  [headers.ipv4]: 'ipv4',
  [headers.ipv6]: 'ipv6',
  [headers.udp]: 'udp',
  [headers.pppoe]: 'pppoe',
}

/** Decodes the header that the walk stands at, and returns what follows it. */
function read(level: DecodedFrame, walk: HeaderWalk, header: number): Uint8Array {
  const { bytes, start, limit } = walk
  switch (header) {
    case headers.ethernet:
      level.ethernet = ethernetRecord(new EthernetView(bytes, start, limit))
      return level.ethernet.payload
    case headers.linuxSll:
      level.linuxSll = linuxSllRecord(new LinuxSllView(bytes, start, limit))
      return level.linuxSll.payload
    case headers.linuxSll2:
      level.linuxSll2 = linuxSll2Record(new LinuxSll2View(bytes, start, limit))
      return level.linuxSll2.payload
    case headers.loopback:
      level.loopback = loopbackRecord(new LoopbackView(bytes, start, limit))
      return level.loopback.payload
    case headers.vlan: {
      const record = vlanRecord(new VlanView(bytes, start, limit))
      level.vlans.push(record)
      return bytes.subarray(walk.payload, walk.end)
    }
    case headers.llc:
      level.llc = llcRecord(new LlcView(bytes, start, limit))
      return level.llc.payload
    case headers.mpls: {
      const record = mplsRecord(new MplsView(bytes, start, limit))
      level.mpls = [...(level.mpls ?? []), record]
      return record.payload
    }
    case headers.pppoe:
      level.pppoe = pppoeRecord(new PppoeView(bytes, start, limit))
      return level.pppoe.payload
    case headers.arp:
      level.arp = decodeArp(bytes.subarray(start, limit))
      break
    case headers.lldp:
      level.lldp = lldpRecord(new LldpView(bytes, start, limit))
      break
    case headers.stp:
      level.stp = stpRecord(new StpView(bytes, start, limit))
      return level.stp.payload
    case headers.ipv4:
      level.ipv4 = ipv4Record(new Ipv4View(bytes, start, limit))
      return level.ipv4.payload
    case headers.ipv6:
      level.ipv6 = ipv6Record(new Ipv6View(bytes, start, limit))
      return level.ipv6.payload
    case headers.icmp:
      level.icmp = icmpRecord(new IcmpView(bytes, start, limit))
      return level.icmp.payload
    case headers.icmpv6:
      return readIcmpv6(level, walk)
    case headers.igmp:
      level.igmp = igmpRecord(new IgmpView(bytes, start, limit))
      return level.igmp.payload
    case headers.tcp:
      level.tcp = tcpRecord(new TcpView(bytes, start, limit))
      return level.tcp.payload
    case headers.udp:
      level.udp = udpRecord(new UdpView(bytes, start, limit))
      return level.udp.payload
    case headers.gre:
      level.gre = greRecord(new GreView(bytes, start, limit))
      return level.gre.payload
    case headers.vxlan:
      level.vxlan = vxlanRecord(new VxlanView(bytes, start, limit))
      return level.vxlan.payload
    case headers.geneve:
      level.geneve = geneveRecord(new GeneveView(bytes, start, limit))
      return level.geneve.payload
    case headers.dhcpv4:
      level.dhcpv4 = dhcpv4Record(new Dhcpv4View(bytes, start, limit))
      break
    case headers.dhcpv6:
      level.dhcpv6 = dhcpv6Record(new Dhcpv6View(bytes, start, limit))
      break
    case headers.wireguard: {
      const record = wireguardRecord(new WireguardView(bytes, start, limit))
      level.wireguard = record
      if ('payload' in record) return record.payload
      break
    }
    case headers.dns:
      level.dns = dnsMessage(bytes, dnsStart(walk), limit)
      return level.payload
  }
  return bytes.subarray(limit, limit)
}

function readIcmpv6(level: DecodedFrame, { bytes, start, limit }: HeaderWalk): Uint8Array {
  const record = icmpv6Record(new Icmpv6View(bytes, start, limit))
  level.icmpv6 = record
  if (isNeighborDiscovery(record.type)) {
    level.payload = record.payload
    level.neighborDiscovery = neighborDiscoveryRecord(new NeighborDiscoveryView(bytes, start, limit))
    return bytes.subarray(limit, limit)
  }
  if (!isMld(record.type)) return record.payload
  level.payload = record.payload
  level.mld = mldRecord(new MldView(bytes, start, limit))
  return level.mld.payload
}

function note(decoded: DecodedFrame, error: unknown): void {
  if (!(error instanceof FrameError)) throw error
  const { layer, code, message } = error
  decoded.issues.push({ layer, code, message })
}
