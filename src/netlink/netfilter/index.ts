/**
 * Address translation by nf_tables, through netlink, and what others have there.
 *
 * May use `errors`, `address`, `lifecycle`, `netns`, `netlink/core`.
 */

export { type BaseChain, listBaseChains } from './base-chains.js'
export type { PortRange } from './expressions.js'
export { type MasqueradeOptions, Nat, type NatRule, type PortForwardOptions } from './nat.js'
