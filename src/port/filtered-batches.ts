import type { FrameBatch, LinkType } from '../frames/index.js'
import type { BatchIterator } from './ownership.js'
import { SerialIterator } from './serial-iterator.js'

type Step<L extends LinkType> = IteratorResult<FrameBatch<L>, undefined>

/** Passes on what `select` makes of each batch; where that is nothing the batch goes back to the port. */
export class FilteredBatches<L extends LinkType> extends SerialIterator<FrameBatch<L>> {
  readonly #batches: BatchIterator<L>
  readonly #select: (batch: FrameBatch<L>) => FrameBatch<L> | undefined

  constructor(batches: BatchIterator<L>, select: (batch: FrameBatch<L>) => FrameBatch<L> | undefined) {
    super()
    this.#batches = batches
    this.#select = select
  }

  async return(): Promise<Step<L>> {
    await this.#batches.return?.()
    return { done: true, value: undefined }
  }

  protected now(): undefined {}

  protected async later(): Promise<Step<L>> {
    for (;;) {
      const step = await this.#batches.next()
      if (step.done) return step
      const value = this.#select(step.value)
      if (value) return { done: false, value }
    }
  }
}
