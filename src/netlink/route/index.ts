/**
 * Route netlink: links, addresses, routes, neighbors and traffic control as the kernel has them, one verb for each thing that it does.
 * {@link RouteConnection} is the plain tool for other rooms; users have `Network`.
 *
 * May use `errors`, `address`, `lifecycle`, `netns`, `netlink/core`.
 */
export { type Address, type AddressOptions, type AddressScope, checkAddress } from './address.js'
export { Addresses, type AddressFilter } from './addresses.js'
export type { AddressKey, Batch } from './batch.js'
export { type BridgeVlan, type BridgeVlanOptions, BridgeVlans } from './bridge-vlans.js'
export type { LinkIndex } from './change.js'
export { type TrafficClass, TrafficClasses, type TrafficClassOptions } from './classes.js'
export { netloomAlias, netloomProtocol } from './constants.js'
export type { Encapsulation, SegmentRouting } from './encapsulation.js'
export { Fdb, type FdbFilter, type FdbFlush } from './fdb.js'
export type { FdbDestination, FdbEntry, FdbKey, FdbOptions, FdbState } from './fdb-entry.js'
export {
  type Filter,
  type FilterKindName,
  type FilterOptions,
  type FilterSelection,
  type FilterSettings,
  Filters,
} from './filters.js'
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
  linkKindNames,
  linkKinds,
  type PortKindName,
  portKinds,
  registerLinkKind,
  registerPortKind,
} from './kinds/index.js'
export type {
  Ipv6LinkLocal,
  Link,
  LinkMode,
  LinkStatistics,
  LinkXdp,
  OperState,
} from './link.js'
export type { LinkReference } from './link-reference.js'
export type { LinkAttributes, LinkChange, LinkCreate, VethPeer } from './link-request.js'
export { type LinkFilter, Links } from './links.js'
export { Mdb, type MdbFilter } from './mdb.js'
export type { MdbEntry, MdbFilterMode, MdbKey, MdbOptions, MdbState, RouterPort } from './mdb-entry.js'
export { type NamespaceId, NamespaceIds } from './namespace-ids.js'
export {
  type Neighbor,
  type NeighborFilter,
  type NeighborKey,
  type NeighborOptions,
  type NeighborState,
  Neighbors,
} from './neighbors.js'
export {
  type Nexthop,
  type NexthopFilter,
  type NexthopMember,
  type NexthopOptions,
  Nexthops,
} from './nexthops.js'
export { type Qdisc, type QdiscKindName, type QdiscOptions, type QdiscSettings, Qdiscs } from './qdiscs.js'
export type {
  NextHop,
  Route,
  RouteFlags,
  RouteLimits,
  RoutePreference,
  RouteScope,
  RouteType,
} from './route.js'
export { RouteConnection } from './route-connection.js'
export { type NextHopOptions, type RouteOptions, type RouteQuery, routeOptionsOf } from './route-request.js'
export { RouteView } from './route-view.js'
export { type RouteFilter, Routes } from './routes.js'
export type { NumberRange, Rule, RuleAction, RuleOptions } from './rule.js'
export { type RuleFilter, Rules } from './rules.js'
export type { Verdict } from './traffic/actions/action.js'
export type { GactAction } from './traffic/actions/gact.js'
export type { Action, ActionOptions } from './traffic/actions/index.js'
export type { MirredAction } from './traffic/actions/mirred.js'
export type { PoliceAction } from './traffic/actions/police.js'
export type { SkbeditAction } from './traffic/actions/skbedit.js'
export type { TunnelKeyAction } from './traffic/actions/tunnel-key.js'
export type { VlanAction } from './traffic/actions/vlan.js'
export type { FlowerSettings } from './traffic/filters/flower.js'
export type { U32Match } from './traffic/filters/u32.js'
export type { FifoSettings } from './traffic/qdiscs/fifo.js'
export type { HtbClassSettings, HtbSettings } from './traffic/qdiscs/htb.js'
export type { NetemLossModel, NetemSettings, NetemSlot } from './traffic/qdiscs/netem.js'
export type { PrioSettings } from './traffic/qdiscs/prio.js'
export type { SfqSettings } from './traffic/qdiscs/sfq.js'
export type { TbfSettings } from './traffic/qdiscs/tbf.js'
export type { Rate } from './traffic/rate.js'
export type { TrafficStatistics } from './traffic/statistics.js'
export { Watch, type WatchChange, type WatchEvent, type WatchOptions, type WatchState } from './watch.js'
export type { Objects, OnLink, WatchSelection } from './watched-objects.js'
