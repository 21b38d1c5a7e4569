import type { FrameBatch, LinkType } from '../frames/index.js'
import { plainFrames } from './cut-frames.js'
import type { BatchIterator } from './ownership.js'
import { SerialIterator } from './serial-iterator.js'

/** Flattens batches: one item per frame, made by `take` while the batch lives. */
export class FrameIterator<L extends LinkType, T> extends SerialIterator<T> {
  readonly #batches: BatchIterator<L>
  readonly #take: (batch: FrameBatch<L>, i: number) => T
  readonly #signal: AbortSignal | undefined
  #batch: FrameBatch<L> | undefined
  #index = 0

  constructor(
    batches: BatchIterator<L>,
    take: (batch: FrameBatch<L>, i: number) => T,
    signal: AbortSignal | undefined,
  ) {
    super()
    this.#batches = batches
    this.#take = take
    this.#signal = signal
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#batch = undefined
    await this.#batches.return?.()
    return { done: true, value: undefined }
  }

  protected now(): Promise<IteratorResult<T, undefined>> | undefined {
    if (!this.#batch || this.#index >= this.#batch.count || this.#signal?.aborted) return undefined
    return Promise.resolve({ done: false, value: this.#take(this.#batch, this.#index++) })
  }

  protected async later(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      this.#batch = undefined
      const step = await this.#batches.next()
      if (step.done) return { done: true, value: undefined }
      // Whoever takes frame by frame has no use for what stands for many.
      this.#batch = plainFrames(step.value)
      this.#index = 0
      const first = this.now()
      if (first) return first
    }
  }
}
