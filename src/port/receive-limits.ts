import { invalidArgumentValue, requireInteger, requireOptions } from '../errors/index.js'
import type { ReceiveOptions, WaitOptions } from './port.js'

/** @internal */
export interface ReceiveLimits {
  frames: number
  bytes: number
  lifetime: 'pooled' | 'owned'
}

/** @internal {@link ReceiveOptions} checked, with their defaults. */
export function receiveLimits(
  options: (ReceiveOptions & WaitOptions) | undefined,
  defaultFrames = 256,
): ReceiveLimits {
  const {
    frames = defaultFrames,
    bytes = 131072,
    lifetime = 'pooled',
  } = requireOptions('options', options, ['frames', 'bytes', 'lifetime', 'signal'])
  if (lifetime !== 'pooled' && lifetime !== 'owned') {
    throw invalidArgumentValue('options.lifetime', lifetime, "must be 'pooled' or 'owned'")
  }
  return {
    frames: requireInteger('options.frames', frames, 1, 1024),
    bytes: requireInteger('options.bytes', bytes, 1, 1 << 30),
    lifetime,
  }
}
