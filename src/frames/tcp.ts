/**
 * TCP: RFC 9293 section 3.1, with the flag of RFC 9768.
 *
 *   0   2  source port
 *   2   2  destination port
 *   4   4  sequence number
 *   8   4  acknowledgment number
 *  12   2  header length in 32-bit words: 5 to 15 (4 bits), reserved (3), AE CWR ECE URG ACK PSH RST SYN FIN
 *  14   2  window
 *  16   2  checksum of a pseudo-header and all of it
 *  18   2  urgent pointer
 *  20      options (see tcp-options.ts), then the payload
 */

import { readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import { type ChecksumVerdict, type IpAddressPair, upperLayerChecksum } from './checksum.js'
import { malformed } from './frame-error.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { ipProtocols } from './ip-protocols.js'
import { byteField, type Input, uint } from './record.js'
import { decodeTcpOptions, encodeTcpOptions, type TcpOption } from './tcp-options.js'

const fixedLength = 20

/** Bits of {@link TcpView.flagBits}. */
export const tcpFlags = {
  fin: 0x001,
  syn: 0x002,
  rst: 0x004,
  psh: 0x008,
  ack: 0x010,
  urg: 0x020,
  ece: 0x040,
  cwr: 0x080,
  /** Accurate ECN; NS in older texts. */
  ae: 0x100,
} as const

export type TcpFlag = keyof typeof tcpFlags

export class TcpView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('tcp', fixedLength, bytes, start, end)
    const { headerLength } = this
    if (headerLength < fixedLength) throw malformed('tcp', `the header length is ${headerLength}`)
    this.require('tcp', headerLength)
  }

  get sourcePort(): number {
    return readUint16(this.bytes, this.start)
  }

  get destinationPort(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  get sequence(): number {
    return readUint32(this.bytes, this.start + 4)
  }

  /** Meaningful with the ACK flag. */
  get acknowledgment(): number {
    return readUint32(this.bytes, this.start + 8)
  }

  /** In bytes, options included. */
  get headerLength(): number {
    return (this.bytes[this.start + 12]! >> 4) * 4
  }

  /** All nine flags; see {@link tcpFlags}. */
  get flagBits(): number {
    return readUint16(this.bytes, this.start + 12) & 0x1ff
  }

  /** The three bits without a meaning. */
  get reserved(): number {
    return (this.bytes[this.start + 12]! >> 1) & 7
  }

  /** As sent: to be shifted by the window scale that was agreed on. */
  get window(): number {
    return readUint16(this.bytes, this.start + 14)
  }

  get checksum(): number {
    return readUint16(this.bytes, this.start + 16)
  }

  get urgentPointer(): number {
    return readUint16(this.bytes, this.start + 18)
  }

  get optionsOffset(): number {
    return this.start + fixedLength
  }

  get payloadOffset(): number {
    return this.start + this.headerLength
  }
}

export interface TcpRecord {
  sourcePort: number
  destinationPort: number
  sequence: number
  acknowledgment: number
  reserved: number
  flags: Record<TcpFlag, boolean>
  window: number
  checksum: number
  urgentPointer: number
  options: TcpOption[]
  payload: Uint8Array
}

/**
 * Absent flags are off. `checksum` is computed unless given, so leave it out of a record that you changed. The
 * rest is 0 unless given; options are padded with zeros to a multiple of 4 bytes.
 */
export type TcpInput = Input<
  Omit<TcpRecord, 'flags'> & { flags: Partial<Record<TcpFlag, boolean>> },
  'sourcePort' | 'destinationPort' | 'payload'
>

/** Decodes one segment. @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function decodeTcp(bytes: Uint8Array): TcpRecord {
  return tcpRecord(new TcpView(bytes))
}

export function tcpRecord(view: TcpView): TcpRecord {
  const bits = view.flagBits
  const flags = {} as Record<TcpFlag, boolean>
  for (const name in tcpFlags) flags[name as TcpFlag] = (bits & tcpFlags[name as TcpFlag]) !== 0
  return {
    sourcePort: view.sourcePort,
    destinationPort: view.destinationPort,
    sequence: view.sequence,
    acknowledgment: view.acknowledgment,
    reserved: view.reserved,
    flags,
    window: view.window,
    checksum: view.checksum,
    urgentPointer: view.urgentPointer,
    options: decodeTcpOptions(view.bytes, view.optionsOffset, view.payloadOffset),
    payload: view.payload(),
  }
}

/**
 * `addresses` are needed unless the record has a checksum: it covers them.
 * @throws TypeError, RangeError for a field that does not fit
 */
export function encodeTcp(record: TcpInput, addresses?: IpAddressPair): Uint8Array {
  const payload = byteField('payload', record.payload)
  const options = encodeTcpOptions(record.options ?? [])
  const headerLength = fixedLength + options.length
  const bytes = withHeader(headerLength, payload)
  writeUint16(bytes, 0, uint('sourcePort', record.sourcePort, 16))
  writeUint16(bytes, 2, uint('destinationPort', record.destinationPort, 16))
  writeUint32(bytes, 4, uint('sequence', record.sequence, 32, 0))
  writeUint32(bytes, 8, uint('acknowledgment', record.acknowledgment, 32, 0))
  const words = uint('header length', headerLength / 4, 4)
  writeUint16(bytes, 12, (words << 12) | (uint('reserved', record.reserved, 3, 0) << 9) | flagBits(record))
  writeUint16(bytes, 14, uint('window', record.window, 16, 0))
  writeUint16(bytes, 18, uint('urgentPointer', record.urgentPointer, 16, 0))
  bytes.set(options, fixedLength)
  const checksum = record.checksum ?? upperLayerChecksum(bytes, ipProtocols.tcp, addresses)
  writeUint16(bytes, 16, uint('checksum', checksum, 16))
  return bytes
}

function flagBits({ flags = {} }: TcpInput): number {
  if (typeof flags !== 'object' || flags === null) throw invalidArgumentType('flags', 'an object', flags)
  let bits = 0
  for (const name in flags) {
    if (!Object.hasOwn(tcpFlags, name))
      throw invalidArgumentValue(`flags.${name}`, flags[name as TcpFlag], 'is not a known flag')
  }
  for (const name in tcpFlags) if (flags[name as TcpFlag]) bits |= tcpFlags[name as TcpFlag]
  return bits
}

/** `bytes` is the whole segment, as in an IP payload; `unverifiable` when it is too short to be one. */
export function verifyTcpChecksum(bytes: Uint8Array, addresses: IpAddressPair): ChecksumVerdict {
  if (bytes.length < fixedLength) return 'unverifiable'
  return upperLayerChecksum(bytes, ipProtocols.tcp, addresses) === 0 ? 'ok' : 'bad'
}
