import { NetloomError } from '../errors/index.js'

/** Bytes that are not a capture file, or that break off its format. */
export class CaptureFileError extends NetloomError {
  declare readonly code: 'ERR_CAPTURE_FILE_INVALID'
  /** Where in the file, in bytes; in what is inside where the file is compressed. */
  readonly offset: number

  constructor(offset: number, reason: string, options?: { cause?: unknown }) {
    super('ERR_CAPTURE_FILE_INVALID', `${reason}, at byte ${offset} of the capture file`, options)
    this.offset = offset
  }
}
