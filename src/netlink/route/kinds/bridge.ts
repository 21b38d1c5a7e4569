import {
  bool8,
  bytes,
  centiseconds,
  field,
  ipAddress,
  macAddress,
  maskedBits,
  nest,
  reported,
  table,
  u8,
  u16,
  u16be,
  u32,
} from '../../core/index.js'
import { linkKind } from './kind.js'

/** include/uapi/linux/if_bridge.h, enum br_boolopt_id: bits by number. */
export const bridgeOptions = {
  noLinkLocalLearning: 1,
  multicastVlanSnooping: 2,
  multipleSpanningTrees: 4,
  mdbOffloadFailNotification: 8,
  localVlan0: 0x10,
} as const

/** Who asks for multicast listeners: include/uapi/linux/if_bridge.h, enum BRIDGE_QUERIER_*. */
const querier = table(
  'BRIDGE_QUERIER_',
  {
    address: reported(1, 'IP_ADDRESS', ipAddress),
    /** Index of the port that it is behind. */
    port: reported(2, 'IP_PORT', u32),
    timerMs: reported(3, 'IP_OTHER_TIMER', centiseconds(64)),
    ipv6Address: reported(5, 'IPV6_ADDRESS', ipAddress),
    ipv6Port: reported(6, 'IPV6_PORT', u32),
    ipv6TimerMs: reported(7, 'IPV6_OTHER_TIMER', centiseconds(64)),
  },
  4,
)

/** include/uapi/linux/if_link.h, enum IFLA_BR_*. Times are what the kernel keeps in hundredths of a second. */
export const bridge = linkKind(
  'bridge',
  table(
    'IFLA_BR_',
    {
      forwardDelayMs: field(1, 'FORWARD_DELAY', centiseconds(32)),
      helloTimeMs: field(2, 'HELLO_TIME', centiseconds(32)),
      maxAgeMs: field(3, 'MAX_AGE', centiseconds(32)),
      /** How long a MAC address is remembered; 0 never forgets. */
      ageingTimeMs: field(4, 'AGEING_TIME', centiseconds(32)),
      /** 0 off, 1 the kernel's spanning tree, 2 a program's. */
      stpState: field(5, 'STP_STATE', u32),
      priority: field(6, 'PRIORITY', u16),
      vlanFiltering: field(7, 'VLAN_FILTERING', bool8),
      /** EtherType, 0x8100 or 0x88a8. */
      vlanProtocol: field(8, 'VLAN_PROTOCOL', u16be),
      /** One bit for each of 01:80:c2:00:00:0X to forward. */
      groupForwardMask: field(9, 'GROUP_FWD_MASK', u16),
      rootId: reported(10, 'ROOT_ID', bytes),
      bridgeId: reported(11, 'BRIDGE_ID', bytes),
      rootPort: reported(12, 'ROOT_PORT', u16),
      rootPathCost: reported(13, 'ROOT_PATH_COST', u32),
      topologyChange: reported(14, 'TOPOLOGY_CHANGE', u8),
      topologyChangeDetected: reported(15, 'TOPOLOGY_CHANGE_DETECTED', u8),
      helloTimerMs: reported(16, 'HELLO_TIMER', centiseconds(64)),
      tcnTimerMs: reported(17, 'TCN_TIMER', centiseconds(64)),
      topologyChangeTimerMs: reported(18, 'TOPOLOGY_CHANGE_TIMER', centiseconds(64)),
      gcTimerMs: reported(19, 'GC_TIMER', centiseconds(64)),
      groupAddress: field(20, 'GROUP_ADDR', macAddress),
      multicastRouter: field(22, 'MCAST_ROUTER', u8),
      multicastSnooping: field(23, 'MCAST_SNOOPING', bool8),
      multicastQueryUseIfaddr: field(24, 'MCAST_QUERY_USE_IFADDR', bool8),
      multicastQuerier: field(25, 'MCAST_QUERIER', bool8),
      multicastHashElasticity: field(26, 'MCAST_HASH_ELASTICITY', u32),
      multicastHashMax: field(27, 'MCAST_HASH_MAX', u32),
      multicastLastMemberCount: field(28, 'MCAST_LAST_MEMBER_CNT', u32),
      multicastStartupQueryCount: field(29, 'MCAST_STARTUP_QUERY_CNT', u32),
      multicastLastMemberIntervalMs: field(30, 'MCAST_LAST_MEMBER_INTVL', centiseconds(64)),
      multicastMembershipIntervalMs: field(31, 'MCAST_MEMBERSHIP_INTVL', centiseconds(64)),
      multicastQuerierIntervalMs: field(32, 'MCAST_QUERIER_INTVL', centiseconds(64)),
      multicastQueryIntervalMs: field(33, 'MCAST_QUERY_INTVL', centiseconds(64)),
      multicastQueryResponseIntervalMs: field(34, 'MCAST_QUERY_RESPONSE_INTVL', centiseconds(64)),
      multicastStartupQueryIntervalMs: field(35, 'MCAST_STARTUP_QUERY_INTVL', centiseconds(64)),
      nfCallIptables: field(36, 'NF_CALL_IPTABLES', bool8),
      nfCallIp6tables: field(37, 'NF_CALL_IP6TABLES', bool8),
      nfCallArptables: field(38, 'NF_CALL_ARPTABLES', bool8),
      vlanDefaultPvid: field(39, 'VLAN_DEFAULT_PVID', u16),
      vlanStatsEnabled: field(41, 'VLAN_STATS_ENABLED', bool8),
      multicastStatsEnabled: field(42, 'MCAST_STATS_ENABLED', bool8),
      igmpVersion: field(43, 'MCAST_IGMP_VERSION', u8),
      mldVersion: field(44, 'MCAST_MLD_VERSION', u8),
      vlanStatsPerPort: field(45, 'VLAN_STATS_PER_PORT', bool8),
      /** Those not given stay as they are. */
      options: field(46, 'MULTI_BOOLOPT', maskedBits(bridgeOptions)),
      multicastQuerierState: reported(47, 'MCAST_QUERIER_STATE', nest(querier)),
      /** Learned addresses that there are, and that there may be; 0 is without limit. */
      learnedAddresses: reported(48, 'FDB_N_LEARNED', u32),
      maxLearnedAddresses: field(49, 'FDB_MAX_LEARNED', u32),
    },
    40,
  ),
)
