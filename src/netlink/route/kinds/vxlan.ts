import {
  addressField,
  bool8,
  bytes,
  field,
  portRange,
  presence,
  table,
  u8,
  u16be,
  u32,
  u32be,
  word,
} from '../../core/index.js'
import { linkKind } from './kind.js'
import { linkIndex } from './link-index.js'

/** Ethernet in UDP, RFC 7348. include/uapi/linux/if_link.h, enum IFLA_VXLAN_*. */
export const vxlan = linkKind(
  'vxlan',
  table('IFLA_VXLAN_', {
    /** The network, 24 bits (VNI). */
    id: field(1, 'ID', u32),
    /** Where frames for unknown addresses go: the other end, or a multicast group. */
    remote: addressField(2, 'GROUP', 16, 'GROUP6'),
    /** The link that the tunnel goes through. A multicast group needs it. */
    link: field(3, 'LINK', linkIndex),
    local: addressField(4, 'LOCAL', 17, 'LOCAL6'),
    /** 0: the kernel's choice. */
    ttl: field(5, 'TTL', u8),
    /** 1 takes it over from the packet within. */
    tos: field(6, 'TOS', u8),
    learning: field(7, 'LEARNING', bool8),
    ageingTimeSeconds: field(8, 'AGEING', u32),
    /** Entries in the forwarding database; 0 is without limit. */
    limit: field(9, 'LIMIT', u32),
    /** Source ports. */
    portRange: field(10, 'PORT_RANGE', portRange),
    /** Answers ARP and neighbor solicitations for others. */
    proxy: field(11, 'PROXY', bool8),
    /** Short-circuits routes. */
    rsc: field(12, 'RSC', bool8),
    /** Notifies of unknown MAC addresses, and of unknown IP addresses. */
    l2miss: field(13, 'L2MISS', bool8),
    l3miss: field(14, 'L3MISS', bool8),
    /** Destination port. Without it the kernel takes 8472; the standard's is 4789. */
    port: field(15, 'PORT', u16be),
    udpChecksum: field(18, 'UDP_CSUM', bool8),
    /** Over IPv6: sends without checksums, and takes what has none. */
    udpZeroChecksum6Tx: field(19, 'UDP_ZERO_CSUM6_TX', bool8),
    udpZeroChecksum6Rx: field(20, 'UDP_ZERO_CSUM6_RX', bool8),
    remoteChecksumTx: field(21, 'REMCSUM_TX', bool8),
    remoteChecksumRx: field(22, 'REMCSUM_RX', bool8),
    /** Extension for group policy. */
    groupPolicy: field(23, 'GBP', presence),
    remoteChecksumNoPartial: field(24, 'REMCSUM_NOPARTIAL', presence),
    /** Network and ends come with each packet (routes, filters), not from here. */
    collectMetadata: field(25, 'COLLECT_METADATA', bool8),
    /** IPv6 flow label, 20 bits. */
    flowLabel: field(26, 'LABEL', u32be),
    /** Generic protocol extension. */
    genericProtocol: field(27, 'GPE', presence),
    ttlInherit: field(28, 'TTL_INHERIT', presence),
    /** enum ifla_vxlan_df. */
    dontFragment: field(29, 'DF', word(u8, { unset: 0, set: 1, inherit: 2 })),
    /** Only networks that were added to it (with `collectMetadata`). */
    vniFilter: field(30, 'VNIFILTER', bool8),
    /** Packets for this system's own ends do not leave it. */
    localBypass: field(31, 'LOCALBYPASS', bool8),
    /** enum ifla_vxlan_label_policy. */
    flowLabelPolicy: field(32, 'LABEL_POLICY', word(u32, { fixed: 0, inherit: 1 })),
    /** 8 bytes: which bits of the header others may set. */
    reservedBits: field(33, 'RESERVED_BITS', bytes),
    /** Multicast is routed as the table for it says. Linux sets but does not report it. */
    multicastRoute: field(34, 'MC_ROUTE', bool8, { writeOnly: true }),
  }),
)
