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
  return `${bytes[offset]!}.${bytes[offset + 1]!}.${bytes[offset + 2]!}.${bytes[offset + 3]!}`
}

/** Writes the 4 bytes of `text` to `bytes` at `offset`; false when it is not a dotted quad. */
export function readIpv4(text: string, bytes: Uint8Array, offset: number): boolean {
  if (text.length < 7 || text.length > 15) return false
  const parts = text.split('.')
  if (parts.length !== 4) return false
  for (let i = 0; i < 4; i++) {
    const part = parts[i]!
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part)) return false
    const value = Number(part)
    if (value > 255) return false
    bytes[offset + i] = value
  }
  return true
}
