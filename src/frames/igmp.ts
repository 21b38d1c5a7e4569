/**
 * IGMP: RFC 1112 (version 1), RFC 2236 (2), RFC 3376 (3).
 *
 *   0   1  type
 *   1   1  maximum response code, of queries
 *   2   2  checksum of all of it
 *   4   4  group; in a report of version 3: reserved (2), number of records (2)
 *   8      in a query of version 3 and in its reports: see multicast-records.ts
 */
import { formatIpv4, parseIpv4 } from '../address/index.js'
import { concatBytes, internetChecksum, readUint16, writeUint16 } from '../bytes/index.js'
import type { ChecksumVerdict } from './checksum.js'
import { truncated } from './frame-error.js'
import { FrameView } from './frame-view.js'
import {
  encodeMulticastQuery,
  encodeMulticastRecord,
  type MulticastQuery,
  type MulticastRecord,
  readMulticastQuery,
  readMulticastRecords,
} from './multicast-records.js'
import { byteField, type Input, noBytes, uint } from './record.js'

const fixedLength = 8

export const igmpTypes = {
  query: 0x11,
  reportV1: 0x12,
  reportV2: 0x16,
  leave: 0x17,
  reportV3: 0x22,
} as const

export class IgmpView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('igmp', fixedLength, bytes, start, end)
  }

  /** One of {@link igmpTypes}, or another number. */
  get type(): number {
    return this.bytes[this.start]!
  }

  /** Of a query, in tenths of a second below 128; above, a floating point number (RFC 3376 section 4.1.1). */
  get maxResponseCode(): number {
    return this.bytes[this.start + 1]!
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  /** Not of reports of version 3. */
  get group(): string {
    return formatIpv4(this.bytes, this.start + 4)
  }

  /** Of a report of version 3. */
  get recordCount(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  /** A query of version 3: it is longer than those before. */
  get isQueryV3(): boolean {
    return this.type === igmpTypes.query && this.end - this.start >= fixedLength + 4
  }

  get payloadOffset(): number {
    return this.start + fixedLength
  }
}

export interface IgmpRecord {
  type: number
  /** Of a query, in tenths of a second below 128; above, a floating point number (RFC 3376 section 4.1.1). */
  maxResponseCode: number
  checksum: number
  /** Absent in reports of version 3. */
  group?: string | undefined
  /** Of queries of version 3. */
  query?: MulticastQuery | undefined
  /** Of reports of version 3. */
  records?: MulticastRecord[] | undefined
  /** What follows all that. */
  payload: Uint8Array
}

/** `checksum` is computed unless given, so leave it out of a record that you changed. The group is 0.0.0.0 unless given. */
export type IgmpInput = Input<IgmpRecord, 'type'>

/** Reserved bits are not kept. @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeIgmp(bytes: Uint8Array): IgmpRecord {
  return igmpRecord(new IgmpView(bytes))
}

export function igmpRecord(view: IgmpView): IgmpRecord {
  const { type, maxResponseCode, checksum, bytes, start, end, payloadOffset: at } = view
  const base = { type, maxResponseCode, checksum }
  const rest = (from: number) => bytes.subarray(from, end)
  if (type === igmpTypes.reportV3) {
    const found = readMulticastRecords(bytes, at, view.recordCount, end, 4)
    if (!found) throw truncated('igmp', end - start + 1, end - start)
    return { ...base, records: found.records, payload: rest(found.next) }
  }
  const { group } = view
  if (!view.isQueryV3) return { ...base, group, payload: rest(at) }
  const found = readMulticastQuery(bytes, at, end, 4)
  if (!found) throw truncated('igmp', end - start + 1, end - start)
  return { ...base, group, query: found.query, payload: rest(found.next) }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeIgmp(record: IgmpInput): Uint8Array {
  const { records, query } = record
  const fixed = new Uint8Array(fixedLength)
  fixed[0] = uint('type', record.type, 8)
  fixed[1] = uint('maxResponseCode', record.maxResponseCode, 8, 0)
  if (records) writeUint16(fixed, 6, uint('records.length', records.length, 16))
  else fixed.set(parseIpv4(record.group ?? '0.0.0.0'), 4)
  const bytes = concatBytes(
    fixed,
    ...(query ? [encodeMulticastQuery(query, 4)] : []),
    ...(records ?? []).map(entry => encodeMulticastRecord(entry, 4)),
    byteField('payload', record.payload, noBytes),
  )
  writeUint16(bytes, 2, uint('checksum', record.checksum, 16, internetChecksum(bytes)))
  return bytes
}

/** `bytes` is the whole message, as in an IPv4 payload; `unverifiable` when it is too short to be one. */
export function verifyIgmpChecksum(bytes: Uint8Array): ChecksumVerdict {
  if (bytes.length < fixedLength) return 'unverifiable'
  return internetChecksum(bytes) === 0 ? 'ok' : 'bad'
}
