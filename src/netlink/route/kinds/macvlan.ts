import { bits, field, list, macAddress, reported, s32, table, u16, u32, word } from '../../core/index.js'
import { linkKind } from './kind.js'

/** include/uapi/linux/if_link.h, enum IFLA_MACVLAN_*. */
const settings = table('IFLA_MACVLAN_', {
  /** enum macvlan_mode: whom its traffic reaches of those on the same link beneath. */
  mode: field(1, 'MODE', word(u32, { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 })),
  /** MACVLAN_FLAG_*. Those not given are off. */
  flags: field(2, 'FLAGS', bits(u16, { noPromiscuous: 1, noDestination: 2 })),
  /** enum macvlan_macaddr_mode: what to do with `sourceAddress` or `sourceAddresses`, in mode `source`. */
  sourceAction: field(3, 'MACADDR_MODE', word(u32, { add: 0, delete: 1, flush: 2, set: 3 }), {
    writeOnly: true,
  }),
  /** For `add` and `delete`. */
  sourceAddress: field(4, 'MACADDR', macAddress, { writeOnly: true }),
  /** For `set`; reported in mode `source`. */
  sourceAddresses: field(5, 'MACADDR_DATA', list(4, macAddress)),
  sourceAddressCount: reported(6, 'MACADDR_COUNT', u32),
  /** Broadcasts that wait: asked for, and the largest that any link beside it asked for. */
  broadcastQueueLength: field(7, 'BC_QUEUE_LEN', u32),
  broadcastQueueLengthUsed: reported(8, 'BC_QUEUE_LEN_USED', u32),
  /** Up to how many receivers a broadcast is delivered at once instead of queued; -1: always queued. */
  broadcastCutoff: field(9, 'BC_CUTOFF', s32),
})

/** A link with a MAC address of its own on the link beneath (`lower`). */
export const macvlan = linkKind('macvlan', settings)
/** The same with a character device, /dev/tapN, where N is the index. */
export const macvtap = linkKind('macvtap', settings)
