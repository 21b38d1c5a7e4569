/**
 * TUN and TAP devices as frame ports.
 *
 * A {@link Tap} or {@link Tun} is one queue of a device of the kernel's. Devices are opened and set up without
 * running a program, in any namespace, by root or in a user namespace. May use `errors`, `native` (through
 * handle.ts), `address`, `lifecycle`, `frames`, `netns`, `port`, `netlink/core`, `netlink/route`.
 */
export type { AdoptOptions } from './attach.js'
export { type TuntapFeatures, tuntapFeatures } from './features.js'
export type { MacvtapOptions } from './macvtap.js'
export type { DriverOptions, LinkOptions, TuntapOptions } from './options.js'
export type { TakenDescriptor } from './taken-descriptor.js'
export { Tap } from './tap.js'
export { Tun, type TunOptions } from './tun.js'
export { TuntapPort } from './tuntap-port.js'
