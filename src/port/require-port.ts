import { invalidArgumentType } from '../errors/index.js'

/** @internal What a function over ports was given; ports of others have the same methods. @throws TypeError */
export function requirePort<P>(port: P, name = 'port'): P {
  const { batches, trySend } = (port ?? {}) as { batches?: unknown; trySend?: unknown }
  if (typeof batches !== 'function' || typeof trySend !== 'function') {
    throw invalidArgumentType(name, 'a FramePort', port)
  }
  return port
}
