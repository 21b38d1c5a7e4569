import type { CaptureInterface } from './capture-items.js'
import { microseconds, TimestampScale } from './timestamp-scale.js'

const scales = new WeakMap<CaptureInterface, TimestampScale>()

/** How the time stamps of an interface are to be read: microseconds unless it says otherwise. */
export function interfaceScale(one: CaptureInterface): TimestampScale {
  let scale = scales.get(one)
  if (scale === undefined) {
    scale = new TimestampScale(one.timestampResolution ?? microseconds, one.timestampOffsetSeconds)
    scales.set(one, scale)
  }
  return scale
}
