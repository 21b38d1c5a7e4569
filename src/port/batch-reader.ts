import type { FrameBatch, LinkType } from '../frames/index.js'
import { onAbort } from '../lifecycle/index.js'

type Step<B> = IteratorResult<B, undefined>

/** @internal A batch that knows whether its reader took it over. */
export interface DeliveredBatch<L extends LinkType> extends FrameBatch<L> {
  readonly kept: boolean
}

/** Where a {@link BatchReader} gets its batches. */
export interface BatchSource<B> {
  /** A batch that is there; `undefined` when there is none, or when this turn's share of work is used up. */
  take(): B | undefined
  /** Nothing more will come. */
  ended(): boolean
  /** A step waits: `wake()` is due once looking again may help. */
  wait(): void
  /** The reader is done, and the source free for another. */
  free(): void
}

/**
 * @internal The iterator behind `batches()`. Written by hand: an async generator costs twice as much per step and
 * could not be ended while a step waits.
 */
export class BatchReader<L extends LinkType, B extends DeliveredBatch<L> = DeliveredBatch<L>>
  implements AsyncIterableIterator<B>
{
  readonly #source: BatchSource<B>
  readonly #forget: () => void
  #previous: B | undefined
  #pending: Promise<Step<B>> | undefined
  #resolve!: (step: Step<B>) => void
  #reject!: (error: Error) => void
  #failure: { error: Error } | undefined
  #done = false

  constructor(source: BatchSource<B>, signal: AbortSignal | undefined) {
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

  get waiting(): boolean {
    return this.#pending !== undefined
  }

  next(): Promise<Step<B>> {
    if (this.#pending) {
      const again = () => this.next()
      return this.#pending.then(again, again)
    }
    this.#letGo()
    if (!this.#failure && !this.#done) {
      const batch = this.#source.take()
      if (batch) {
        this.#previous = batch
        return Promise.resolve({ done: false, value: batch })
      }
    }
    this.#pending = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    const step = this.#pending
    if (!this.#settle()) this.#source.wait()
    return step
  }

  return(): Promise<Step<B>> {
    const waiting = this.#pending !== undefined
    this.finish()
    this.#failure = undefined
    if (!waiting) this.#letGo()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Something changed at the source: a waiting step looks again. */
  wake(): void {
    const pending = this.#pending
    if (!pending) return
    // Taking the last batch may end the source: that is the next step's answer, not this one's.
    this.#pending = undefined
    const batch = this.#done ? undefined : this.#source.take()
    if (batch) {
      this.#previous = batch
      this.#resolve({ done: false, value: batch })
      return
    }
    this.#pending = pending
    if (!this.#settle()) this.#source.wait()
  }

  /** Ends; the batch in the user's hands still lives until the next step. */
  finish(): void {
    if (this.#done) return
    this.#done = true
    // Absent while an aborted signal ends the reader from within its constructor.
    this.#forget?.()
    this.#source.free()
    this.#settle()
  }

  #letGo(): void {
    if (this.#previous && !this.#previous.kept) this.#previous.release()
    this.#previous = undefined
  }

  /** Answers the pending step if the reader or its source has ended. */
  #settle(): boolean {
    if (!this.#done && this.#source.ended()) this.finish()
    if (!this.#done) return false
    if (!this.#pending) return true
    this.#pending = undefined
    if (this.#failure) {
      const { error } = this.#failure
      this.#failure = undefined
      this.#reject(error)
    } else {
      this.#resolve({ done: true, value: undefined })
    }
    return true
  }
}
