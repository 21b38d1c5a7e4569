import { isIP } from 'node:net'
import { parseIpAddress } from '../../address/index.js'
import { NetloomError } from '../../errors/index.js'
import { NetlinkError } from '../core/index.js'

/** `mtu is 1500, not 1400` */
export function describeDifference(name: string, actual: unknown, wanted: unknown): string {
  return `${name} is ${show(actual)}, not ${show(wanted)}`
}

/**
 * The first of the settings in which what is there is not as asked, in words. Only what was asked for counts.
 *
 * @param asked as the caller wrote it
 * @param wanted the same as the kernel would tell it: what a reader makes of the request
 * @param actual what is there
 */
export function firstUnlike(asked: object, wanted: object, actual: object, path = ''): string | undefined {
  const [wants, has] = [wanted, actual] as Record<string, unknown>[]
  for (const [name, value] of Object.entries(asked)) {
    if (value === undefined || !Object.hasOwn(wants!, name)) continue
    const [want, is] = [wants![name], has![name]]
    const at = path === '' ? name : `${path}.${name}`
    if (isPlain(value) && isPlain(want) && isPlain(is)) {
      const inside = firstUnlike(value, want, is, at)
      if (inside !== undefined) return inside
    } else if (!isSame(is, want)) return describeDifference(at, is, want)
  }
  return undefined
}

/**
 * Makes what is not there, and accepts what is there as asked.
 *
 * @param create rejects with `EEXIST` where it is there
 * @param find what is in its place
 * @param difference where that is not as asked
 * @throws NetloomError `ERR_OBJECT_MISMATCH`; what `create` rejects with
 */
export async function ensure<T, U>(
  what: string,
  create: () => Promise<T>,
  find: () => Promise<U | undefined>,
  difference: (found: U) => string | undefined,
): Promise<T | U> {
  try {
    return await create()
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.code !== 'EEXIST') throw error
  }
  const found = await find()
  if (found === undefined) throw new NetloomError('ERR_INVALID_STATE', `${what} was taken away meanwhile`)
  const unlike = difference(found)
  if (unlike === undefined) return found
  throw new NetloomError('ERR_OBJECT_MISMATCH', `${what} is there, but its ${unlike}`)
}

export function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

function show(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each))
    : String(value)
}

/** Compared by what values mean. What the kernel does not report is what it has none of. */
export function isSame(actual: unknown, wanted: unknown): boolean {
  if (actual === undefined || wanted === undefined || wanted === null) {
    return isNone(actual) && isNone(wanted)
  }
  if (typeof wanted === 'string') return typeof actual === 'string' && canonical(actual) === canonical(wanted)
  if (wanted instanceof Uint8Array) {
    return actual instanceof Uint8Array && Buffer.compare(actual, wanted) === 0
  }
  // The kernel keeps lists in an order of its own.
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every(item => actual.some(other => isSame(other, item)))
    )
  }
  if (typeof wanted === 'object') {
    // Bits that are not given are not asked for.
    return Object.entries(wanted).every(
      ([key, value]) => value === undefined || isSame((actual as Record<string, unknown>)[key], value),
    )
  }
  return actual === wanted
}

function isNone(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (typeof value === 'string') {
    return value === '' || (isIP(value) !== 0 && parseIpAddress(value).bytes.every(byte => byte === 0))
  }
  return value === undefined || value === null || value === false || value === 0
}

// MAC addresses and IP addresses may be written in several ways.
function canonical(text: string): string {
  if (isIP(text)) return parseIpAddress(text).bytes.join('.')
  return /^[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}$/i.test(text) ? text.toLowerCase().replaceAll('-', ':') : text
}
