/**
 * Route netlink: links, addresses, routes and neighbors as the kernel has them, one verb for each thing that it does.
 * {@link RouteConnection} is the plain tool for other rooms; users have `Network`.
 *
 * May use `errors`, `address`, `lifecycle`, `netns`, `netlink/core`.
 */
export { type Address, type AddressOptions, type AddressScope, checkAddress } from './address.js'
export { Addresses, type AddressFilter } from './addresses.js'
export { netloomProtocol } from './constants.js'
export {
  findLinkKind,
  type LinkKind,
  type LinkKindName,
  type LinkKindOptions,
  type LinkKindSettings,
  type LinkKindTraits,
  type LinkPortOptions,
  type LinkPortSettings,
  linkIndex,
  linkKind,
  linkKinds,
  type PortKindName,
  portKinds,
  registerLinkKind,
  registerPortKind,
} from './kinds/index.js'
export type {
  Ipv6LinkLocal,
  Link,
  LinkStatistics,
  LinkXdp,
  OperState,
} from './link.js'
export type { LinkReference } from './link-reference.js'
export type { LinkAttributes, LinkChange, LinkCreate, VethPeer } from './link-request.js'
export { type LinkEvent, LinkWatch, type LinkWatchOptions } from './link-watch.js'
export { type LinkFilter, Links } from './links.js'
export { type Neighbor, type NeighborOptions, type NeighborState, Neighbors } from './neighbors.js'
export type { NextHop, Route, RouteLimits, RouteScope, RouteType } from './route.js'
export { RouteConnection } from './route-connection.js'
export type { NextHopOptions, RouteOptions } from './route-request.js'
export { type RouteFilter, Routes } from './routes.js'
