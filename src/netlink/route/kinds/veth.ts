import { table } from '../../core/index.js'
import { linkKind } from './kind.js'

/** A pair of Ethernet links. The peer is a link of its own, given as `peer` at creation, not a setting. */
export const veth = linkKind('veth', table('VETH_INFO_', {}))
