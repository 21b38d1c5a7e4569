import type { IpFamily } from '../../address/index.js'
import { invalidArgumentValue, requireOptions } from '../../errors/index.js'
import { type Message, NLM_F } from '../core/index.js'
import { type Address, readAddress } from './address.js'
import type { Addresses } from './addresses.js'
import { AF, IFF, RT_TABLE, RTM, RTNLGRP } from './constants.js'
import { hasMoved, type Link, readLink } from './link.js'
import type { LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { type Neighbor, type Neighbors, readNeighbor } from './neighbors.js'
import { type Route, readRoute } from './route.js'
import type { Routes } from './routes.js'
import type { WatchedObject } from './watched-object.js'

/** What can be watched. */
export interface Objects {
  links: Link
  addresses: Address
  routes: Route
  neighbors: Neighbor
}

export type WatchedObjects = { readonly [K in keyof Objects]: WatchedObject<Objects[K]> }

/** Which objects to watch: all of a kind, or some. */
export interface WatchSelection {
  links?: true | { link?: LinkReference | undefined } | undefined
  addresses?: true | { link?: LinkReference | undefined; family?: IpFamily | undefined } | undefined
  /** Default of `table`: 254, `main`. */
  routes?: true | { table?: number | 'all' | undefined; family?: IpFamily | undefined } | undefined
  /** But `noarp` ones, of which the kernel does not tell. */
  neighbors?: true | { link?: LinkReference | undefined; family?: IpFamily | undefined } | undefined
}

export interface Collections {
  readonly links: Links
  readonly addresses: Addresses
  readonly routes: Routes
  readonly neighbors: Neighbors
}

/** @throws TypeError; NetloomError `ERR_LINK_NOT_FOUND` */
export function watchedObjects(selection: WatchSelection, collections: Collections): Partial<WatchedObjects> {
  const names = ['links', 'addresses', 'routes', 'neighbors'] as const
  const { links, addresses, routes, neighbors } = requireOptions('selection', selection, names)
  return {
    ...(links && { links: watchedLinks(filterOf(links), collections.links) }),
    ...(addresses && { addresses: watchedAddresses(filterOf(addresses), collections) }),
    ...(routes && { routes: watchedRoutes(filterOf(routes), collections.routes) }),
    ...(neighbors && { neighbors: watchedNeighbors(filterOf(neighbors), collections) }),
  }
}

function filterOf<F extends object>(value: true | F): Partial<F> {
  return value === true ? {} : value
}

function watchedLinks(
  filter: Exclude<WatchSelection['links'], true | undefined>,
  links: Links,
): WatchedObject<Link> {
  const { link } = requireOptions('selection.links', filter, ['link'])
  const index = link === undefined ? undefined : links.indexSync(link)
  return {
    groups: [RTNLGRP.LINK],
    async list() {
      if (index === undefined) return links.list()
      const found = await links.find(index)
      return found ? [found] : []
    },
    read({ type, payload }) {
      if (type !== RTM.NEWLINK && type !== RTM.DELLINK) return undefined
      // A bridge tells of its ports with messages of its own, a removal being of the port from the bridge.
      if (payload.u8(0) === AF.BRIDGE || (index !== undefined && payload.s32(4) !== index)) return undefined
      const removed = type === RTM.DELLINK
      return { item: readLink(payload), removed, moved: removed && hasMoved(payload) }
    },
    key: link => link.index,
    same: sameObject,
  }
}

function watchedAddresses(
  filter: Exclude<WatchSelection['addresses'], true | undefined>,
  { addresses, links }: Collections,
): WatchedObject<Address> {
  const { link, family } = requireOptions('selection.addresses', filter, ['link', 'family'])
  const index = link === undefined ? undefined : links.indexSync(link)
  checkFamily('selection.addresses.family', family)
  return {
    groups: groupsOf(family, RTNLGRP.IPV4_IFADDR, RTNLGRP.IPV6_IFADDR),
    list: () => addresses.list({ link: index, family }),
    read({ type, payload }) {
      if (type !== RTM.NEWADDR && type !== RTM.DELADDR) return undefined
      const item = readAddress(payload)
      if ((index !== undefined && item.link !== index) || (family && item.family !== family)) return undefined
      return { item, removed: type === RTM.DELADDR }
    },
    key: ({ link, address, prefixLength, peer }) => `${link} ${address}/${prefixLength} ${peer ?? ''}`,
    same: sameObject,
  }
}

function watchedNeighbors(
  filter: Exclude<WatchSelection['neighbors'], true | undefined>,
  { neighbors, links }: Collections,
): WatchedObject<Neighbor> {
  const { link, family } = requireOptions('selection.neighbors', filter, ['link', 'family'])
  const index = link === undefined ? undefined : links.indexSync(link)
  checkFamily('selection.neighbors.family', family)
  return {
    groups: [RTNLGRP.NEIGH],
    list: async () => (await neighbors.list({ link: index, family })).filter(isAnnounced),
    read({ type, payload }) {
      if (type !== RTM.NEWNEIGH && type !== RTM.DELNEIGH) return undefined
      const item = readNeighbor(payload)
      if (!item || !isAnnounced(item) || (index !== undefined && item.link !== index)) return undefined
      return family && item.family !== family ? undefined : { item, removed: type === RTM.DELNEIGH }
    },
    key: ({ link, address, proxy }) => `${link} ${address} ${proxy}`,
    same: sameObject,
  }
}

// Those that need no resolution, of multicast, come and go without a word. `ip neigh` hides them too.
function isAnnounced(neighbor: Neighbor): boolean {
  return neighbor.state !== 'noarp'
}

/**
 * IPv4 routes vanish without a word when a link goes down or away, when an address goes that their gateway or
 * preferred source belongs to, and with their nexthop object. Replaced routes are not told either, and those of IPv6
 * with several next hops are told in parts.
 */
function watchedRoutes(
  filter: Exclude<WatchSelection['routes'], true | undefined>,
  routes: Routes,
): WatchedObject<Route> {
  const { table = RT_TABLE.MAIN, family } = requireOptions('selection.routes', filter, ['table', 'family'])
  checkFamily('selection.routes.family', family)
  // Links that are known to be down lose nothing by it again.
  const down = new Set<number>()
  const own = groupsOf(family, RTNLGRP.IPV4_ROUTE, RTNLGRP.IPV6_ROUTE)
  return {
    groups: family === 6 ? own : [...own, RTNLGRP.LINK, RTNLGRP.IPV4_IFADDR, RTNLGRP.NEXTHOP],
    list: () => routes.list({ table, family }),
    read(message) {
      const { type, flags, payload } = message
      if (type !== RTM.NEWROUTE && type !== RTM.DELROUTE) {
        return family !== 6 && losesRoutes(message, down) ? { stale: true } : undefined
      }
      const number = payload.u8(0)
      if (number !== AF.INET && number !== AF.INET6) return undefined
      const item = readRoute(payload)
      if ((table !== 'all' && item.table !== table) || (family && item.family !== family)) return undefined
      const removed = type === RTM.DELROUTE
      if (removed) return { item, removed }
      // It joins another one.
      if (number === AF.INET6 && flags & NLM_F.APPEND) return { stale: true }
      return { item, removed, stale: (flags & NLM_F.REPLACE) !== 0 }
    },
    key: routeKey,
    same: sameObject,
    staleIfUnknown: true,
  }
}

/** True if IPv4 routes may have gone with what the message tells of. */
function losesRoutes({ type, payload }: Message, down: Set<number>): boolean {
  switch (type) {
    case RTM.DELNEXTHOP:
      return true
    case RTM.DELADDR:
      return payload.u8(0) === AF.INET
    case RTM.NEWLINK:
    case RTM.DELLINK: {
      if (payload.u8(0) === AF.BRIDGE) return false
      const index = payload.s32(4)
      if (type === RTM.NEWLINK && payload.u32(8) & IFF.UP) {
        down.delete(index)
        return false
      }
      const known = down.has(index)
      if (type === RTM.NEWLINK) down.add(index)
      else down.delete(index)
      return !known
    }
    default:
      return false
  }
}

function routeKey(route: Route): string {
  const { table, destination, source, type, metric, gateway, link, nextHops, nextHopId } = route
  const hops = nextHops.map(hop => `${hop.gateway} ${hop.link} ${hop.weight}`)
  return `${table} ${destination} ${source ?? ''} ${type} ${metric ?? ''} ${gateway ?? ''} ${link ?? ''} ${nextHopId ?? ''} ${hops}`
}

function groupsOf(family: IpFamily | undefined, four: number, six: number): number[] {
  return family === 4 ? [four] : family === 6 ? [six] : [four, six]
}

function checkFamily(name: string, family: IpFamily | undefined): void {
  if (family !== undefined && family !== 4 && family !== 6) {
    throw invalidArgumentValue(name, family, 'must be 4 or 6')
  }
}

// Counters and timers, which move all the time.
const volatileKeys = new Set([
  'statistics',
  'raw',
  'carrierChanges',
  'carrierUpCount',
  'carrierDownCount',
  'learnedAddresses',
  'validSeconds',
  'preferredSeconds',
  'expiresSeconds',
  'usedMs',
  'updatedMs',
])

/** Equal in all that does not move by itself. */
export function sameObject<T extends object>(a: T, b: T): boolean {
  return (Object.keys(b) as (keyof T & string)[]).every(
    key => a[key] === b[key] || volatileKeys.has(key) || stable(a[key]) === stable(b[key]),
  )
}

function stable(value: unknown): string | undefined {
  if (typeof value !== 'object') return String(value)
  return JSON.stringify(value, (name, each) => {
    if (volatileKeys.has(name) || /timerMs$/i.test(name)) return undefined
    return typeof each === 'bigint' ? String(each) : each
  })
}
