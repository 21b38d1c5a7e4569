import { field, list, mapping, maskedBits, table, u16, u16be, word } from '../../core/index.js'
import { linkKind } from './kind.js'

/** include/uapi/linux/if_vlan.h, enum vlan_flags. */
const vlanFlags = { reorderHeader: 1, gvrp: 2, looseBinding: 4, mvrp: 8, bridgeBinding: 0x10 } as const

/** One VLAN of the link beneath (`lower`). include/uapi/linux/if_link.h, enum IFLA_VLAN_*. */
export const vlan = linkKind(
  'vlan',
  table('IFLA_VLAN_', {
    /** 0 to 4094. */
    id: field(1, 'ID', u16),
    /** Those not given stay as they are. */
    flags: field(2, 'FLAGS', maskedBits(vlanFlags)),
    /** From the priority of a packet in this system to the one in its tag. What is given is added. */
    egressPriorities: field(3, 'EGRESS_QOS', list(1, mapping)),
    /** From the priority in a tag to the one in this system. */
    ingressPriorities: field(4, 'INGRESS_QOS', list(1, mapping)),
    protocol: field(5, 'PROTOCOL', word(u16be, { '802.1q': 0x8100, '802.1ad': 0x88a8 })),
  }),
)
