import { GsoColumn } from '../frames/index.js'
import type { Sendable } from './sendable.js'

/** Frames in a row, taken out of a {@link FrameQueue}. */
export interface FrameRun {
  readonly slab: Uint8Array
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly bytes: number
  readonly gso: GsoColumn | undefined
}

interface Segment {
  readonly slab: Uint8Array
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  gso: GsoColumn | undefined
  /** Bytes of the slab in use. */
  used: number
  /** Frames put in, and of these taken out. */
  written: number
  read: number
}

const segmentBytes = 65536
const segmentFrames = 256

/**
 * Copies of frames, first in, first out. They are packed into slabs, each filled once from front to back and
 * never reused, so a run that was taken out shares memory with others but is never overwritten.
 */
export class FrameQueue {
  #segments: Segment[] = []
  #frames = 0

  /** Frames that wait. */
  get frames(): number {
    return this.#frames
  }

  /** Copies frame `i`. */
  push({ slab, offsets, lengths, gso }: Sendable, i: number): void {
    const offset = offsets[i]!
    const length = lengths[i]!
    const segment = this.#roomFor(length)
    segment.slab.set(slab.subarray(offset, offset + length), segment.used)
    if (gso) {
      segment.gso ??= new GsoColumn(segmentFrames)
      segment.gso.copy(segment.written, gso, i)
    }
    segment.offsets[segment.written] = segment.used
    segment.lengths[segment.written] = length
    segment.written++
    segment.used += length
    this.#frames++
  }

  /** Up to `maxFrames` frames; none is begun once `maxBytes` are reached. */
  take(maxFrames: number, maxBytes: number): FrameRun | undefined {
    if (this.#frames === 0) return undefined
    if (this.#segments[0]!.read === this.#segments[0]!.written) this.#segments.shift()
    const segment = this.#segments[0]!
    const { slab, offsets, lengths, read } = segment
    const limit = Math.min(segment.written, read + maxFrames)
    let bytes = lengths[read]!
    let end = read + 1
    while (end < limit && bytes < maxBytes) bytes += lengths[end++]!
    segment.read = end
    this.#frames -= end - read
    return {
      slab,
      offsets: offsets.subarray(read, end),
      lengths: lengths.subarray(read, end),
      gso: segment.gso?.slice(read, end),
      bytes,
    }
  }

  clear(): void {
    this.#segments = []
    this.#frames = 0
  }

  #roomFor(length: number): Segment {
    const last = this.#segments.at(-1)
    if (last && last.written < segmentFrames && last.used + length <= last.slab.length) return last
    const segment: Segment = {
      slab: new Uint8Array(Math.max(segmentBytes, length)),
      offsets: new Uint32Array(segmentFrames),
      lengths: new Uint32Array(segmentFrames),
      gso: undefined,
      used: 0,
      written: 0,
      read: 0,
    }
    this.#segments.push(segment)
    return segment
  }
}
