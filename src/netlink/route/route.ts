import { formatIpAddress, type IpFamily } from '../../address/index.js'
import {
  type AttributeCursor,
  littleEndian,
  malformed,
  type Payload,
  type RawAttribute,
  readIpAddress,
  readIpPrefix,
  wordOf,
} from '../core/index.js'
import { AF, ICMPV6_ROUTER_PREF, RT_SCOPE, RTA, RTAX, RTM_F, RTN, RTNH_F } from './constants.js'
import { type Encapsulation, readEncapsulation } from './encapsulation.js'

export type RouteType = keyof typeof RTN
export type RouteScope = keyof typeof RT_SCOPE

export interface NextHop {
  readonly gateway: string | undefined
  /** Index of the link. */
  readonly link: number
  /** Its share, 1 to 256. */
  readonly weight: number
  readonly onlink: boolean
  readonly encapsulation: Encapsulation | undefined
}

/** What the kernel knows of a path's transport, under RTA_METRICS. */
export interface RouteLimits {
  mtu?: number | undefined
  window?: number | undefined
  advertisedMss?: number | undefined
  hopLimit?: number | undefined
  initialWindow?: number | undefined
  initialReceiveWindow?: number | undefined
  /** Bits by the numbers of RTAX_*: limits that the kernel does not change by what it learns. Bit 2 is the MTU. */
  locked?: number | undefined
  /** Round-trip time and its deviation in the kernel's units: eighths and quarters of a millisecond. */
  rtt?: number | undefined
  rttVariation?: number | undefined
  slowStartThreshold?: number | undefined
  congestionWindow?: number | undefined
  reordering?: number | undefined
  /** Bits RTAX_FEATURE_*: 1 is ECN. */
  features?: number | undefined
  minimumRtoMs?: number | undefined
  quickAck?: number | undefined
  fastOpenNoCookie?: number | undefined
  /** Name of the algorithm, such as `cubic`. */
  congestionControl?: string | undefined
}

export type RoutePreference = keyof typeof ICMPV6_ROUTER_PREF

/** What the kernel says of a route's state. */
export interface RouteFlags {
  /** The gateway is reached by way of another route. */
  readonly pervasive: boolean
  /** Its link is gone or has no carrier. */
  readonly dead: boolean
  readonly linkDown: boolean
  readonly offloaded: boolean
  /** An answer that is of one destination's cache. */
  readonly cloned: boolean
}

interface RareParts extends RouteLimits {
  /** IPv4: only for packets with this type of service; the DSCP is in its upper 6 bits. Absent: 0. */
  tos?: number | undefined
  encapsulation?: Encapsulation | undefined
  /** IPv6: which of several routers it is from, RFC 4191. */
  preference?: RoutePreference | undefined
  /** Seconds that it stays; absent: for ever. */
  expiresSeconds?: number | undefined
  /** IPv4: realms, in the high 16 bits those of the source. */
  realms?: number | undefined
  /** MPLS: whether labels get the packet's time to live. */
  ttlPropagate?: boolean | undefined
}

export interface Route extends Readonly<RareParts> {
  readonly family: IpFamily
  /** Always with a length; the default route is `0.0.0.0/0` or `::/0`. */
  readonly destination: string
  /** IPv6: only for packets from here. */
  readonly source: string | undefined
  readonly type: RouteType
  readonly table: number
  /** Who made it: 2 the kernel, 4 an administrator, 78 Netloom; /etc/iproute2/rt_protos. */
  readonly protocol: number
  readonly scope: RouteScope
  readonly gateway: string | undefined
  /** Index of the link. */
  readonly link: number | undefined
  readonly metric: number | undefined
  readonly preferredSource: string | undefined
  readonly onlink: boolean
  readonly flags: RouteFlags
  /** Of a route with several; otherwise `gateway` and `link` say it. */
  readonly nextHops: readonly NextHop[]
  readonly nextHopId: number | undefined
  /** Attributes that are not told otherwise. */
  readonly raw: readonly RawAttribute[]
}

