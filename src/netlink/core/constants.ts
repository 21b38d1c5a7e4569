/** Numbers of include/uapi/linux/netlink.h, under the kernel's names. */

export const NETLINK = { ROUTE: 0, NETFILTER: 12, GENERIC: 16 } as const

/** Message types below 16 are control messages. */
export const NLMSG = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4, MIN_TYPE: 16 } as const

export const NLM_F = {
  REQUEST: 0x01,
  MULTI: 0x02,
  ACK: 0x04,
  ECHO: 0x08,
  DUMP_INTR: 0x10,
  DUMP_FILTERED: 0x20,
  // For requests that get…
  ROOT: 0x100,
  MATCH: 0x200,
  DUMP: 0x300,
  // …that make…
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  // …and on acknowledgements.
  CAPPED: 0x100,
  ACK_TLVS: 0x200,
} as const

export const NLMSGERR_ATTR = {
  MSG: 1,
  OFFS: 2,
  COOKIE: 3,
  POLICY: 4,
  MISS_TYPE: 5,
  MISS_NEST: 6,
} as const

/** Flags in the two top bits of an attribute's type. */
export const NLA_F = { NESTED: 0x8000, NET_BYTEORDER: 0x4000 } as const
export const NLA_TYPE_MASK = 0x3fff

/** Bytes of struct nlmsghdr and struct nlattr. */
export const messageHeaderLength = 16
export const attributeHeaderLength = 4
