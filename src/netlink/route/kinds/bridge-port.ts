import {
  action,
  bool8,
  bytes,
  centiseconds,
  field,
  reported,
  table,
  u8,
  u16,
  u32,
  word,
} from '../../core/index.js'
import { linkKind } from './kind.js'
import { linkIndex } from './link-index.js'

/** A port of a bridge. include/uapi/linux/if_link.h, enum IFLA_BRPORT_*. */
export const bridgePort = linkKind(
  'bridge',
  table(
    'IFLA_BRPORT_',
    {
      /**
       * include/uapi/linux/if_bridge.h, BR_STATE_*. To be set on ports that are up, where the spanning tree is a
       * program's or none; with none the kernel turns `blocking` into `forwarding`.
       */
      state: field(
        1,
        'STATE',
        word(u8, { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 }),
      ),
      /** 0 to 63. */
      priority: field(2, 'PRIORITY', u16),
      /** 1 to 65535. */
      cost: field(3, 'COST', u32),
      /** Sends frames back out of the port they came from. */
      hairpin: field(4, 'MODE', bool8),
      /** Goes down when a spanning tree's message comes in. */
      guard: field(5, 'GUARD', bool8),
      /** Never becomes the port towards the root. */
      rootBlock: field(6, 'PROTECT', bool8),
      fastLeave: field(7, 'FAST_LEAVE', bool8),
      learning: field(8, 'LEARNING', bool8),
      /** Whether frames for unknown unicast addresses go out. */
      flood: field(9, 'UNICAST_FLOOD', bool8),
      proxyArp: field(10, 'PROXYARP', bool8),
      /** Of switches in hardware. */
      learningSync: reported(11, 'LEARNING_SYNC', bool8),
      proxyArpWifi: field(12, 'PROXYARP_WIFI', bool8),
      rootId: reported(13, 'ROOT_ID', bytes),
      bridgeId: reported(14, 'BRIDGE_ID', bytes),
      designatedPort: reported(15, 'DESIGNATED_PORT', u16),
      designatedCost: reported(16, 'DESIGNATED_COST', u16),
      id: reported(17, 'ID', u16),
      number: reported(18, 'NO', u16),
      topologyChangeAck: reported(19, 'TOPOLOGY_CHANGE_ACK', bool8),
      configPending: reported(20, 'CONFIG_PENDING', bool8),
      messageAgeTimerMs: reported(21, 'MESSAGE_AGE_TIMER', centiseconds(64)),
      forwardDelayTimerMs: reported(22, 'FORWARD_DELAY_TIMER', centiseconds(64)),
      holdTimerMs: reported(23, 'HOLD_TIMER', centiseconds(64)),
      /** Forgets the addresses learned at the port. */
      flush: field(24, 'FLUSH', action, { writeOnly: true }),
      /** 0 never, 1 if one is heard, 2 always, 3 for a while. */
      multicastRouter: field(25, 'MULTICAST_ROUTER', u8),
      multicastFlood: field(27, 'MCAST_FLOOD', bool8),
      multicastToUnicast: field(28, 'MCAST_TO_UCAST', bool8),
      vlanTunnel: field(29, 'VLAN_TUNNEL', bool8),
      broadcastFlood: field(30, 'BCAST_FLOOD', bool8),
      groupForwardMask: field(31, 'GROUP_FWD_MASK', u16),
      neighborSuppression: field(32, 'NEIGH_SUPPRESS', bool8),
      /** Reaches only ports that are not. */
      isolated: field(33, 'ISOLATED', bool8),
      /** The port that takes over while this one has no carrier. */
      backupPort: field(34, 'BACKUP_PORT', linkIndex),
      mrpRingOpen: reported(35, 'MRP_RING_OPEN', bool8),
      mrpInOpen: reported(36, 'MRP_IN_OPEN', bool8),
      multicastEhtHostsLimit: field(37, 'MCAST_EHT_HOSTS_LIMIT', u32),
      multicastEhtHostsCount: reported(38, 'MCAST_EHT_HOSTS_CNT', u32),
      /** Only addresses in the forwarding database may send. */
      locked: field(39, 'LOCKED', bool8),
      /** On a locked port: enters the addresses that try, as locked. */
      macAuthenticationBypass: field(40, 'MAB', bool8),
      multicastGroups: reported(41, 'MCAST_N_GROUPS', u32),
      multicastMaxGroups: field(42, 'MCAST_MAX_GROUPS', u32),
      neighborVlanSuppression: field(43, 'NEIGH_VLAN_SUPPRESS', bool8),
      /** Id of a next hop; 0 for none. */
      backupNextHop: field(44, 'BACKUP_NHID', u32),
    },
    26,
  ),
)
