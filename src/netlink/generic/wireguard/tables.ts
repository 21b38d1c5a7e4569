/** include/uapi/linux/wireguard.h */
import {
  formatIpPrefix,
  formatIpv4,
  formatIpv6,
  parseIpAddress,
  parseIpPrefix,
} from '../../../address/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../../../errors/index.js'
import {
  bits,
  bytes,
  type Codec,
  field,
  list,
  littleEndian,
  malformed,
  nest,
  readTable,
  reported,
  table,
  text,
  u8,
  u16,
  u32,
  u64,
} from '../../core/index.js'
import { formatKey, keyLength, parseKey } from './keys.js'

export const WG_CMD = { GET_DEVICE: 0, SET_DEVICE: 1 } as const
export const deviceFlags = { replacePeers: 1 } as const
export const peerFlags = { remove: 1, replaceAllowedAddresses: 2, updateOnly: 4 } as const

/** AF_INET and AF_INET6 of include/linux/socket.h. */
const families = { 4: 2, 6: 10 } as const

/** Base64; `null` is none. */
const key: Codec<string | null> = {
  write: (writer, type, name, value) =>
    writer.bytes(type, name, value === null ? new Uint8Array(keyLength) : parseKey(name, value)),
  read: cursor => {
    if (cursor.length !== keyLength) throw malformed(`a key of ${cursor.length} bytes`)
    const value = cursor.bytes()
    return value.some(byte => byte !== 0) ? formatKey(value) : null
  },
  examples: [null, `${'A'.repeat(42)}8=`],
}

/** `10.0.0.1:51820`, `[fd00::1]:51820`, `[fe80::1%3]:51820`: struct sockaddr_in, sockaddr_in6. */
const endpoint: Codec<string> = {
  write: (writer, type, name, value) => writer.bytes(type, name, parseEndpoint(name, value)),
  read: cursor => {
    const value = cursor.bytes()
    const view = new DataView(value.buffer)
    if (value.length < 16) throw malformed(`an endpoint of ${value.length} bytes`)
    const port = view.getUint16(2)
    if (view.getUint16(0, littleEndian) === families[4]) return `${formatIpv4(value, 4)}:${port}`
    if (value.length < 28) throw malformed(`an endpoint of ${value.length} bytes`)
    const scope = view.getUint32(24, littleEndian)
    return `[${formatIpv6(value, 8)}${scope === 0 ? '' : `%${scope}`}]:${port}`
  },
  examples: ['10.0.0.1:51820', '[fd00::1]:1', '[fe80::1%3]:65535'],
}

/** @throws TypeError */
export function parseEndpoint(name: string, value: string): Uint8Array {
  if (typeof value !== 'string') throw invalidArgumentType(name, 'a string', value)
  const match = /^(?:\[([^\]%]+)(?:%(\d+))?\]|([\d.]+)):(\d+)$/.exec(value)
  const port = Number(match?.[4])
  if (!match || !(port > 0 && port <= 0xffff)) {
    throw invalidArgumentValue(
      name,
      value,
      'must be an address and a port: 10.0.0.1:51820 or [fd00::1]:51820',
    )
  }
  const address = parseIpAddress((match[1] ?? match[3])!)
  if ((address.family === 6) !== (match[1] !== undefined)) {
    throw invalidArgumentValue(name, value, 'has brackets around IPv6 addresses only')
  }
  const bytes = new Uint8Array(address.family === 4 ? 16 : 28)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, families[address.family], littleEndian)
  view.setUint16(2, port)
  bytes.set(address.bytes, address.family === 4 ? 4 : 8)
  if (match[2] !== undefined) view.setUint32(24, Number(match[2]), littleEndian)
  return bytes
}

const allowedAddressTable = table('WGALLOWEDIP_A_', {
  family: field(1, 'FAMILY', u16),
  address: field(2, 'IPADDR', bytes),
  length: field(3, 'CIDR_MASK', u8),
})

/** `10.0.0.0/24`. What an address that is longer than its prefix has beyond it, the kernel drops. */
const allowedAddress: Codec<string> = {
  write: (writer, type, name, value) => {
    const { family, bytes: address, length } = parseIpPrefix(value)
    writer.nested(type, name, inner => {
      inner.u16(1, '', families[family])
      inner.bytes(2, '', address)
      inner.u8(3, '', length)
    })
  },
  read: cursor => {
    const { address, length } = readTable(allowedAddressTable, cursor.nested()).values
    if (address === undefined || (address.length !== 4 && address.length !== 16) || length === undefined) {
      throw malformed('an allowed address without address')
    }
    if (length > 8 * address.length) throw malformed(`a prefix of ${length} bits`)
    return formatIpPrefix({ bytes: address, length })
  },
  table: allowedAddressTable,
  examples: ['10.0.0.0/24', 'fd00::/64'],
}

/** struct __kernel_timespec; `undefined` for none. */
const time: Codec<Date | undefined> = {
  write: () => {},
  read: cursor => {
    const seconds = Number(cursor.u64())
    const milliseconds = Math.floor(Number(cursor.u64(8)) / 1e6)
    return seconds === 0 && milliseconds === 0 ? undefined : new Date(1000 * seconds + milliseconds)
  },
}

export const peerTable = table('WGPEER_A_', {
  publicKey: field(1, 'PUBLIC_KEY', key),
  presharedKey: field(2, 'PRESHARED_KEY', key),
  flags: field(3, 'FLAGS', bits(u32, peerFlags)),
  endpoint: field(4, 'ENDPOINT', endpoint),
  keepaliveSeconds: field(5, 'PERSISTENT_KEEPALIVE_INTERVAL', u16),
  lastHandshake: reported(6, 'LAST_HANDSHAKE_TIME', time),
  rxBytes: reported(7, 'RX_BYTES', u64),
  txBytes: reported(8, 'TX_BYTES', u64),
  allowedAddresses: field(9, 'ALLOWEDIPS', list(0, allowedAddress)),
  protocolVersion: reported(10, 'PROTOCOL_VERSION', u32),
})

export const deviceTable = table('WGDEVICE_A_', {
  index: field(1, 'IFINDEX', u32),
  name: field(2, 'IFNAME', text),
  privateKey: field(3, 'PRIVATE_KEY', key),
  publicKey: reported(4, 'PUBLIC_KEY', key),
  flags: field(5, 'FLAGS', bits(u32, deviceFlags)),
  listenPort: field(6, 'LISTEN_PORT', u16),
  firewallMark: field(7, 'FWMARK', u32),
  peers: field(8, 'PEERS', list(0, nest(peerTable))),
})
