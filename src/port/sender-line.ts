import { abortable, type Deferred, deferred, throwIfAborted } from '../lifecycle/index.js'
import type { SendResult, WaitOptions } from './port.js'

/** What can be sent; one that holds a pooled batch can be shared, see {@link share}. */
type Sendable = object

export interface SendTarget<B extends Sendable> {
  /** Frames in the batch, which is checked from `from` on; typed errors for what can't be sent. */
  check(batch: B, from: number): number
  /**
   * Sends what can be sent now of a batch that was checked; throws when the port has ended. With `budgeted`
   * it also stops when this turn's share of work is used up.
   */
  transmit(batch: B, from: number, budgeted: boolean): SendResult
  /** Somebody waits: `wake()` is due once trying again may help. */
  wait(): void
  /** Who waited gave up. */
  rest?(): void
}

/** @internal Turns a `transmit` that never waits into `send()`: who comes first is served first, however long it takes. */
export class SenderLine<B extends Sendable> {
  readonly #target: SendTarget<B>
  #waiting = 0
  #last: Promise<void> = Promise.resolve()
  #space: Deferred<void> | undefined

  constructor(target: SendTarget<B>) {
    this.#target = target
  }

  get waiting(): boolean {
    return this.#space !== undefined
  }

  /** There is room again, or the port ended: the first in line looks again. */
  wake(): void {
    const space = this.#space
    this.#space = undefined
    space?.resolve()
  }

  trySend(batch: B, from: number): SendResult {
    this.#target.check(batch, from)
    if (this.#waiting > 0) return { sent: 0, dropped: 0, next: from }
    return this.#target.transmit(batch, from, false)
  }

  send(batch: B, options: WaitOptions | undefined): Promise<SendResult> {
    const signal = options?.signal
    try {
      throwIfAborted(signal)
      const count = this.#target.check(batch, 0)
      let result: SendResult = { sent: 0, dropped: 0, next: 0 }
      if (this.#waiting === 0) {
        result = this.#target.transmit(batch, 0, true)
        if (result.next === count) return Promise.resolve(result)
      }
      return this.#standInLine(batch, count, result, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #standInLine(
    batch: B,
    count: number,
    result: SendResult,
    signal: AbortSignal | undefined,
  ): Promise<SendResult> {
    const before = this.#last
    const served = deferred<void>()
    this.#last = served.promise
    // The frames must outlive the wait, whatever the batch's reader does meanwhile.
    const held = shareOf(batch)
    let total = result
    this.#waiting++
    try {
      await abortable(before, signal)
      for (;;) {
        // Checked again: memory of the caller's own may have been taken away meanwhile.
        this.#target.check(held, total.next)
        total = joined(total, this.#target.transmit(held, total.next, true))
        if (total.next === count) return total
        await this.#wait(signal)
      }
    } finally {
      if (held !== batch) (held as { release?(): void }).release?.()
      this.#waiting--
      // One that gives up must not let those behind it overtake those before it.
      before.then(served.resolve)
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    this.#space = deferred()
    this.#target.wait()
    try {
      await abortable(this.#space.promise, signal)
    } catch (error) {
      this.#space = undefined
      this.#target.rest?.()
      throw error
    }
  }
}

/** @internal A delivered batch's own method: another batch of the same frames, released apart from this one. */
export const share: unique symbol = Symbol.for('netloom.port.share')

function shareOf<B extends Sendable>(batch: B): B {
  return (batch as { [share]?: () => B })[share]?.() ?? batch
}

function joined(first: SendResult, second: SendResult): SendResult {
  const failure = first.failure ?? second.failure
  return {
    sent: first.sent + second.sent,
    dropped: first.dropped + second.dropped,
    next: second.next,
    ...(failure && { failure }),
  }
}
