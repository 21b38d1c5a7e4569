/**
 * Multicast listener discovery: RFC 2710 (version 1), RFC 3810 (2). These are ICMPv6 messages (see icmpv6.ts) of types
 * 130 to 132 and 143.
 *
 *   0   1  type
 *   1   1  code: 0
 *   2   2  checksum
 *
 *  query 130, report 131, done 132   report of version 2, 143
 *   4   2  maximum response code      4   2  reserved
 *   6   2  reserved                   6   2  number of records
 *   8  16  group                      8      records
 *  24      in a query of version 2
 *          see multicast-records.ts for both
 */
import { formatIpv6, parseIpv6 } from '../address/index.js'
import { concatBytes, readUint16, writeUint16 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import type { IpAddressPair } from './checksum.js'
import { malformed, truncated } from './frame-error.js'
import { FrameView } from './frame-view.js'
import { icmpv6Types, setIcmpv6Checksum } from './icmpv6.js'
import {
  encodeMulticastQuery,
  encodeMulticastRecord,
  type MulticastQuery,
  type MulticastRecord,
  readMulticastQuery,
  readMulticastRecords,
} from './multicast-records.js'
import { byteField, type Input, noBytes, uint } from './record.js'

export function isMld(icmpv6Type: number): boolean {
  return (
    (icmpv6Type >= icmpv6Types.listenerQuery && icmpv6Type <= icmpv6Types.listenerDone) ||
    icmpv6Type === icmpv6Types.listenerReportV2
  )
}

/** A message of any of the four types; `bytes` begin at the ICMPv6 header. */
export class MldView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('mld', 8, bytes, start, end)
    if (!isMld(this.type)) throw malformed('mld', `ICMPv6 type ${this.type} is something else`)
    this.require('mld', this.payloadOffset - this.start)
  }

  get type(): number {
    return this.bytes[this.start]!
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  /** Of a query, in milliseconds below 32768; above, a floating point number (RFC 3810 section 5.1.3). */
  get maxResponseCode(): number {
    return readUint16(this.bytes, this.start + 4)
  }

  /** Not of reports of version 2. */
  get group(): string {
    return formatIpv6(this.bytes, this.start + 8)
  }

  /** Of a report of version 2. */
  get recordCount(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  /** A query of version 2: it is longer than those before. */
  get isQueryV2(): boolean {
    return this.type === icmpv6Types.listenerQuery && this.end - this.start >= 28
  }

  get payloadOffset(): number {
    return this.start + (this.type === icmpv6Types.listenerReportV2 ? 8 : 24)
  }
}

export interface MldRecord {
  /** 130 query, 131 report, 132 done, 143 report of version 2. */
  type: number
  checksum: number
  /** Of a query, in milliseconds below 32768; above, a floating point number. Absent in reports of version 2. */
  maxResponseCode?: number | undefined
  /** Absent in reports of version 2. */
  group?: string | undefined
  /** Of queries of version 2. */
  query?: MulticastQuery | undefined
  /** Of reports of version 2. */
  records?: MulticastRecord[] | undefined
  /** What follows all that. */
  payload: Uint8Array
}

/** `checksum` is computed unless given, so leave it out of a record that you changed. The group is `::` unless given. */
export type MldInput = Input<MldRecord, 'type'>

/**
 * Decodes a whole ICMPv6 message of these types. The code and reserved bits are not kept.
 * @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED`
 */
export function decodeMld(bytes: Uint8Array): MldRecord {
  return mldRecord(new MldView(bytes))
}

export function mldRecord(view: MldView): MldRecord {
  const { type, checksum, bytes, start, end, payloadOffset: at } = view
  const rest = (from: number) => bytes.subarray(from, end)
  if (type === icmpv6Types.listenerReportV2) {
    const found = readMulticastRecords(bytes, at, view.recordCount, end, 16)
    if (!found) throw truncated('mld', end - start + 1, end - start)
    return { type, checksum, records: found.records, payload: rest(found.next) }
  }
  const { maxResponseCode, group } = view
  const base = { type, checksum, maxResponseCode, group }
  if (!view.isQueryV2) return { ...base, payload: rest(at) }
  const found = readMulticastQuery(bytes, at, end, 16)
  if (!found) throw truncated('mld', end - start + 1, end - start)
  return { ...base, query: found.query, payload: rest(found.next) }
}

/**
 * `addresses` are needed unless the record has a checksum: it covers them.
 * @throws TypeError, RangeError for a field that does not fit
 */
export function encodeMld(record: MldInput, addresses?: IpAddressPair): Uint8Array {
  const { type, records, query } = record
  if (!isMld(type)) throw invalidArgumentValue('type', type, 'must be 130 to 132, or 143')
  const v2 = type === icmpv6Types.listenerReportV2
  const fixed = new Uint8Array(v2 ? 8 : 24)
  fixed[0] = type
  if (v2) {
    writeUint16(fixed, 6, uint('records.length', records?.length, 16, 0))
  } else {
    writeUint16(fixed, 4, uint('maxResponseCode', record.maxResponseCode, 16, 0))
    fixed.set(parseIpv6(record.group ?? '::'), 8)
  }
  const bytes = concatBytes(
    fixed,
    ...(query ? [encodeMulticastQuery(query, 16)] : []),
    ...(v2 ? (records ?? []).map(entry => encodeMulticastRecord(entry, 16)) : []),
    byteField('payload', record.payload, noBytes),
  )
  setIcmpv6Checksum(bytes, record.checksum, addresses)
  return bytes
}
