/**
 * What the first byte of a packet belongs to. Numbers of the registry of LINKTYPE_ values that capture files use
 * (https://www.tcpdump.org/linktypes.html). Every link type of `frames` is among them.
 */
export const filterLinkTypes = {
  /** BSD loopback: the protocol family in the byte order of the writer, taken as little endian, then the packet. */
  null: 0,
  ethernet: 1,
  /** Raw IPv4 or IPv6, told apart by the version nibble. */
  ip: 101,
  /** OpenBSD loopback: the protocol family in network byte order, then the packet. */
  loop: 108,
  'linux-sll': 113,
  /** Raw IPv4 only. */
  ipv4: 228,
  /** Raw IPv6 only. */
  ipv6: 229,
  'linux-sll2': 276,
} as const

/** A link type that filters can be compiled for. */
export type FilterLinkType = keyof typeof filterLinkTypes

/** How the protocol of the packet is told. */
export type ProtocolField =
  | { kind: 'ethertype'; offset: number }
  /** The kernel's own field of a packet without link header (`SKF_AD_PROTOCOL`). */
  | { kind: 'extension' }
  | { kind: 'version' }
  | { kind: 'family'; ip: number; ip6: number }
  | { kind: 'always'; protocol: 'ip' | 'ip6' }

export interface LinkLayer {
  name: string
  protocol: ProtocolField
  /** Where the network header begins. */
  payload: number
  /** Where a field tells the kind of packet (`PACKET_OUTGOING`…), in bytes; otherwise the kernel is asked. */
  packetType?: { offset: number; size: 1 | 2 }
  /** Where a field tells the interface. */
  interfaceIndex?: number
}

const files: Record<FilterLinkType, LinkLayer> = {
  null: {
    name: 'BSD loopback',
    protocol: { kind: 'family', ip: 0x02000000, ip6: 0x0a000000 },
    payload: 4,
  },
  ethernet: { name: 'Ethernet', protocol: { kind: 'ethertype', offset: 12 }, payload: 14 },
  ip: { name: 'raw IP', protocol: { kind: 'version' }, payload: 0 },
  loop: { name: 'OpenBSD loopback', protocol: { kind: 'family', ip: 2, ip6: 10 }, payload: 4 },
  'linux-sll': {
    name: 'Linux cooked v1',
    protocol: { kind: 'ethertype', offset: 14 },
    payload: 16,
    packetType: { offset: 0, size: 2 },
  },
  ipv4: { name: 'raw IPv4', protocol: { kind: 'always', protocol: 'ip' }, payload: 0 },
  ipv6: { name: 'raw IPv6', protocol: { kind: 'always', protocol: 'ip6' }, payload: 0 },
  'linux-sll2': {
    name: 'Linux cooked v2',
    protocol: { kind: 'ethertype', offset: 0 },
    payload: 20,
    packetType: { offset: 10, size: 1 },
    interfaceIndex: 4,
  },
}

/**
 * The layout of a link type. A live socket of a cooked type is one without link headers (`SOCK_DGRAM`): the packet
 * begins with the network header, and what the cooked header says is asked of the kernel.
 */
export function linkLayer(type: FilterLinkType, live: boolean): LinkLayer {
  const layer = files[type]
  if (!live || (type !== 'linux-sll' && type !== 'linux-sll2')) return layer
  return { name: layer.name, protocol: { kind: 'extension' }, payload: 0 }
}
