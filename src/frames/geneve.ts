/**
 * Geneve: RFC 8926 section 3.4.
 *
 *   0   1  version: 0 (2 bits), length of the options in units of 4 bytes (6)
 *   1   1  control packet (1 bit), critical options (1), reserved (6)
 *   2   2  EtherType of the payload; 0x6558 is a whole Ethernet frame
 *   4   3  virtual network identifier
 *   7   1  reserved
 *   8      options, each: class (2), type (1; the highest bit: critical), reserved (3 bits), length of its data in
 *          units of 4 bytes (5 bits), data
 *          payload
 */

import { concatBytes, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { malformed } from './frame-error.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, requireMultiple, uint } from './record.js'

const fixedLength = 8

/** The port that IANA has for it. */
export const genevePort = 6081

export class GeneveView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('geneve', fixedLength, bytes, start, end)
    const version = bytes[this.start]! >> 6
    if (version !== 0) throw malformed('geneve', `the version is ${version}`)
    this.require('geneve', this.payloadOffset - this.start)
  }

  /** The packet is for the tunnel's end, not for what is behind it. */
  get control(): boolean {
    return (this.bytes[this.start + 1]! & 0x80) !== 0
  }

  /** An option must be understood. */
  get critical(): boolean {
    return (this.bytes[this.start + 1]! & 0x40) !== 0
  }

  /** EtherType of the payload. */
  get protocol(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  /** Network identifier, 0 to 0xffffff. */
  get vni(): number {
    return readUint32(this.bytes, this.start + 4) >>> 8
  }

  get optionsOffset(): number {
    return this.start + fixedLength
  }

  get payloadOffset(): number {
    return this.start + geneveLength(this.bytes, this.start)
  }
}

/** In bytes, options included. */
export function geneveLength(bytes: Uint8Array, start: number): number {
  return fixedLength + (bytes[start]! & 0x3f) * 4
}

export interface GeneveOption {
  class: number
  /** The highest bit, 0x80: who does not understand it must drop the packet. */
  type: number
  /** A multiple of 4 bytes, up to 124. */
  data: Uint8Array
}

export interface GeneveRecord {
  control: boolean
  critical: boolean
  /** EtherType of the payload; 0x6558 is a whole Ethernet frame. */
  protocol: number
  /** Network identifier, 0 to 0xffffff. */
  vni: number
  options: GeneveOption[]
  payload: Uint8Array
}

/** `critical` follows from the options unless given. */
export type GeneveInput = Input<GeneveRecord, 'protocol' | 'vni' | 'payload'>

/** Reserved bits are not kept. @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function decodeGeneve(bytes: Uint8Array): GeneveRecord {
  return geneveRecord(new GeneveView(bytes))
}

export function geneveRecord(view: GeneveView): GeneveRecord {
  const { control, critical, protocol, vni, bytes, payloadOffset } = view
  const options: GeneveOption[] = []
  for (let at = view.optionsOffset; at < payloadOffset; ) {
    const next = at + 4 + (bytes[at + 3]! & 0x1f) * 4
    if (next > payloadOffset) throw malformed('geneve', 'an option is longer than the header')
    options.push({ class: readUint16(bytes, at), type: bytes[at + 2]!, data: bytes.subarray(at + 4, next) })
    at = next
  }
  return { control, critical, protocol, vni, options, payload: view.payload() }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeGeneve(record: GeneveInput): Uint8Array {
  const payload = byteField('payload', record.payload)
  const list = record.options ?? []
  const options = concatBytes(...list.flatMap(encodeOption))
  const critical = record.critical ?? list.some(option => (option.type & 0x80) !== 0)
  const bytes = withHeader(fixedLength + options.length, payload)
  bytes[0] = uint('length of options / 4', options.length / 4, 6)
  bytes[1] = (record.control ? 0x80 : 0) | (critical ? 0x40 : 0)
  writeUint16(bytes, 2, uint('protocol', record.protocol, 16))
  writeUint32(bytes, 4, uint('vni', record.vni, 24) << 8)
  bytes.set(options, fixedLength)
  return bytes
}

function encodeOption(option: GeneveOption): Uint8Array[] {
  const data = byteField('option.data', option.data)
  const header = new Uint8Array(4)
  writeUint16(header, 0, uint('option.class', option.class, 16))
  header[2] = uint('option.type', option.type, 8)
  const words = requireMultiple('option.data.length', data.length, 4) / 4
  header[3] = uint('option.data.length / 4', words, 5)
  return [header, data]
}
