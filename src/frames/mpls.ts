/**
 * An entry of an MPLS label stack: RFC 3032 section 2.1, RFC 5462.
 *
 *   0   4  label (20 bits), traffic class (3), bottom of stack (1), time to live (8)
 *   4      another entry or, below the bottom, the payload, which has no type of its own
 */

import { readUint32, writeUint32 } from '../bytes/index.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, uint } from './record.js'

export class MplsView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('mpls', 4, bytes, start, end)
  }

  /** 0 to 0xfffff; 0 to 15 have meanings of their own (RFC 7274). */
  get label(): number {
    return readUint32(this.bytes, this.start) >>> 12
  }

  /** 0 to 7. */
  get trafficClass(): number {
    return (this.bytes[this.start + 2]! >> 1) & 7
  }

  get bottom(): boolean {
    return (this.bytes[this.start + 2]! & 1) === 1
  }

  get ttl(): number {
    return this.bytes[this.start + 3]!
  }

  get payloadOffset(): number {
    return this.start + 4
  }
}

export interface MplsRecord {
  /** 0 to 0xfffff. */
  label: number
  /** 0 to 7. */
  trafficClass: number
  /** The last entry of the stack. */
  bottom: boolean
  ttl: number
  payload: Uint8Array
}

/** `bottom` is true and `ttl` 64 unless given. */
export type MplsInput = Input<MplsRecord, 'label' | 'payload'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeMpls(bytes: Uint8Array): MplsRecord {
  return mplsRecord(new MplsView(bytes))
}

export function mplsRecord(view: MplsView): MplsRecord {
  const { label, trafficClass, bottom, ttl } = view
  return { label, trafficClass, bottom, ttl, payload: view.payload() }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeMpls(record: MplsInput): Uint8Array {
  const payload = byteField('payload', record.payload)
  const bytes = withHeader(4, payload)
  const middle =
    (uint('trafficClass', record.trafficClass, 3, 0) << 9) | (record.bottom === false ? 0 : 0x100)
  writeUint32(bytes, 0, (uint('label', record.label, 20) << 12) | middle | uint('ttl', record.ttl, 8, 64))
  return bytes
}
