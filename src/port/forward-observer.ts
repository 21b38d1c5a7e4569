import { invalidArgumentValue, requireInteger, requireOptions } from '../errors/index.js'
import type { FrameBatch, LinkType } from '../frames/index.js'
import { checkSignal } from '../lifecycle/index.js'
import { BatchReader } from './batch-reader.js'
import { type NativeForward, noRoom, report, slabLayout } from './handle.js'
import { NativeBatch } from './native-batch.js'
import type { WaitOptions } from './port.js'
import { slabPool } from './slab-pool.js'
import { TurnBudget } from './turn-budget.js'

const batchFrames = 256
const batchBytes = 128 * 1024

export interface ForwardObserveOptions extends WaitOptions {
  /** Frames that come from the first port only, or from the second. Default both. */
  direction?: 'aToB' | 'bToA' | undefined
  /** Bytes that are copied of a frame, 1 to 65600. Default 65600: all. */
  snapLength?: number | undefined
  /** Frames that wait for the observer, 1 to 65536; fewer where they are longer than 2 KiB. Default 1024. */
  limit?: number | undefined
}

/** What a forward passes on, as copies in a bounded ring. Ends with the forward, once what is there was read. */
export class ForwardObserver<L extends LinkType = LinkType> implements AsyncIterableIterator<FrameBatch<L>> {
  readonly #linkType: L
  readonly #budget = new TurnBudget()
  readonly #onEnd: (observer: ForwardObserver<L>) => void
  readonly #reader: BatchReader<L>
  #native: NativeForward | undefined
  #number = -1
  #over = false
  #spent = false
  #dropped = 0

  /** @internal */
  constructor(
    linkType: L,
    native: NativeForward | undefined,
    options: ForwardObserveOptions | undefined,
    onEnd: (observer: ForwardObserver<L>) => void,
  ) {
    const known = ['direction', 'snapLength', 'limit', 'signal'] as const
    const { direction, snapLength = 65600, limit = 1024, signal } = requireOptions('options', options, known)
    if (direction !== undefined && direction !== 'aToB' && direction !== 'bToA') {
      throw invalidArgumentValue('options.direction', direction, "must be 'aToB' or 'bToA'")
    }
    requireInteger('options.snapLength', snapLength, 1, 65600)
    requireInteger('options.limit', limit, 1, 65536)
    checkSignal(signal)
    this.#linkType = linkType
    this.#onEnd = onEnd
    this.#over = native === undefined
    this.#native = native
    if (native)
      this.#number = native.observe({ aToB: 1, bToA: 2, both: 3 }[direction ?? 'both'], snapLength, limit)
    this.#reader = new BatchReader<L>(
      {
        take: () => this.#take(),
        ended: () => this.#over && !this.#spent,
        wait: () => this.#budget.wait(() => this.wake()),
        free: () => this.#free(),
      },
      signal,
    )
  }

  /** Frames that went unobserved because too many waited. */
  get dropped(): bigint {
    return BigInt(this.#native?.observed(this.#number) ?? this.#dropped)
  }

  /** @internal Nothing more will be read. */
  get done(): boolean {
    return this.#reader.done
  }

  next(): Promise<IteratorResult<FrameBatch<L>, undefined>> {
    return this.#reader.next()
  }

  return(): Promise<IteratorResult<FrameBatch<L>, undefined>> {
    return this.#reader.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** @internal There may be frames. */
  wake(): void {
    this.#reader.wake()
  }

  /** @internal Nothing more will come. */
  finish(): void {
    this.#over = true
    this.#reader.wake()
  }

  #take(): NativeBatch<L> | undefined {
    if (!this.#native) return undefined
    this.#spent = this.#budget.spent
    if (this.#spent) return undefined
    for (let fresh = false; ; ) {
      const slab = slabPool().room(fresh)
      const first = slab.frames
      const most = Math.min(batchFrames, slab.offsets.length - first)
      const count = this.#native.take(this.#number, slab.number, slab.cursor, first, most, batchBytes)
      if (count === noRoom) {
        fresh = true
        continue
      }
      if (count === 0) return undefined
      slabPool().filled(slab, report()[0]!, first + count)
      this.#budget.spend(count)
      return new NativeBatch(this.#linkType, slab, first, count, slabLayout().headerBytes, false, true)
    }
  }

  #free(): void {
    const native = this.#native
    if (!native) return
    this.#dropped = native.observed(this.#number)
    native.unobserve(this.#number)
    this.#native = undefined
    this.#onEnd(this)
  }
}
