/**
 * The records of a name resolution block, each: kind (2), length (2), address, names that end with a zero byte each,
 * padding to a multiple of 4. A kind of 0 ends them.
 */
import {
  formatIpv4,
  formatIpv6,
  formatMacAddress,
  parseIpv4,
  parseIpv6,
  parseMacAddress,
} from '../address/index.js'
import { hex } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue, outOfRange, requireInteger } from '../errors/index.js'
import { CaptureFileError } from './capture-error.js'
import type { CaptureName, RawNameRecord } from './capture-items.js'
import { parseEui } from './option-codecs.js'
import { decodeText, encodeText } from './text.js'

interface AddressKind {
  number: number
  length: number
  format(bytes: Uint8Array): string
  parse(text: string): Uint8Array
}

const kinds: Record<CaptureName['kind'], AddressKind> = {
  ipv4: { number: 1, length: 4, format: formatIpv4, parse: parseIpv4 },
  ipv6: { number: 2, length: 16, format: formatIpv6, parse: parseIpv6 },
  mac: { number: 3, length: 6, format: formatMacAddress, parse: parseMacAddress },
  eui64: { number: 4, length: 8, format: bytes => hex(bytes, ':'), parse: parseEui },
}

/** The records, and where what follows them begins. */
export function decodeNameRecords(
  block: Uint8Array,
  start: number,
  end: number,
  little: boolean,
  fileOffset: number,
): { records: (CaptureName | RawNameRecord)[]; next: number } {
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  const records: (CaptureName | RawNameRecord)[] = []
  let at = start
  while (end - at >= 4) {
    const kind = view.getUint16(at, little)
    const length = view.getUint16(at + 2, little)
    if (kind === 0) return { records, next: at + 4 }
    if (length > end - at - 4)
      throw new CaptureFileError(fileOffset + at, `a record of ${length} bytes leads out of its block`)
    const value = block.slice(at + 4, at + 4 + length)
    records.push(decodeName(kind, value) ?? { kind, value })
    at += 4 + ((length + 3) & ~3)
  }
  return { records, next: end }
}

function decodeName(number: number, value: Uint8Array): CaptureName | undefined {
  const found = Object.entries(kinds).find(([, kind]) => kind.number === number)
  if (found === undefined) return undefined
  const [kind, { length, format }] = found as [CaptureName['kind'], AddressKind]
  // At least one name, and a zero at the end of the last.
  if (value.length < length + 1 || value.at(-1) !== 0) return undefined
  const text = decodeText(value.subarray(length, -1))
  return text === undefined
    ? undefined
    : { kind, address: format(value.subarray(0, length)), names: text.split('\0') }
}

/** The bytes of all records, with what ends them. */
export function encodeNameRecords(
  records: readonly (CaptureName | RawNameRecord)[],
  little: boolean,
): Uint8Array {
  if (!Array.isArray(records)) throw invalidArgumentType('records', 'an array', records)
  const encoded = records.map(record => encodeName(record))
  const length = encoded.reduce((sum, { value }) => sum + 4 + ((value.length + 3) & ~3), 4)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { kind, value } of encoded) {
    view.setUint16(at, kind, little)
    view.setUint16(at + 2, value.length, little)
    bytes.set(value, at + 4)
    at += 4 + ((value.length + 3) & ~3)
  }
  return bytes
}

function encodeName(record: CaptureName | RawNameRecord): RawNameRecord {
  const encoded =
    typeof record.kind === 'number' ? (record as RawNameRecord) : fromName(record as CaptureName)
  requireInteger('records.kind', encoded.kind, 1, 0xffff)
  if (!(encoded.value instanceof Uint8Array))
    throw invalidArgumentType('records.value', 'an instance of Uint8Array', encoded.value)
  if (encoded.value.length > 0xffff)
    throw outOfRange('records', 'at most 65535 bytes each', encoded.value.length)
  return encoded
}

function fromName({ kind, address, names }: CaptureName): RawNameRecord {
  if (!Object.hasOwn(kinds, kind)) throw invalidArgumentValue('records.kind', kind, 'is not a known kind')
  if (!Array.isArray(names)) throw invalidArgumentType('records.names', 'an array of strings', names)
  for (const name of names) {
    if (typeof name !== 'string') throw invalidArgumentType('records.names', 'an array of strings', name)
    if (name.includes('\0'))
      throw invalidArgumentValue('records.names', name, 'must not contain a zero character')
  }
  if (names.length === 0) throw invalidArgumentValue('records.names', names, 'must have at least one name')
  const { number, parse } = kinds[kind]
  const start = parse(address)
  const text = encodeText(`${names.join('\0')}\0`)
  const value = new Uint8Array(start.length + text.length)
  value.set(start)
  value.set(text, start.length)
  return { kind: number, value }
}
