import { bool8, reported, table, u8, u32, word } from '../../core/index.js'
import { linkKind } from './kind.js'

/** TUN and TAP devices, which only /dev/net/tun makes. include/uapi/linux/if_link.h, enum IFLA_TUN_*. */
export const tun = linkKind(
  'tun',
  table('IFLA_TUN_', {
    owner: reported(1, 'OWNER', u32),
    group: reported(2, 'GROUP', u32),
    type: reported(3, 'TYPE', word(u8, { tun: 1, tap: 2 })),
    packetInformation: reported(4, 'PI', bool8),
    vnetHeader: reported(5, 'VNET_HDR', bool8),
    persist: reported(6, 'PERSIST', bool8),
    multiQueue: reported(7, 'MULTI_QUEUE', bool8),
    queues: reported(8, 'NUM_QUEUES', u32),
    disabledQueues: reported(9, 'NUM_DISABLED_QUEUES', u32),
  }),
  { creatable: false },
)
