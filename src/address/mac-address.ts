import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'

const form = /^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i
const digits = '0123456789abcdef'

/** The 6 bytes of `02:00:00:00:00:01` or `02-00-00-00-00-01`, in either case. @throws TypeError */
export function parseMacAddress(text: string): Uint8Array {
  if (typeof text !== 'string') throw invalidArgumentType('macAddress', 'a string', text)
  if (!form.test(text)) throw invalidArgumentValue('macAddress', text, 'must look like 02:00:00:00:00:01')
  const bytes = new Uint8Array(6)
  for (let i = 0; i < 6; i++) bytes[i] = Number.parseInt(text.slice(3 * i, 3 * i + 2), 16)
  return bytes
}

/** The 6 bytes from `offset` as `02:00:00:00:00:01`, in lower case. */
export function formatMacAddress(bytes: Uint8Array, offset = 0): string {
  let text = ''
  for (let i = offset; i < offset + 6; i++) {
    const byte = bytes[i]!
    if (i > offset) text += ':'
    text += digits.charAt(byte >> 4) + digits.charAt(byte & 15)
  }
  return text
}
