/** Sums since the capture was opened; the reader of one takes nothing from the next. */
export interface CaptureStatistics {
  /** Frames that passed the filter in the kernel, those that were dropped then among them. */
  received: bigint
  /** Of these, the ones for which the ring had no room. */
  dropped: bigint
  /** How often the ring became full; with `latency: 'batched'`, else 0. */
  freezes: bigint
}
