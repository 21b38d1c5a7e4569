/** Numbers of include/uapi/linux/ethtool_netlink.h and ethtool.h, under the kernel's names. */

export const ETHTOOL_MSG = {
  STRSET_GET: 1,
  LINKINFO_GET: 2,
  LINKINFO_SET: 3,
  LINKMODES_GET: 4,
  LINKMODES_SET: 5,
  LINKSTATE_GET: 6,
  DEBUG_GET: 7,
  DEBUG_SET: 8,
  WOL_GET: 9,
  WOL_SET: 10,
  FEATURES_GET: 11,
  FEATURES_SET: 12,
  PRIVFLAGS_GET: 13,
  PRIVFLAGS_SET: 14,
  RINGS_GET: 15,
  RINGS_SET: 16,
  CHANNELS_GET: 17,
  CHANNELS_SET: 18,
  COALESCE_GET: 19,
  COALESCE_SET: 20,
  PAUSE_GET: 21,
  PAUSE_SET: 22,
  EEE_GET: 23,
  EEE_SET: 24,
  TSINFO_GET: 25,
  STATS_GET: 32,
  MODULE_GET: 34,
  MODULE_SET: 35,
  // What the kernel sends by itself counts on its own.
  LINKINFO_NTF: 3,
  LINKMODES_NTF: 5,
  DEBUG_NTF: 8,
  WOL_NTF: 10,
  FEATURES_NTF: 13,
  PRIVFLAGS_NTF: 15,
  RINGS_NTF: 17,
  CHANNELS_NTF: 19,
  COALESCE_NTF: 21,
  PAUSE_NTF: 23,
  EEE_NTF: 25,
  MODULE_NTF: 36,
} as const

/** Flags in a request's header. */
export const ETHTOOL_FLAG = { COMPACT_BITSETS: 1, OMIT_REPLY: 2, STATS: 4 } as const

/** Sets of strings, which bits and statistics have their names from. */
export const ETH_SS = {
  TEST: 0,
  STATS: 1,
  PRIV_FLAGS: 2,
  NTUPLE_FILTERS: 3,
  FEATURES: 4,
  RSS_HASH_FUNCS: 5,
  TUNABLES: 6,
  PHY_STATS: 7,
  PHY_TUNABLES: 8,
  LINK_MODES: 9,
  MSG_CLASSES: 10,
  WOL_MODES: 11,
  SOF_TIMESTAMPING: 12,
  TS_TX_TYPES: 13,
  TS_RX_FILTERS: 14,
  UDP_TUNNEL_TYPES: 15,
  STATS_STD: 16,
  STATS_ETH_PHY: 17,
  STATS_ETH_MAC: 18,
  STATS_ETH_CTRL: 19,
  STATS_RMON: 20,
} as const

export const BITSET = { NOMASK: 1, SIZE: 2, BITS: 3, VALUE: 4, MASK: 5 } as const
export const BITSET_BIT = { INDEX: 1, NAME: 2, VALUE: 3 } as const
export const BITSET_BITS = { BIT: 1 } as const
export const STATS = { HEADER: 2, GROUPS: 3, GRP: 4 } as const
export const STATS_GRP = {
  ID: 2,
  SS_ID: 3,
  STAT: 4,
  HIST_RX: 5,
  HIST_TX: 6,
  HIST_BKT_LOW: 7,
  HIST_BKT_HI: 8,
  HIST_VAL: 9,
} as const
