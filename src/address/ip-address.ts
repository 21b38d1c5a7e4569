import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import { formatIpv4, parseIpv4 } from './ipv4.js'
import { formatIpv6, parseIpv6 } from './ipv6.js'

export type IpFamily = 4 | 6

export interface IpAddress {
  family: IpFamily
  /** 4 or 16 bytes, in network order. */
  bytes: Uint8Array
}

/** An IPv4 or IPv6 address, told apart by the colon. @throws TypeError */
export function parseIpAddress(text: string): IpAddress {
  if (typeof text !== 'string') throw invalidArgumentType('address', 'a string', text)
  if (text.includes(':')) return { family: 6, bytes: parseIpv6(text) }
  if (!text.includes('.')) throw invalidArgumentValue('address', text, 'must be an IPv4 or IPv6 address')
  return { family: 4, bytes: parseIpv4(text) }
}

/** The canonical text of 4 bytes (IPv4) or 16 bytes (IPv6). @throws TypeError for any other length */
export function formatIpAddress(bytes: Uint8Array): string {
  if (!(bytes instanceof Uint8Array)) throw invalidArgumentType('bytes', 'an instance of Uint8Array', bytes)
  if (bytes.length === 4) return formatIpv4(bytes)
  if (bytes.length === 16) return formatIpv6(bytes)
  throw invalidArgumentValue('bytes.length', bytes.length, 'must be 4 or 16')
}
