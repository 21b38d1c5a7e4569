import { table } from '../../core/index.js'
import { linkKind } from './kind.js'

/** A device that drops what it is given, to hold an address. */
export const dummy = linkKind('dummy', table('', {}))
/** A device that traffic is redirected to, to be shaped. */
export const ifb = linkKind('ifb', table('', {}))
/** A device that sees all netlink messages of its namespace. */
export const nlmon = linkKind('nlmon', table('', {}))
/** A WireGuard tunnel, whose keys and peers are another netlink family's business. */
export const wireguard = linkKind('wireguard', table('', {}))
/** A CAN bus that ends in this system. */
export const vcan = linkKind('vcan', table('', {}))
/** Several links as one, as a program directs through another netlink family. */
export const team = linkKind('team', table('', {}))
