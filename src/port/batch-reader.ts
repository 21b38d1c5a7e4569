import type { LinkType } from '../frames/index.js'
import { type Deferred, deferred, onAbort } from '../lifecycle/index.js'
import type { FrameBatch } from './batch.js'
import type { QueuedBatch } from './queued-batch.js'
import { TurnBudget } from './turn-budget.js'

type Step<L extends LinkType> = IteratorResult<FrameBatch<L>, undefined>

/** Where a {@link BatchReader} gets its batches. */
export interface BatchSource<L extends LinkType> {
  /** A batch that is there, or `undefined`. */
  take(): QueuedBatch<L> | undefined
  /** Nothing more will come. */
  ended(): boolean
  /** The reader is done, and the source free for another. */
  free(): void
}

/**
 * The iterator behind `batches()`. Written by hand, as an async generator costs twice as much per step and
 * could not be ended while a step waits.
 */
export class BatchReader<L extends LinkType> implements AsyncIterableIterator<FrameBatch<L>> {
  readonly #source: BatchSource<L>
  readonly #budget = new TurnBudget()
  readonly #forget: () => void
  #previous: QueuedBatch<L> | undefined
  #pending: Promise<Step<L>> | undefined
  #readable: Deferred<void> | undefined
  #failure: { error: Error } | undefined
  #done = false

  constructor(source: BatchSource<L>, signal: AbortSignal | undefined) {
    this.#source = source
    // An aborted signal runs the listener at once; the first step then rejects.
    this.#forget = onAbort(signal, error => {
      this.#failure = { error }
      this.finish()
    })
  }

  get done(): boolean {
    return this.#done
  }

  next(): Promise<Step<L>> {
    if (this.#pending) {
      const again = () => this.next()
      return this.#pending.then(again, again)
    }
    this.#letGo()
    const step = this.#now()
    if (step) return step
    this.#pending = this.#later().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  return(): Promise<Step<L>> {
    this.finish()
    this.#failure = undefined
    if (!this.#pending) this.#letGo()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Something changed at the source: a waiting step looks again. */
  wake(): void {
    const readable = this.#readable
    this.#readable = undefined
    readable?.resolve()
  }

  /** Ends; the batch in the user's hands still lives until the next step. */
  finish(): void {
    if (this.#done) return
    this.#done = true
    // Absent while an aborted signal ends the reader from within its constructor.
    this.#forget?.()
    this.#source.free()
    this.wake()
  }

  #letGo(): void {
    if (this.#previous && !this.#previous.kept) this.#previous.release()
    this.#previous = undefined
  }

  #now(): Promise<Step<L>> | undefined {
    if (this.#failure) {
      const { error } = this.#failure
      this.#failure = undefined
      return Promise.reject(error)
    }
    if (this.#done) return Promise.resolve({ done: true, value: undefined })
    if (this.#budget.spent) return undefined
    const batch = this.#source.take()
    if (batch) {
      this.#budget.spend(batch.count)
      this.#previous = batch
      return Promise.resolve({ done: false, value: batch })
    }
    if (!this.#source.ended()) return undefined
    this.finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  async #later(): Promise<Step<L>> {
    for (;;) {
      if (this.#budget.spent) {
        await this.#budget.nextTurn()
      } else {
        this.#readable = deferred()
        await this.#readable.promise
      }
      const step = this.#now()
      if (step) return step
    }
  }
}
