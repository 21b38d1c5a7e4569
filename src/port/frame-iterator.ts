import type { LinkType } from '../frames/index.js'
import type { FrameBatch } from './batch.js'
import type { BatchIterator } from './ownership.js'

/** Flattens batches: one item per frame, made by `take` while the batch lives. */
export class FrameIterator<L extends LinkType, T> implements AsyncIterableIterator<T> {
  readonly #batches: BatchIterator<L>
  readonly #take: (batch: FrameBatch<L>, i: number) => T
  readonly #signal: AbortSignal | undefined
  #batch: FrameBatch<L> | undefined
  #index = 0
  #pending: Promise<IteratorResult<T, undefined>> | undefined

  constructor(
    batches: BatchIterator<L>,
    take: (batch: FrameBatch<L>, i: number) => T,
    signal: AbortSignal | undefined,
  ) {
    this.#batches = batches
    this.#take = take
    this.#signal = signal
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#pending) {
      const again = () => this.next()
      return this.#pending.then(again, again)
    }
    if (this.#batch && this.#index < this.#batch.count && !this.#signal?.aborted) {
      return Promise.resolve(this.#item(this.#batch))
    }
    this.#pending = this.#nextBatch().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#batch = undefined
    await this.#batches.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #item(batch: FrameBatch<L>): IteratorResult<T, undefined> {
    return { done: false, value: this.#take(batch, this.#index++) }
  }

  async #nextBatch(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      this.#batch = undefined
      const step = await this.#batches.next()
      if (step.done) return { done: true, value: undefined }
      this.#batch = step.value
      this.#index = 0
      if (step.value.count > 0) return this.#item(step.value)
    }
  }
}
