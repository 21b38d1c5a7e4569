import { formatIpv6, parseIpv6 } from '../address/index.js'
import { readUint16 } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue, NetloomError } from '../errors/index.js'
import { malformed } from './frame-error.js'

/** Of DNS (RFC 1035) and multicast DNS (RFC 6762). */
export const dnsPorts = { dns: 53, multicast: 5353 } as const

export interface DnsQuestion {
  /** Without the dot at its end; that of the root is `.`. */
  name: string
  type: string
  class: string
  /** Of multicast DNS: the answer may be sent to the asker alone (QU). */
  unicastResponse: boolean
}

/** A record of one type. */
export interface DnsResourceOf<T extends string, D> {
  name: string
  type: T
  class: string
  ttlSeconds: number
  /** Of multicast DNS: what was known of the name before is no longer so. */
  cacheFlush: boolean
  data: D
}

/** EDNS (RFC 6891). */
export interface DnsOpt {
  name: string
  type: 'OPT'
  udpPayloadSize: number
  /** The upper eight bits of a response code of twelve. */
  extendedResponseCode: number
  version: number
  dnssecOk: boolean
  options: { code: number; data: Uint8Array }[]
}

/** A record; the names in `data` are those of dns-packet. Types that it does not read are bytes. */
export type DnsResource =
  | DnsResourceOf<'A' | 'AAAA' | 'CNAME' | 'DNAME' | 'NS' | 'PTR', string>
  | DnsResourceOf<'TXT', Uint8Array[]>
  | DnsResourceOf<'MX', { preference: number; exchange: string }>
  | DnsResourceOf<'SRV', { priority: number; weight: number; port: number; target: string }>
  | DnsResourceOf<
      'SOA',
      {
        mname: string
        rname: string
        serial: number
        refresh: number
        retry: number
        expire: number
        minimum: number
      }
    >
  | DnsResourceOf<'CAA', { flags: number; tag: string; value: string; issuerCritical: boolean }>
  | DnsResourceOf<'HINFO', { cpu: string; os: string }>
  | DnsResourceOf<'RP', { mbox: string; txt: string }>
  | DnsResourceOf<'DNSKEY', { flags: number; algorithm: number; key: Uint8Array }>
  | DnsResourceOf<'DS', { keyTag: number; algorithm: number; digestType: number; digest: Uint8Array }>
  | DnsResourceOf<'NSEC', { nextDomain: string; rrtypes: string[] }>
  | DnsResourceOf<
      'NSEC3',
      {
        algorithm: number
        flags: number
        iterations: number
        salt: Uint8Array
        nextDomain: Uint8Array
        rrtypes: string[]
      }
    >
  | DnsResourceOf<
      'RRSIG',
      {
        typeCovered: string
        algorithm: number
        labels: number
        originalTTL: number
        expiration: number
        inception: number
        keyTag: number
        signersName: string
        signature: Uint8Array
      }
    >
  | DnsResourceOf<'SSHFP', { algorithm: number; hash: number; fingerprint: string }>
  | DnsResourceOf<'TLSA', { usage: number; selector: number; matchingType: number; certificate: Uint8Array }>
  | DnsResourceOf<
      'NAPTR',
      {
        order: number
        preference: number
        flags: string
        services: string
        regexp: string
        replacement: string
      }
    >
  | DnsResourceOf<DnsRawType, Uint8Array>
  | DnsOpt

/** Types whose data are bytes; those without a name as RFC 3597 has them, `TYPE65534`. */
export type DnsRawType =
  | 'AFSDB'
  | 'APL'
  | 'CDNSKEY'
  | 'CDS'
  | 'CERT'
  | 'DHCID'
  | 'DLV'
  | 'HIP'
  | 'HTTPS'
  | 'IPSECKEY'
  | 'KEY'
  | 'KX'
  | 'LOC'
  | 'NSEC3PARAM'
  | 'NULL'
  | 'SIG'
  | 'SPF'
  | 'SVCB'
  | 'TA'
  | 'TKEY'
  | 'TSIG'
  | 'URI'
  | `TYPE${number}`

/** A message of DNS (RFC 1035 section 4). */
export interface DnsMessage {
  id: number
  type: 'query' | 'response'
  /** `QUERY`, `NOTIFY`, `UPDATE`… */
  opcode: string
  /** `NOERROR`, `NXDOMAIN`… */
  responseCode: string
  authoritative: boolean
  truncated: boolean
  recursionDesired: boolean
  recursionAvailable: boolean
  authenticData: boolean
  checkingDisabled: boolean
  questions: DnsQuestion[]
  answers: DnsResource[]
  authorities: DnsResource[]
  additionals: DnsResource[]
}

/** What is used of the package dns-packet, version 5. */
export interface DnsPacket {
  decode(bytes: Uint8Array): object
  encode(packet: object): Uint8Array
}

interface Reader {
  decode(bytes: Uint8Array): Packet
  encode(packet: object): Uint8Array
  /** Bytes that the last message had. */
  readonly bytes: number
}

