/**
 * Address translation by nf_tables, through netlink.
 *
 * May use `errors`, `address`, `lifecycle`, `netns`, `netlink/core`.
 */

export type { PortRange } from './expressions.js'
export { type MasqueradeOptions, Nat, type NatRule, type PortForwardOptions } from './nat.js'
