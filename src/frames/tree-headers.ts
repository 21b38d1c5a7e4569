/** The fields of every header, for {@link decodeTree}. */
import { dhcpv4Options } from './dhcpv4-options.js'
import { dhcpv6Length, dhcpv6Types } from './dhcpv6.js'
import { dhcpv6Options } from './dhcpv6-options.js'
import { etherTypes } from './ether-types.js'
import { headers } from './header-walk.js'
import { icmpv6Types } from './icmpv6.js'
import { igmpTypes } from './igmp.js'
import { ipProtocols } from './ip-protocols.js'
import { ipv6ExtensionLength, isIpv6Extension } from './ipv6.js'
import { isMld } from './mld.js'
import { isNeighborDiscovery } from './neighbor-discovery.js'
import { pppoeCodes, pppProtocols } from './pppoe.js'
import { stpTypes } from './stp.js'
import { tcpFlags } from './tcp.js'
import type { Field, FieldList } from './tree-fields.js'
import { wireguardTypes } from './wireguard.js'

type Numbers = Readonly<Record<string, number>>

const named = (numbers: Numbers, digits: number) => (value: number) => {
  const name = Object.keys(numbers).find(key => numbers[key] === value)
  const text = digits === 0 ? String(value) : `0x${value.toString(16).padStart(digits, '0')}`
  return name ? `${text} (${name})` : text
}
const optionNumbers = (table: Readonly<Record<string, readonly [number, unknown]>>): Numbers =>
  Object.fromEntries(Object.entries(table).map(([name, [number]]) => [name, number]))

const etherType = named(etherTypes, 4)
const protocol = named(ipProtocols, 0)
const flagNames = (flags: Numbers, value: number) =>
  Object.keys(flags)
    .filter(name => value & flags[name]!)
    .join(' ') || 'none'

/** `bits(3, 'priority', 1, 'dropEligible', 12, 'id')` reads these from the highest bit on. */
const bits =
  (total: number, ...parts: (number | string)[]) =>
  (value: number) => {
    let left = total
    const texts: string[] = []
    for (let i = 0; i < parts.length; i += 2) {
      left -= parts[i] as number
      if (parts[i + 1] !== '')
        texts.push(`${parts[i + 1]} ${Math.floor(value / 2 ** left) % 2 ** (parts[i] as number)}`)
    }
    return texts.join(', ')
  }

/** Type and length before data; `total` says how long all of it is, 0 that it is broken. */
function elements(
  fields: FieldList,
  end: number,
  head: readonly Field[],
  total: (at: number) => number,
  name: (at: number) => string,
): void {
  while (fields.at < end) {
    const length = total(fields.at)
    if (length <= 0 || fields.at + length > end) {
      fields.add('malformed', end - fields.at, 'bytes')
      return
    }
    fields.group(name(fields.at), length, list => {
      list.addAll(head)
    })
  }
}

const uint16 = (bytes: Uint8Array, at: number) => (bytes[at]! << 8) | (bytes[at + 1] ?? 0)

/** Kind and length of a byte each, but for the kinds 0 and 1, which are alone; 0 ends the list. */
function shortOptions(fields: FieldList): void {
  const { bytes, end } = fields
  while (fields.at < end) {
    const { at } = fields
    const length = at + 1 < end ? bytes[at + 1]! : 0
    if (bytes[at] === 0) fields.rest('end')
    else if (bytes[at] === 1) fields.add('nop', 1, 'number')
    else if (length < 2 || at + length > end) fields.rest('malformed')
    else
      fields.group('option', length, list => {
        list.add('kind', 1, 'number')
        list.add('length', 1, 'number')
      })
  }
}

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
const checksum: Field = ['checksum', 2, 'hex']
const messageStart: readonly Field[] = [['type', 1, 'number'], ['code', 1, 'number'], checksum]

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

