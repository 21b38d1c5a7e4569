import { field, macAddress, reported, table, u8, u16, word } from '../../core/index.js'
import { linkKind } from './kind.js'
import { linkIndex } from './link-index.js'

/** Two ports at once, IEC 62439-3. include/uapi/linux/if_link.h, enum IFLA_HSR_*. */
export const hsr = linkKind(
  'hsr',
  table('IFLA_HSR_', {
    /** The two links that everything is sent through. */
    port1: field(1, 'SLAVE1', linkIndex),
    port2: field(2, 'SLAVE2', linkIndex),
    /** Last byte of `supervisionAddress`. */
    multicastSpec: field(3, 'MULTICAST_SPEC', u8, { writeOnly: true }),
    supervisionAddress: reported(4, 'SUPERVISION_ADDR', macAddress),
    sequenceNumber: reported(5, 'SEQ_NR', u16),
    /** Of HSR: 0 or 1. Linux sets but does not report it. */
    version: field(6, 'VERSION', u8, { writeOnly: true }),
    /** High-availability seamless redundancy, or the parallel redundancy protocol. */
    protocol: field(7, 'PROTOCOL', word(u8, { hsr: 0, prp: 1 })),
    /** A link to another ring. */
    interlink: field(8, 'INTERLINK', linkIndex),
  }),
)
