/** Numbers of the kernel's nf_tables headers, under the kernel's names. */

/** include/uapi/linux/netfilter/nfnetlink.h */
export const NFNL = { SUBSYS_NFTABLES: 10, MSG_BATCH_BEGIN: 0x10, MSG_BATCH_END: 0x11 } as const

/** include/uapi/linux/netfilter.h, enum NFPROTO_* and NF_INET_*. */
export const NFPROTO = { UNSPEC: 0, INET: 1, IPV4: 2, IPV6: 10 } as const
/** Verdicts. */
export const NF = { ACCEPT: 1 } as const
export const NF_INET = { PRE_ROUTING: 0, LOCAL_OUT: 3, POST_ROUTING: 4 } as const

/** include/uapi/linux/netfilter_ipv4.h, enum nf_ip_hook_priorities */
export const NF_IP_PRI = { NAT_DST: -100, NAT_SRC: 100 } as const

/** include/uapi/linux/netfilter/nf_nat.h */
export const NF_NAT_RANGE = { PROTO_RANDOM_FULLY: 16 } as const

/** include/uapi/linux/netfilter/nf_tables.h, as all that follows. */
export const NFT_MSG = {
  NEWTABLE: 0,
  NEWCHAIN: 3,
  GETCHAIN: 4,
  NEWRULE: 6,
  DELRULE: 8,
} as const
export const NFT_TABLE_F = { OWNER: 2 } as const
export const NFT_REG = { REG_1: 1, REG_2: 2 } as const
export const NFT_PAYLOAD = { NETWORK_HEADER: 1, TRANSPORT_HEADER: 2 } as const
export const NFT_CMP = { EQ: 0, GTE: 5, LTE: 3 } as const
export const NFT_META = { IIFNAME: 6, OIFNAME: 7, NFPROTO: 15, L4PROTO: 16 } as const
export const NFT_NAT = { DNAT: 1 } as const

export const NFTA_TABLE = { NAME: 1, FLAGS: 2 } as const
export const NFTA_CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const
export const NFTA_HOOK = { HOOKNUM: 1, PRIORITY: 2 } as const
export const NFTA_RULE = { TABLE: 1, CHAIN: 2, HANDLE: 3, EXPRESSIONS: 4 } as const
export const NFTA_LIST = { ELEM: 1 } as const
export const NFTA_EXPR = { NAME: 1, DATA: 2 } as const
export const NFTA_DATA = { VALUE: 1 } as const
export const NFTA_IMMEDIATE = { DREG: 1, DATA: 2 } as const
export const NFTA_BITWISE = { SREG: 1, DREG: 2, LEN: 3, MASK: 4, XOR: 5 } as const
export const NFTA_CMP = { SREG: 1, OP: 2, DATA: 3 } as const
export const NFTA_PAYLOAD = { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4 } as const
export const NFTA_META = { DREG: 1, KEY: 2 } as const
export const NFTA_NAT = { TYPE: 1, FAMILY: 2, REG_ADDR_MIN: 3, REG_PROTO_MIN: 5 } as const
export const NFTA_MASQ = { FLAGS: 1 } as const
