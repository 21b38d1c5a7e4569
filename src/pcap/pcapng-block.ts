/**
 * A block of a pcapng file: draft-ietf-opsawg-pcapng section 3. All numbers are little-endian, which the section
 * header tells the reader.
 *
 *   0   4  block type
 *   4   4  total length, a multiple of 4
 *   8      body, padded to a multiple of 4
 *          options, each: code (2), length (2), value padded to a multiple of 4
 *          end of options: 0 (4), if there are any
 *          total length again (4)
 */
import { outOfRange } from '../errors/index.js'

export interface BlockOption {
  code: number
  value: Uint8Array
}

/** A block with a zeroed body of `bodyLength` bytes at offset 8, for the caller to fill. */
export function makeBlock(
  type: number,
  bodyLength: number,
  options: readonly BlockOption[],
): { bytes: Uint8Array; view: DataView } {
  let length = 12 + padded(bodyLength)
  for (const option of options) length += 4 + padded(option.value.length)
  if (options.length > 0) length += 4
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  let at = 8 + padded(bodyLength)
  for (const { code, value } of options) {
    view.setUint16(at, code, true)
    view.setUint16(at + 2, value.length, true)
    bytes.set(value, at + 4)
    at += 4 + padded(value.length)
  }
  view.setUint32(length - 4, length, true)
  return { bytes, view }
}

/** @throws RangeError when the text takes more than 65535 bytes */
export function textOption(name: string, code: number, text: string): BlockOption {
  const value = new TextEncoder().encode(text)
  if (value.length > 0xffff) throw outOfRange(name, 'at most 65535 bytes of UTF-8', text)
  return { code, value }
}

function padded(length: number): number {
  return (length + 3) & ~3
}
