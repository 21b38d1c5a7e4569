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
import { AF, RT_SCOPE, RTA, RTAX, RTN, RTNH_F } from './constants.js'

export type RouteType = keyof typeof RTN
export type RouteScope = keyof typeof RT_SCOPE

export interface NextHop {
  readonly gateway: string | undefined
  /** Index of the link. */
  readonly link: number
  /** Its share, 1 to 256. */
  readonly weight: number
  readonly onlink: boolean
}

/** What the kernel knows of a path's transport, under RTA_METRICS. */
export interface RouteLimits {
  mtu?: number | undefined
  window?: number | undefined
  advertisedMss?: number | undefined
  hopLimit?: number | undefined
  initialWindow?: number | undefined
}

export interface Route extends Readonly<RouteLimits> {
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
  let limits: RouteLimits | undefined
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
        limits = readLimits(attributes.nested())
        break
      case RTA.MULTIPATH:
        nextHops = readNextHops(attributes)
        break
      case RTA.NH_ID:
        nextHopId = attributes.u32()
        break
      case RTA.CACHEINFO:
      case RTA.PREF:
        break
      default:
        raw ??= []
        raw.push(attributes.raw())
    }
  }
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
    nextHops,
    nextHopId,
    raw: raw ?? none,
  } as const
  return limits ? { ...route, ...limits } : route
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
    for (const name of Object.keys(limitNumbers) as (keyof RouteLimits)[]) {
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
    }
    const attributes = attribute.nested(at + nextHopLength).until(length - nextHopLength)
    while (attributes.next()) {
      if (attributes.type === RTA.GATEWAY) hop.gateway = readIpAddress(attributes)
      else if (attributes.type === RTA.VIA) hop.gateway = readVia(attributes)
    }
    hops.push(hop)
    at += (length + 3) & ~3
  }
  return hops
}
