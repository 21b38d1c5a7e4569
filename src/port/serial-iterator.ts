/**
 * An async iterator whose steps run one after the other, in the order they were asked for. Written by hand, as
 * an async generator costs twice as much per step and can't be ended while a step waits.
 */
export abstract class SerialIterator<T> implements AsyncIterableIterator<T> {
  #pending: Promise<IteratorResult<T, undefined>> | undefined

  /** A step that needs no waiting, or `undefined`. */
  protected abstract now(): Promise<IteratorResult<T, undefined>> | undefined

  /** The step that has to wait; follows a {@link now} that had nothing. */
  protected abstract later(): Promise<IteratorResult<T, undefined>>

  abstract return(): Promise<IteratorResult<T, undefined>>

  protected get waiting(): boolean {
    return this.#pending !== undefined
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#pending) {
      const again = () => this.next()
      return this.#pending.then(again, again)
    }
    const step = this.now()
    if (step) return step
    this.#pending = this.later().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

export function ended(): Promise<{ done: true; value: undefined }> {
  return Promise.resolve({ done: true, value: undefined })
}
