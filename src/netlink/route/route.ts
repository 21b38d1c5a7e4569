import { formatIpAddress, type IpFamily, parseIpAddress, parseIpPrefix } from '../../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  requireInteger,
  requireOptions,
} from '../../errors/index.js'
import {
  type AttributeCursor,
  type FixedPart,
  littleEndian,
  MessageWriter,
  malformed,
  NLM_F,
  type Payload,
  type RawAttribute,
  type Request,
  readIpAddress,
  wordOf,
} from '../core/index.js'
import { AF, netloomProtocol, RT_SCOPE, RT_TABLE, RTA, RTAX, RTM, RTN, RTNH_F } from './constants.js'
import type { LinkReference } from './link-request.js'

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

export interface NextHopOptions {
  gateway?: string | undefined
  link?: LinkReference | undefined
  weight?: number | undefined
  onlink?: boolean | undefined
}

export interface RouteOptions extends RouteLimits {
  /** `10.0.0.0/8`, or `default` with a gateway or family that tells which. */
  destination: string
  family?: IpFamily | undefined
  source?: string | undefined
  /** Default `unicast`. */
  type?: RouteType | undefined
  /** Default 254, `main`. */
  table?: number | undefined
  /** Default 78, Netloom's. */
  protocol?: number | undefined
  /** Default: what `ip route` takes. */
  scope?: RouteScope | undefined
  /** May be IPv6 for an IPv4 destination. */
  gateway?: string | undefined
  link?: LinkReference | undefined
  metric?: number | undefined
  preferredSource?: string | undefined
  /** The gateway is on the link, even if no address says so. */
  onlink?: boolean | undefined
  nextHops?: readonly NextHopOptions[] | undefined
}

/** Options with links looked up. */
export interface ResolvedRoute extends Omit<RouteOptions, 'link' | 'nextHops'> {
  link?: number | undefined
  nextHops?: readonly (Omit<NextHopOptions, 'link'> & { link: number | undefined })[] | undefined
}

export const routeOptions = [
  'destination',
  'family',
  'source',
  'type',
  'table',
  'protocol',
  'scope',
  'gateway',
  'link',
  'metric',
  'preferredSource',
  'onlink',
  'nextHops',
  'mtu',
  'window',
  'advertisedMss',
  'hopLimit',
  'initialWindow',
] as const satisfies readonly (keyof RouteOptions)[]

const limitNumbers = {
  mtu: RTAX.MTU,
  window: RTAX.WINDOW,
  advertisedMss: RTAX.ADVMSS,
  hopLimit: RTAX.HOPLIMIT,
  initialWindow: RTAX.INITCWND,
} as const

/** Bytes of struct rtmsg and struct rtnexthop. */
const headerLength = 12
const nextHopLength = 8

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readRoute(payload: Payload): Route {
  const number = payload.u8(0)
  if (number !== AF.INET && number !== AF.INET6) throw malformed(`a route of family ${number}`)
  const family = number === AF.INET ? 4 : 6
  const attributes = payload.attributes(headerLength)
  const raw: RawAttribute[] = []
  const zero = family === 4 ? '0.0.0.0' : '::'
  let destination = zero
  let source: string | undefined
  const route: Mutable<Route> = {
    family,
    destination: '',
    source: undefined,
    type: wordOf(RTN, payload.u8(7)),
    table: payload.u8(4),
    protocol: payload.u8(5),
    scope: wordOf(RT_SCOPE, payload.u8(6)),
    gateway: undefined,
    link: undefined,
    metric: undefined,
    preferredSource: undefined,
    onlink: (payload.u32(8) & RTNH_F.ONLINK) !== 0,
    nextHops: [],
    nextHopId: undefined,
    raw,
  }
  while (attributes.next()) {
    switch (attributes.type) {
      case RTA.DST:
        destination = readIpAddress(attributes)
        break
      case RTA.SRC:
        source = readIpAddress(attributes)
        break
      case RTA.OIF:
        route.link = attributes.u32()
        break
      case RTA.GATEWAY:
        route.gateway = readIpAddress(attributes)
        break
      case RTA.VIA:
        route.gateway = readVia(attributes)
        break
      case RTA.PRIORITY:
        route.metric = attributes.u32()
        break
      case RTA.PREFSRC:
        route.preferredSource = readIpAddress(attributes)
        break
      case RTA.TABLE:
        route.table = attributes.u32()
        break
      case RTA.METRICS:
        readLimits(attributes.nested(), route)
        break
      case RTA.MULTIPATH:
        route.nextHops = readNextHops(attributes)
        break
      case RTA.NH_ID:
        route.nextHopId = attributes.u32()
        break
      case RTA.CACHEINFO:
      case RTA.PREF:
        break
      default:
        raw.push(attributes.raw())
    }
  }
  route.destination = `${destination}/${payload.u8(1)}`
  const sourceLength = payload.u8(2)
  if (source !== undefined || sourceLength > 0) route.source = `${source ?? zero}/${sourceLength}`
  return route
}

