/** What the frames of a capture begin with. */
export type CaptureLinkType = 'ethernet' | 'ip' | 'linux-sll2'

/** ARPHRD_ numbers of links whose frames have an Ethernet header: include/uapi/linux/if_arp.h. */
const ethernet = new Set([
  1, // ARPHRD_ETHER
  772, // ARPHRD_LOOPBACK
])

/** Of links that carry IP and nothing else: without the link header, if there is one. */
const ip = new Set([
  512, // ARPHRD_PPP
  519, // ARPHRD_RAWIP
  768, // ARPHRD_TUNNEL: IPIP
  769, // ARPHRD_TUNNEL6
  776, // ARPHRD_SIT
  778, // ARPHRD_IPGRE
  823, // ARPHRD_IP6GRE
  0xfffe, // ARPHRD_NONE: TUN, WireGuard
])

/** Other kinds of links are captured with a header of the kernel's own making, which says what they carry. */
export function linkTypeOf(hardwareType: number): CaptureLinkType {
  if (ethernet.has(hardwareType)) return 'ethernet'
  return ip.has(hardwareType) ? 'ip' : 'linux-sll2'
}
