/**
 * BSD loopback: LINKTYPE_NULL and LINKTYPE_LOOP.
 *
 *   0   4  address family of the capturing system; in its own byte order, or with LOOP in network order
 *   4      payload
 */

import { readUint32, writeUint32 } from '../bytes/index.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, uint } from './record.js'

export class LoopbackView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('loopback', 4, bytes, start, end)
  }

  /** 2 is IPv4; 10, 24, 28 and 30 are IPv6, by system. */
  get family(): number {
    return this.littleEndian ? this.bytes[this.start]! | (this.bytes[this.start + 1]! << 8) : this.#field
  }

  /** No family is above 0xffff, so the byte order shows. */
  get littleEndian(): boolean {
    const field = this.#field
    return field > 0xffff && (field & 0xffff) === 0
  }

  get #field(): number {
    return readUint32(this.bytes, this.start)
  }

  get payloadOffset(): number {
    return this.start + 4
  }
}

export interface LoopbackRecord {
  /** 2 is IPv4; 10 (Linux), 24 (NetBSD, OpenBSD), 28 (FreeBSD) and 30 (macOS) are IPv6. */
  family: number
  /** Written by a system of that byte order. */
  littleEndian: boolean
  payload: Uint8Array
}

export type LoopbackInput = Input<LoopbackRecord, 'family' | 'payload'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeLoopback(bytes: Uint8Array): LoopbackRecord {
  return loopbackRecord(new LoopbackView(bytes))
}

export function loopbackRecord(view: LoopbackView): LoopbackRecord {
  const { family, littleEndian } = view
  return { family, littleEndian, payload: view.payload() }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeLoopback(record: LoopbackInput): Uint8Array {
  const payload = byteField('payload', record.payload)
  const bytes = withHeader(4, payload)
  const little = record.littleEndian === true
  const family = uint('family', record.family, little ? 16 : 32)
  writeUint32(bytes, 0, little ? ((family & 0xff) << 24) | ((family >> 8) << 16) : family)
  return bytes
}
