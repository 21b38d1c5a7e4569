import { parseIpv4, parseIpv6 } from '../address/index.js'
import { readUint16, writeUint16 } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import {
  type DnsMessage,
  type DnsOpt,
  type DnsQuestion,
  type DnsResource,
  dnsTables,
  encodeDnsPacket,
  nameEnd,
} from './dns.js'
import type { Input } from './record.js'

/** A record; of the class `IN`, with a time to live of 0, and with what EDNS has as its defaults unless given. */
export type DnsResourceInput<R extends DnsResource = DnsResource> = R extends DnsOpt
  ? Input<R, 'type'>
  : Omit<R, 'class' | 'ttlSeconds' | 'cacheFlush'> & {
      [P in keyof R & ('class' | 'ttlSeconds' | 'cacheFlush')]?: R[P] | undefined
    }

/** A message; a query with nothing set and nothing in it unless given. */
export interface DnsInput
  extends Partial<Omit<DnsMessage, 'questions' | 'answers' | 'authorities' | 'additionals'>> {
  questions?: Input<DnsQuestion, 'name' | 'type'>[] | undefined
  answers?: DnsResourceInput[] | undefined
  authorities?: DnsResourceInput[] | undefined
  additionals?: DnsResourceInput[] | undefined
}

// RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 4035 section 3.
const flagBits = {
  authoritative: 0x400,
  truncated: 0x200,
  recursionDesired: 0x100,
  recursionAvailable: 0x80,
  authenticData: 0x20,
  checkingDisabled: 0x10,
} as const
const opcodes = ['QUERY', 'IQUERY', 'STATUS', 'OPCODE_3', 'NOTIFY', 'UPDATE']
const responseCodes = [
  ...['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'],
  ...['YXDOMAIN', 'YXRRSET', 'NXRRSET', 'NOTAUTH', 'NOTZONE'],
]

/**
 * A message, without compressed names.
 * @throws NetloomError `ERR_UNSUPPORTED` before registerDns(); TypeError, RangeError for what does not fit
 */
export function encodeDns(message: DnsInput): Uint8Array {
  const { id = 0, type = 'query', opcode = 'QUERY', responseCode = 'NOERROR' } = message
  if (type !== 'query' && type !== 'response') {
    throw invalidArgumentValue('dns.type', type, "must be 'query' or 'response'")
  }
  let flags =
    (numberOf('opcode', opcodes, 'OPCODE_', opcode) << 11) |
    numberOf('responseCode', responseCodes, 'RCODE_', responseCode)
  for (const [name, bit] of Object.entries(flagBits)) if (message[name as keyof typeof flagBits]) flags |= bit
  const questions = list('questions', message.questions)
  const sections = (['answers', 'authorities', 'additionals'] as const).map(name => list(name, message[name]))
  const [answers, authorities, additionals] = sections.map(section => section.map(packetRecord))
  const packet = {
    id,
    type,
    flags,
    questions: questions.map(({ name, type }) => ({ name, type: packetType(type) })),
    answers,
    authorities,
    additionals,
  }
  const bytes = encodeDnsPacket(packet, message)
  // It knows of five classes, and of no bits in those of questions.
  let at = 12
  for (const { type, class: of = 'IN', unicastResponse } of questions) {
    at = nameEnd(bytes, at, bytes.length) + 4
    checkType(bytes, at - 4, type)
    writeUint16(bytes, at - 2, classNumber(of) | (unicastResponse ? 0x8000 : 0))
  }
  for (const record of sections.flat()) {
    at = nameEnd(bytes, at, bytes.length) + 10
    checkType(bytes, at - 10, record.type)
    if (record.type !== 'OPT') {
      writeUint16(bytes, at - 8, classNumber(record.class ?? 'IN') | (record.cacheFlush ? 0x8000 : 0))
    }
    at += readUint16(bytes, at - 2)
  }
  return bytes
}

function list<T>(name: string, given: T[] | undefined): T[] {
  if (given !== undefined && !Array.isArray(given))
    throw invalidArgumentType(`dns.${name}`, 'an array', given)
  return given ?? []
}

function numberOf(name: string, names: readonly string[], prefix: string, given: string): number {
  const other =
    typeof given === 'string' && given.startsWith(prefix) ? Number(given.slice(prefix.length)) : -1
  const number = names.includes(given) ? names.indexOf(given) : other
  if (Number.isInteger(number) && number >= 0 && number < 16) return number
  throw invalidArgumentValue(`dns.${name}`, given, 'is not known')
}

/** A record as dns-packet takes it. */
function packetRecord(record: DnsResourceInput): object {
  if (record.type === 'OPT') {
    const { udpPayloadSize = 4096, extendedResponseCode, version, dnssecOk, options = [] } = record
    return {
      ...{
        name: '.',
        type: 'OPT',
        udpPayloadSize,
        extendedRcode: extendedResponseCode,
        ednsVersion: version,
      },
      ...{ flags: dnssecOk ? 0x8000 : 0, options },
    }
  }
  const { name, type, ttlSeconds: ttl = 0, data } = record
  // It makes something of any text.
  if (type === 'A') parseIpv4(data)
  if (type === 'AAAA') parseIpv6(data)
  return { name, type: packetType(type), ttl, data }
}

/** The name that dns-packet has for a type. */
function packetType(type: string): string {
  if (typeof type !== 'string') throw invalidArgumentType('type of a record', 'a string', type)
  const number = /^TYPE(\d+)$/.exec(type)?.[1] ?? keyOf(dnsTables.types, type)
  return number === undefined ? type : `UNKNOWN_${number}`
}

function checkType(bytes: Uint8Array, at: number, type: string): void {
  if (readUint16(bytes, at) === 0 && type !== 'TYPE0')
    throw invalidArgumentValue('type of a record', type, 'is not known')
}

function classNumber(name: string): number {
  const number = Number(/^CLASS(\d+)$/.exec(name)?.[1] ?? keyOf(dnsTables.classes, name))
  if (number < 0x8000) return number
  throw invalidArgumentValue('class of a record', name, 'is not known')
}

function keyOf(table: Readonly<Record<number, string>>, name: string): string | undefined {
  return Object.keys(table).find(key => table[Number(key)] === name)
}
