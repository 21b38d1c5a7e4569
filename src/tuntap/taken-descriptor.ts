import { invalidArgumentType, NetloomError, requireInteger } from '../errors/index.js'
import { OwnedDescriptor } from '../netns/index.js'

/**
 * A descriptor that was given away: the device lives until this and every copy of it is closed. `fromDescriptor()` makes a port
 * of it, which then owns it.
 */
export class TakenDescriptor extends OwnedDescriptor {}

/** The number behind what `fromDescriptor()` was given. */
export function descriptorNumber(source: number | TakenDescriptor): number {
  if (typeof source === 'number') return requireInteger('descriptor', source, 0, 2 ** 31 - 1)
  if (!(source instanceof TakenDescriptor)) {
    throw invalidArgumentType('descriptor', 'a number or a TakenDescriptor', source)
  }
  if (source.fd < 0) throw new NetloomError('ERR_INVALID_STATE', 'the descriptor was taken or closed before')
  return source.fd
}
