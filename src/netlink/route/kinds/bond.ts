import {
  bool8,
  field,
  ipv4,
  ipv6,
  list,
  macAddress,
  nest,
  reported,
  s32,
  table,
  u8,
  u16,
  u32,
  word,
} from '../../core/index.js'
import { linkKind } from './kind.js'
import { linkIndex } from './link-index.js'

/** enum IFLA_BOND_AD_INFO_*: the active aggregator. */
const aggregator = table('IFLA_BOND_AD_INFO_', {
  id: reported(1, 'AGGREGATOR', u16),
  ports: reported(2, 'NUM_PORTS', u16),
  actorKey: reported(3, 'ACTOR_KEY', u16),
  partnerKey: reported(4, 'PARTNER_KEY', u16),
  partnerMacAddress: reported(5, 'PARTNER_MAC', macAddress),
})

/**
 * Several links as one. A link becomes a port only while it is down. include/uapi/linux/if_link.h, enum IFLA_BOND_*;
 * the numbers of words are from include/net/bonding.h and bond_options.c.
 */
export const bond = linkKind(
  'bond',
  table('IFLA_BOND_', {
    mode: field(
      1,
      'MODE',
      word(u8, {
        'balance-rr': 0,
        'active-backup': 1,
        'balance-xor': 2,
        broadcast: 3,
        '802.3ad': 4,
        'balance-tlb': 5,
        'balance-alb': 6,
      }),
    ),
    /** The port in use; `null` lets go of it. */
    activePort: field(2, 'ACTIVE_SLAVE', linkIndex),
    /** How often carriers are looked at; 0 never. */
    miiIntervalMs: field(3, 'MIIMON', u32),
    upDelayMs: field(4, 'UPDELAY', u32),
    downDelayMs: field(5, 'DOWNDELAY', u32),
    useCarrier: field(6, 'USE_CARRIER', bool8),
    arpIntervalMs: field(7, 'ARP_INTERVAL', u32),
    /** At most 16; these replace those that were. */
    arpTargets: field(8, 'ARP_IP_TARGET', list('counted', ipv4)),
    arpValidate: field(
      9,
      'ARP_VALIDATE',
      word(u32, {
        none: 0,
        active: 1,
        backup: 2,
        all: 3,
        filter: 4,
        'filter-active': 5,
        'filter-backup': 6,
      }),
    ),
    arpAllTargets: field(10, 'ARP_ALL_TARGETS', word(u32, { any: 0, all: 1 })),
    /** The port that is used while it can be. */
    primary: field(11, 'PRIMARY', linkIndex),
    primaryReselect: field(12, 'PRIMARY_RESELECT', word(u8, { always: 0, better: 1, failure: 2 })),
    failOverMacAddress: field(13, 'FAIL_OVER_MAC', word(u8, { none: 0, active: 1, follow: 2 })),
    transmitHashPolicy: field(
      14,
      'XMIT_HASH_POLICY',
      word(u8, {
        layer2: 0,
        'layer3+4': 1,
        'layer2+3': 2,
        'encap2+3': 3,
        'encap3+4': 4,
        'vlan+srcmac': 5,
      }),
    ),
    igmpResends: field(15, 'RESEND_IGMP', u32),
    peerNotifications: field(16, 'NUM_PEER_NOTIF', u8),
    allPortsActive: field(17, 'ALL_SLAVES_ACTIVE', bool8),
    /** How many ports with carrier it takes to have one. */
    minLinks: field(18, 'MIN_LINKS', u32),
    learningPacketIntervalSeconds: field(19, 'LP_INTERVAL', u32),
    packetsPerPort: field(20, 'PACKETS_PER_SLAVE', u32),
    lacpRate: field(21, 'AD_LACP_RATE', word(u8, { slow: 0, fast: 1 })),
    aggregatorSelection: field(22, 'AD_SELECT', word(u8, { stable: 0, bandwidth: 1, count: 2 })),
    aggregator: reported(23, 'AD_INFO', nest(aggregator)),
    actorSystemPriority: field(24, 'AD_ACTOR_SYS_PRIO', u16),
    userPortKey: field(25, 'AD_USER_PORT_KEY', u16),
    actorSystem: field(26, 'AD_ACTOR_SYSTEM', macAddress),
    tlbDynamic: field(27, 'TLB_DYNAMIC_LB', bool8),
    peerNotificationDelayMs: field(28, 'PEER_NOTIF_DELAY', u32),
    lacpActive: field(29, 'AD_LACP_ACTIVE', bool8),
    missedMax: field(30, 'MISSED_MAX', u8),
    /** IPv6 addresses that are looked for by neighbor solicitation. At most 16. */
    neighborTargets: field(31, 'NS_IP6_TARGET', list('counted', ipv6)),
    coupledControl: field(32, 'COUPLED_CONTROL', bool8),
    broadcastNeighbors: field(33, 'BROADCAST_NEIGH', bool8),
  }),
)

/** A port of it. include/uapi/linux/if_link.h, enum IFLA_BOND_SLAVE_*. */
export const bondPort = linkKind(
  'bond',
  table('IFLA_BOND_SLAVE_', {
    state: reported(1, 'STATE', word(u8, { active: 0, backup: 1 })),
    miiStatus: reported(2, 'MII_STATUS', word(u8, { up: 0, 'going-down': 1, down: 2, 'going-back': 3 })),
    linkFailures: reported(3, 'LINK_FAILURE_COUNT', u32),
    permanentMacAddress: reported(4, 'PERM_HWADDR', macAddress),
    queueId: field(5, 'QUEUE_ID', u16),
    aggregatorId: reported(6, 'AD_AGGREGATOR_ID', u16),
    /** Bits of IEEE 802.1AX, 6.4.2.3. */
    actorPortState: reported(7, 'AD_ACTOR_OPER_PORT_STATE', u8),
    partnerPortState: reported(8, 'AD_PARTNER_OPER_PORT_STATE', u16),
    /** Of ports that could become the active one: the higher is taken. */
    priority: field(9, 'PRIO', s32),
    actorPortPriority: field(10, 'ACTOR_PORT_PRIO', u16),
    actorChurnState: reported(11, 'AD_CHURN_ACTOR_STATE', u8),
    partnerChurnState: reported(12, 'AD_CHURN_PARTNER_STATE', u8),
  }),
)
