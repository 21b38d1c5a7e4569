import { type IpFamily, parseIpAddress, parseIpPrefix } from '../../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  requireBoolean,
  requireInteger,
  requireOptions,
} from '../../errors/index.js'
import { type FixedPart, littleEndian, MessageWriter, NLM_F, type Request } from '../core/index.js'
import type { Change, LinkIndex } from './change.js'
import {
  AF,
  ICMPV6_ROUTER_PREF,
  netloomProtocol,
  RT_SCOPE,
  RT_TABLE,
  RTA,
  RTAX,
  RTM,
  RTM_F,
  RTN,
  RTNH_F,
} from './constants.js'
import { type Encapsulation, writeEncapsulation } from './encapsulation.js'
import type { LinkReference } from './link-reference.js'
import {
  limitNumbers,
  nextHopLength,
  type Route,
  type RouteLimits,
  type RoutePreference,
  type RouteScope,
  type RouteType,
  routeHeaderLength,
} from './route.js'

export interface NextHopOptions {
  gateway?: string | undefined
  link?: LinkReference | undefined
  weight?: number | undefined
  onlink?: boolean | undefined
  encapsulation?: Encapsulation | undefined
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
  /** Of a nexthop object, in the place of gateways and links. */
  nextHopId?: number | undefined
  encapsulation?: Encapsulation | undefined
  preference?: RoutePreference | undefined
  /** IPv6. */
  expiresSeconds?: number | undefined
  /** IPv4. */
  realms?: number | undefined
  ttlPropagate?: boolean | undefined
  /** IPv4: only for packets with this type of service. Default 0. */
  tos?: number | undefined
}

/** What `ip route get` can be told of a packet. */
export interface RouteQuery {
  from?: string | undefined
  mark?: number | undefined
  /** Only by way of this link. */
  outputLink?: LinkReference | undefined
  /** As if it had come in here; needs `from`. */
  inputLink?: LinkReference | undefined
  uid?: number | undefined
  tos?: number | undefined
  /** Number of the protocol: 6 TCP, 17 UDP. The kernel knows these, ICMP and ICMPv6. */
  ipProtocol?: number | undefined
  sourcePort?: number | undefined
  destinationPort?: number | undefined
  /** The route that matches, as it stands in its table, in the place of what a packet gets. */
  fibMatch?: boolean | undefined
}

export const routeQueryNames = [
  'from',
  'mark',
  'outputLink',
  'inputLink',
  'uid',
  'tos',
  'ipProtocol',
  'sourcePort',
  'destinationPort',
  'fibMatch',
] as const satisfies readonly (keyof RouteQuery)[]

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
  'nextHopId',
  'encapsulation',
  'preference',
  'expiresSeconds',
  'realms',
  'ttlPropagate',
  'tos',
  'congestionControl',
  'mtu',
  'window',
  'advertisedMss',
  'hopLimit',
  'initialWindow',
  'initialReceiveWindow',
  'locked',
  'rtt',
  'rttVariation',
  'slowStartThreshold',
  'congestionWindow',
  'reordering',
  'features',
  'minimumRtoMs',
  'quickAck',
  'fastOpenNoCookie',
] as const satisfies readonly (keyof RouteOptions)[]

/** What can be done with a route, and how the kernel is told. */
const verbs = {
  create: { type: RTM.NEWROUTE, flags: NLM_F.CREATE | NLM_F.EXCL },
  append: { type: RTM.NEWROUTE, flags: NLM_F.CREATE | NLM_F.APPEND },
  prepend: { type: RTM.NEWROUTE, flags: NLM_F.CREATE },
  change: { type: RTM.NEWROUTE, flags: NLM_F.REPLACE },
  replace: { type: RTM.NEWROUTE, flags: NLM_F.CREATE | NLM_F.REPLACE },
  delete: { type: RTM.DELROUTE, flags: 0 },
} as const

export type RouteVerb = keyof typeof verbs

/** @throws TypeError, RangeError; what `index` throws */
export function routeChange(verb: RouteVerb, options: RouteOptions, index: LinkIndex): Change {
  requireOptions('options', options, routeOptions)
  const { type, flags } = verbs[verb]
  const request = changeRouteRequest(type, flags, options, index)
  return { request, operation: operations[verb], subject: options.destination }
}

const operations = Object.fromEntries(Object.keys(verbs).map(verb => [verb, `${verb} route`])) as Record<
  RouteVerb,
  string
>

/** Options that make the route that was read. What it has in `raw` is not in them. */
export function routeOptionsOf(route: Route): RouteOptions {
  const options: Record<string, unknown> = {}
  for (const name of routeOptions) {
    const value = route[name as keyof Route]
    if (value !== undefined) options[name] = value
  }
  if (route.nextHops.length === 0) delete options.nextHops
  // A route of an object has the object's next hops, which are not its own.
  if (route.nextHopId !== undefined) for (const name of ['gateway', 'link', 'nextHops']) delete options[name]
  return options as unknown as RouteOptions
}

