/** The fields of every header, for {@link decodeTree}. */
import { readUint16 } from '../bytes/index.js'
import { headers } from './header-kinds.js'
import { dnsStart, type HeaderWalk } from './header-walk.js'
import { stpTypes } from './stp.js'
import { tcpFlags } from './tcp.js'
import { addDns } from './tree-dns.js'
import type { Field, FieldList } from './tree-fields.js'
import {
  addDhcpv4Options,
  addDhcpv6,
  addExtensions,
  addGre,
  addIcmpv6,
  addIgmp,
  addLlc,
  addPppoe,
  checksum,
  elements,
  messageStart,
  shortOptions,
} from './tree-lists.js'
import { bits, etherType, flagNames, named, protocol } from './tree-texts.js'
import { wireguardTypes } from './wireguard.js'

const ports = (rest: readonly Field[]): readonly Field[] => [
  ['sourcePort', 2, 'number'],
  ['destinationPort', 2, 'number'],
  ...rest,
]
const bridgeId = (name: string): readonly Field[] => [
  [`${name}Priority`, 2, 'number'],
  [`${name}MacAddress`, 6, 'mac'],
]
const time = (value: number) => `${value / 256} s`

/** Headers whose fields are always the same, or begin so. */
const fixed: Readonly<Record<number, readonly Field[]>> = {
  [headers.linuxSll]: [
    ['packetType', 2, 'number'],
    ['hardwareType', 2, 'number'],
    ['addressLength', 2, 'number'],
    ['address', 8, 'bytes'],
    ['protocol', 2, 'hex', etherType],
  ],
  [headers.linuxSll2]: [
    ['protocol', 2, 'hex', etherType],
    ['reserved', 2, 'hex'],
    ['interfaceIndex', 4, 'number'],
    ['hardwareType', 2, 'number'],
    ['packetType', 1, 'number'],
    ['addressLength', 1, 'number'],
    ['address', 8, 'bytes'],
  ],
  [headers.loopback]: [['family', 4, 'hex']],
  [headers.vlan]: [
    ['tag', 2, 'hex', bits(16, 3, 'priority', 1, 'dropEligible', 12, 'id')],
    ['type', 2, 'hex', etherType],
  ],
  [headers.mpls]: [['entry', 4, 'hex', bits(32, 20, 'label', 3, 'trafficClass', 1, 'bottom', 8, 'ttl')]],
  [headers.arp]: [
    ['hardwareType', 2, 'number'],
    ['protocolType', 2, 'hex', etherType],
    ['hardwareLength', 1, 'number'],
    ['protocolLength', 1, 'number'],
    ['operation', 2, 'number'],
    ['senderMacAddress', 6, 'mac'],
    ['senderIpAddress', 4, 'ipv4'],
    ['targetMacAddress', 6, 'mac'],
    ['targetIpAddress', 4, 'ipv4'],
  ],
  [headers.stp]: [
    ['protocol', 2, 'hex'],
    ['version', 1, 'number'],
    ['type', 1, 'hex', named(stpTypes, 2)],
    ['flags', 1, 'hex'],
    ...bridgeId('root'),
    ['rootPathCost', 4, 'number'],
    ...bridgeId('bridge'),
    ['portId', 2, 'hex'],
    ['messageAge', 2, 'number', time],
    ['maxAge', 2, 'number', time],
    ['helloTime', 2, 'number', time],
    ['forwardDelay', 2, 'number', time],
    ['version1Length', 1, 'number'],
  ],
  [headers.ipv4]: [
    ['versionAndLength', 1, 'hex', value => `version ${value >> 4}, header length ${(value & 15) * 4}`],
    ['trafficClass', 1, 'hex', bits(8, 6, 'dscp', 2, 'ecn')],
    ['totalLength', 2, 'number'],
    ['identification', 2, 'hex'],
    [
      'fragment',
      2,
      'hex',
      value =>
        `${bits(16, 1, '', 1, 'dontFragment', 1, 'moreFragments')(value)}, offset ${(value & 0x1fff) * 8}`,
    ],
    ['ttl', 1, 'number'],
    ['protocol', 1, 'number', protocol],
    checksum,
    ['source', 4, 'ipv4'],
    ['destination', 4, 'ipv4'],
  ],
  [headers.ipv6]: [
    ['versionClassAndFlow', 4, 'hex', bits(32, 4, 'version', 6, 'dscp', 2, 'ecn', 20, 'flowLabel')],
    ['length', 2, 'number'],
    ['nextHeader', 1, 'number', protocol],
    ['hopLimit', 1, 'number'],
    ['source', 16, 'ipv6'],
    ['destination', 16, 'ipv6'],
  ],
  [headers.tcp]: ports([
    ['sequence', 4, 'number'],
    ['acknowledgment', 4, 'number'],
    [
      'lengthAndFlags',
      2,
      'hex',
      value => `header length ${(value >> 12) * 4}, ${flagNames(tcpFlags, value)}`,
    ],
    ['window', 2, 'number'],
    checksum,
    ['urgentPointer', 2, 'number'],
  ]),
  [headers.udp]: ports([['length', 2, 'number'], checksum]),
  [headers.icmp]: [...messageStart, ['rest', 4, 'hex']],
  [headers.vxlan]: [
    ['flags', 2, 'hex'],
    ['groupPolicy', 2, 'number'],
    ['vni', 3, 'number'],
    ['reserved', 1, 'hex'],
  ],
  [headers.geneve]: [
    ['versionAndLength', 1, 'hex', value => `version ${value >> 6}, options ${(value & 0x3f) * 4} bytes`],
    ['flags', 1, 'hex', bits(8, 1, 'control', 1, 'critical')],
    ['protocol', 2, 'hex', etherType],
    ['vni', 3, 'number'],
    ['reserved', 1, 'hex'],
  ],
  [headers.dhcpv4]: [
    ['operation', 1, 'number'],
    ['hardwareType', 1, 'number'],
    ['hardwareLength', 1, 'number'],
    ['hops', 1, 'number'],
    ['transactionId', 4, 'hex'],
    ['seconds', 2, 'number'],
    ['flags', 2, 'hex', bits(16, 1, 'broadcast')],
    ['clientAddress', 4, 'ipv4'],
    ['yourAddress', 4, 'ipv4'],
    ['serverAddress', 4, 'ipv4'],
    ['relayAddress', 4, 'ipv4'],
    ['hardwareAddress', 16, 'bytes'],
    ['serverName', 64, 'bytes'],
    ['bootFile', 128, 'bytes'],
    ['cookie', 4, 'hex'],
  ],
}

