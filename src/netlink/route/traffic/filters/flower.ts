import {
  formatIpAddress,
  formatMacAddress,
  type IpFamily,
  parseIpPrefix,
  parseMacAddress,
} from '../../../../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  requireInteger,
  requireOptions,
} from '../../../../errors/index.js'
import {
  bytes,
  type Codec,
  field,
  malformed,
  readTable,
  type TableValues,
  table,
  text,
  u8,
  u16,
  u16be,
  u32,
  u32be,
  word,
  writeTable,
} from '../../../core/index.js'
import { type ActionOptions, actionList } from '../actions/index.js'
import { classHandle } from './plain.js'

/** IP protocols of include/uapi/linux/in.h. */
export const ipProtocols = { icmp: 1, tcp: 6, udp: 17, sctp: 132, icmpv6: 58 } as const

/** Fields of headers; what is not given matches anything. */
export interface FlowerSettings {
  class?: string | undefined
  inputLink?: string | undefined
  actions?: readonly ActionOptions[] | undefined
  /** Where hardware does it: bits of TCA_CLS_FLAGS_*. */
  flags?: number | undefined
  /** `02:00:00:00:00:01`, or with the bits that count: `02:00:00:00:00:00/ff:00:00:00:00:00`. */
  sourceMac?: string | undefined
  destinationMac?: string | undefined
  /** The EtherType; taken from the filter's `protocol`. */
  etherType?: number | undefined
  vlanId?: number | undefined
  vlanPriority?: number | undefined
  /** The EtherType behind the VLAN tag. */
  vlanEtherType?: number | undefined
  ipProtocol?: keyof typeof ipProtocols | undefined
  /** `10.0.0.0/8`, `fd00::/64`. */
  source?: string | undefined
  destination?: string | undefined
  tos?: number | undefined
  ttl?: number | undefined
  /** Of TCP, UDP or SCTP, with `ipProtocol`. */
  sourcePort?: number | undefined
  destinationPort?: number | undefined
  tcpFlags?: number | undefined
  /** Of ICMP or ICMPv6, with `ipProtocol`. */
  icmpType?: number | undefined
  icmpCode?: number | undefined
  /** What a tunnel that collects metadata said. */
  tunnelId?: number | undefined
  tunnelSource?: string | undefined
  tunnelDestination?: string | undefined
  tunnelDestinationPort?: number | undefined
}

