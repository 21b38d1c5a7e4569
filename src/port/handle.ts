import {
  type Framing,
  type NativeForward,
  type NativeFramePort,
  type NativePortCalls,
  type NativePortHandle,
  type NativeSlab,
  native,
  type OnReady,
} from '../native.js'
import type { Offload } from './port.js'
import type { Sendable } from './sendable.js'

export type {
  Framing,
  NativeForward,
  NativeFramePort,
  NativePortCalls,
  NativePortHandle,
  NativeSlab,
  OnReady,
}

/** Readiness bits of `watch()` and of the callback. */
export const readable = 1
export const writable = 2

/** Sizes that native/slab.h fixes. */
export interface SlabLayout {
  /** Bytes of frame memory. */
  bytes: number
  /** Entries in each column. */
  frames: number
  /** Bytes of a virtio-net header's entry. */
  headerBytes: number
  /** Bytes that must be free at the cursor for one more frame. */
  maxFrame: number
}

let layout: SlabLayout | undefined
let reported: Int32Array | undefined

export function slabLayout(): SlabLayout {
  if (!layout) {
    const { Slab, FramePort } = native()
    layout = {
      bytes: Slab.bytes,
      frames: Slab.frames,
      headerBytes: Slab.headerBytes,
      maxFrame: FramePort.maxFrame,
    }
  }
  return layout
}

export function createSlab(): NativeSlab {
  return new (native().Slab)()
}

/** What a native port answers instead of a count when this turn's share of work is used up. */
export const budgetSpent = -4096
/** What it answers when the next frame is longer than what is left of the slab. */
export const noRoom = -4097

/**
 * What the last native call reported beside its result.
 * receive(): 0 cursor, 1 errno that ended it, 2 frames that were too long, 3 frames that the kernel dropped (captures), 4
 * bytes that were read.
 * send…(): 0 length of the first frame that failed, 1 sent, 2 dropped, 3 first failed index, 4 its errno, 5 errno that ended it, 6 and 7 bytes, low half
 * first, 8 kinds of super-frames that the kernel refused.
 *
 * The other way, 16 to 18 are where frames go that are read as a port becomes ready, before JavaScript is told: the
 * slab's number, the cursor, and the first entry of the columns.
 */
export function report(): Int32Array {
  reported ??= new Int32Array(native().report)
  return reported
}

/** The calls on ports. */
export function portCalls(): NativePortCalls {
  return native().ports
}

/** What is kept beside the addon: one for a thread, also where this module is loaded more than once. */
export function slabPoolOf<P>(make: () => P): P {
  const binding = native()
  binding.slabPool ??= make()
  return binding.slabPool as P
}

export function closeDescriptor(fd: number): void {
  native().closeDescriptor(fd)
}

/** Kinds of super-frames, as native/sys/coalescing.h numbers them; frames are joined to the first four. */
const superFrames = { tso4: 1, tso6: 2, uso4: 4, uso6: 8, 'udp-tunnel': 16 } as const

/** Kinds of super-frames among these offloads, as bits. */
export function superFrameBits(offloads: readonly Offload[]): number {
  return offloads.reduce(
    (bits, offload) => bits | ((superFrames as Partial<Record<Offload, number>>)[offload] ?? 0),
    0,
  )
}

/** The kinds that such bits stand for. */
export function superFrameOffloads(bits: number): Offload[] {
  return Object.entries(superFrames).flatMap(([offload, bit]) => (bits & bit ? [offload as Offload] : []))
}

/**
 * Frames that the frames of a batch stand for, their number or -1 - i for one that contradicts its entry of `gso`;
 * `report` has their bytes, low half first. They are written to `out`, if given, their lengths, and of which frame each is.
 */
export function cutNatively(
  { slab, offsets, lengths, count, gso }: Sendable,
  ethernet: boolean,
  headroom: number,
  tailroom: number,
  out?: Uint8Array,
  outLengths?: Uint32Array,
  outSources?: Uint32Array,
): number {
  return native().cutFrames(
    slab,
    offsets,
    lengths,
    count,
    gso?.bytes,
    ethernet,
    headroom,
    tailroom,
    out,
    outLengths,
    outSources,
  )
}

/** Takes a descriptor over; on failure it stays the caller's. */
export function openFramePort(fd: number, framing: Framing, onReady: OnReady): NativeFramePort {
  return new (native().FramePort)(fd, framing, onReady)
}

/** What a forward is started with; see native/forwarding.h. */
export interface ForwardStart {
  handles: readonly [NativePortHandle, NativePortHandle]
  skips: readonly [number, number]
  filters: readonly [Uint8Array | undefined, Uint8Array | undefined]
  rates: Float64Array
  ownThread: boolean
  paused: boolean
}

export function startForward(start: ForwardStart, onEvent: () => void): NativeForward {
  const { handles, skips, filters, rates, ownThread, paused } = start
  const [a, b] = handles
  return new (native().Forward)(a.number, b.number, ownThread, paused, ...skips, ...filters, rates, onEvent)
}
