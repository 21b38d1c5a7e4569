import { invalidArgumentValue } from '../../../errors/index.js'
import { bool8, type Codec, field, littleEndian, table, u8, u16be, u32, u64, word } from '../../core/index.js'
import { linkKind } from './kind.js'

/**
 * include/uapi/linux/if_macsec.h, MACSEC_CIPHER_ID_*. The last is the kernel's older number for the first, which it
 * goes on to report.
 */
const cipherSuites: Readonly<Record<string, bigint>> = {
  'gcm-aes-128': 0x0080_c200_0100_0001n,
  'gcm-aes-256': 0x0080_c200_0100_0002n,
  'gcm-aes-xpn-128': 0x0080_c200_0100_0003n,
  'gcm-aes-xpn-256': 0x0080_c200_0100_0004n,
}
const oldDefault = 0x0080_0200_0100_0001n

export type CipherSuite = 'gcm-aes-128' | 'gcm-aes-256' | 'gcm-aes-xpn-128' | 'gcm-aes-xpn-256'

const cipherSuite: Codec<CipherSuite> = {
  write: (writer, type, name, value) => {
    if (!Object.hasOwn(cipherSuites, value)) {
      throw invalidArgumentValue(name, value, `must be one of ${Object.keys(cipherSuites).join(', ')}`)
    }
    u64.write(writer, type, name, cipherSuites[value]!)
  },
  read: cursor => {
    const number = cursor.u64()
    if (number === oldDefault) return 'gcm-aes-128'
    const found = Object.entries(cipherSuites).find(([, id]) => id === number)
    return (found?.[0] ?? String(number)) as CipherSuite
  },
  examples: Object.keys(cipherSuites) as CipherSuite[],
}

/** 64 bits in network byte order. */
const u64be: Codec<bigint> = {
  write: (writer, type, name, value) => u64.write(writer, type, name, swapped(name, value)),
  read: cursor => swapped('', cursor.u64()),
  examples: [0n, 0x0200_0000_000b_0005n, 0xffff_ffff_ffff_ffffn],
}

function swapped(name: string, value: bigint): bigint {
  if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) {
    throw invalidArgumentValue(name, value, 'must be a bigint that fits 64 bits')
  }
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, value)
  return view.getBigUint64(0, littleEndian)
}

/** Encrypted Ethernet on the link beneath (`lower`), IEEE 802.1AE. include/uapi/linux/if_link.h, enum IFLA_MACSEC_*. */
export const macsec = linkKind(
  'macsec',
  table(
    'IFLA_MACSEC_',
    {
      /** Secure channel identifier: MAC address and port. By default that of the link beneath, and `port`. */
      sci: field(1, 'SCI', u64be),
      /** Port of the identifier, instead of `sci`; once. Default 1. */
      port: field(2, 'PORT', u16be, { writeOnly: true }),
      /** Bytes of the integrity check value, 8 to 16; once. */
      icvLength: field(3, 'ICV_LEN', u8),
      /** Once. */
      cipherSuite: field(4, 'CIPHER_SUITE', cipherSuite),
      /** Packets that may come late, with `replayProtect`. */
      window: field(5, 'WINDOW', u32),
      /** The secure association that encrypts, 0 to 3. */
      encodingAssociation: field(6, 'ENCODING_SA', u8),
      encrypt: field(7, 'ENCRYPT', bool8),
      protect: field(8, 'PROTECT', bool8),
      /** Frames carry the identifier. */
      includeSci: field(9, 'INC_SCI', bool8),
      /** End station, and single copy broadcast, of which neither goes with `includeSci`. */
      endStation: field(10, 'ES', bool8),
      singleCopyBroadcast: field(11, 'SCB', bool8),
      replayProtect: field(12, 'REPLAY_PROTECT', bool8),
      /** enum macsec_validation_type. */
      validation: field(13, 'VALIDATION', word(u8, { disabled: 0, check: 1, strict: 2 })),
      /** enum macsec_offload. */
      offload: field(15, 'OFFLOAD', word(u8, { off: 0, phy: 1, mac: 2 })),
    },
    14,
  ),
)
