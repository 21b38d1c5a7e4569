import { invalidArgumentValue, requireInteger, requireOptions } from '../errors/index.js'
import { type LinkType, linkTypes } from '../frames/index.js'
import { MemoryPort } from './memory-port.js'
import type { FramePort } from './port.js'

export interface PairOptions {
  /** Longest frame in bytes, 1 to 1 MiB. Default 65535. */
  maxFrameLength?: number
  /** Frames that wait at each end until they are read, 1 to 1048576. Default 1000, as a network card's. */
  queueFrames?: number
  /** When the other end's queue is full, `send()` waits (default), or frames are dropped and counted. */
  whenFull?: 'wait' | 'drop'
}

/**
 * An in-memory cable: what is sent on one port is received on the other.
 *
 * - A sent frame is copied at once; the batch is the caller's again.
 * - A frame longer than `maxFrameLength` is dropped, with `ERR_FRAME_TOO_LONG` as the failure.
 * - With `whenFull: 'drop'` a frame that finds the queue full counts in `sentDropped` of its sender and in
 *   `receivedDropped` of the port that never saw it; it is no failure.
 * - Closing one end ends the other with `{ type: 'removed' }`, once the queued frames were read.
 * - Nothing but this process can send, so a port that waits never keeps the process alive; `ref()` and
 *   `unref()` change nothing.
 *
 * @throws TypeError or RangeError with Node's codes for bad arguments
 */
export function portPair<L extends LinkType>(
  linkType: L,
  options?: PairOptions,
): [FramePort<L>, FramePort<L>] {
  if (typeof linkType !== 'string' || !Object.hasOwn(linkTypes, linkType)) {
    throw invalidArgumentValue('linkType', linkType, `must be one of ${Object.keys(linkTypes).join(', ')}`)
  }
  const {
    maxFrameLength = 65535,
    queueFrames = 1000,
    whenFull = 'wait',
  } = requireOptions('options', options, ['maxFrameLength', 'queueFrames', 'whenFull'])
  if (whenFull !== 'wait' && whenFull !== 'drop') {
    throw invalidArgumentValue('options.whenFull', whenFull, "must be 'wait' or 'drop'")
  }
  return MemoryPort.pair(linkType, {
    maxFrameLength: requireInteger('options.maxFrameLength', maxFrameLength, 1, 1 << 20),
    queueFrames: requireInteger('options.queueFrames', queueFrames, 1, 1 << 20),
    whenFull,
  })
}
