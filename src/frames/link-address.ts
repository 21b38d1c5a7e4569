import { hex } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'

const form = /^(?:[0-9a-f]{2}(?::[0-9a-f]{2})*)?$/i

/** A hardware address of any length as text, `02:00:00:00:00:01` for six bytes; none is the empty string. */
export function formatLinkAddress(bytes: Uint8Array, start: number, length: number): string {
  return hex(bytes.subarray(start, start + length), ':')
}

/** @throws TypeError, also for more than `limit` bytes */
export function parseLinkAddress(name: string, text: string, limit: number): Uint8Array {
  if (typeof text !== 'string') throw invalidArgumentType(name, 'a string', text)
  if (!form.test(text) || text.length > 3 * limit - 1)
    throw invalidArgumentValue(name, text, `must be up to ${limit} bytes such as 02:00:00:00:00:01`)
  return Uint8Array.from(text === '' ? [] : text.split(':'), pair => Number.parseInt(pair, 16))
}
