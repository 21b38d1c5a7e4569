/**
 * Route netlink: links, addresses, routes and neighbors as the kernel has them, one verb for each thing that it does.
 * {@link RouteConnection} is the plain tool for other rooms; users have `Network`.
 *
 * May use `errors`, `address`, `lifecycle`, `netns`, `netlink/core`.
 */
export { type Address, type AddressOptions, type AddressScope, checkAddress } from './address.js'
export { Addresses, type AddressFilter } from './addresses.js'
export { type BridgeVlan, type BridgeVlanOptions, BridgeVlans } from './bridge-vlans.js'
export { netloomProtocol } from './constants.js'
export type { Encapsulation, SegmentRouting } from './encapsulation.js'
export { Fdb, type FdbFilter, type FdbFlush } from './fdb.js'
export type { FdbDestination, FdbEntry, FdbKey, FdbOptions, FdbState } from './fdb-entry.js'
export { findLinkKind, type LinkKindName, linkKinds, type PortKindName, portKinds } from './kinds/index.js'
export type {
  Ipv6LinkLocal,
  Link,
  LinkKindSettings,
  LinkPortSettings,
  LinkStatistics,
  OperState,
} from './link.js'
export type { LinkAttributes, LinkChange, LinkCreate, LinkReference, VethPeer } from './link-request.js'
export { type LinkEvent, LinkWatch, type LinkWatchOptions } from './link-watch.js'
export { type LinkFilter, Links } from './links.js'
export { type NamespaceId, NamespaceIds } from './namespace-ids.js'
export { type Neighbor, type NeighborOptions, type NeighborState, Neighbors } from './neighbors.js'
export {
  type Nexthop,
  type NexthopFilter,
  type NexthopMember,
  type NexthopOptions,
  Nexthops,
} from './nexthops.js'
export type { NextHop, Route, RouteLimits, RoutePreference, RouteScope, RouteType } from './route.js'
export { RouteConnection } from './route-connection.js'
export type { NextHopOptions, RouteOptions, RouteQuery } from './route-request.js'
export { type RouteFilter, Routes } from './routes.js'
export type { NumberRange, Rule, RuleAction, RuleOptions } from './rule.js'
export { type RuleFilter, Rules } from './rules.js'
