import { NetloomError } from '../errors/index.js'

/** @internal */
export function portClosed(): NetloomError {
  return new NetloomError('ERR_PORT_CLOSED', 'the port is closed')
}

/** @internal */
export function portLocked(owner: string): NetloomError {
  return new NetloomError('ERR_PORT_LOCKED', `the port has a ${owner} already: end that one first`)
}

export function frameTooLong(index: number, length: number, max: number): NetloomError {
  return new NetloomError(
    'ERR_FRAME_TOO_LONG',
    `frame ${index} has ${length} bytes; the port takes at most ${max}`,
  )
}