const wireguardKeys: Readonly<Record<number, readonly Field[]>> = {
  [wireguardTypes.initiation]: [
    ['sender', 4, 'little'],
    ['ephemeral', 32, 'bytes'],
    ['static', 48, 'bytes'],
    ['timestamp', 28, 'bytes'],
    ['mac1', 16, 'bytes'],
    ['mac2', 16, 'bytes'],
  ],
  [wireguardTypes.response]: [
    ['sender', 4, 'little'],
    ['receiver', 4, 'little'],
    ['ephemeral', 32, 'bytes'],
    ['empty', 16, 'bytes'],
    ['mac1', 16, 'bytes'],
    ['mac2', 16, 'bytes'],
  ],
  [wireguardTypes.cookie]: [
    ['receiver', 4, 'little'],
    ['nonce', 24, 'bytes'],
    ['cookie', 32, 'bytes'],
  ],
  [wireguardTypes.data]: [
    ['receiver', 4, 'little'],
    ['counter', 8, 'little'],
  ],
}

/** Adds the fields of the header that the walk stands at to a list that ends where the header does. */
export function addHeaderFields(walk: HeaderWalk, fields: FieldList): void {
  const { header } = walk
  fields.addAll(fixed[header] ?? [])
  const { bytes, end } = fields
  switch (header) {
    case headers.ethernet: {
      fields.addAll([
        ['destination', 6, 'mac'],
        ['source', 6, 'mac'],
      ])
      if (readUint16(bytes, fields.at) > 1500) fields.add('type', 2, 'hex', etherType)
      else fields.add('length', 2, 'number')
      break
    }
    case headers.llc:
      addLlc(fields)
      break
    case headers.pppoe:
      addPppoe(fields)
      break
    case headers.lldp:
      elements(
        fields,
        end,
        [['typeAndLength', 2, 'hex', value => `type ${value >> 9}, length ${value & 0x1ff}`]],
        at => 2 + (readUint16(bytes, at) & 0x1ff),
        at => (bytes[at]! >> 1 === 0 ? 'end' : 'element'),
      )
      break
    case headers.ipv4:
    case headers.tcp:
      shortOptions(fields)
      break
    case headers.ipv6:
      addExtensions(fields)
      break
    case headers.icmpv6:
      addIcmpv6(fields)
      break
    case headers.igmp:
      addIgmp(fields)
      break
    case headers.gre:
      addGre(fields)
      break
    case headers.geneve:
      elements(
        fields,
        end,
        [
          ['class', 2, 'hex'],
          ['type', 1, 'hex'],
          ['length', 1, 'number', value => `${(value & 0x1f) * 4}`],
        ],
        at => (at + 4 > end ? 0 : 4 + (bytes[at + 3]! & 0x1f) * 4),
        () => 'option',
      )
      break
    case headers.dhcpv4:
      addDhcpv4Options(fields)
      break
    case headers.dhcpv6:
      addDhcpv6(fields)
      break
    case headers.dns:
      addDns(fields, dnsStart(walk) > walk.start)
      break
    case headers.wireguard: {
      const type = bytes[fields.at]!
      fields.addAll([
        ['type', 1, 'number', named(wireguardTypes, 0)],
        ['reserved', 3, 'hex'],
        ...(wireguardKeys[type] ?? []),
      ])
      break
    }
  }
}
