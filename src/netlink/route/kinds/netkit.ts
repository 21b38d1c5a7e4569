import { bool8, field, reported, table, u16, u32, word } from '../../core/index.js'
import { linkKind } from './kind.js'

/** include/uapi/linux/if_link.h, enum netkit_action: what happens to traffic that no program decides on. */
const policy = word(u32, { forward: 0, blackhole: 2 })
/** enum netkit_scrub: whether mark and priority are cleared on the way to another namespace. */
const scrub = word(u32, { none: 0, default: 1 })

/** A pair of links whose traffic BPF programs decide on. include/uapi/linux/if_link.h, enum IFLA_NETKIT_*. */
export const netkit = linkKind(
  'netkit',
  table('IFLA_NETKIT_', {
    /** Whether this end is the one that settings are made on. */
    primary: reported(2, 'PRIMARY', bool8),
    policy: field(3, 'POLICY', policy),
    peerPolicy: field(4, 'PEER_POLICY', policy),
    /** enum netkit_mode: Ethernet, or IP. Once. */
    mode: field(5, 'MODE', word(u32, { l2: 0, l3: 1 })),
    /** Once. */
    scrub: field(6, 'SCRUB', scrub),
    peerScrub: field(7, 'PEER_SCRUB', scrub),
    /** Room before and behind packets. */
    headroom: field(8, 'HEADROOM', u16),
    tailroom: field(9, 'TAILROOM', u16),
    /** enum netkit_pairing. Once. */
    pairing: field(10, 'PAIRING', word(u32, { pair: 0, single: 1 })),
  }),
  { peer: 1 },
)