/** include/uapi/linux/pkt_cls.h, enum TCA_FLOWER_* */
export const flowerTable = table('TCA_FLOWER_', {
  class: field(1, 'CLASSID', classHandle),
  inputLink: field(2, 'INDEV', text),
  actions: field(3, 'ACT', actionList),
  destinationMac: field(4, 'KEY_ETH_DST', bytes),
  destinationMacMask: field(5, 'KEY_ETH_DST_MASK', bytes),
  sourceMac: field(6, 'KEY_ETH_SRC', bytes),
  sourceMacMask: field(7, 'KEY_ETH_SRC_MASK', bytes),
  etherType: field(8, 'KEY_ETH_TYPE', u16be),
  ipProtocol: field(9, 'KEY_IP_PROTO', word(u8, ipProtocols)),
  source4: field(10, 'KEY_IPV4_SRC', bytes),
  source4Mask: field(11, 'KEY_IPV4_SRC_MASK', bytes),
  destination4: field(12, 'KEY_IPV4_DST', bytes),
  destination4Mask: field(13, 'KEY_IPV4_DST_MASK', bytes),
  source6: field(14, 'KEY_IPV6_SRC', bytes),
  source6Mask: field(15, 'KEY_IPV6_SRC_MASK', bytes),
  destination6: field(16, 'KEY_IPV6_DST', bytes),
  destination6Mask: field(17, 'KEY_IPV6_DST_MASK', bytes),
  tcpSource: field(18, 'KEY_TCP_SRC', u16be),
  tcpDestination: field(19, 'KEY_TCP_DST', u16be),
  udpSource: field(20, 'KEY_UDP_SRC', u16be),
  udpDestination: field(21, 'KEY_UDP_DST', u16be),
  flags: field(22, 'FLAGS', u32),
  vlanId: field(23, 'KEY_VLAN_ID', u16),
  vlanPriority: field(24, 'KEY_VLAN_PRIO', u8),
  vlanEtherType: field(25, 'KEY_VLAN_ETH_TYPE', u16be),
  tunnelId: field(26, 'KEY_ENC_KEY_ID', u32be),
  tunnelSource4: field(27, 'KEY_ENC_IPV4_SRC', bytes),
  tunnelSource4Mask: field(28, 'KEY_ENC_IPV4_SRC_MASK', bytes),
  tunnelDestination4: field(29, 'KEY_ENC_IPV4_DST', bytes),
  tunnelDestination4Mask: field(30, 'KEY_ENC_IPV4_DST_MASK', bytes),
  tunnelSource6: field(31, 'KEY_ENC_IPV6_SRC', bytes),
  tunnelSource6Mask: field(32, 'KEY_ENC_IPV6_SRC_MASK', bytes),
  tunnelDestination6: field(33, 'KEY_ENC_IPV6_DST', bytes),
  tunnelDestination6Mask: field(34, 'KEY_ENC_IPV6_DST_MASK', bytes),
  sctpSource: field(41, 'KEY_SCTP_SRC', u16be),
  sctpDestination: field(42, 'KEY_SCTP_DST', u16be),
  tunnelDestinationPort: field(45, 'KEY_ENC_UDP_DST_PORT', u16be),
  icmpCode: field(49, 'KEY_ICMPV4_CODE', u8),
  icmpType: field(51, 'KEY_ICMPV4_TYPE', u8),
  icmpv6Code: field(53, 'KEY_ICMPV6_CODE', u8),
  icmpv6Type: field(55, 'KEY_ICMPV6_TYPE', u8),
  tcpFlags: field(71, 'KEY_TCP_FLAGS', u16be),
  tcpFlagsMask: field(72, 'KEY_TCP_FLAGS_MASK', u16be),
  tos: field(73, 'KEY_IP_TOS', u8),
  ttl: field(75, 'KEY_IP_TTL', u8),
})

const allTcpFlags = 0xfff

type Rows = TableValues<typeof flowerTable>

/** Those that stand for themselves. */
const plain = [
  'class',
  'inputLink',
  'actions',
  'flags',
  'etherType',
  'vlanId',
  'vlanPriority',
  'vlanEtherType',
  'ipProtocol',
  'tos',
  'ttl',
  'tcpFlags',
  'tunnelId',
  'tunnelDestinationPort',
] as const
const macs = ['sourceMac', 'destinationMac'] as const
const prefixes = ['source', 'destination', 'tunnelSource', 'tunnelDestination'] as const
const ports = { sourcePort: 'Source', destinationPort: 'Destination' } as const
const icmp = { icmpType: 'Type', icmpCode: 'Code' } as const

const options = [
  ...plain,
  ...macs,
  ...prefixes,
  'sourcePort',
  'destinationPort',
  'icmpType',
  'icmpCode',
] as const