/** Rows of RTA_METRICS. */
export const limitNumbers = {
  mtu: RTAX.MTU,
  window: RTAX.WINDOW,
  advertisedMss: RTAX.ADVMSS,
  hopLimit: RTAX.HOPLIMIT,
  initialWindow: RTAX.INITCWND,
  initialReceiveWindow: RTAX.INITRWND,
  locked: RTAX.LOCK,
  rtt: RTAX.RTT,
  rttVariation: RTAX.RTTVAR,
  slowStartThreshold: RTAX.SSTHRESH,
  congestionWindow: RTAX.CWND,
  reordering: RTAX.REORDERING,
  features: RTAX.FEATURES,
  minimumRtoMs: RTAX.RTO_MIN,
  quickAck: RTAX.QUICKACK,
  fastOpenNoCookie: RTAX.FASTOPEN_NO_COOKIE,
} as const

/** Bytes of struct rtmsg and struct rtnexthop. */
export const routeHeaderLength = 12
export const nextHopLength = 8

const none: readonly never[] = Object.freeze([])

/** @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readRoute(payload: Payload): Route {
  const number = payload.u8(0)
  if (number !== AF.INET && number !== AF.INET6) throw malformed(`a route of family ${number}`)
  const family = number === AF.INET ? 4 : 6
  const destinationLength = payload.u8(1)
  const sourceLength = payload.u8(2)
  const flags = payload.u32(8)
  let table = payload.u8(4)
  let destination: string | undefined
  let source: string | undefined
  let gateway: string | undefined
  let link: number | undefined
  let metric: number | undefined
  let preferredSource: string | undefined
  let nextHops: readonly NextHop[] = none
  let nextHopId: number | undefined
  let encapsulationType = 0
  let encapsulation: AttributeCursor | undefined
  // What few routes have: only theirs pay for it.
  let rare: Partial<RareParts> | undefined
  const tos = payload.u8(3)
  if (tos !== 0) rare = { tos }
  let raw: RawAttribute[] | undefined
  const attributes = payload.attributes(routeHeaderLength)
  while (attributes.next()) {
    switch (attributes.type) {
      case RTA.DST:
        destination = readIpPrefix(attributes, destinationLength)
        break
      case RTA.SRC:
        source = readIpPrefix(attributes, sourceLength)
        break
      case RTA.OIF:
        link = attributes.u32()
        break
      case RTA.GATEWAY:
        gateway = readIpAddress(attributes)
        break
      case RTA.VIA:
        gateway = readVia(attributes)
        break
      case RTA.PRIORITY:
        metric = attributes.u32()
        break
      case RTA.PREFSRC:
        preferredSource = readIpAddress(attributes)
        break
      case RTA.TABLE:
        table = attributes.u32()
        break
      case RTA.METRICS:
        rare = { ...rare, ...readLimits(attributes.nested()) }
        break
      case RTA.MULTIPATH:
        nextHops = readNextHops(attributes)
        break
      case RTA.NH_ID:
        nextHopId = attributes.u32()
        break
      case RTA.CACHEINFO: {
        // struct rta_cacheinfo: the third member counts hundredths of a second; negative once it is over.
        const left = attributes.u32(8) | 0
        if (left !== 0) rare = { ...rare, expiresSeconds: Math.max(0, Math.floor(left / 100)) }
        break
      }
      case RTA.PREF:
        if (family === 6) rare = { ...rare, preference: wordOf(ICMPV6_ROUTER_PREF, attributes.u8()) }
        break
      case RTA.FLOW:
        rare = { ...rare, realms: attributes.u32() }
        break
      case RTA.TTL_PROPAGATE:
        rare = { ...rare, ttlPropagate: attributes.u8() !== 0 }
        break
      case RTA.ENCAP_TYPE:
        encapsulationType = attributes.u16()
        break
      case RTA.ENCAP:
        encapsulation = attributes.nested()
        break
      default:
        raw ??= []
        raw.push(attributes.raw())
    }
  }
  if (encapsulation) rare = { ...rare, encapsulation: readEncapsulation(encapsulationType, encapsulation) }
  const any = family === 4 ? '0.0.0.0/' : '::/'
  if (source === undefined && sourceLength > 0) source = any + sourceLength
  const route = {
    family,
    destination: destination ?? any + destinationLength,
    source,
    type: wordOf(RTN, payload.u8(7)),
    table,
    protocol: payload.u8(5),
    scope: wordOf(RT_SCOPE, payload.u8(6)),
    gateway,
    link,
    metric,
    preferredSource,
    onlink: (flags & RTNH_F.ONLINK) !== 0,
    flags: flagsOf(flags),
    nextHops,
    nextHopId,
    raw: raw ?? none,
  } as const
  return rare ? { ...route, ...rare } : route
}

const flagSets = new Map<number, RouteFlags>()

/** One object for all routes with the same bits. */
function flagsOf(bits: number): RouteFlags {
  let flags = flagSets.get(bits)
  if (!flags) {
    flags = Object.freeze({
      pervasive: (bits & RTNH_F.PERVASIVE) !== 0,
      dead: (bits & RTNH_F.DEAD) !== 0,
      linkDown: (bits & RTNH_F.LINKDOWN) !== 0,
      offloaded: (bits & (RTNH_F.OFFLOAD | RTM_F.OFFLOAD)) !== 0,
      cloned: (bits & RTM_F.CLONED) !== 0,
    })
    // A kernel with many new bits costs no memory without end.
    if (flagSets.size < 256) flagSets.set(bits, flags)
  }
  return flags
}

