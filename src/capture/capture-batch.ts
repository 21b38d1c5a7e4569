import type { FrameBatch, LinkType } from '../frames/index.js'

/** A batch with all that the kernel knows of its frames. */
export interface CaptureBatch<L extends LinkType = LinkType> extends FrameBatch<L> {
  /** When the kernel saw each frame, or its device (`timestamps: 'hardware'`); nanoseconds. */
  readonly timestamps: BigInt64Array
  readonly originalLengths: Uint32Array
  readonly flags: Uint32Array
  /** Tags that are not in the bytes, as `tpid << 16 | tci`: with `vlan: 'metadata'`, and on links that carry IP. */
  readonly vlans: Uint32Array
  /** Index of the interface in the namespace of the capture. */
  readonly interfaces: Uint32Array
  /** Frames that the kernel dropped between the batch before and this one. */
  readonly dropped: number
}
