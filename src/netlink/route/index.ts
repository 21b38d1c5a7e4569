/**
 * Route netlink: links and addresses as the kernel has them, one verb for each thing that it does.
 * {@link RouteConnection} is the plain tool for other rooms; users have `Network`.
 *
 * May use `errors`, `address`, `lifecycle`, `netns`, `netlink/core`.
 */
export { type Address, type AddressOptions, type AddressScope, checkAddress } from './address.js'
export { Addresses, type AddressFilter } from './addresses.js'
export { findLinkKind, type LinkKindName, linkKinds } from './kinds/index.js'
export type { Ipv6LinkLocal, Link, LinkKindSettings, LinkStatistics, OperState } from './link.js'
export type { LinkAttributes, LinkChange, LinkCreate, LinkReference, VethPeer } from './link-request.js'
export { type LinkEvent, LinkWatch, type LinkWatchOptions } from './link-watch.js'
export { type LinkFilter, Links } from './links.js'
export { RouteConnection } from './route-connection.js'
