import { invalidArgumentType, invalidArgumentValue, requireInteger } from '../errors/index.js'
import { formatIpAddress, type IpAddress, parseIpAddress } from './ip-address.js'

/** An address and how many of its leading bits name the network; the other bits are kept. */
export interface IpPrefix extends IpAddress {
  /** 0 to 32 (IPv4) or 128 (IPv6). */
  length: number
}

/**
 * `10.0.0.1/24`, `fe80::1/64`; an address without a length stands for itself alone (`/32`, `/128`), as in `ip`.
 * Netmasks (`/255.255.255.0`) are refused.
 *
 * @param name what errors call it
 * @throws TypeError
 */
export function parseIpPrefix(text: string, name = 'prefix'): IpPrefix {
  if (typeof text !== 'string') throw invalidArgumentType(name, 'a string', text)
  const slash = text.indexOf('/')
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash))
  const { family, bytes } = address
  const bits = 8 * bytes.length
  if (slash < 0) return { family, bytes, length: bits }
  const length = readLength(text, slash + 1)
  if (length < 0 || length > bits)
    throw invalidArgumentValue(name, text, `must end in a length from /0 to /${bits}`)
  return { family, bytes, length }
}

/** `10.0.0.1/24`; the length is always written. @throws TypeError, RangeError for a length that does not fit */
export function formatIpPrefix(prefix: { bytes: Uint8Array; length: number }): string {
  const address = formatIpAddress(prefix.bytes)
  return `${address}/${requireInteger('prefix.length', prefix.length, 0, 8 * prefix.bytes.length)}`
}

/** The decimal number from `start` to the end, without leading zeros; -1 if it is none or has over 3 digits. */
function readLength(text: string, start: number): number {
  const digits = text.length - start
  if (digits < 1 || digits > 3 || (digits > 1 && text[start] === '0')) return -1
  let value = 0
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = 10 * value + digit
  }
  return value
}
