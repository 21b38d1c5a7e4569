/**
 * Options of DHCP: RFC 2132 and those that came later (https://www.iana.org/assignments/bootp-dhcp-parameters).
 *
 *   0   1  number; 0 is padding and 255 the end, without what follows here
 *   1   1  length of the data
 *   2      data
 */
import { formatIpv4, parseIpPrefix, parseIpv4 } from '../address/index.js'
import { concatBytes } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { malformed } from './frame-error.js'
import {
  flag,
  ipv4Address,
  ipv4List,
  type OptionOf,
  type OptionValue,
  optionNames,
  rawBytes,
  readOption,
  uint8,
  uint8List,
  uint16,
  uint32,
  utf8,
  writeOption,
} from './option-values.js'
import { uint } from './record.js'

const numbers = { pad: 0, end: 255 } as const

/** A route of RFC 3442. */
export interface ClasslessRoute {
  /** `10.0.0.0/8` */
  destination: string
  gateway: string
}

const classlessRoutes: OptionValue<ClasslessRoute[]> = {
  read(bytes) {
    const routes: ClasslessRoute[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = bytes[at]!
      const significant = Math.ceil(length / 8)
      if (length > 32 || at + 5 + significant > bytes.length) return undefined
      const address = new Uint8Array(4)
      address.set(bytes.subarray(at + 1, at + 1 + significant))
      // Bits beyond the prefix would get lost.
      if (length % 8 !== 0 && address[significant - 1]! & (0xff >> (length % 8))) return undefined
      const gateway = formatIpv4(bytes, at + 1 + significant)
      routes.push({ destination: `${formatIpv4(address)}/${length}`, gateway })
      at += 5 + significant
    }
    return routes
  },
  write(name, routes) {
    return concatBytes(
      ...routes.flatMap(({ destination, gateway }) => {
        const { family, bytes, length } = parseIpPrefix(destination)
        if (family !== 4) throw invalidArgumentValue(name, destination, 'must be an IPv4 prefix')
        return [Uint8Array.of(length, ...bytes.subarray(0, Math.ceil(length / 8))), parseIpv4(gateway)]
      }),
    )
  },
}

export const dhcpv4Options = {
  subnetMask: [1, ipv4Address],
  routers: [3, ipv4List],
  dnsServers: [6, ipv4List],
  hostName: [12, utf8],
  domainName: [15, utf8],
  interfaceMtu: [26, uint16],
  broadcastAddress: [28, ipv4Address],
  ntpServers: [42, ipv4List],
  vendorSpecific: [43, rawBytes],
  requestedAddress: [50, ipv4Address],
  leaseTimeSeconds: [51, uint32],
  /** Fields of the header hold options too: 1 the boot file, 2 the server's name, 3 both. */
  overload: [52, uint8],
  /** One of {@link dhcpv4MessageTypes}. */
  messageType: [53, uint8],
  serverIdentifier: [54, ipv4Address],
  /** Numbers of the options that the client would like. */
  parameterRequestList: [55, uint8List],
  message: [56, utf8],
  maxMessageSize: [57, uint16],
  renewalTimeSeconds: [58, uint32],
  rebindingTimeSeconds: [59, uint32],
  vendorClass: [60, utf8],
  clientIdentifier: [61, rawBytes],
  tftpServer: [66, utf8],
  bootFile: [67, utf8],
  /** RFC 4039. */
  rapidCommit: [80, flag],
  /** RFC 4702; raw. */
  clientFqdn: [81, rawBytes],
  /** RFC 3046; raw. */
  relayAgentInformation: [82, rawBytes],
  /** RFC 8925. */
  ipv6OnlyWaitSeconds: [108, uint32],
  /** RFC 8910. */
  captivePortal: [114, utf8],
  /** RFC 3442. */
  classlessRoutes: [121, classlessRoutes],
} as const

export const dhcpv4MessageTypes = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  acknowledge: 5,
  refuse: 6,
  release: 7,
  inform: 8,
} as const

/** Options that Netloom knows by name have a `value`; others, and those with unusual bytes, are `unknown`. */
export type Dhcpv4Option = OptionOf<typeof dhcpv4Options>

const names = optionNames(dhcpv4Options)

/** Up to the end option, or all; padding is not kept. */
export function decodeDhcpv4Options(bytes: Uint8Array, start: number, end: number): Dhcpv4Option[] {
  const options: Dhcpv4Option[] = []
  for (let at = start; at < end && bytes[at] !== numbers.end; ) {
    const number = bytes[at]!
    if (number === numbers.pad) {
      at++
      continue
    }
    const next = at + 1 < end ? at + 2 + bytes[at + 1]! : end + 1
    if (next > end) throw malformed('dhcpv4', `option ${number} is longer than the message`)
    options.push(readOption(dhcpv4Options, names, number, bytes.subarray(at + 2, next)))
    at = next
  }
  return options
}

/** With the end option. @throws TypeError, RangeError */
export function encodeDhcpv4Options(options: readonly Dhcpv4Option[]): Uint8Array {
  const parts = options.flatMap(option => {
    const [number, data] = writeOption(dhcpv4Options, option)
    if (number === numbers.pad || number >= numbers.end)
      throw invalidArgumentValue('option.number', number, 'must be 1 to 254')
    return [Uint8Array.of(number, uint('length of the option', data.length, 8)), data]
  })
  return concatBytes(...parts, Uint8Array.of(numbers.end))
}
