/**
 * Options of DHCPv6: RFC 8415 section 21 and those of later texts (https://www.iana.org/assignments/dhcpv6-parameters).
 * Some hold options themselves.
 *
 *   0   2  number
 *   2   2  length of the data
 *   4      data
 */
import { formatIpv6, parseIpv6 } from '../address/index.js'
import { concatBytes, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { FrameError, malformed } from './frame-error.js'
import {
  domainNames,
  flag,
  ipv6Address,
  ipv6List,
  type OptionOf,
  type OptionValue,
  optionNames,
  rawBytes,
  readOption,
  readText,
  uint8,
  uint16,
  uint16List,
  uint32,
  utf8,
  writeOption,
} from './option-values.js'
import { uint } from './record.js'

/** For addresses (`iaNa`) or prefixes (`iaPd`) that are lent, which are among its options. */
export interface Dhcpv6Association {
  iaid: number
  renewalSeconds: number
  rebindingSeconds: number
  options: Dhcpv6Option[]
}

/** For temporary addresses. */
export interface Dhcpv6TemporaryAssociation {
  iaid: number
  options: Dhcpv6Option[]
}

export interface Dhcpv6Address {
  address: string
  preferredLifetimeSeconds: number
  validLifetimeSeconds: number
  options: Dhcpv6Option[]
}

export interface Dhcpv6Prefix {
  prefix: string
  /** 0 to 255; more than 128 is wrong. */
  length: number
  preferredLifetimeSeconds: number
  validLifetimeSeconds: number
  options: Dhcpv6Option[]
}

export interface Dhcpv6Status {
  /** 0 is success (RFC 8415 section 21.13). */
  code: number
  message: string
}

/** `undefined` for options that are broken, or too deep, by which what holds them is kept raw. */
function nested(bytes: Uint8Array, from: number): Dhcpv6Option[] | undefined {
  if (bytes.length < from || depth === mostNested) return undefined
  depth++
  try {
    return decodeDhcpv6Options(bytes, from, bytes.length)
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    return undefined
  } finally {
    depth--
  }
}

const mostNested = 4
let depth = 0

const words = (...values: [string, number][]) => {
  const bytes = new Uint8Array(4 * values.length)
  values.forEach(([name, value], i) => {
    writeUint32(bytes, 4 * i, uint(name, value, 32))
  })
  return bytes
}

const association: OptionValue<Dhcpv6Association> = {
  read(bytes) {
    const options = nested(bytes, 12)
    return (
      options && {
        iaid: readUint32(bytes, 0),
        renewalSeconds: readUint32(bytes, 4),
        rebindingSeconds: readUint32(bytes, 8),
        options,
      }
    )
  },
  write(name, { iaid, renewalSeconds, rebindingSeconds, options }) {
    const fields = words(
      [`${name}.iaid`, iaid],
      [`${name}.renewalSeconds`, renewalSeconds],
      [`${name}.rebindingSeconds`, rebindingSeconds],
    )
    return concatBytes(fields, encodeDhcpv6Options(options))
  },
}

const temporaryAssociation: OptionValue<Dhcpv6TemporaryAssociation> = {
  read(bytes) {
    const options = nested(bytes, 4)
    return options && { iaid: readUint32(bytes, 0), options }
  },
  write(name, { iaid, options }) {
    return concatBytes(words([`${name}.iaid`, iaid]), encodeDhcpv6Options(options))
  },
}

const address: OptionValue<Dhcpv6Address> = {
  read(bytes) {
    const options = nested(bytes, 24)
    return (
      options && {
        address: formatIpv6(bytes, 0),
        preferredLifetimeSeconds: readUint32(bytes, 16),
        validLifetimeSeconds: readUint32(bytes, 20),
        options,
      }
    )
  },
  write(name, value) {
    const fields = words(
      [`${name}.preferredLifetimeSeconds`, value.preferredLifetimeSeconds],
      [`${name}.validLifetimeSeconds`, value.validLifetimeSeconds],
    )
    return concatBytes(parseIpv6(value.address), fields, encodeDhcpv6Options(value.options))
  },
}

const prefix: OptionValue<Dhcpv6Prefix> = {
  read(bytes) {
    const options = nested(bytes, 25)
    return (
      options && {
        prefix: formatIpv6(bytes, 9),
        length: bytes[8]!,
        preferredLifetimeSeconds: readUint32(bytes, 0),
        validLifetimeSeconds: readUint32(bytes, 4),
        options,
      }
    )
  },
  write(name, value) {
    const fields = words(
      [`${name}.preferredLifetimeSeconds`, value.preferredLifetimeSeconds],
      [`${name}.validLifetimeSeconds`, value.validLifetimeSeconds],
    )
    const length = Uint8Array.of(uint(`${name}.length`, value.length, 8))
    return concatBytes(fields, length, parseIpv6(value.prefix), encodeDhcpv6Options(value.options))
  },
}

const status: OptionValue<Dhcpv6Status> = {
  read(bytes) {
    const message = bytes.length < 2 ? undefined : readText(bytes.subarray(2))
    return message === undefined ? undefined : { code: readUint16(bytes, 0), message }
  },
  write(name, { code, message }) {
    return concatBytes(uint16.write(`${name}.code`, code), utf8.write(`${name}.message`, message))
  },
}

export const dhcpv6Options = {
  /** DUID. */
  clientId: [1, rawBytes],
  /** DUID. */
  serverId: [2, rawBytes],
  iaNa: [3, association],
  iaTa: [4, temporaryAssociation],
  iaAddress: [5, address],
  /** Numbers of the options that the client would like. */
  optionRequest: [6, uint16List],
  preference: [7, uint8],
  /** In hundredths of a second. */
  elapsedCentiseconds: [8, uint16],
  /** A whole message, for `decodeDhcpv6`. */
  relayMessage: [9, rawBytes],
  serverUnicast: [12, ipv6Address],
  status: [13, status],
  rapidCommit: [14, flag],
  interfaceId: [18, rawBytes],
  dnsServers: [23, ipv6List],
  domainSearch: [24, domainNames],
  iaPd: [25, association],
  iaPrefix: [26, prefix],
  informationRefreshSeconds: [32, uint32],
} as const

/** Options that Netloom knows by name have a `value`; others, and those with unusual bytes, are `unknown`. */
export type Dhcpv6Option = OptionOf<typeof dhcpv6Options>

const names = optionNames(dhcpv6Options)

export function decodeDhcpv6Options(bytes: Uint8Array, start: number, end: number): Dhcpv6Option[] {
  const options: Dhcpv6Option[] = []
  for (let at = start; at < end; ) {
    const next = at + 4 <= end ? at + 4 + readUint16(bytes, at + 2) : end + 1
    if (next > end) throw malformed('dhcpv6', 'an option is longer than the message')
    options.push(readOption(dhcpv6Options, names, readUint16(bytes, at), bytes.subarray(at + 4, next)))
    at = next
  }
  return options
}

/** @throws TypeError, RangeError */
export function encodeDhcpv6Options(options: readonly Dhcpv6Option[]): Uint8Array {
  return concatBytes(
    ...options.flatMap(option => {
      const [number, data] = writeOption(dhcpv6Options, option)
      const header = new Uint8Array(4)
      writeUint16(header, 0, number)
      writeUint16(header, 2, uint('length of the option', data.length, 16))
      return [header, data]
    }),
  )
}
