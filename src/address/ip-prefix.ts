import { invalidArgumentType, invalidArgumentValue, requireInteger } from '../errors/index.js'
import { formatIpAddress, type IpAddress, parseIpAddress } from './ip-address.js'

/** An address and how many of its leading bits name the network; the other bits are kept. */
export interface IpPrefix extends IpAddress {
  /** 0 to 32 (IPv4) or 128 (IPv6). */
  length: number
}

/**
 * `10.0.0.1/24`, `fe80::1/64`; an address without a length stands for itself alone (`/32`, `/128`), as in `ip`.
 * Netmasks (`/255.255.255.0`) are refused. @throws TypeError
 */
export function parseIpPrefix(text: string): IpPrefix {
  if (typeof text !== 'string') throw invalidArgumentType('prefix', 'a string', text)
  const slash = text.indexOf('/')
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash))
  const bits = 8 * address.bytes.length
  if (slash < 0) return { ...address, length: bits }
  const digits = text.slice(slash + 1)
  const length = /^(?:0|[1-9][0-9]{0,2})$/.test(digits) ? Number(digits) : -1
  if (length < 0 || length > bits)
    throw invalidArgumentValue('prefix', text, `must end in a length from /0 to /${bits}`)
  return { ...address, length }
}

/** `10.0.0.1/24`; the length is always written. @throws TypeError, RangeError for a length that does not fit */
export function formatIpPrefix(prefix: { bytes: Uint8Array; length: number }): string {
  const address = formatIpAddress(prefix.bytes)
  return `${address}/${requireInteger('prefix.length', prefix.length, 0, 8 * prefix.bytes.length)}`
}
