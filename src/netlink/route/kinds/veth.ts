import { table } from '../../core/index.js'
import { linkKind } from './kind.js'

/** A pair of CAN links. */
export const vxcan = linkKind('vxcan', table('VXCAN_INFO_', {}), { peer: 1 })
/** A pair of Ethernet links. The peer is a link of its own, given as `peer` at creation, not a setting. */
export const veth = linkKind('veth', table('VETH_INFO_', {}), { peer: 1 })
