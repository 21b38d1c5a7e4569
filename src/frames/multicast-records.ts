/**
 * What IGMPv3 (RFC 3376 section 4) and MLDv2 (RFC 3810 section 5) have in common; addresses are of 4 or 16 bytes.
 *
 *  end of a query                         group record of a report
 *   0   1  reserved (4 bits),              0   1  type
 *          suppress (1), robustness (3)    1   1  auxiliary data in units of 4 bytes
 *   1   1  query interval code             2   2  number of sources
 *   2   2  number of sources               4      group
 *   4      sources                                sources
 *                                                 auxiliary data
 */
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../address/index.js'
import { concatBytes, readUint16, writeUint16 } from '../bytes/index.js'
import { byteField, noBytes, requireMultiple, uint } from './record.js'

/** Types of group records (RFC 3376 section 4.2.12). */
export const multicastRecordTypes = {
  isInclude: 1,
  isExclude: 2,
  toInclude: 3,
  toExclude: 4,
  allow: 5,
  block: 6,
} as const

export interface MulticastRecord {
  /** One of {@link multicastRecordTypes}, or another number. */
  type: number
  group: string
  sources: string[]
  /** A multiple of 4 bytes; none is defined. */
  auxiliaryData?: Uint8Array | undefined
}

/** The end of a query of IGMPv3 or MLDv2. */
export interface MulticastQuery {
  /** Routers that hear this query keep their timers. */
  suppress: boolean
  /** 0 to 7; 0 is more than 7. */
  robustness: number
  /** Seconds below 128; above, a floating point number (RFC 3376 section 4.1.7). */
  queryIntervalCode: number
  sources: string[]
}

/** The sources at `at`, or `undefined` when they end after `end`. */
function readSources(
  bytes: Uint8Array,
  at: number,
  count: number,
  end: number,
  size: 4 | 16,
): string[] | undefined {
  if (at + count * size > end) return undefined
  const format = size === 4 ? formatIpv4 : formatIpv6
  return Array.from({ length: count }, (_, i) => format(bytes, at + i * size))
}

/** The end of a query at `at`, and where it ends; `undefined` when it is not all there. */
export function readMulticastQuery(
  bytes: Uint8Array,
  at: number,
  end: number,
  size: 4 | 16,
): { query: MulticastQuery; next: number } | undefined {
  const sources = readSources(bytes, at + 4, readUint16(bytes, at + 2), end, size)
  if (!sources) return undefined
  const query = {
    suppress: (bytes[at]! & 8) !== 0,
    robustness: bytes[at]! & 7,
    queryIntervalCode: bytes[at + 1]!,
    sources,
  }
  return { query, next: at + 4 + sources.length * size }
}

/** `count` group records from `at`, and where they end; `undefined` when they are not all there. */
export function readMulticastRecords(
  bytes: Uint8Array,
  at: number,
  count: number,
  end: number,
  size: 4 | 16,
): { records: MulticastRecord[]; next: number } | undefined {
  const records: MulticastRecord[] = []
  let next = at
  for (let i = 0; i < count; i++) {
    const start = next
    if (start + 4 + size > end) return undefined
    const sources = readSources(bytes, start + 4 + size, readUint16(bytes, start + 2), end, size)
    if (!sources) return undefined
    const auxiliary = start + 4 + size * (1 + sources.length)
    next = auxiliary + bytes[start + 1]! * 4
    if (next > end) return undefined
    const group = (size === 4 ? formatIpv4 : formatIpv6)(bytes, start + 4)
    const auxiliaryData = next > auxiliary && { auxiliaryData: bytes.subarray(auxiliary, next) }
    records.push({ type: bytes[start]!, group, sources, ...auxiliaryData })
  }
  return { records, next }
}

export function encodeMulticastQuery(query: Partial<MulticastQuery>, size: 4 | 16): Uint8Array {
  const sources = (query.sources ?? []).map(size === 4 ? parseIpv4 : parseIpv6)
  const fixed = new Uint8Array(4)
  fixed[0] = (query.suppress ? 8 : 0) | uint('robustness', query.robustness, 3, 2)
  fixed[1] = uint('queryIntervalCode', query.queryIntervalCode, 8, 125)
  writeUint16(fixed, 2, uint('sources.length', sources.length, 16))
  return concatBytes(fixed, ...sources)
}

export function encodeMulticastRecord(record: MulticastRecord, size: 4 | 16): Uint8Array {
  const parse = size === 4 ? parseIpv4 : parseIpv6
  const sources = record.sources.map(parse)
  const data = byteField('auxiliaryData', record.auxiliaryData, noBytes)
  const fixed = new Uint8Array(4)
  fixed[0] = uint('record.type', record.type, 8)
  fixed[1] = uint('auxiliaryData.length / 4', requireMultiple('auxiliaryData.length', data.length, 4) / 4, 8)
  writeUint16(fixed, 2, uint('record.sources.length', sources.length, 16))
  return concatBytes(fixed, parse(record.group), ...sources, data)
}