// struct rtvia: a family, then an address.
function readVia(attribute: AttributeCursor): string {
  const bytes = attribute.bytes().subarray(2)
  if (bytes.length !== 4 && bytes.length !== 16) throw malformed(`a gateway of ${bytes.length} bytes`)
  return formatIpAddress(bytes)
}

function readLimits(attributes: AttributeCursor): RouteLimits {
  const limits: RouteLimits = {}
  while (attributes.next()) {
    if (attributes.type === RTAX.CC_ALGO) limits.congestionControl = attributes.string()
    for (const name of Object.keys(limitNumbers) as (keyof typeof limitNumbers)[]) {
      if (limitNumbers[name] === attributes.type) limits[name] = attributes.u32()
    }
  }
  return limits
}

// A row of struct rtnexthop, each followed by its attributes.
function readNextHops(attribute: AttributeCursor): NextHop[] {
  const bytes = attribute.bytes()
  const view = new DataView(bytes.buffer)
  const hops: NextHop[] = []
  for (let at = 0; bytes.length - at >= nextHopLength; ) {
    const length = view.getUint16(at, littleEndian)
    if (length < nextHopLength || length > bytes.length - at)
      throw malformed('a next hop of impossible length')
    const hop = {
      gateway: undefined as string | undefined,
      link: view.getInt32(at + 4, littleEndian),
      weight: bytes[at + 3]! + 1,
      onlink: (bytes[at + 2]! & RTNH_F.ONLINK) !== 0,
      encapsulation: undefined as Encapsulation | undefined,
    }
    let type = 0
    let wrapped: AttributeCursor | undefined
    const attributes = attribute.nested(at + nextHopLength).until(length - nextHopLength)
    while (attributes.next()) {
      if (attributes.type === RTA.GATEWAY) hop.gateway = readIpAddress(attributes)
      else if (attributes.type === RTA.VIA) hop.gateway = readVia(attributes)
      else if (attributes.type === RTA.ENCAP_TYPE) type = attributes.u16()
      else if (attributes.type === RTA.ENCAP) wrapped = attributes.nested()
    }
    if (wrapped) hop.encapsulation = readEncapsulation(type, wrapped)
    hops.push(hop)
    at += (length + 3) & ~3
  }
  return hops
}