const encapsulationTypes = { type: RTA.ENCAP_TYPE, value: RTA.ENCAP }

function header(options: {
  family: IpFamily
  destinationLength?: number
  sourceLength?: number
  tos?: number
  table?: number
  protocol?: number
  scope?: number
  type?: number
  flags?: number
}): FixedPart {
  const table = options.table ?? RT_TABLE.UNSPEC
  return {
    length: routeHeaderLength,
    write(view, at) {
      view.setUint8(at, options.family === 4 ? AF.INET : AF.INET6)
      view.setUint8(at + 1, options.destinationLength ?? 0)
      view.setUint8(at + 2, options.sourceLength ?? 0)
      view.setUint8(at + 3, options.tos ?? 0)
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

/** What the kernel would do with a packet to `address`. @throws TypeError, RangeError */
export function lookUpRouteRequest(
  address: string,
  query: Omit<RouteQuery, 'outputLink' | 'inputLink'> & { outputLink?: number; inputLink?: number } = {},
): Request {
  const { family, bytes } = parseIpAddress(address)
  const from = query.from === undefined ? undefined : parseIpAddress(query.from)
  if (from && from.family !== family) {
    throw invalidArgumentValue('from', query.from, `must be an IPv${family} address`)
  }
  const writer = new MessageWriter({
    type: RTM.GETROUTE,
    flags: NLM_F.REQUEST | NLM_F.ACK,
    header: header({
      family,
      destinationLength: 8 * bytes.length,
      sourceLength: from ? 8 * bytes.length : 0,
      tos: requireInteger('tos', query.tos ?? 0, 0, 255),
      flags: query.fibMatch ? RTM_F.FIB_MATCH : 0,
    }),
    name: 'route',
  })
  writer.bytes(RTA.DST, 'destination', bytes)
  if (from) writer.bytes(RTA.SRC, 'from', from.bytes)
  if (query.mark !== undefined) writer.u32(RTA.MARK, 'mark', query.mark)
  if (query.outputLink !== undefined) writer.u32(RTA.OIF, 'outputLink', query.outputLink)
  if (query.inputLink !== undefined) writer.u32(RTA.IIF, 'inputLink', query.inputLink)
  if (query.uid !== undefined) writer.u32(RTA.UID, 'uid', query.uid)
  if (query.ipProtocol !== undefined) writer.u8(RTA.IP_PROTO, 'ipProtocol', query.ipProtocol)
  if (query.sourcePort !== undefined) writer.u16be(RTA.SPORT, 'sourcePort', query.sourcePort)
  if (query.destinationPort !== undefined) {
    writer.u16be(RTA.DPORT, 'destinationPort', query.destinationPort)
  }
  return writer.finish()
}

/** @throws TypeError, RangeError */
export function changeRouteRequest(
  type: typeof RTM.NEWROUTE | typeof RTM.DELROUTE,
  flags: number,
  route: RouteOptions,
  index: LinkIndex,
): Request {
  const creating = type === RTM.NEWROUTE
  const destination = parseDestination(route)
  const source = route.source === undefined ? undefined : parseIpPrefix(route.source)
  const routeType = route.type ?? 'unicast'
  if (route.type !== undefined && !Object.hasOwn(RTN, routeType)) {
    throw invalidArgumentValue('type', routeType, `must be one of ${Object.keys(RTN).join(', ')}`)
  }
  const scope = route.scope ?? defaultScope(destination.family, routeType, route, creating)
  if (route.scope !== undefined && !Object.hasOwn(RT_SCOPE, scope)) {
    throw invalidArgumentValue('scope', scope, `must be one of ${Object.keys(RT_SCOPE).join(', ')}`)
  }
  const table = requireInteger('table', route.table ?? RT_TABLE.MAIN, 1, 0xffff_ffff)
  const protocol = requireInteger('protocol', route.protocol ?? (creating ? netloomProtocol : 0), 0, 255)
  const link = route.link === undefined ? undefined : index(route.link)
  const writer = new MessageWriter({
    type,
    flags: NLM_F.REQUEST | NLM_F.ACK | flags,
    header: header({
      family: destination.family,
      destinationLength: destination.length,
      sourceLength: source?.length ?? 0,
      tos: requireInteger('tos', route.tos ?? 0, 0, 255),
      table,
      protocol,
      scope: RT_SCOPE[scope],
      // A deletion that does not say matches every type.
      type: creating || route.type !== undefined ? RTN[routeType] : 0,
      flags: requireBoolean('onlink', route.onlink) ? RTNH_F.ONLINK : 0,
    }),
    name: 'route',
  })
  if (destination.length > 0) writer.bytes(RTA.DST, 'destination', destination.bytes)
  if (source) writer.bytes(RTA.SRC, 'source', source.bytes)
  writer.u32(RTA.TABLE, 'table', table)
  writeGateway(writer, 'gateway', route.gateway, destination.family)
  if (link !== undefined) writer.u32(RTA.OIF, 'link', link)
  if (route.metric !== undefined) writer.u32(RTA.PRIORITY, 'metric', route.metric)
  if (route.preferredSource !== undefined) {
    writer.bytes(RTA.PREFSRC, 'preferredSource', parseIpAddress(route.preferredSource).bytes)
  }
  writeLimits(writer, route)
  if (route.nextHops !== undefined) writeNextHops(writer, route.nextHops, destination.family, index)
  if (route.nextHopId !== undefined) {
    for (const name of ['gateway', 'link', 'nextHops', 'encapsulation'] as const) {
      if (route[name] !== undefined) {
        throw invalidArgumentValue(name, route[name], 'does not go with `nextHopId`')
      }
    }
    writer.u32(RTA.NH_ID, 'nextHopId', requireInteger('nextHopId', route.nextHopId, 1, 0xffff_ffff))
  }
  writeEncapsulation(writer, encapsulationTypes, route.encapsulation)
  if (route.preference !== undefined) {
    if (!Object.hasOwn(ICMPV6_ROUTER_PREF, route.preference)) {
      throw invalidArgumentValue('preference', route.preference, "must be 'low', 'medium' or 'high'")
    }
    writer.u8(RTA.PREF, 'preference', ICMPV6_ROUTER_PREF[route.preference])
  }
  if (route.expiresSeconds !== undefined) writer.u32(RTA.EXPIRES, 'expiresSeconds', route.expiresSeconds)
  if (route.realms !== undefined) writer.u32(RTA.FLOW, 'realms', route.realms)
  if (route.ttlPropagate !== undefined) {
    if (typeof route.ttlPropagate !== 'boolean') {
      throw invalidArgumentType('ttlPropagate', 'a boolean', route.ttlPropagate)
    }
    writer.u8(RTA.TTL_PROPAGATE, 'ttlPropagate', route.ttlPropagate ? 1 : 0)
  }
  const way = route.link ?? route.gateway ?? route.nextHops ?? route.nextHopId
  if (creating && routeType === 'unicast' && way === undefined) {
    throw invalidArgumentValue('link', undefined, 'is needed, or a gateway, nextHops or nextHopId')
  }
  return writer.finish()
}

function parseDestination(route: RouteOptions): { family: IpFamily; bytes: Uint8Array; length: number } {
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
function defaultScope(family: IpFamily, type: RouteType, route: RouteOptions, creating: boolean): RouteScope {
  if (family === 6) return 'universe'
  if (!creating) return 'nowhere'
  if (type === 'local') return 'host'
  if (type === 'broadcast' || type === 'multicast' || type === 'anycast') return 'link'
  if (type !== 'unicast') return 'universe'
  const direct = route.gateway === undefined && route.nextHops === undefined && route.nextHopId === undefined
  return direct ? 'link' : 'universe'
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
  const { congestionControl } = limits
  let some = congestionControl !== undefined
  // Most have none, and there may be very many.
  for (const name in limits) some ||= name in limitNumbers
  if (!some) return
  const names = Object.keys(limits).filter(
    (name): name is keyof typeof limitNumbers =>
      name in limitNumbers && limits[name as keyof RouteLimits] !== undefined,
  )
  if (names.length === 0 && congestionControl === undefined) return
  if (congestionControl !== undefined && typeof congestionControl !== 'string') {
    throw invalidArgumentType('congestionControl', 'a string', congestionControl)
  }
  writer.nested(RTA.METRICS, '', metrics => {
    if (congestionControl !== undefined) {
      metrics.string(RTAX.CC_ALGO, 'congestionControl', congestionControl)
    }
    for (const name of names) metrics.u32(limitNumbers[name], name, limits[name]!)
  })
}

function writeNextHops(
  writer: MessageWriter,
  hops: readonly NextHopOptions[],
  family: IpFamily,
  index: LinkIndex,
): void {
  if (!Array.isArray(hops) || hops.length === 0) {
    throw invalidArgumentType('nextHops', 'an array with at least one next hop', hops)
  }
  writer.nested(RTA.MULTIPATH, 'nextHops', list => {
    for (const [i, hop] of hops.entries()) {
      requireOptions(`nextHops[${i}]`, hop, ['gateway', 'link', 'weight', 'onlink', 'encapsulation'])
      const link = hop.link === undefined ? 0 : index(hop.link)
      const onlink = requireBoolean(`nextHops[${i}].onlink`, hop.onlink)
      const weight = requireInteger(`nextHops[${i}].weight`, hop.weight ?? 1, 1, 256)
      const fixed: FixedPart = {
        length: nextHopLength,
        write(view, at) {
          view.setUint8(at + 2, onlink ? RTNH_F.ONLINK : 0)
          view.setUint8(at + 3, weight - 1)
          view.setInt32(at + 4, link, littleEndian)
        },
      }
      list.counted(fixed, () => {
        writeGateway(list, `nextHops[${i}].gateway`, hop.gateway, family)
        writeEncapsulation(list, encapsulationTypes, hop.encapsulation)
      })
    }
  })
}
