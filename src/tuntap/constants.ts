/**
 * Numbers of include/uapi/linux/if_tun.h, under the kernel's names. Kept here because the headers of a build
 * machine may be older than the kernel that runs: what a kernel offers is found by asking it.
 */

/** `ifr_flags` of TUNSETIFF and TUNGETIFF. */
export const flags = {
  IFF_TUN: 0x0001,
  IFF_TAP: 0x0002,
  IFF_NAPI: 0x0010,
  IFF_NAPI_FRAGS: 0x0020,
  IFF_NO_CARRIER: 0x0040,
  IFF_MULTI_QUEUE: 0x0100,
  IFF_ATTACH_QUEUE: 0x0200,
  IFF_DETACH_QUEUE: 0x0400,
  IFF_PERSIST: 0x0800,
  IFF_NO_PI: 0x1000,
  IFF_VNET_HDR: 0x4000,
  IFF_TUN_EXCL: 0x8000,
} as const

/** Bits of TUNSETOFFLOAD. USO bits go as a pair; all need TUN_F_CSUM. */
export const offloadBits = {
  TUN_F_CSUM: 0x01,
  TUN_F_TSO4: 0x02,
  TUN_F_TSO6: 0x04,
  TUN_F_TSO_ECN: 0x08,
  TUN_F_USO4: 0x20,
  TUN_F_USO6: 0x40,
  TUN_F_UDP_TUNNEL_GSO: 0x80,
  TUN_F_UDP_TUNNEL_GSO_CSUM: 0x100,
} as const

/** One ioctl each; the order is that of `TuntapRequest` in native/sys/tuntap.h. */
export const requests = {
  TUNGETFEATURES: 0,
  TUNSETPERSIST: 1,
  TUNSETOWNER: 2,
  TUNSETGROUP: 3,
  TUNSETSNDBUF: 4,
  TUNGETSNDBUF: 5,
  TUNSETOFFLOAD: 6,
  TUNSETVNETHDRSZ: 7,
  TUNGETVNETHDRSZ: 8,
  TUNSETCARRIER: 9,
  TUNSETQUEUE: 10,
  TUNSETVNETLE: 11,
  TUNGETVNETLE: 12,
  TUNSETVNETBE: 13,
  TUNGETVNETBE: 14,
  TUNSETSTEERINGEBPF: 15,
  TUNSETFILTEREBPF: 16,
  TUNGETDEVNETNS: 17,
  TUNDETACHFILTER: 18,
} as const
