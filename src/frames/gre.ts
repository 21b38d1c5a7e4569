/**
 * GRE: RFC 2784 with the key and sequence number of RFC 2890, and version 1 of RFC 2637 (PPTP).
 *
 *   0   2  checksum (1 bit), routing (1), key (1), sequence (1), reserved (4); acknowledgment (1), reserved (4),
 *          version (3)
 *   2   2  EtherType of the payload; 0x6558 is a whole Ethernet frame
 *          checksum of all of it (2) and 0 (2), if there
 *          key (4), if there; in version 1 the payload's length (2) and a call (2)
 *          sequence number (4), if there
 *          acknowledgment number (4), in version 1, if there
 *          payload
 */

import { internetChecksum, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import type { ChecksumVerdict } from './checksum.js'
import { malformed } from './frame-error.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, uint } from './record.js'

const bits = {
  checksum: 0x8000,
  routing: 0x4000,
  key: 0x2000,
  sequence: 0x1000,
  acknowledgment: 0x0080,
} as const

/** In bytes, by the first two; 0 for headers that are not understood: with routing, or of other versions. */
export function greLength(bytes: Uint8Array, start: number): number {
  const flags = readUint16(bytes, start)
  const version = flags & 7
  if (flags & bits.routing || version > 1) return 0
  if (version === 0 && flags & bits.acknowledgment) return 0
  const count = (flag: number) => (flags & flag ? 4 : 0)
  return 4 + count(bits.checksum) + count(bits.key) + count(bits.sequence) + count(bits.acknowledgment)
}

export class GreView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('gre', 4, bytes, start, end)
    const length = greLength(bytes, this.start)
    if (length === 0) throw malformed('gre', 'only versions 0 and 1 without routing are understood')
    this.require('gre', length)
  }

  get #flags(): number {
    return readUint16(this.bytes, this.start)
  }

  /** 0, or 1 for PPTP. */
  get version(): number {
    return this.#flags & 7
  }

  /** EtherType of the payload. */
  get protocol(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  get checksum(): number | undefined {
    return this.#flags & bits.checksum ? readUint16(this.bytes, this.start + 4) : undefined
  }

  /** In version 1 the payload's length and the call, 16 bits each. */
  get key(): number | undefined {
    return this.#flags & bits.key ? readUint32(this.bytes, this.#after(bits.checksum)) : undefined
  }

  get sequence(): number | undefined {
    if (!(this.#flags & bits.sequence)) return undefined
    return readUint32(this.bytes, this.#after(bits.checksum | bits.key))
  }

  get acknowledgment(): number | undefined {
    return this.#flags & bits.acknowledgment ? readUint32(this.bytes, this.payloadOffset - 4) : undefined
  }

  get payloadOffset(): number {
    return this.start + greLength(this.bytes, this.start)
  }

  #after(fields: number): number {
    let at = this.start + 4
    for (let flags = this.#flags & fields; flags; flags &= flags - 1) at += 4
    return at
  }
}

export interface GreRecord {
  /** 0, or 1 for PPTP. */
  version: number
  /** EtherType of the payload; 0x6558 is a whole Ethernet frame. */
  protocol: number
  checksum?: number | undefined
  /** In version 1 the payload's length and the call, 16 bits each. */
  key?: number | undefined
  sequence?: number | undefined
  /** In version 1. */
  acknowledgment?: number | undefined
  payload: Uint8Array
}

/** `version` is 0 unless given. A `checksum` of `true` is computed. */
export type GreInput = Input<Omit<GreRecord, 'checksum'>, 'protocol' | 'payload'> & {
  checksum?: number | boolean | undefined
}

/** Reserved bits are not kept. @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function decodeGre(bytes: Uint8Array): GreRecord {
  return greRecord(new GreView(bytes))
}

export function greRecord(view: GreView): GreRecord {
  const { version, protocol, checksum, key, sequence, acknowledgment } = view
  return {
    version,
    protocol,
    ...(checksum !== undefined && { checksum }),
    ...(key !== undefined && { key }),
    ...(sequence !== undefined && { sequence }),
    ...(acknowledgment !== undefined && { acknowledgment }),
    payload: view.payload(),
  }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeGre(record: GreInput): Uint8Array {
  const { checksum, key, sequence, acknowledgment } = record
  const payload = byteField('payload', record.payload)
  const version = uint('version', record.version, 1, 0)
  if (acknowledgment !== undefined && version === 0)
    throw invalidArgumentValue('acknowledgment', acknowledgment, 'needs version 1')
  const summed = checksum !== undefined && checksum !== false
  const words = [key, sequence, acknowledgment].filter(word => word !== undefined)
  const bytes = withHeader(4 + (summed ? 4 : 0) + 4 * words.length, payload)
  const flags =
    (summed ? bits.checksum : 0) |
    (key !== undefined ? bits.key : 0) |
    (sequence !== undefined ? bits.sequence : 0) |
    (acknowledgment !== undefined ? bits.acknowledgment : 0)
  writeUint16(bytes, 0, flags | version)
  writeUint16(bytes, 2, uint('protocol', record.protocol, 16))
  let at = summed ? 8 : 4
  for (const word of words) {
    writeUint32(bytes, at, uint('key, sequence or acknowledgment', word, 32))
    at += 4
  }
  if (summed) {
    const sum = checksum === true ? internetChecksum(bytes) : checksum
    writeUint16(bytes, 4, uint('checksum', sum as number, 16))
  }
  return bytes
}

/** `bytes` is all of it, as in an IP payload. */
export function verifyGreChecksum(bytes: Uint8Array): ChecksumVerdict {
  if (bytes.length < 8) return bytes.length >= 4 && (bytes[0]! & 0x80) === 0 ? 'absent' : 'unverifiable'
  if ((bytes[0]! & 0x80) === 0) return 'absent'
  return internetChecksum(bytes) === 0 ? 'ok' : 'bad'
}
