import fc from 'fast-check'
import { formatIpv4, formatIpv6, formatMacAddress } from '../../src/address/index.js'

/** Values of the fields that most protocols have. */
export const uint = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 })
export const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
export const payload = fc.uint8Array({ maxLength: 80 })
export const mac = bytes(6).map(b => formatMacAddress(b))
export const ipv4 = bytes(4).map(b => formatIpv4(b))
export const ipv6 = bytes(16).map(b => formatIpv6(b))
/** Bytes in units of four. */
export const words = (max: number) => fc.integer({ min: 0, max }).chain(count => bytes(count * 4))
/** A hardware address of up to `max` bytes. */
export const linkAddress = (max: number) =>
  fc
    .uint8Array({ maxLength: max })
    .map(b => Array.from(b, byte => byte.toString(16).padStart(2, '0')).join(':'))
export const text = fc.string({ unit: 'binary', maxLength: 20 })
