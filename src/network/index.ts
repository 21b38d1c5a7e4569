/**
 * Networks as users have them: a namespace and its links and addresses in one object.
 *
 * May use `errors`, `address`, `lifecycle`, `netns`, `netlink/core`, `netlink/route`.
 */
export { Network, type NetworkCreateOptions } from './network.js'
export { type LinkAddress, type NetworkLinkCreate, NetworkLinks } from './network-links.js'
