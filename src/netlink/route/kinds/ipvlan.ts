import { bits, field, table, u16, word } from '../../core/index.js'
import { linkKind } from './kind.js'

/** include/uapi/linux/if_link.h, enum IFLA_IPVLAN_*. */
const settings = table('IFLA_IPVLAN_', {
  /** enum ipvlan_mode. All on one link beneath share it. */
  mode: field(1, 'MODE', word(u16, { l2: 0, l3: 1, l3s: 2 })),
  /** IPVLAN_F_*. Those not given are off. */
  flags: field(2, 'FLAGS', bits(u16, { private: 1, vepa: 2 })),
})

/** A link with IP addresses of its own and the MAC address of the link beneath (`lower`). */
export const ipvlan = linkKind('ipvlan', settings)
/** The same with a character device, /dev/tapN, where N is the index. */
export const ipvtap = linkKind('ipvtap', settings)
