/** Numbers of the kernel's route netlink headers, under the kernel's names. */

/** include/uapi/linux/rtnetlink.h */
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
  NEWQDISC: 36,
  DELQDISC: 37,
  GETQDISC: 38,
  NEWTCLASS: 40,
  DELTCLASS: 41,
  GETTCLASS: 42,
  NEWTFILTER: 44,
  DELTFILTER: 45,
  GETTFILTER: 46,
  NEWLINKPROP: 108,
  DELLINKPROP: 109,
  NEWRULE: 32,
  DELRULE: 33,
  GETRULE: 34,
  NEWMDB: 84,
  DELMDB: 85,
  GETMDB: 86,
  NEWNSID: 88,
  DELNSID: 89,
  GETNSID: 90,
  NEWNEXTHOP: 104,
  DELNEXTHOP: 105,
  GETNEXTHOP: 106,
} as const

/** include/uapi/linux/rtnetlink.h, enum rtnetlink_groups */
export const RTNLGRP = {
  LINK: 1,
  NEIGH: 3,
  TC: 4,
  IPV4_IFADDR: 5,
  IPV4_ROUTE: 7,
  IPV4_RULE: 8,
  IPV6_IFADDR: 9,
  IPV6_ROUTE: 11,
  IPV6_RULE: 19,
  NEXTHOP: 32,
} as const

/** include/linux/socket.h */
export const AF = { UNSPEC: 0, BRIDGE: 7, INET: 2, INET6: 10 } as const

/** include/uapi/linux/if.h */
export const IFF = {
  UP: 1,
  BROADCAST: 2,
  LOOPBACK: 8,
  POINTOPOINT: 0x10,
  RUNNING: 0x40,
  NOARP: 0x80,
  PROMISC: 0x100,
  ALLMULTI: 0x200,
  MULTICAST: 0x1000,
  LOWER_UP: 0x10000,
} as const

/** include/uapi/linux/if_link.h */
export const IFLA = {
  ADDRESS: 1,
  BROADCAST: 2,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  QDISC: 6,
  MASTER: 10,
  TXQLEN: 13,
  OPERSTATE: 16,
  LINKMODE: 17,
  LINKINFO: 18,
  NET_NS_PID: 19,
  IFALIAS: 20,
  STATS64: 23,
  AF_SPEC: 26,
  GROUP: 27,
  NET_NS_FD: 28,
  EXT_MASK: 29,
  PROMISCUITY: 30,
  NUM_TX_QUEUES: 31,
  NUM_RX_QUEUES: 32,
  CARRIER: 33,
  PHYS_PORT_ID: 34,
  CARRIER_CHANGES: 35,
  PHYS_SWITCH_ID: 36,
  LINK_NETNSID: 37,
  PHYS_PORT_NAME: 38,
  PROTO_DOWN: 39,
  GSO_MAX_SEGS: 40,
  GSO_MAX_SIZE: 41,
  XDP: 43,
  NEW_NETNSID: 45,
  CARRIER_UP_COUNT: 47,
  CARRIER_DOWN_COUNT: 48,
  MIN_MTU: 50,
  MAX_MTU: 51,
  PROP_LIST: 52,
  ALT_IFNAME: 53,
  PERM_ADDRESS: 54,
  PARENT_DEV_NAME: 56,
  PARENT_DEV_BUS_NAME: 57,
  GRO_MAX_SIZE: 58,
  TSO_MAX_SIZE: 59,
  TSO_MAX_SEGS: 60,
  ALLMULTI: 61,
  GSO_IPV4_MAX_SIZE: 63,
  GRO_IPV4_MAX_SIZE: 64,
} as const

/** The last attribute that this library was written with in mind; later ones are kept raw. */
export const lastKnownLinkAttribute = 69

export const IFLA_INFO = { KIND: 1, DATA: 2, SLAVE_KIND: 4, SLAVE_DATA: 5 } as const
export const IFLA_INET6 = { ADDR_GEN_MODE: 8 } as const

/** include/uapi/linux/if_addr.h */
export const IFA = {
  ADDRESS: 1,
  LOCAL: 2,
  LABEL: 3,
  BROADCAST: 4,
  CACHEINFO: 6,
  FLAGS: 8,
  RT_PRIORITY: 9,
  PROTO: 11,
} as const

