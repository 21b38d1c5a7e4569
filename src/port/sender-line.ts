import type { LinkType } from '../frames/index.js'
import { abortable, type Deferred, deferred, throwIfAborted } from '../lifecycle/index.js'
import type { FrameBatch } from './batch.js'
import type { SendResult, WaitOptions } from './port.js'
import { checkSendable, type Sendable } from './sendable.js'
import { TurnBudget } from './turn-budget.js'

/** Sends what can be sent now, from frame `from` on; throws when the port has ended. */
export type Transmit = (frames: Sendable, from: number) => SendResult

/** Turns a `Transmit` that never waits into `send()`: who comes first is served first, however long it takes. */
export class SenderLine<L extends LinkType> {
  readonly #linkType: L
  readonly #transmit: Transmit
  readonly #budget = new TurnBudget()
  #waiting = 0
  #last: Promise<void> = Promise.resolve()
  #space: Deferred<void> | undefined

  constructor(linkType: L, transmit: Transmit) {
    this.#linkType = linkType
    this.#transmit = transmit
  }

  /** There is room again, or the port ended: the first in line looks again. */
  wake(): void {
    const space = this.#space
    this.#space = undefined
    space?.resolve()
  }

  trySend(batch: FrameBatch<L> | Uint8Array, from: number): SendResult {
    const frames = checkSendable(batch, this.#linkType, from)
    if (this.#waiting > 0) return { sent: 0, dropped: 0, next: from }
    return this.#transmit(frames, from)
  }

  async send(batch: FrameBatch<L> | Uint8Array, options: WaitOptions | undefined): Promise<SendResult> {
    throwIfAborted(options?.signal)
    const frames = checkSendable(batch, this.#linkType)
    let result: SendResult = { sent: 0, dropped: 0, next: 0 }
    if (this.#waiting === 0 && !this.#budget.spent) {
      result = this.#transmit(frames, 0)
      this.#budget.spend(result.next)
      if (result.next === frames.count) return result
    }
    return this.#standInLine(batch, result, options?.signal)
  }

  async #standInLine(
    batch: FrameBatch<L> | Uint8Array,
    result: SendResult,
    signal: AbortSignal | undefined,
  ): Promise<SendResult> {
    const before = this.#last
    const served = deferred<void>()
    this.#last = served.promise
    this.#waiting++
    try {
      await abortable(before, signal)
      for (;;) {
        if (this.#budget.spent) await abortable(this.#budget.nextTurn(), signal)
        // Checked again: the batch may have been released meanwhile.
        const frames = checkSendable(batch, this.#linkType, result.next)
        const more = this.#transmit(frames, result.next)
        this.#budget.spend(more.next - result.next)
        result = joined(result, more)
        if (result.next === frames.count) return result
        this.#space ??= deferred()
        await abortable(this.#space.promise, signal)
      }
    } finally {
      this.#waiting--
      // One that gives up must not let those behind it overtake those before it.
      before.then(served.resolve)
    }
  }
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
