import type { IpFamily } from '../../address/index.js'
import { invalidArgumentValue, requireOptions } from '../../errors/index.js'
import { type Address, readAddress } from './address.js'
import type { Addresses } from './addresses.js'
import { AF, RTM, RTNLGRP } from './constants.js'
import type { Fdb } from './fdb.js'
import { type FdbEntry, readFdbEntry } from './fdb-entry.js'
import { hasMoved, type Link, readLink } from './link.js'
import type { LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { type Neighbor, type Neighbors, readNeighbor } from './neighbors.js'
import { type Nexthop, type Nexthops, readNexthop } from './nexthops.js'
import { type Qdisc, type Qdiscs, readQdisc } from './qdiscs.js'
import type { Route } from './route.js'
import type { Routes } from './routes.js'
import { type Rule, readRule } from './rule.js'
import type { Rules } from './rules.js'
import {
  checkFamily,
  groupsOf,
  LinkStates,
  sameObject,
  type WatchedObject,
  watchPlain,
} from './watched-object.js'
import { watchedRoutes } from './watched-routes.js'

/** What can be watched. */
export interface Objects {
  links: Link
  addresses: Address
  routes: Route
  neighbors: Neighbor
  rules: Rule
  fdb: FdbEntry
  nexthops: Nexthop
  qdiscs: Qdisc
}

export type WatchedObjects = { readonly [K in keyof Objects]: WatchedObject<Objects[K]> }

/** Which objects to watch: all of a kind, or some. */
export interface WatchSelection {
  links?: true | { link?: LinkReference | undefined } | undefined
  addresses?: true | OnLink | undefined
  /** Default of `table`: 254, `main`. */
  routes?: true | { table?: number | 'all' | undefined; family?: IpFamily | undefined } | undefined
  /** But `noarp` ones, of which the kernel does not tell. */
  neighbors?: true | OnLink | undefined
  rules?: true | { family?: IpFamily | undefined } | undefined
  fdb?: true | { bridge?: LinkReference | undefined } | undefined
  nexthops?: true | undefined
  qdiscs?: true | { link?: LinkReference | undefined } | undefined
}

export interface Collections {
  readonly links: Links
  readonly addresses: Addresses
  readonly routes: Routes
  readonly neighbors: Neighbors
  readonly rules: Rules
  readonly fdb: Fdb
  readonly nexthops: Nexthops
  readonly qdiscs: Qdiscs
}

/** @throws TypeError; NetloomError `ERR_LINK_NOT_FOUND` */
export function watchedObjects(selection: WatchSelection, collections: Collections): Partial<WatchedObjects> {
  const names = ['links', 'addresses', 'routes', 'neighbors', 'rules', 'fdb', 'nexthops', 'qdiscs'] as const
  const wanted = requireOptions('selection', selection, names)
  if (!names.some(name => wanted[name])) {
    throw invalidArgumentValue('selection', selection, `must have one of ${names.join(', ')}`)
  }
  const { links, addresses, routes, neighbors, rules, fdb, nexthops, qdiscs } = wanted
  return {
    ...(links && { links: watchedLinks(filterOf(links), collections.links) }),
    ...(addresses && { addresses: watchedAddresses(filterOf(addresses), collections) }),
    ...(routes && { routes: watchedRoutes(filterOf(routes), collections.routes) }),
    ...(neighbors && { neighbors: watchedNeighbors(filterOf(neighbors), collections) }),
    ...(rules && { rules: watchedRules(filterOf(rules), collections.rules) }),
    ...(fdb && { fdb: watchedFdb(filterOf(fdb), collections) }),
    ...(nexthops && { nexthops: watchedNexthops(filterOf(nexthops), collections.nexthops) }),
    ...(qdiscs && { qdiscs: watchedQdiscs(filterOf(qdiscs), collections) }),
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

/** Those of one link, or of one family. */
export interface OnLink {
  link?: LinkReference | undefined
  family?: IpFamily | undefined
}

function watchedAddresses(filter: OnLink, { addresses, links }: Collections): WatchedObject<Address> {
  const { link, family } = requireOptions('selection.addresses', filter, ['link', 'family'])
  const index = link === undefined ? undefined : links.indexSync(link)
  checkFamily('selection.addresses.family', family)
  return watchPlain({
    groups: groupsOf(family, RTNLGRP.IPV4_IFADDR, RTNLGRP.IPV6_IFADDR),
    added: RTM.NEWADDR,
    removed: RTM.DELADDR,
    list: () => addresses.list({ link: index, family }),
    read: readAddress,
    wants: item => (index === undefined || item.link === index) && (!family || item.family === family),
    key: ({ link, address, prefixLength, peer }) => `${link} ${address}/${prefixLength} ${peer ?? ''}`,
  })
}

function watchedNeighbors(filter: OnLink, { neighbors, links }: Collections): WatchedObject<Neighbor> {
  const { link, family } = requireOptions('selection.neighbors', filter, ['link', 'family'])
  const index = link === undefined ? undefined : links.indexSync(link)
  checkFamily('selection.neighbors.family', family)
  return watchPlain({
    groups: [RTNLGRP.NEIGH],
    added: RTM.NEWNEIGH,
    removed: RTM.DELNEIGH,
    list: () => neighbors.list({ link: index, family }),
    read: readNeighbor,
    // Those that need no resolution, of multicast, come and go without a word. `ip neigh` hides them too.
    wants: item =>
      item.state !== 'noarp' &&
      (index === undefined || item.link === index) &&
      (!family || item.family === family),
    key: ({ link, address, proxy }) => `${link} ${address} ${proxy}`,
  })
}

function watchedRules(filter: { family?: IpFamily | undefined }, rules: Rules): WatchedObject<Rule> {
  const { family } = requireOptions('selection.rules', filter, ['family'])
  checkFamily('selection.rules.family', family)
  return watchPlain({
    groups: groupsOf(family, RTNLGRP.IPV4_RULE, RTNLGRP.IPV6_RULE),
    added: RTM.NEWRULE,
    removed: RTM.DELRULE,
    list: () => rules.list({ family }),
    read: readRule,
    wants: item => !family || item.family === family,
    // All of it: nothing else tells two rules apart.
    key: ({ raw: _, ...rest }) =>
      JSON.stringify(rest, (_name, value) => (typeof value === 'bigint' ? `${value}n` : value)),
  })
}

function watchedFdb(
  filter: { bridge?: LinkReference | undefined },
  { fdb, links }: Collections,
): WatchedObject<FdbEntry> {
  const { bridge } = requireOptions('selection.fdb', filter, ['bridge'])
  const index = bridge === undefined ? undefined : links.indexSync(bridge)
  const states = new LinkStates()
  return watchPlain({
    groups: [RTNLGRP.NEIGH, RTNLGRP.LINK],
    added: RTM.NEWNEIGH,
    removed: RTM.DELNEIGH,
    list: () => fdb.list({ bridge: index }),
    read: readFdbEntry,
    wants: item => index === undefined || item.bridge === index,
    key: ({ link, macAddress, vlan, owner, destination, port, vni, via, nextHopId }) =>
      [link, macAddress, vlan, owner, destination, port, vni, via, nextHopId].join(' '),
    // An address that moves to another port, or another destination, is told only as being there.
    replaces: () => true,
    takesAway: message => states.changed(message),
  })
}

function watchedNexthops(filter: object, nexthops: Nexthops): WatchedObject<Nexthop> {
  requireOptions('selection.nexthops', filter, [])
  const states = new LinkStates()
  return watchPlain({
    groups: [RTNLGRP.NEXTHOP, RTNLGRP.LINK],
    added: RTM.NEWNEXTHOP,
    removed: RTM.DELNEXTHOP,
    list: () => nexthops.list(),
    read: readNexthop,
    key: ({ id }) => id,
    takesAway: message => states.changed(message),
  })
}

function watchedQdiscs(
  filter: { link?: LinkReference | undefined },
  { qdiscs, links }: Collections,
): WatchedObject<Qdisc> {
  const { link } = requireOptions('selection.qdiscs', filter, ['link'])
  const index = link === undefined ? undefined : links.indexSync(link)
  return watchPlain({
    groups: [RTNLGRP.TC, RTNLGRP.LINK],
    added: RTM.NEWQDISC,
    removed: RTM.DELQDISC,
    list: () => qdiscs.list({ link: index }),
    read: readQdisc,
    wants: item => index === undefined || item.link === index,
    key: ({ link, parent, handle }) => `${link} ${parent} ${handle}`,
    // Those of a link come and go with it, and change when it goes up, unannounced.
    takesAway: ({ type }) => type === RTM.NEWLINK || type === RTM.DELLINK,
  })
}
