/**
 * TCP options: RFC 9293 section 3.2, RFC 7323 (window scale, timestamps), RFC 2018 (SACK).
 *
 *   0   1  kind
 *   1   1  length, these two bytes included; absent for kinds 0 (end) and 1 (no operation)
 *   2      data
 */
import { concatBytes, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { malformed } from './frame-error.js'
import { byteField, uint } from './record.js'

export const tcpOptionNumbers = {
  end: 0,
  nop: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
} as const

export type TcpOption =
  /** End of options: this byte and the zeros after it, `length` in all. */
  | { kind: 'end'; length: number }
  | { kind: 'nop' }
  /** Largest segment to be received, in bytes. */
  | { kind: 'mss'; mss: number }
  /** Bits to shift windows by. */
  | { kind: 'windowScale'; shift: number }
  | { kind: 'sackPermitted' }
  /** Blocks received out of order: first sequence number, and the one after the last. */
  | { kind: 'sack'; blocks: { start: number; end: number }[] }
  | { kind: 'timestamps'; value: number; echo: number }
  /** An option of another number, or with an unusual length. */
  | { kind: 'unknown'; number: number; data: Uint8Array }

/**
 * Length of the option at `at`, or 0 if it is broken. `end` is where the options end.
 * The caller has dealt with kinds 0 and 1.
 */
export function tcpOptionLength(bytes: Uint8Array, at: number, end: number): number {
  const length = at + 1 < end ? bytes[at + 1]! : 0
  return length < 2 || at + length > end ? 0 : length
}

export function decodeTcpOptions(bytes: Uint8Array, start: number, end: number): TcpOption[] {
  const options: TcpOption[] = []
  for (let at = start; at < end; ) {
    const number = bytes[at]!
    if (number === tcpOptionNumbers.end) {
      options.push({ kind: 'end', length: end - at })
      break
    }
    if (number === tcpOptionNumbers.nop) {
      options.push({ kind: 'nop' })
      at++
      continue
    }
    const length = tcpOptionLength(bytes, at, end)
    if (length === 0) throw malformed('tcp', `option ${number} is longer than the header`)
    options.push(decodeOption(bytes, number, at, length))
    at += length
  }
  return options
}

function decodeOption(bytes: Uint8Array, number: number, at: number, length: number): TcpOption {
  if (number === tcpOptionNumbers.mss && length === 4) return { kind: 'mss', mss: readUint16(bytes, at + 2) }
  if (number === tcpOptionNumbers.windowScale && length === 3)
    return { kind: 'windowScale', shift: bytes[at + 2]! }
  if (number === tcpOptionNumbers.sackPermitted && length === 2) return { kind: 'sackPermitted' }
  if (number === tcpOptionNumbers.timestamps && length === 10)
    return { kind: 'timestamps', value: readUint32(bytes, at + 2), echo: readUint32(bytes, at + 6) }
  if (number === tcpOptionNumbers.sack && length > 2 && length % 8 === 2) {
    const blocks = []
    for (let block = at + 2; block < at + length; block += 8)
      blocks.push({ start: readUint32(bytes, block), end: readUint32(bytes, block + 4) })
    return { kind: 'sack', blocks }
  }
  return { kind: 'unknown', number, data: bytes.subarray(at + 2, at + length) }
}

/** Bytes of all options, padded to a multiple of 4; of what is no option, any number. */
export function tcpOptionsLength(options: readonly TcpOption[]): number {
  let length = 0
  for (const option of options) {
    if (option.kind === 'unknown') length += 2 + option.data.length
    else if (option.kind === 'sack') length += 2 + 8 * option.blocks.length
    else length += option.kind === 'end' ? option.length : lengths[option.kind]
  }
  return (length + 3) & ~3
}

const lengths = { nop: 1, mss: 4, windowScale: 3, sackPermitted: 2, timestamps: 10 } as const

/** All options, padded with zeros to a multiple of 4 bytes. */
export function encodeTcpOptions(options: readonly TcpOption[]): Uint8Array {
  const parts = options.map(encodeOption)
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return concatBytes(...parts, new Uint8Array(-length & 3))
}

function encodeOption(option: TcpOption): Uint8Array {
  switch (option.kind) {
    case 'end':
      return new Uint8Array(uint('option.length', option.length, 6))
    case 'nop':
      return Uint8Array.of(tcpOptionNumbers.nop)
    case 'mss': {
      const bytes = Uint8Array.of(tcpOptionNumbers.mss, 4, 0, 0)
      writeUint16(bytes, 2, uint('option.mss', option.mss, 16))
      return bytes
    }
    case 'windowScale':
      return Uint8Array.of(tcpOptionNumbers.windowScale, 3, uint('option.shift', option.shift, 8))
    case 'sackPermitted':
      return Uint8Array.of(tcpOptionNumbers.sackPermitted, 2)
    case 'sack': {
      const bytes = new Uint8Array(2 + 8 * option.blocks.length)
      bytes[0] = tcpOptionNumbers.sack
      bytes[1] = uint('option length', bytes.length, 8)
      option.blocks.forEach(({ start, end }, i) => {
        writeUint32(bytes, 2 + 8 * i, uint('option.blocks.start', start, 32))
        writeUint32(bytes, 6 + 8 * i, uint('option.blocks.end', end, 32))
      })
      return bytes
    }
    case 'timestamps': {
      const bytes = Uint8Array.of(tcpOptionNumbers.timestamps, 10, 0, 0, 0, 0, 0, 0, 0, 0)
      writeUint32(bytes, 2, uint('option.value', option.value, 32))
      writeUint32(bytes, 6, uint('option.echo', option.echo, 32))
      return bytes
    }
    case 'unknown': {
      const data = byteField('option.data', option.data)
      const header = Uint8Array.of(
        uint('option.number', option.number, 8),
        uint('option length', data.length + 2, 8),
      )
      return concatBytes(header, data)
    }
    default:
      throw invalidArgumentValue('option.kind', (option as { kind: unknown }).kind, 'is not a known kind')
  }
}
