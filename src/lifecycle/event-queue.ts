import { onAbort, throwIfAborted } from './abort.js'
import { type Deferred, deferred } from './deferred.js'

/**
 * A bounded queue between one producer and one async iterator. When it is full the oldest events give way
 * to one event made by `onOverflow`, so that a slow reader costs bounded memory and learns of its loss.
 */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  #events: T[] = []
  #waiting: Deferred<IteratorResult<T>>[] = []
  #ended = false
  #failure: { error: unknown } | undefined
  #cleanUp: (() => void)[] = []
  readonly #limit: number
  readonly #onOverflow: () => T

  constructor(options: { limit: number; onOverflow: () => T; signal?: AbortSignal | undefined }) {
    throwIfAborted(options.signal)
    this.#limit = options.limit
    this.#onOverflow = options.onOverflow
    this.#cleanUp.push(onAbort(options.signal, error => this.fail(error)))
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Events that wait for the reader. */
  get length(): number {
    return this.#events.length
  }

  push(event: T): void {
    if (this.#ended) return
    const waiter = this.#waiting.shift()
    if (waiter) {
      waiter.resolve({ done: false, value: event })
      return
    }
    if (this.#events.length >= this.#limit) this.#events = [this.#onOverflow()]
    this.#events.push(event)
  }

  /** Ends after the queued events have been read. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const undo of this.#cleanUp.splice(0)) undo()
    for (const waiter of this.#waiting.splice(0)) waiter.resolve({ done: true, value: undefined })
  }

  /** Ends at once: queued events are dropped and the reader's next step rejects. */
  fail(error: unknown): void {
    if (this.#ended) return
    this.#events = []
    const waiter = this.#waiting.shift()
    if (waiter) waiter.reject(error)
    else this.#failure = { error }
    this.end()
  }

  /** Runs once, when the queue ends for whatever reason. */
  onEnd(undo: () => void): void {
    if (this.#ended) undo()
    else this.#cleanUp.push(undo)
  }

  next(): Promise<IteratorResult<T>> {
    const event = this.#events.shift()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#failure) {
      const { error } = this.#failure
      this.#failure = undefined
      return Promise.reject(error)
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    const waiter = deferred<IteratorResult<T>>()
    this.#waiting.push(waiter)
    return waiter.promise
  }

  return(): Promise<IteratorResult<T>> {
    this.#events = []
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
