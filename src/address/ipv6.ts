import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import { formatIpv4, readIpv4 } from './ipv4.js'

/**
 * The 16 bytes of an IPv6 address in any form of RFC 4291 section 2.2, the one that ends in a dotted quad
 * included. A zone (`%eth0`) is refused: it names an interface and is no part of the bytes. @throws TypeError
 */
export function parseIpv6(text: string): Uint8Array {
  if (typeof text !== 'string') throw invalidArgumentType('address', 'a string', text)
  if (text.includes('%'))
    throw invalidArgumentValue('address', text, 'must not carry a zone: name the interface apart from it')
  const bytes = readIpv6(text)
  if (!bytes) throw invalidArgumentValue('address', text, 'must be an IPv6 address such as fe80::1')
  return bytes
}

/**
 * The 16 bytes from `offset` in the canonical text of RFC 5952: lower case, no leading zeros, the longest run
 * of two or more zero groups (the first of equals) as `::`, and `::ffff:10.0.0.1` for IPv4-mapped addresses.
 */
export function formatIpv6(bytes: Uint8Array, offset = 0): string {
  if (isMapped(bytes, offset)) return `::ffff:${formatIpv4(bytes, offset + 12)}`
  let bestStart = -1
  let bestLength = 1
  let length = 0
  for (let i = 0; i < 8; i++) {
    length = group(bytes, offset, i) === 0 ? length + 1 : 0
    if (length > bestLength) {
      bestLength = length
      bestStart = i - length + 1
    }
  }
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i === bestStart) {
      text += '::'
      i += bestLength - 1
      continue
    }
    if (text !== '' && !text.endsWith(':')) text += ':'
    text += group(bytes, offset, i).toString(16)
  }
  return text
}

function group(bytes: Uint8Array, offset: number, i: number): number {
  return (bytes[offset + 2 * i]! << 8) | bytes[offset + 2 * i + 1]!
}

function isMapped(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[offset + i] !== 0) return false
  return bytes[offset + 10] === 0xff && bytes[offset + 11] === 0xff
}

function readIpv6(text: string): Uint8Array | undefined {
  if (text.length < 2 || text.length > 45) return undefined
  const bytes = new Uint8Array(16)
  const gap = text.indexOf('::')
  if (gap < 0) return readGroups(text, bytes, 0) === 16 ? bytes : undefined
  const head = gap === 0 ? 0 : readGroups(text.slice(0, gap), bytes, 0, false)
  const rest = text.slice(gap + 2)
  const tail = new Uint8Array(16)
  const tailLength = rest === '' ? 0 : readGroups(rest, tail, 0)
  // The gap stands for one group of zeros at least.
  if (head < 0 || tailLength < 0 || head + tailLength > 14) return undefined
  bytes.set(tail.subarray(0, tailLength), 16 - tailLength)
  return bytes
}

/** Reads groups separated by single colons; gives the bytes written, or -1. */
function readGroups(text: string, bytes: Uint8Array, offset: number, quad = true): number {
  const parts = text.split(':')
  let at = offset
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (quad && i === parts.length - 1 && part.includes('.')) {
      if (at > 12 || !readIpv4(part, bytes, at)) return -1
      at += 4
    } else {
      if (at > 14 || !/^[0-9a-f]{1,4}$/i.test(part)) return -1
      const value = Number.parseInt(part, 16)
      bytes[at] = value >>> 8
      bytes[at + 1] = value
      at += 2
    }
  }
  return at - offset
}