/** Adds the fields of a header to a list that ends where the header does. */
export function addHeaderFields(header: number, fields: FieldList): void {
  fields.addAll(fixed[header] ?? [])
  const { bytes, end } = fields
  switch (header) {
    case headers.ethernet: {
      fields.addAll([
        ['destination', 6, 'mac'],
        ['source', 6, 'mac'],
      ])
      if (uint16(bytes, fields.at) > 1500) fields.add('type', 2, 'hex', etherType)
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
        at => 2 + (uint16(bytes, at) & 0x1ff),
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

function addLlc(fields: FieldList): void {
  fields.addAll([
    ['destination', 1, 'hex'],
    ['source', 1, 'hex'],
  ])
  fields.add('control', fields.left === 2 ? 2 : 1, 'little')
  fields.addAll([
    ['organization', 3, 'hex'],
    ['protocol', 2, 'hex', etherType],
  ])
}

function addPppoe(fields: FieldList): void {
  const { bytes, end } = fields
  const session = bytes[fields.at + 1] === pppoeCodes.session
  fields.addAll([
    ['versionAndType', 1, 'hex'],
    ['code', 1, 'hex', named(pppoeCodes, 2)],
    ['sessionId', 2, 'number'],
    ['length', 2, 'number'],
  ])
  if (session) {
    fields.add('protocol', 2, 'hex', named(pppProtocols, 4))
    return
  }
  const head: readonly Field[] = [
    ['type', 2, 'hex'],
    ['length', 2, 'number'],
  ]
  const total = (at: number) => (at + 4 > end ? 0 : 4 + uint16(bytes, at + 2))
  elements(fields, end, head, total, () => 'tag')
}

function addExtensions(fields: FieldList): void {
  const { bytes, end } = fields
  let type = bytes[fields.at - 34]!
  while (fields.at < end && isIpv6Extension(type)) {
    const fragment = type === ipProtocols.fragment
    const name = fragment ? 'fragment' : 'extension'
    const length = ipv6ExtensionLength(bytes, fields.at, type)
    const label = `${name}: ${protocol(type)}`
    type = bytes[fields.at]!
    fields.group(
      name,
      length,
      list => {
        list.add('nextHeader', 1, 'number', protocol)
        list.add(fragment ? 'reserved' : 'length', 1, 'number')
        if (!fragment) return
        list.add('fragment', 2, 'hex', value => `offset ${value & 0xfff8}, moreFragments ${value & 1}`)
        list.add('identification', 4, 'hex')
      },
      label,
    )
  }
}

function addIcmpv6(fields: FieldList): void {
  const type = fields.bytes[fields.at]!
  fields.addAll(messageStart)
  if (isMld(type)) addMld(fields, type)
  else if (isNeighborDiscovery(type)) addNeighborDiscovery(fields, type)
  else fields.add('rest', 4, 'hex')
}

function addNeighborDiscovery(fields: FieldList, type: number): void {
  const { bytes, end } = fields
  if (type === icmpv6Types.routerAdvertisement) {
    fields.addAll([
      ['hopLimit', 1, 'number'],
      ['flags', 1, 'hex', bits(8, 1, 'managed', 1, 'other')],
      ['lifetimeSeconds', 2, 'number'],
      ['reachableTimeMs', 4, 'number'],
      ['retransmitTimerMs', 4, 'number'],
    ])
  } else {
    fields.add('flags', 4, 'hex', bits(32, 1, 'router', 1, 'solicited', 1, 'override'))
    if (type !== icmpv6Types.routerSolicitation) fields.add('target', 16, 'ipv6')
    if (type === icmpv6Types.redirect) fields.add('destination', 16, 'ipv6')
  }
  const head: readonly Field[] = [
    ['type', 1, 'number'],
    ['length', 1, 'number'],
  ]
  elements(
    fields,
    end,
    head,
    at => (bytes[at + 1] ?? 0) * 8,
    () => 'option',
  )
}

function addMld(fields: FieldList, type: number): void {
  if (type === icmpv6Types.listenerReportV2) {
    addRecords(fields, 16)
    return
  }
  fields.addAll([
    ['maxResponseCode', 2, 'number'],
    ['reserved', 2, 'hex'],
    ['group', 16, 'ipv6'],
  ])
  if (type === icmpv6Types.listenerQuery) addQuery(fields, 16)
}

function addIgmp(fields: FieldList): void {
  const type = fields.bytes[fields.at]!
  fields.addAll([['type', 1, 'hex', named(igmpTypes, 2)], ['maxResponseCode', 1, 'number'], checksum])
  if (type === igmpTypes.reportV3) {
    addRecords(fields, 4)
    return
  }
  fields.add('group', 4, 'ipv4')
  if (type === igmpTypes.query) addQuery(fields, 4)
}

function addQuery(fields: FieldList, size: 4 | 16): void {
  if (fields.left < 4) return
  const count = uint16(fields.bytes, fields.at + 2)
  fields.addAll([
    ['suppressAndRobustness', 1, 'hex', bits(8, 4, '', 1, 'suppress', 3, 'robustness')],
    ['queryIntervalCode', 1, 'number'],
    ['sourceCount', 2, 'number'],
  ])
  addSources(fields, count, size)
}

function addRecords(fields: FieldList, size: 4 | 16): void {
  fields.add('reserved', 2, 'hex')
  const { bytes } = fields
  let count = uint16(bytes, fields.at)
  fields.add('recordCount', 2, 'number')
  for (; count > 0 && fields.left >= 4 + size; count--) {
    const { at } = fields
    const sources = uint16(bytes, at + 2)
    fields.group('record', 4 + size * (1 + sources) + bytes[at + 1]! * 4, list => {
      list.addAll([
        ['type', 1, 'number'],
        ['auxiliaryLength', 1, 'number'],
        ['sourceCount', 2, 'number'],
        ['group', size, size === 4 ? 'ipv4' : 'ipv6'],
      ])
      addSources(list, sources, size)
    })
  }
}

function addSources(fields: FieldList, count: number, size: 4 | 16): void {
  for (let i = 0; i < count && fields.left >= size; i++)
    fields.add('source', size, size === 4 ? 'ipv4' : 'ipv6')
}

function addGre(fields: FieldList): void {
  const flags = uint16(fields.bytes, fields.at)
  fields.add(
    'flags',
    2,
    'hex',
    bits(16, 1, 'checksum', 1, 'routing', 1, 'key', 1, 'sequence', 9, '', 3, 'version'),
  )
  fields.add('protocol', 2, 'hex', etherType)
  if (flags & 0x8000) {
    fields.addAll([checksum, ['reserved', 2, 'hex']])
  }
  if (flags & 0x2000) fields.add('key', 4, 'number')
  if (flags & 0x1000) fields.add('sequence', 4, 'number')
  if (flags & 0x0080) fields.add('acknowledgment', 4, 'number')
}

const dhcpv4Option = named(optionNumbers(dhcpv4Options), 0)

function addDhcpv4Options(fields: FieldList): void {
  const { bytes, end } = fields
  while (fields.at < end) {
    const number = bytes[fields.at]!
    if (number === 255) {
      fields.add('end', 1, 'number')
      fields.rest('padding')
      return
    }
    if (number === 0) {
      let length = 1
      while (fields.at + length < end && bytes[fields.at + length] === 0) length++
      fields.add('pad', length, 'bytes')
      continue
    }
    const length = fields.left < 2 ? 0 : 2 + bytes[fields.at + 1]!
    if (length === 0 || length > fields.left) {
      fields.rest('malformed')
      return
    }
    fields.group(
      'option',
      length,
      list => {
        list.add('number', 1, 'number', dhcpv4Option)
        list.add('length', 1, 'number')
      },
      `option ${dhcpv4Option(number)}`,
    )
  }
}

const dhcpv6Option = named(optionNumbers(dhcpv6Options), 0)

function addDhcpv6(fields: FieldList): void {
  const { bytes, end } = fields
  const type = bytes[fields.at]!
  fields.add('type', 1, 'number', named(dhcpv6Types, 0))
  if (dhcpv6Length(type) === 4) fields.add('transactionId', 3, 'hex')
  else {
    fields.addAll([
      ['hops', 1, 'number'],
      ['linkAddress', 16, 'ipv6'],
      ['peerAddress', 16, 'ipv6'],
    ])
  }
  const head: readonly Field[] = [
    ['number', 2, 'number', dhcpv6Option],
    ['length', 2, 'number'],
  ]
  const total = (at: number) => (at + 4 > end ? 0 : 4 + uint16(bytes, at + 2))
  elements(fields, end, head, total, () => 'option')
}
