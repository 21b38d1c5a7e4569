import {
  addressField,
  bool8,
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

/** Ethernet in UDP with options, RFC 8926. include/uapi/linux/if_link.h, enum IFLA_GENEVE_*. */
export const geneve = linkKind(
  'geneve',
  table('IFLA_GENEVE_', {
    /** The network, 24 bits (VNI). */
    id: field(1, 'ID', u32),
    remote: addressField(2, 'REMOTE', 7, 'REMOTE6'),
    /** 0: the kernel's choice. */
    ttl: field(3, 'TTL', u8),
    /** 1 takes it over from the packet within. */
    tos: field(4, 'TOS', u8),
    /** Destination port. */
    port: field(5, 'PORT', u16be),
    /** Network and ends come with each packet (routes, filters), not from here. */
    collectMetadata: field(6, 'COLLECT_METADATA', presence),
    udpChecksum: field(8, 'UDP_CSUM', bool8),
    /** Over IPv6: sends without checksums, and takes what has none. */
    udpZeroChecksum6Tx: field(9, 'UDP_ZERO_CSUM6_TX', bool8),
    udpZeroChecksum6Rx: field(10, 'UDP_ZERO_CSUM6_RX', bool8),
    /** IPv6 flow label, 20 bits. */
    flowLabel: field(11, 'LABEL', u32be),
    ttlInherit: field(12, 'TTL_INHERIT', bool8),
    /** enum ifla_geneve_df. */
    dontFragment: field(13, 'DF', word(u8, { unset: 0, set: 1, inherit: 2 })),
    /** Carries IP without Ethernet. */
    innerProtocolInherit: field(14, 'INNER_PROTO_INHERIT', presence),
    /** Source ports. */
    portRange: field(15, 'PORT_RANGE', portRange),
  }),
)