let reader: Reader | undefined

/**
 * Has {@link decode}, {@link describe} and {@link decodeTree} read DNS with the package dns-packet, which the program
 * installs and hands over: `registerDns(dnsPacket)`. It is for all of the program (of the worker); `undefined` undoes it.
 * @throws TypeError when it is not dns-packet
 */
export function registerDns(dnsPacket: DnsPacket | undefined): void {
  if (dnsPacket === undefined) {
    reader = undefined
    return
  }
  if (typeof dnsPacket?.decode !== 'function' || typeof dnsPacket.encode !== 'function')
    throw invalidArgumentType('dnsPacket', 'the package dns-packet', dnsPacket)
  // In a browser it brings a Buffer of its own, which is that of what it returns.
  const bufferClass = dnsPacket.encode({}).constructor as typeof Buffer
  const asBuffer = ({ buffer, byteOffset, length }: Uint8Array) =>
    bufferClass.from(buffer, byteOffset, length)
  const decode = dnsPacket.decode as unknown as { (bytes: Uint8Array): Packet; bytes: number }
  reader = {
    decode: bytes => decode(asBuffer(bytes)),
    encode: packet => dnsPacket.encode(withBuffers(packet, asBuffer) as object),
    get bytes() {
      return decode.bytes
    },
  }
}

/** All bytes in a value as dns-packet wants them. */
function withBuffers(value: unknown, asBuffer: (bytes: Uint8Array) => Uint8Array): unknown {
  if (value instanceof Uint8Array) return asBuffer(value)
  if (Array.isArray(value)) return value.map(entry => withBuffers(entry, asBuffer))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withBuffers(entry, asBuffer)]))
}

/** Bytes of a packet, which stands for the message `given`. @throws NetloomError `ERR_UNSUPPORTED`, TypeError */
export function encodeDnsPacket(packet: object, given: object): Uint8Array {
  if (reader === undefined) {
    throw new NetloomError('ERR_UNSUPPORTED', 'DNS is encoded by the package dns-packet: see registerDns')
  }
  let bytes: Uint8Array
  try {
    bytes = reader.encode(packet)
  } catch (error) {
    throw invalidArgumentValue('dns', given, `is no message: ${(error as Error)?.message}`)
  }
  if (dnsEnd(bytes, 0, bytes.length) === bytes.length) return bytes
  throw invalidArgumentValue('dns', given, 'is no message: a name, or what a record has, does not fit')
}

/** As dns-packet has it. */
interface Packet {
  id: number
  type: 'query' | 'response'
  opcode: string
  rcode: string
  flag_aa: boolean
  flag_tc: boolean
  flag_rd: boolean
  flag_ra: boolean
  flag_ad: boolean
  flag_cd: boolean
  questions: { name: string; type: string; class: string }[]
  answers: Answer[]
  authorities: Answer[]
  additionals: Answer[]
}

interface Answer {
  name: string
  type: string
  class: string
  ttl: number
  flush: boolean
  data: unknown
  udpPayloadSize: number
  extendedRcode: number
  ednsVersion: number
  flag_do: boolean
  options: { code: number; data: Uint8Array }[]
}

/** Whether `bytes[start, end)` holds a message, by the lengths in it, and DNS is read at all. */
export function isDns(bytes: Uint8Array, start: number, end: number): boolean {
  return reader !== undefined && dnsEnd(bytes, start, end) > 0
}

/** Where names are in the data of records, by type: RFC 1035, 1183, 2782, 4034, 6672. */
const namesIn: Readonly<Record<number, { after: number; count: number }>> = {
  2: { after: 0, count: 1 }, // NS
  5: { after: 0, count: 1 }, // CNAME
  6: { after: 0, count: 2 }, // SOA
  12: { after: 0, count: 1 }, // PTR
  15: { after: 2, count: 1 }, // MX
  17: { after: 0, count: 2 }, // RP
  33: { after: 6, count: 1 }, // SRV
  39: { after: 0, count: 1 }, // DNAME
  46: { after: 18, count: 1 }, // RRSIG
  47: { after: 0, count: 1 }, // NSEC
}
const naptr = 35 // RFC 3403

/** Where the message ends that begins at `start`; 0 when there is none, or not all of it. */
function dnsEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 12) return 0
  let at = start + 12
  for (let left = readUint16(bytes, start + 4); left > 0; left--) {
    at = wholeNameEnd(bytes, start, at, end)
    if (at === 0 || at + 4 > end) return 0
    at += 4
  }
  let left = readUint16(bytes, start + 6) + readUint16(bytes, start + 8) + readUint16(bytes, start + 10)
  for (; left > 0; left--) {
    at = wholeNameEnd(bytes, start, at, end)
    if (at === 0 || at + 10 > end) return 0
    const type = readUint16(bytes, at)
    const length = readUint16(bytes, at + 8)
    if ((type === 1 && length !== 4) || (type === 28 && length !== 16)) return 0
    const data = at + 10
    at = data + length
    if (at > end || !hasWholeNames(bytes, start, type, data, at)) return 0
  }
  return at
}

