import { field, reported, table, u32 } from '../../core/index.js'
import { linkKind } from './kind.js'

/** A routing domain: its ports use its table. include/uapi/linux/if_link.h, enum IFLA_VRF_*. */
export const vrf = linkKind('vrf', table('IFLA_VRF_', { table: field(1, 'TABLE', u32) }))

/** A port of it. include/uapi/linux/if_link.h, enum IFLA_VRF_PORT_*. */
export const vrfPort = linkKind('vrf', table('IFLA_VRF_PORT_', { table: reported(1, 'TABLE', u32) }))
