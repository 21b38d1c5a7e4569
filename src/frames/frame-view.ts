import { invalidArgumentType, outOfRange } from '../errors/index.js'
import { type FrameLayer, truncated } from './frame-error.js'

/**
 * A header read in place: `bytes[start, end)`, where `end` may lie beyond the packet (padding). The constructor of
 * each view makes sure that its fixed part is there, so the getters need no checks of their own; they allocate
 * nothing but the strings they return. A view shows what the bytes are now, not what they were.
 */
export abstract class FrameView {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number

  constructor(
    layer: FrameLayer,
    least: number,
    bytes: Uint8Array,
    start: number | undefined,
    end: number | undefined,
  ) {
    if (!(bytes instanceof Uint8Array)) throw invalidArgumentType('bytes', 'an instance of Uint8Array', bytes)
    const from = start ?? 0
    const to = end ?? bytes.length
    if (!(from >= 0 && from <= to)) throw outOfRange('start', `>= 0 and <= ${to}`, from)
    if (to > bytes.length) throw outOfRange('end', `<= ${bytes.length}`, to)
    if (to - from < least) throw truncated(layer, least, to - from)
    this.bytes = bytes
    this.start = from
    this.end = to
  }

  /** For a header that turns out to be longer than its fixed part. */
  protected require(layer: FrameLayer, length: number): void {
    const available = this.end - this.start
    if (available < length) throw truncated(layer, length, available)
  }

  /** Offset of the first byte after the header, in `bytes`. */
  abstract get payloadOffset(): number

  /** Offset of the first byte after the payload: padding is not part of it. */
  get payloadEnd(): number {
    return this.end
  }

  /** The payload, sharing memory with `bytes`. */
  payload(): Uint8Array {
    return this.bytes.subarray(this.payloadOffset, this.payloadEnd)
  }
}
