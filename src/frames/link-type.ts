/**
 * What the first byte of a frame belongs to. The names follow the registry of LINKTYPE_ values that
 * capture files use (https://www.tcpdump.org/linktypes.html).
 */
export const linkTypes = {
  /** BSD loopback: a four-byte protocol family, then the packet. */
  null: 0,
  ethernet: 1,
  /** Raw IPv4 or IPv6, told apart by the version nibble. */
  ip: 101,
  /** OpenBSD loopback: as `null`, with the family in network byte order. */
  loop: 108,
  'linux-sll': 113,
  /** For private use: what datagrams of UDP carry, which nobody here can decode. */
  user0: 147,
  /** Raw IPv4 only. */
  ipv4: 228,
  /** Raw IPv6 only. */
  ipv6: 229,
  'linux-sll2': 276,
} as const

export type LinkType = keyof typeof linkTypes
