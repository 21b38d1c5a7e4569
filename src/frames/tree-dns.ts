/** The fields of DNS, for {@link decodeTree}. */
import { readUint16 } from '../bytes/index.js'
import { nameEnd } from './dns.js'
import type { Field, FieldList } from './tree-fields.js'
import { bits, type Numbers, named } from './tree-texts.js'

const dnsTypes: Numbers = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
}
const dnsSections = ['question', 'answer', 'authority', 'additional'] as const

/** Of a message that is whole; in TCP its length is before it. */
export function addDns(fields: FieldList, withLength: boolean): void {
  const { bytes, end } = fields
  if (withLength) fields.add('length', 2, 'number')
  const start = fields.at
  fields.addAll([
    ['id', 2, 'number'],
    [
      'flags',
      2,
      'hex',
      bits(
        16,
        ...[1, 'response', 4, 'opcode', 1, 'authoritative', 1, 'truncated', 1, 'recursionDesired'],
        ...[1, 'recursionAvailable', 1, '', 1, 'authenticData', 1, 'checkingDisabled', 4, 'responseCode'],
      ),
    ],
    ...dnsSections.map((name): Field => [`${name}Count`, 2, 'number']),
  ])
  dnsSections.forEach((name, section) => {
    for (let left = readUint16(bytes, start + 4 + 2 * section); left > 0; left--) {
      const fixed = nameEnd(bytes, fields.at, end) - fields.at
      const length = fixed + (section === 0 ? 4 : 10 + readUint16(bytes, fields.at + fixed + 8))
      fields.group(name, length, list => {
        list.addAll([
          ['name', fixed, 'bytes'],
          ['type', 2, 'number', named(dnsTypes, 0)],
          ['class', 2, 'number'],
        ])
        if (section === 0) return
        list.addAll([
          ['ttl', 4, 'number'],
          ['length', 2, 'number'],
        ])
      })
    }
  })
}
