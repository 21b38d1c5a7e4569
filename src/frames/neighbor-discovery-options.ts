/**
 * Options of neighbor discovery: RFC 4861 section 4.6.
 *
 *   0   1  type
 *   1   1  length in units of 8 bytes, these two included; 0 is invalid
 *
 *  source 1, target 2             prefix 3                         MTU 5
 *   2   6  MAC address             2   1  prefix length             2   2  reserved
 *                                  3   1  on-link (1 bit),          4   4  MTU
 *                                         autonomous (1), reserved
 *                                  4   4  valid lifetime in seconds
 *                                  8   4  preferred lifetime in seconds
 *                                 12   4  reserved
 *                                 16  16  prefix
 */
import { formatIpv6, formatMacAddress, parseIpv6, parseMacAddress } from '../address/index.js'
import { concatBytes, readUint32, writeUint32 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { malformed } from './frame-error.js'
import { byteField, requireMultiple, uint } from './record.js'

const optionNumbers = { source: 1, target: 2, prefix: 3, mtu: 5 } as const

export interface PrefixOption {
  kind: 'prefix'
  prefix: string
  /** 0 to 128. */
  length: number
  onLink: boolean
  /** Hosts may make addresses of their own in it. */
  autonomous: boolean
  /** 0xffffffff is forever. */
  validLifetimeSeconds: number
  /** 0xffffffff is forever. */
  preferredLifetimeSeconds: number
}

export type NeighborDiscoveryOption =
  /** Link-layer address of the sender. */
  | { kind: 'source'; macAddress: string }
  /** Link-layer address of the target. */
  | { kind: 'target'; macAddress: string }
  | PrefixOption
  | { kind: 'mtu'; mtu: number }
  /** An option of another number, or with an unusual length. `data` is what follows type and length. */
  | { kind: 'unknown'; number: number; data: Uint8Array }

/** Reserved bits of the options above are not kept. */
export function decodeNeighborDiscoveryOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
): NeighborDiscoveryOption[] {
  const options: NeighborDiscoveryOption[] = []
  for (let at = start; at < end; ) {
    const length = at + 1 < end ? bytes[at + 1]! * 8 : 0
    if (length === 0 || at + length > end)
      throw malformed('neighbor discovery', `option ${bytes[at]} has a wrong length`)
    options.push(decodeOption(bytes, at, length))
    at += length
  }
  return options
}

function decodeOption(bytes: Uint8Array, at: number, length: number): NeighborDiscoveryOption {
  const number = bytes[at]!
  if (number === optionNumbers.source && length === 8)
    return { kind: 'source', macAddress: formatMacAddress(bytes, at + 2) }
  if (number === optionNumbers.target && length === 8)
    return { kind: 'target', macAddress: formatMacAddress(bytes, at + 2) }
  if (number === optionNumbers.mtu && length === 8) return { kind: 'mtu', mtu: readUint32(bytes, at + 4) }
  if (number === optionNumbers.prefix && length === 32) {
    return {
      kind: 'prefix',
      prefix: formatIpv6(bytes, at + 16),
      length: bytes[at + 2]!,
      onLink: (bytes[at + 3]! & 0x80) !== 0,
      autonomous: (bytes[at + 3]! & 0x40) !== 0,
      validLifetimeSeconds: readUint32(bytes, at + 4),
      preferredLifetimeSeconds: readUint32(bytes, at + 8),
    }
  }
  return { kind: 'unknown', number, data: bytes.subarray(at + 2, at + length) }
}

export function encodeNeighborDiscoveryOption(option: NeighborDiscoveryOption): Uint8Array {
  switch (option.kind) {
    case 'source':
    case 'target':
      return concatBytes(Uint8Array.of(optionNumbers[option.kind], 1), parseMacAddress(option.macAddress))
    case 'mtu': {
      const bytes = Uint8Array.of(optionNumbers.mtu, 1, 0, 0, 0, 0, 0, 0)
      writeUint32(bytes, 4, uint('option.mtu', option.mtu, 32))
      return bytes
    }
    case 'prefix': {
      const bytes = new Uint8Array(32)
      bytes[0] = optionNumbers.prefix
      bytes[1] = 4
      bytes[2] = uint('option.length', option.length, 8)
      bytes[3] = (option.onLink ? 0x80 : 0) | (option.autonomous ? 0x40 : 0)
      writeUint32(bytes, 4, uint('option.validLifetimeSeconds', option.validLifetimeSeconds, 32))
      writeUint32(bytes, 8, uint('option.preferredLifetimeSeconds', option.preferredLifetimeSeconds, 32))
      bytes.set(parseIpv6(option.prefix), 16)
      return bytes
    }
    case 'unknown': {
      const data = byteField('option.data', option.data)
      const length = requireMultiple('option.data.length + 2', data.length + 2, 8)
      const header = Uint8Array.of(
        uint('option.number', option.number, 8),
        uint('option length', length / 8, 8),
      )
      return concatBytes(header, data)
    }
    default:
      throw invalidArgumentValue('option.kind', (option as { kind: unknown }).kind, 'is not a known kind')
  }
}