function hasWholeNames(bytes: Uint8Array, start: number, type: number, data: number, end: number): boolean {
  let { after, count } = namesIn[type] ?? { after: 0, count: 0 }
  if (type === naptr) {
    // Order, preference, and three texts.
    after = 4
    for (let texts = 0; texts < 3; texts++) after += 1 + (bytes[data + after] ?? 0)
    count = 1
  }
  for (let at = data + after; count > 0; count--) {
    at = wholeNameEnd(bytes, start, at, end)
    if (at === 0) return false
  }
  return true
}

/**
 * As {@link nameEnd}, of a name that is no longer than names are (255 bytes, RFC 1035 section 2.3.4) by way of its pointers
 * also: long chains of these would make a small message costly. A pointer ahead is left to dns-packet, which refuses it.
 */
function wholeNameEnd(bytes: Uint8Array, start: number, from: number, end: number): number {
  const after = nameEnd(bytes, from, end)
  if (after === 0) return 0
  let jumps = 0
  for (let at = from, length = 0; at < end; ) {
    const label = bytes[at]!
    if (label === 0) return after
    if (label >= 0xc0) {
      const target = start + (readUint16(bytes, at) & 0x3fff)
      if (target >= at) return after
      if (++jumps > 127) return 0
      at = target
      continue
    }
    length += 1 + label
    if (label >= 0x40) return after
    if (length > 254) return 0
    at += 1 + label
  }
  return after
}

/** Where the name ends that begins at `at`; 0 when it does not. */
export function nameEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const length = bytes[at]!
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2 <= end ? at + 2 : 0
    if (length >= 0x40) return 0
    at += 1 + length
  }
  return 0
}

/** @throws FrameError when dns-packet refuses the message */
export function dnsMessage(bytes: Uint8Array, start: number, end: number): DnsMessage {
  const packet = decodePacket(bytes.subarray(start, dnsEnd(bytes, start, end)))
  return {
    id: packet.id,
    type: packet.type,
    opcode: packet.opcode,
    responseCode: packet.rcode,
    authoritative: packet.flag_aa,
    truncated: packet.flag_tc,
    recursionDesired: packet.flag_rd,
    recursionAvailable: packet.flag_ra,
    authenticData: packet.flag_ad,
    checkingDisabled: packet.flag_cd,
    questions: packet.questions.map(({ name, type, class: of }) => {
      const code = unnamed(of)
      return {
        name,
        type: typeName(type),
        class: code === undefined ? of : className(code & 0x7fff),
        unicastResponse: code !== undefined && code > 0x7fff,
      }
    }),
    answers: packet.answers.map(resource),
    authorities: packet.authorities.map(resource),
    additionals: packet.additionals.map(resource),
  }
}

function decodePacket(message: Uint8Array): Packet {
  let packet: Packet
  try {
    packet = reader!.decode(message)
  } catch (error) {
    throw malformed('dns', `${(error as Error)?.message}`)
  }
  // Its records may be longer or shorter than they say.
  if (reader!.bytes !== message.length) throw malformed('dns', 'a record has another length than it says')
  return packet
}

function resource(answer: Answer): DnsResource {
  const { name, class: of, ttl, flush, data } = answer
  if (answer.type === 'OPT') {
    return {
      name,
      type: 'OPT',
      udpPayloadSize: answer.udpPayloadSize,
      extendedResponseCode: answer.extendedRcode,
      version: answer.ednsVersion,
      dnssecOk: answer.flag_do,
      options: answer.options.map(({ code, data }) => ({ code, data })),
    }
  }
  const code = unnamed(of)
  return {
    name,
    type: typeName(answer.type),
    class: code === undefined ? of : className(code),
    ttlSeconds: ttl,
    cacheFlush: flush,
    data: answer.type === 'AAAA' ? formatIpv6(parseIpv6(data as string)) : data,
  } as DnsResource
}

/** The number of a type or class that dns-packet has no name for. */
function unnamed(name: string): number | undefined {
  const number = /^UNKNOWN_(\d+)$/.exec(name)?.[1]
  return number === undefined ? undefined : Number(number)
}

const types: Readonly<Record<number, string>> = { 64: 'SVCB', 65: 'HTTPS', 256: 'URI' }
const classes: Readonly<Record<number, string>> = {
  1: 'IN',
  2: 'CS',
  3: 'CH',
  4: 'HS',
  254: 'NONE',
  255: 'ANY',
}

/** Names beside those of dns-packet. */
export const dnsTables = { types, classes } as const

function typeName(name: string): string {
  const number = unnamed(name)
  return number === undefined ? name : (types[number] ?? `TYPE${number}`)
}

function className(number: number): string {
  return classes[number] ?? `CLASS${number}`
}
