/**
 * Packet capture: what passes an interface, or all of them, as a port of frames, and into files without a frame in
 * JavaScript. {@link Capture} is a packet socket with a ring that the kernel fills.
 *
 * May use all rooms below, `native` through handle.ts.
 */
export { Capture } from './capture.js'
export type { CaptureBatch } from './capture-batch.js'
export type { CaptureStatistics } from './capture-statistics.js'
export { formatOfName, type NamedFormat } from './file-name.js'
export type { CaptureLinkType } from './link-type.js'
export type {
  CaptureAnyOptions,
  CaptureFilter,
  CaptureOptions,
  FanoutMode,
  FanoutOptions,
} from './options.js'
export type { RecordingBounds, RecordingOptions, RecordingResult } from './recording.js'
