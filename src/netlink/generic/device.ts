import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  requireInteger,
} from '../../errors/index.js'
import { NetlinkError } from '../core/index.js'

/** A network device: by name or alternative name, by index, or something that has an index, such as a `Link`. */
export type DeviceReference = string | number | { readonly index: number }

/** The index, or the name. @throws TypeError, RangeError */
export function checkDevice(reference: DeviceReference): string | number {
  if (typeof reference === 'string') {
    // ALTIFNAMSIZ, with the zero byte.
    if (reference === '' || reference.includes('\0') || new TextEncoder().encode(reference).length > 127) {
      throw invalidArgumentValue('link', reference, 'must be the name of a link')
    }
    return reference
  }
  const index = typeof reference === 'object' && reference !== null ? reference.index : reference
  if (typeof index !== 'number') throw invalidArgumentType('link', 'a name, an index or a link', reference)
  return requireInteger('link', index, 1, 0x7fff_ffff)
}

export function describeDevice(reference: DeviceReference): string {
  const device = checkDevice(reference)
  return typeof device === 'string' ? device : `#${device}`
}

/** What the kernel says of a device that is not there, in Netloom's words. */
export function explainMissing(error: unknown, reference: DeviceReference): unknown {
  if (!(error instanceof NetlinkError && error.code === 'ENODEV')) return error
  return new NetloomError('ERR_LINK_NOT_FOUND', `there is no link ${describeDevice(reference)}`, {
    cause: error,
  })
}