export const IFA_F = {
  SECONDARY: 0x01,
  NODAD: 0x02,
  OPTIMISTIC: 0x04,
  DADFAILED: 0x08,
  HOMEADDRESS: 0x10,
  DEPRECATED: 0x20,
  TENTATIVE: 0x40,
  PERMANENT: 0x80,
  MANAGETEMPADDR: 0x100,
  NOPREFIXROUTE: 0x200,
  MCAUTOJOIN: 0x400,
  STABLE_PRIVACY: 0x800,
} as const

/** include/uapi/linux/rtnetlink.h */
export const RTA = {
  DST: 1,
  SRC: 2,
  IIF: 3,
  OIF: 4,
  GATEWAY: 5,
  PRIORITY: 6,
  PREFSRC: 7,
  METRICS: 8,
  MULTIPATH: 9,
  FLOW: 11,
  CACHEINFO: 12,
  TABLE: 15,
  MARK: 16,
  VIA: 18,
  PREF: 20,
  ENCAP_TYPE: 21,
  ENCAP: 22,
  EXPIRES: 23,
  UID: 25,
  TTL_PROPAGATE: 26,
  IP_PROTO: 27,
  SPORT: 28,
  DPORT: 29,
  NH_ID: 30,
} as const

export const RTAX = {
  LOCK: 1,
  MTU: 2,
  WINDOW: 3,
  RTT: 4,
  RTTVAR: 5,
  SSTHRESH: 6,
  CWND: 7,
  ADVMSS: 8,
  REORDERING: 9,
  HOPLIMIT: 10,
  INITCWND: 11,
  FEATURES: 12,
  RTO_MIN: 13,
  INITRWND: 14,
  QUICKACK: 15,
  CC_ALGO: 16,
  FASTOPEN_NO_COOKIE: 17,
} as const

export const RTN = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
} as const

