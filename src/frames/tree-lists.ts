/** Fields that come in lists, or in one header and not in another, for {@link decodeTree}. */
import { readUint16 } from '../bytes/index.js'
import { dhcpv4Options } from './dhcpv4-options.js'
import { dhcpv6Length, dhcpv6Types } from './dhcpv6.js'
import { dhcpv6Options } from './dhcpv6-options.js'
import { icmpv6Types } from './icmpv6.js'
import { igmpTypes } from './igmp.js'
import { ipProtocols } from './ip-protocols.js'
import { ipv6ExtensionLength, isIpv6Extension } from './ipv6.js'
import { isMld } from './mld.js'
import { isNeighborDiscovery } from './neighbor-discovery.js'
import { pppoeCodes, pppProtocols } from './pppoe.js'
import type { Field, FieldList } from './tree-fields.js'
import { bits, etherType, named, optionNumbers, protocol } from './tree-texts.js'

export const checksum: Field = ['checksum', 2, 'hex']
export const messageStart: readonly Field[] = [['type', 1, 'number'], ['code', 1, 'number'], checksum]

/** Type and length before data; `total` says how long all of it is, 0 that it is broken. */
export function elements(
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

/** Kind and length of a byte each, but for the kinds 0 and 1, which are alone; 0 ends the list. */
export function shortOptions(fields: FieldList): void {
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

export function addLlc(fields: FieldList): void {
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

export function addPppoe(fields: FieldList): void {
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
  const total = (at: number) => (at + 4 > end ? 0 : 4 + readUint16(bytes, at + 2))
  elements(fields, end, head, total, () => 'tag')
}

export function addExtensions(fields: FieldList): void {
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

export function addIcmpv6(fields: FieldList): void {
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

export function addIgmp(fields: FieldList): void {
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
  const count = readUint16(fields.bytes, fields.at + 2)
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
  let count = readUint16(bytes, fields.at)
  fields.add('recordCount', 2, 'number')
  for (; count > 0 && fields.left >= 4 + size; count--) {
    const { at } = fields
    const sources = readUint16(bytes, at + 2)
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

export function addGre(fields: FieldList): void {
  const flags = readUint16(fields.bytes, fields.at)
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

export function addDhcpv4Options(fields: FieldList): void {
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

export function addDhcpv6(fields: FieldList): void {
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
  const total = (at: number) => (at + 4 > end ? 0 : 4 + readUint16(bytes, at + 2))
  elements(fields, end, head, total, () => 'option')
}
