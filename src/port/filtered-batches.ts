import type { FrameBatch, LinkType } from '../frames/index.js'
import type { BatchIterator } from './ownership.js'
import { SerialIterator } from './serial-iterator.js'

type Step<L extends LinkType> = IteratorResult<FrameBatch<L>, undefined>

/** Passes on the batches for which `accept` is true; the others go back to the port unread. */
export class FilteredBatches<L extends LinkType> extends SerialIterator<FrameBatch<L>> {
  readonly #batches: BatchIterator<L>
  readonly #accept: (batch: FrameBatch<L>) => boolean

  constructor(batches: BatchIterator<L>, accept: (batch: FrameBatch<L>) => boolean) {
    super()
    this.#batches = batches
    this.#accept = accept
  }

  async return(): Promise<Step<L>> {
    await this.#batches.return?.()
    return { done: true, value: undefined }
  }

  protected now(): undefined {}

  protected async later(): Promise<Step<L>> {
    for (;;) {
      const step = await this.#batches.next()
      if (step.done || this.#accept(step.value)) return step
    }
  }
}