export const RT_SCOPE = { universe: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const
export const RT_TABLE = { UNSPEC: 0, MAIN: 254 } as const
export const RTNH_F = {
  DEAD: 1,
  PERVASIVE: 2,
  ONLINK: 4,
  OFFLOAD: 8,
  LINKDOWN: 16,
  UNRESOLVED: 32,
  TRAP: 64,
} as const
export const RTM_F = { CLONED: 0x200, FIB_MATCH: 0x2000, OFFLOAD: 0x4000, TRAP: 0x8000 } as const

/** include/uapi/linux/icmpv6.h, ICMPV6_ROUTER_PREF_*: the preference of a route, RFC 4191. */
export const ICMPV6_ROUTER_PREF = { medium: 0, high: 1, low: 3 } as const

/** Protocols of routes: who put them there. */
export const RTPROT = { redirect: 1, kernel: 2, boot: 3, static: 4, ra: 9, dhcp: 16 } as const

/** The protocol number of the routes that Netloom makes: none of those that rtnetlink.h or iproute2 give away. */
export const netloomProtocol = 78

/** The alias of the links that Netloom makes, unless they are given another. */
export const netloomAlias = 'netloom'

/** include/uapi/linux/neighbour.h */
export const NDA = {
  DST: 1,
  LLADDR: 2,
  CACHEINFO: 3,
  PROBES: 4,
  VLAN: 5,
  PORT: 6,
  VNI: 7,
  IFINDEX: 8,
  MASTER: 9,
  SRC_VNI: 11,
  PROTOCOL: 12,
  NH_ID: 13,
  FDB_EXT_ATTRS: 14,
  FLAGS_EXT: 15,
  NDM_STATE_MASK: 16,
  NDM_FLAGS_MASK: 17,
} as const

export const NUD = {
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
  none: 0,
} as const

export const NTF = {
  USE: 0x01,
  SELF: 0x02,
  MASTER: 0x04,
  PROXY: 0x08,
  EXT_LEARNED: 0x10,
  OFFLOADED: 0x20,
  STICKY: 0x40,
  ROUTER: 0x80,
} as const
/** In NDA_FLAGS_EXT. */
export const NTF_EXT = { MANAGED: 1, LOCKED: 2 } as const

/** include/uapi/linux/netlink.h: a deletion of all that match. */
export const NLM_F_BULK = 0x200

/** include/uapi/linux/fib_rules.h */
export const FRA = {
  DST: 1,
  SRC: 2,
  IIFNAME: 3,
  GOTO: 4,
  PRIORITY: 6,
  FWMARK: 10,
  FLOW: 11,
  TUN_ID: 12,
  SUPPRESS_IFGROUP: 13,
  SUPPRESS_PREFIXLEN: 14,
  TABLE: 15,
  FWMASK: 16,
  OIFNAME: 17,
  L3MDEV: 19,
  UID_RANGE: 20,
  PROTOCOL: 21,
  IP_PROTO: 22,
  SPORT_RANGE: 23,
  DPORT_RANGE: 24,
  DSCP: 25,
} as const

export const FIB_RULE = {
  PERMANENT: 1,
  INVERT: 2,
  UNRESOLVED: 4,
  IIF_DETACHED: 8,
  OIF_DETACHED: 16,
} as const

/** What a rule does; FR_ACT_TO_TBL is `lookup`. */
export const FR_ACT = {
  lookup: 1,
  goto: 2,
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
} as const

/** include/uapi/linux/nexthop.h */
export const NHA = {
  ID: 1,
  GROUP: 2,
  GROUP_TYPE: 3,
  BLACKHOLE: 4,
  OIF: 5,
  GATEWAY: 6,
  ENCAP_TYPE: 7,
  ENCAP: 8,
  GROUPS: 9,
  MASTER: 10,
  FDB: 11,
  RES_GROUP: 12,
} as const
export const NEXTHOP_GRP_TYPE = { mpath: 0, resilient: 1 } as const

/** include/uapi/linux/if_bridge.h */
export const IFLA_BRIDGE = { FLAGS: 0, VLAN_INFO: 2, VLAN_TUNNEL_INFO: 3 } as const
export const BRIDGE_FLAGS = { MASTER: 1, SELF: 2 } as const
export const BRIDGE_VLAN_INFO = {
  MASTER: 1,
  PVID: 2,
  UNTAGGED: 4,
  RANGE_BEGIN: 8,
  RANGE_END: 16,
  BRENTRY: 32,
} as const
export const IFLA_BRIDGE_VLAN_TUNNEL = { ID: 1, VID: 2, FLAGS: 3 } as const
/** include/uapi/linux/rtnetlink.h */
export const RTEXT_FILTER = { BRVLAN: 2, BRVLAN_COMPRESSED: 4, SKIP_STATS: 8 } as const

/** include/uapi/linux/if_bridge.h */
export const MDBA = { MDB: 1, ROUTER: 2 } as const
export const MDBA_MDB = { ENTRY: 1, ENTRY_INFO: 1 } as const
export const MDBA_MDB_EATTR = { TIMER: 1, SRC_LIST: 2, GROUP_MODE: 3, SOURCE: 4, RTPROT: 5 } as const
export const MDBA_MDB_SRCLIST = { ENTRY: 1 } as const
export const MDBA_MDB_SRCATTR = { ADDRESS: 1, TIMER: 2 } as const
export const MDBA_ROUTER = { PORT: 1 } as const
export const MDBA_ROUTER_PATTR = { TIMER: 1, TYPE: 2, VID: 5 } as const
export const MDBA_SET_ENTRY = 1
export const MDBA_SET_ENTRY_ATTRS = 2
export const MDBE_ATTR = { SOURCE: 1, SRC_LIST: 2, GROUP_MODE: 3, RTPROT: 4 } as const
export const MDBE_SRC_LIST = { ENTRY: 1 } as const
export const MDBE_SRCATTR = { ADDRESS: 1 } as const
export const MDB_STATE = { temporary: 0, permanent: 1 } as const
/** include/uapi/linux/in.h, filter modes of groups. */
export const MCAST = { exclude: 0, include: 1 } as const
export const MDB_FLAGS = { OFFLOAD: 1, FAST_LEAVE: 2, STAR_EXCL: 4, BLOCKED: 8 } as const
export const MDB_RTR_TYPE = { disabled: 0, 'temp-query': 1, permanent: 2, temporary: 3 } as const

/** include/uapi/linux/net_namespace.h */
export const NETNSA = { NSID: 1, PID: 2, FD: 3, TARGET_NSID: 4, CURRENT_NSID: 5 } as const
