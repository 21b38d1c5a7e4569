/**
 * 802.2 logical link control, which follows the length of an 802.3 frame, with SNAP: IEEE 802 clause 10.
 *
 *   0   1  destination service access point: 0x42 is STP, 0xaa SNAP
 *   1   1  source service access point
 *   2   1  control; 2 bytes unless its two lowest bits are set
 *   3   3  SNAP: organization; 0 means that an EtherType follows
 *   6   2  SNAP: protocol
 *          payload
 */

import { readUint16, writeUint16 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, uint } from './record.js'

/** Service access points that Netloom knows by name. */
export const llcAccessPoints = { stp: 0x42, ip: 0x06, snap: 0xaa, netware: 0xe0, isis: 0xfe } as const

const unnumbered = 0x03

export class LlcView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('llc', 3, bytes, start, end)
    this.require('llc', this.payloadOffset - this.start)
  }

  /** Access point, as is `source`: one of {@link llcAccessPoints}, or another number. */
  get destination(): number {
    return this.bytes[this.start]!
  }

  get source(): number {
    return this.bytes[this.start + 1]!
  }

  /** 8 bits where the lowest two are set, else 16, of which the first byte on the wire is the lower one. */
  get control(): number {
    const first = this.bytes[this.start + 2]!
    return (first & 3) === 3 ? first : first | (this.bytes[this.start + 3]! << 8)
  }

  get isSnap(): boolean {
    return isSnap(this.bytes, this.start)
  }

  /** With SNAP. */
  get organization(): number {
    return (this.bytes[this.start + 3]! << 16) | readUint16(this.bytes, this.start + 4)
  }

  /** With SNAP: an EtherType if the organization is 0. */
  get protocol(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  get payloadOffset(): number {
    return this.start + llcLength(this.bytes, this.start)
  }
}

export function isSnap(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 0xaa && bytes[start + 1] === 0xaa && bytes[start + 2] === unnumbered
}

/** In bytes, SNAP included; the first 3 must be there. */
export function llcLength(bytes: Uint8Array, start: number): number {
  if (isSnap(bytes, start)) return 8
  return (bytes[start + 2]! & 3) === 3 ? 3 : 4
}

export interface LlcRecord {
  destination: number
  source: number
  /** 8 bits where the lowest two are set, else 16, of which the first byte on the wire is the lower one. */
  control: number
  /** With both access points 0xaa and control 3. `protocol` is an EtherType if the organization is 0. */
  snap?: { organization: number; protocol: number } | undefined
  payload: Uint8Array
}

/** `control` is 3 unless given; with `snap` the access points are 0xaa. */
export type LlcInput = Input<LlcRecord, 'payload'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeLlc(bytes: Uint8Array): LlcRecord {
  return llcRecord(new LlcView(bytes))
}

export function llcRecord(view: LlcView): LlcRecord {
  const { destination, source, control, organization, protocol } = view
  const snap = view.isSnap && { snap: { organization, protocol } }
  return { destination, source, control, ...snap, payload: view.payload() }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeLlc(record: LlcInput): Uint8Array {
  const { snap } = record
  const payload = byteField('payload', record.payload)
  const fallback = snap && llcAccessPoints.snap
  const destination = uint('destination', record.destination, 8, fallback)
  const source = uint('source', record.source, 8, fallback)
  const control = uint('control', record.control, ((record.control ?? 3) & 3) === 3 ? 8 : 16, unnumbered)
  const short = (control & 3) === 3
  const length = snap ? 8 : short ? 3 : 4
  const bytes = withHeader(length, payload)
  bytes[0] = destination
  bytes[1] = source
  bytes[2] = control
  if (!short) bytes[3] = control >> 8
  if (llcLength(bytes, 0) !== length)
    throw invalidArgumentValue('record', record, 'must have snap if and only if its header is that of SNAP')
  if (snap) {
    const organization = uint('snap.organization', snap.organization, 24)
    bytes[3] = organization >> 16
    writeUint16(bytes, 4, organization & 0xffff)
    writeUint16(bytes, 6, uint('snap.protocol', snap.protocol, 16))
  }
  return bytes
}
