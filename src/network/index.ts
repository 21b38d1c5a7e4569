/**
 * Networks as users have them: a namespace with its links, addresses, routes and neighbors in one object.
 *
 * May use `errors`, `address`, `lifecycle`, `netns`, `netlink/core`, `netlink/route`, `netlink/generic`,
 * `netlink/netfilter`, `tuntap`.
 */
export type {
  MasqueradeOptions,
  Nat,
  NatRule,
  PortForwardOptions,
  PortRange,
} from '../netlink/netfilter/index.js'
export type { BridgeJoin } from './bridge-join.js'
export { Network, type NetworkCreateOptions } from './network.js'
export { type LinkAddress, type NetworkLinkCreate, NetworkLinks } from './network-links.js'
export type { Scope } from './scope.js'
export type { TuntapLinkSettings } from './tuntap-link.js'
