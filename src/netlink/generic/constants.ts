/** Numbers of include/uapi/linux/genetlink.h, under the kernel's names. */

/** The controller has a fixed number; all others are given out as they register. */
export const GENL_ID_CTRL = 16

/** Bytes of struct genlmsghdr. */
export const GENL_HDRLEN = 4

export const CTRL_CMD = { NEWFAMILY: 1, GETFAMILY: 3, GETPOLICY: 10 } as const

/** What may be asked of an operation, and what it needs. */
export const operationFlags = {
  adminOnly: 0x01,
  request: 0x02,
  dump: 0x04,
  hasPolicy: 0x08,
  namespaceAdmin: 0x10,
} as const
