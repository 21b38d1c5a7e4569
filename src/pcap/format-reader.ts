import type { CaptureItem, CaptureSection } from './capture-items.js'

/** Reads one format. Bytes are given in the order of the file; what was not consumed is given again, with more. */
export interface FormatReader {
  readonly section: CaptureSection | undefined
  /** Bytes, from the first that was not consumed, without which nothing more can be read. */
  readonly needed: number
  /**
   * Reads what is complete at the beginning of `bytes`, adds it to `out`, and returns how many bytes that was.
   * Whatever could be read before a fault is in `out` when it throws.
   */
  read(bytes: Uint8Array, fileOffset: number, out: CaptureItem[]): number
}