// struct rtvia: a family, then an address.
function readVia(attribute: AttributeCursor): string {
  const bytes = attribute.bytes().subarray(2)
  if (bytes.length !== 4 && bytes.length !== 16) throw malformed(`a gateway of ${bytes.length} bytes`)
  return formatIpAddress(bytes)
}

function readLimits(attributes: AttributeCursor, route: Mutable<RouteLimits>): void {
  while (attributes.next()) {
    for (const name of Object.keys(limitNumbers) as (keyof RouteLimits)[]) {
      if (limitNumbers[name] === attributes.type) route[name] = attributes.u32()
    }
  }
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

function header(options: {
  family: IpFamily
  destinationLength?: number
  sourceLength?: number
  table?: number
  protocol?: number
  scope?: number
  type?: number
  flags?: number
}): FixedPart {
  const table = options.table ?? RT_TABLE.UNSPEC
  return {
    length: headerLength,
    write(view, at) {
      view.setUint8(at, options.family === 4 ? AF.INET : AF.INET6)
      view.setUint8(at + 1, options.destinationLength ?? 0)
      view.setUint8(at + 2, options.sourceLength ?? 0)
      view.setUint8(at + 4, table > 255 ? RT_TABLE.UNSPEC : table)
      view.setUint8(at + 5, options.protocol ?? 0)
      view.setUint8(at + 6, options.scope ?? 0)
      view.setUint8(at + 7, options.type ?? 0)
      view.setUint32(at + 8, options.flags ?? 0, littleEndian)
    },
  }
}

export function listRoutesRequest(
  family: IpFamily,
  filter: { table?: number | undefined; link?: number | undefined; protocol?: number | undefined },
): Request {
  const writer = new MessageWriter({
    type: RTM.GETROUTE,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    header: header({ family, protocol: filter.protocol ?? 0 }),
    name: 'route',
  })
  if (filter.table !== undefined) writer.u32(RTA.TABLE, 'table', filter.table)
  if (filter.link !== undefined) writer.u32(RTA.OIF, 'link', filter.link)
  return writer.finish()
}

/** What the kernel would do with a packet to `address`. */
export function lookUpRouteRequest(address: string): Request {
  const { family, bytes } = parseIpAddress(address)
  return new MessageWriter({
    type: RTM.GETROUTE,
    flags: NLM_F.REQUEST | NLM_F.ACK,
    header: header({ family, destinationLength: 8 * bytes.length }),
    name: 'route',
  })
    .bytes(RTA.DST, 'destination', bytes)
    .finish()
}

/** @throws TypeError, RangeError */
export function changeRouteRequest(
  type: typeof RTM.NEWROUTE | typeof RTM.DELROUTE,
  flags: number,
  route: ResolvedRoute,
): Request {
  const creating = type === RTM.NEWROUTE
  const destination = parseDestination(route)
  const source = route.source === undefined ? undefined : parseIpPrefix(route.source)
  const routeType = route.type ?? 'unicast'
  if (!Object.hasOwn(RTN, routeType)) {
    throw invalidArgumentValue('type', routeType, `must be one of ${Object.keys(RTN).join(', ')}`)
  }
  const scope = route.scope ?? defaultScope(destination.family, routeType, route, creating)
  if (!Object.hasOwn(RT_SCOPE, scope)) {
    throw invalidArgumentValue('scope', scope, `must be one of ${Object.keys(RT_SCOPE).join(', ')}`)
  }
  const table = requireInteger('table', route.table ?? RT_TABLE.MAIN, 1, 0xffff_ffff)
  const protocol = requireInteger('protocol', route.protocol ?? (creating ? netloomProtocol : 0), 0, 255)
  const writer = new MessageWriter({
    type,
    flags: NLM_F.REQUEST | NLM_F.ACK | flags,
    header: header({
      family: destination.family,
      destinationLength: destination.length,
      sourceLength: source?.length ?? 0,
      table,
      protocol,
      scope: RT_SCOPE[scope],
      // A deletion that does not say matches every type.
      type: creating || route.type !== undefined ? RTN[routeType] : 0,
      flags: route.onlink ? RTNH_F.ONLINK : 0,
    }),
    name: 'route',
  })
  if (destination.length > 0) writer.bytes(RTA.DST, 'destination', destination.bytes)
  if (source) writer.bytes(RTA.SRC, 'source', source.bytes)
  writer.u32(RTA.TABLE, 'table', table)
  writeGateway(writer, 'gateway', route.gateway, destination.family)
  if (route.link !== undefined) writer.u32(RTA.OIF, 'link', route.link)
  if (route.metric !== undefined) writer.u32(RTA.PRIORITY, 'metric', route.metric)
  if (route.preferredSource !== undefined) {
    writer.bytes(RTA.PREFSRC, 'preferredSource', parseIpAddress(route.preferredSource).bytes)
  }
  writeLimits(writer, route)
  if (route.nextHops !== undefined) writeNextHops(writer, route.nextHops, destination.family)
  return writer.finish()
}

function parseDestination(route: ResolvedRoute): { family: IpFamily; bytes: Uint8Array; length: number } {
  const { destination, gateway, family } = route
  if (destination === 'default') {
    const first = gateway ?? route.nextHops?.find(hop => hop.gateway !== undefined)?.gateway
    const known = family ?? (first === undefined ? undefined : parseIpAddress(first).family)
    if (known === undefined) {
      throw invalidArgumentValue('destination', destination, 'needs a gateway or a family beside it')
    }
    return { family: known, bytes: new Uint8Array(known === 4 ? 4 : 16), length: 0 }
  }
  const prefix = parseIpPrefix(destination)
  if (family !== undefined && family !== prefix.family) {
    throw invalidArgumentValue('destination', destination, `must be of IPv${family}`)
  }
  return prefix
}

/** As `ip route` does: IPv4 routes to a gateway reach the universe, others the link. */
function defaultScope(
  family: IpFamily,
  type: RouteType,
  route: ResolvedRoute,
  creating: boolean,
): RouteScope {
  if (family === 6) return 'universe'
  if (!creating) return 'nowhere'
  if (type === 'local') return 'host'
  if (type === 'broadcast' || type === 'multicast' || type === 'anycast') return 'link'
  if (type !== 'unicast') return 'universe'
  return route.gateway === undefined && route.nextHops === undefined ? 'link' : 'universe'
}

function writeGateway(
  writer: MessageWriter,
  name: string,
  gateway: string | undefined,
  family: IpFamily,
): void {
  if (gateway === undefined) return
  const parsed = parseIpAddress(gateway)
  if (parsed.family === family) {
    writer.bytes(RTA.GATEWAY, name, parsed.bytes)
    return
  }
  const via = new Uint8Array(2 + parsed.bytes.length)
  new DataView(via.buffer).setUint16(0, parsed.family === 4 ? AF.INET : AF.INET6, littleEndian)
  via.set(parsed.bytes, 2)
  writer.bytes(RTA.VIA, name, via)
}

function writeLimits(writer: MessageWriter, limits: RouteLimits): void {
  const names = (Object.keys(limitNumbers) as (keyof RouteLimits)[]).filter(
    name => limits[name] !== undefined,
  )
  if (names.length === 0) return
  writer.nested(RTA.METRICS, '', metrics => {
    for (const name of names) metrics.u32(limitNumbers[name], name, limits[name]!)
  })
}

function writeNextHops(
  writer: MessageWriter,
  hops: NonNullable<ResolvedRoute['nextHops']>,
  family: IpFamily,
): void {
  if (!Array.isArray(hops) || hops.length === 0) {
    throw invalidArgumentType('nextHops', 'an array with at least one next hop', hops)
  }
  writer.nested(RTA.MULTIPATH, 'nextHops', list => {
    for (const [i, hop] of hops.entries()) {
      requireOptions(`nextHops[${i}]`, hop, ['gateway', 'link', 'weight', 'onlink'])
      const weight = requireInteger(`nextHops[${i}].weight`, hop.weight ?? 1, 1, 256)
      const fixed: FixedPart = {
        length: nextHopLength,
        write(view, at) {
          view.setUint8(at + 2, hop.onlink ? RTNH_F.ONLINK : 0)
          view.setUint8(at + 3, weight - 1)
          view.setInt32(at + 4, hop.link ?? 0, littleEndian)
        },
      }
      list.counted(fixed, () => writeGateway(list, `nextHops[${i}].gateway`, hop.gateway, family))
    }
  })
}