export const flower: Codec<FlowerSettings> = {
  table: flowerTable,
  write: (writer, type, name, value) => {
    const o = requireOptions(name, value, options)
    const rows: Record<string, unknown> = {}
    for (const key of plain) rows[key] = o[key]
    for (const key of macs) {
      const text = o[key]
      if (text === undefined) continue
      if (typeof text !== 'string') throw invalidArgumentType(`${name}.${key}`, 'a string', text)
      const [address, mask = 'ff:ff:ff:ff:ff:ff'] = text.split('/')
      rows[key] = parseMacAddress(address!)
      rows[`${key}Mask`] = parseMacAddress(mask)
    }
    for (const key of prefixes) {
      const text = o[key]
      if (text === undefined) continue
      const { family, bytes, length } = parseIpPrefix(text)
      rows[`${key}${family}`] = bytes
      rows[`${key}${family}Mask`] = maskOf(family, length)
    }
    if (o.tcpFlags !== undefined) {
      rows.tcpFlags = requireInteger(`${name}.tcpFlags`, o.tcpFlags, 0, allTcpFlags)
      rows.tcpFlagsMask = allTcpFlags
    }
    for (const [key, end] of Object.entries(ports) as [keyof typeof ports, string][]) {
      if (o[key] === undefined) continue
      requireInteger(`${name}.${key}`, o[key], 0, 0xffff)
      if (o.ipProtocol !== 'tcp' && o.ipProtocol !== 'udp' && o.ipProtocol !== 'sctp') {
        throw invalidArgumentValue(`${name}.${key}`, o[key], 'needs ipProtocol tcp, udp or sctp')
      }
      rows[`${o.ipProtocol}${end}`] = o[key]
    }
    for (const [key, end] of Object.entries(icmp) as [keyof typeof icmp, string][]) {
      if (o[key] === undefined) continue
      requireInteger(`${name}.${key}`, o[key], 0, 0xff)
      if (o.ipProtocol !== 'icmp' && o.ipProtocol !== 'icmpv6') {
        throw invalidArgumentValue(`${name}.${key}`, o[key], 'needs ipProtocol icmp or icmpv6')
      }
      rows[`${o.ipProtocol}${end}`] = o[key]
    }
    writer.nested(type, name, nest => writeTable(nest, flowerTable, rows, name))
  },
  read: cursor => {
    const rows = readTable(flowerTable, cursor.nested()).values
    const settings: Record<string, unknown> = {}
    for (const key of plain) if (rows[key] !== undefined) settings[key] = rows[key]
    for (const key of macs) {
      const [address, mask] = [rows[key], rows[`${key}Mask`]]
      if (address === undefined) continue
      if (address.length !== 6 || (mask && mask.length !== 6))
        throw malformed('a MAC address of another length')
      const all = mask === undefined || mask.every(byte => byte === 0xff)
      settings[key] = all
        ? formatMacAddress(address)
        : `${formatMacAddress(address)}/${formatMacAddress(mask)}`
    }
    for (const key of prefixes) {
      const text = readPrefix(rows, `${key}4`) ?? readPrefix(rows, `${key}6`)
      if (text !== undefined) settings[key] = text
    }
    settings.sourcePort = rows.tcpSource ?? rows.udpSource ?? rows.sctpSource
    settings.destinationPort = rows.tcpDestination ?? rows.udpDestination ?? rows.sctpDestination
    settings.icmpType = rows.icmpType ?? rows.icmpv6Type
    settings.icmpCode = rows.icmpCode ?? rows.icmpv6Code
    return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  },
}

function maskOf(family: IpFamily, length: number): Uint8Array {
  return Uint8Array.from({ length: family === 4 ? 4 : 16 }, (_, i) => {
    const bits = Math.min(8, Math.max(0, length - 8 * i))
    return (0xff << (8 - bits)) & 0xff
  })
}

/** An address with the length of its mask, or with a mask that has holes. */
function readPrefix(rows: Rows, key: string): string | undefined {
  const address = rows[key as 'source4']
  const mask = rows[`${key}Mask` as 'source4Mask']
  if (address === undefined) return undefined
  if (address.length !== 4 && address.length !== 16) throw malformed(`an address of ${address.length} bytes`)
  if (mask && mask.length !== address.length) throw malformed(`a mask of ${mask.length} bytes`)
  const bits = [...(mask ?? address.map(() => 0xff))].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const length = bits.indexOf('0') < 0 ? bits.length : bits.indexOf('0')
  if (mask && bits.indexOf('1', length) >= 0) return `${formatIpAddress(address)}/${formatIpAddress(mask)}`
  return `${formatIpAddress(address)}/${length}`
}
