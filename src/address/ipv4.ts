import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'

/**
 * The 4 bytes of a dotted quad. Leading zeros and the shorter forms of `inet_aton` are refused: programs
 * disagree about what they mean (RFC 6943 section 3.1.1). @throws TypeError
 */
export function parseIpv4(text: string): Uint8Array {
  if (typeof text !== 'string') throw invalidArgumentType('address', 'a string', text)
  const bytes = new Uint8Array(4)
  if (!readIpv4(text, bytes, 0))
    throw invalidArgumentValue('address', text, 'must be an IPv4 address such as 10.0.0.1')
  return bytes
}

/** The 4 bytes from `offset` as a dotted quad. */
export function formatIpv4(bytes: Uint8Array, offset = 0): string {
  return network24(bytes, offset) + bytes[offset + 3]!
}

/** The same with a prefix length, which is not checked: `10.0.0.0/8`. Several times as fast as formatting the two apart. */
export function formatIpv4Prefix(bytes: Uint8Array, offset: number, length: number): string {
  endings[length] ??= Array.from({ length: 256 }, (_, byte) => `${byte}/${length}`)
  return network24(bytes, offset) + endings[length][bytes[offset + 3]!]!
}

const endings: string[][] = []
// Lists of addresses and routes are sorted: most begin as the one before them did.
let last24 = -1
let last24Text = ''

function network24(bytes: Uint8Array, offset: number): string {
  const number = (bytes[offset]! << 16) | (bytes[offset + 1]! << 8) | bytes[offset + 2]!
  if (number !== last24) {
    last24 = number
    last24Text = `${number >> 16}.${(number >> 8) & 0xff}.${number & 0xff}.`
  }
  return last24Text
}

/** Writes the 4 bytes of `text` to `bytes` at `offset`; false when it is not a dotted quad. */
export function readIpv4(text: string, bytes: Uint8Array, offset: number): boolean {
  let at = offset
  let value = 0
  let digits = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit >= 0 && digit <= 9) {
      // A leading zero, or a fourth digit.
      if (digits > 0 && (value === 0 || digits === 3)) return false
      value = 10 * value + digit
      digits++
    } else {
      if (text[i] !== '.' || digits === 0 || value > 255 || at === offset + 3) return false
      bytes[at++] = value
      value = 0
      digits = 0
    }
  }
  if (digits === 0 || value > 255 || at !== offset + 3) return false
  bytes[at] = value
  return true
}
