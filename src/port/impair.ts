import { invalidArgumentType, outOfRange, requireOptions } from '../errors/index.js'
import { FrameBatch, type Gso, type LinkType } from '../frames/index.js'
import { FilteredBatches } from './filtered-batches.js'
import { type BatchIterator, type ReaderKind, readAs } from './ownership.js'
import type { FramePort, Offload, PortCounters, ReceiveOptions, SendResult, WaitOptions } from './port.js'
import { frameTooLong, portClosed } from './port-errors.js'
import { requirePort } from './require-port.js'
import { checkSendable } from './sendable.js'
import { SenderLine } from './sender-line.js'
import { TurnBudget } from './turn-budget.js'
import { WrappedPort } from './wrapped-port.js'

/** What is wrong with a line; every knob can be turned while frames flow. */
export interface Impairments {
  /** Share of the sent frames that vanish, 0 to 1. */
  loss: number
  /** Share of the sent frames that arrive twice, 0 to 1. */
  duplicate: number
  /** How much later sent frames leave, in milliseconds, 0 to 3600000. */
  delayMs: number
  /** Each delay is longer by a random part of this; frames then overtake each other. Without it they never do. */
  jitterMs: number
  /** The cable is pulled: frames vanish both ways, those on their way included. */
  unplugged: boolean
}

export interface ImpairOptions extends Partial<Impairments> {
  /** Numbers from 0 up to 1, for a repeatable run. Default `Math.random`. */
  random?: () => number
}

/** A port whose line can be spoilt. */
export type ImpairedPort<L extends LinkType = LinkType> = FramePort<L> & Impairments

/**
 * The port on a bad line, as the kernel's netem makes one. As there, loss, duplication and delay apply to what
 * is *sent*; wrap both ends for both directions. Pulling the cable applies to both.
 *
 * - The sender does not learn of a loss: `send()` resolves once the line has taken the frames, and calls them
 *   sent. Frames that vanished count in `sentDropped` and `receivedDropped` of the returned port.
 * - The line holds 10000 frames; when it is full `send()` waits and `trySend()` stops, as on any port.
 * - Frames that vanish while the cable is pulled are those that are read meanwhile; what nobody reads stays
 *   in the port's queue.
 * - Delayed frames keep the process alive until they are sent. `close()` discards them.
 */
export function impair<L extends LinkType>(port: FramePort<L>, options?: ImpairOptions): ImpairedPort<L> {
  return new Impaired(requirePort(port), options)
}

interface Delayed {
  readonly frame: Uint8Array
  readonly due: number
  gso: Gso | undefined
}

const knobs = ['loss', 'duplicate', 'delayMs', 'jitterMs', 'unplugged'] as const
const lineFrames = 10000
const framesAtOnce = 256
const longestMs = 3600000
const nothing: ReadonlySet<Offload> = new Set()

class Impaired<L extends LinkType> extends WrappedPort<L> implements Impairments {
  readonly #senders: SenderLine<FrameBatch<L> | Uint8Array>
  readonly #budget = new TurnBudget()
  readonly #random: () => number
  #loss = 0
  #duplicate = 0
  #delayMs = 0
  #jitterMs = 0
  #unplugged = false
  /** By the time they are due. */
  #delayed: Delayed[] = []
  #timer: NodeJS.Timeout | undefined
  #sending = false
  #ended = false
  #lostSent = 0
  #lostReceived = 0

  constructor(inner: FramePort<L>, options: ImpairOptions | undefined) {
    super(inner)
    const { random = Math.random, ...set } = requireOptions('options', options, [...knobs, 'random'])
    if (typeof random !== 'function') throw invalidArgumentType('options.random', 'a function', random)
    this.#random = random
    Object.assign(this, set)
    this.#senders = new SenderLine({
      check: (batch, from) => checkSendable(batch, inner.linkType, from).count,
      transmit: (batch, from, budgeted) => this.#transmit(batch, from, budgeted),
      wait: () => this.#budget.wait(() => this.#senders.wake()),
    })
    inner.closed.then(() => this.#end())
  }

  get loss(): number {
    return this.#loss
  }

  set loss(share: number) {
    this.#loss = requireNumber('loss', share, 1)
  }

  get duplicate(): number {
    return this.#duplicate
  }

  set duplicate(share: number) {
    this.#duplicate = requireNumber('duplicate', share, 1)
  }

  get delayMs(): number {
    return this.#delayMs
  }

  set delayMs(milliseconds: number) {
    this.#delayMs = requireNumber('delayMs', milliseconds, longestMs)
  }

  get jitterMs(): number {
    return this.#jitterMs
  }

  set jitterMs(milliseconds: number) {
    this.#jitterMs = requireNumber('jitterMs', milliseconds, longestMs)
  }

  get unplugged(): boolean {
    return this.#unplugged
  }

  set unplugged(unplugged: boolean) {
    if (typeof unplugged !== 'boolean') throw invalidArgumentType('unplugged', 'a boolean', unplugged)
    this.#unplugged = unplugged
    if (unplugged) this.#discard()
  }

  /** The line carries bytes only, so nothing may be left undone in them. */
  override get accepts(): ReadonlySet<Offload> {
    return nothing
  }

  override tryReceive(options?: ReceiveOptions): FrameBatch<L> | undefined {
    const batch = super.tryReceive(options)
    if (!batch || this.#arrives(batch)) return batch
    batch.release()
    return undefined
  }

  override [readAs](kind: ReaderKind, options?: ReceiveOptions & WaitOptions): BatchIterator<L> {
    return new FilteredBatches(super[readAs](kind, options), batch => this.#arrives(batch))
  }

  override trySend(batch: FrameBatch<L> | Uint8Array, from = 0): SendResult {
    return this.#senders.trySend(batch, from)
  }

  override send(batch: FrameBatch<L> | Uint8Array, options?: WaitOptions): Promise<SendResult> {
    return this.#senders.send(batch, options)
  }

  override counters(): PortCounters {
    const counters = super.counters()
    counters.sentDropped += BigInt(this.#lostSent)
    counters.receivedDropped += BigInt(this.#lostReceived)
    return counters
  }

  override close(): Promise<void> {
    this.#end()
    return super.close()
  }

  #arrives(batch: FrameBatch<L>): FrameBatch<L> | undefined {
    if (!this.#unplugged) return batch
    this.#lostReceived += batch.count
    return undefined
  }

  #transmit(batch: FrameBatch<L> | Uint8Array, from: number, budgeted: boolean): SendResult {
    if (this.#ended) throw portClosed()
    const result: SendResult = { sent: 0, dropped: 0, next: from }
    if (budgeted && this.#budget.spent) return result
    const frames = checkSendable(batch, this.linkType, from)
    for (; result.next < frames.count && this.#delayed.length < lineFrames; result.next++) {
      const i = result.next
      const length = frames.lengths[i]!
      if (length > this.maxFrameLength) {
        result.failure ??= { index: i, error: frameTooLong(i, length, this.maxFrameLength) }
        result.dropped++
        this.#lostSent++
        continue
      }
      result.sent++
      if (this.#unplugged || this.#happens(this.#loss)) {
        this.#lostSent++
        continue
      }
      const frame = frames.slab.slice(frames.offsets[i]!, frames.offsets[i]! + length)
      const gso = frames.gso?.get(i)
      this.#delay(frame, gso)
      if (this.#happens(this.#duplicate)) this.#delay(frame, gso)
    }
    this.#budget.spend(result.next - from)
    this.#schedule()
    return result
  }

  #happens(share: number): boolean {
    return share > 0 && this.#random() < share
  }

  #delay(frame: Uint8Array, gso: Gso | undefined): void {
    let due = performance.now() + this.#delayMs
    let at = this.#delayed.length
    if (this.#jitterMs > 0) {
      due += this.#random() * this.#jitterMs
      while (at > 0 && this.#delayed[at - 1]!.due > due) at--
    } else if (at > 0) {
      due = Math.max(due, this.#delayed[at - 1]!.due)
    }
    this.#delayed.splice(at, 0, { frame, gso, due })
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const [first] = this.#delayed
    if (this.#sending || !first) return
    const wait = first.due - performance.now()
    if (wait <= 0) this.#flush()
    else this.#timer = setTimeout(() => this.#schedule(), Math.ceil(wait))
  }

  async #flush(): Promise<void> {
    const now = performance.now()
    let count = 0
    while (count < framesAtOnce && (this.#delayed[count]?.due ?? Number.POSITIVE_INFINITY) <= now) count++
    const due = this.#delayed.splice(0, count)
    const bytes = due.reduce((sum, { frame }) => sum + frame.length, 0)
    const batch = FrameBatch.allocate({
      linkType: this.linkType,
      frames: count,
      bytes,
      gso: due.some(({ gso }) => gso),
    })
    for (const { frame } of due) batch.append(frame)
    due.forEach(({ gso }, i) => {
      if (gso) batch.gso!.set(i, gso)
    })
    this.#sending = true
    try {
      await this.inner.send(batch)
    } catch {
      // The port ended under us: `closed` says why.
      this.#end()
    }
    this.#sending = false
    this.#senders.wake()
    this.#schedule()
  }

  #discard(): void {
    this.#lostSent += this.#delayed.length
    this.#delayed = []
    clearTimeout(this.#timer)
  }

  #end(): void {
    this.#ended = true
    this.#discard()
    this.#senders.wake()
  }
}

function requireNumber(name: string, value: unknown, max: number): number {
  if (typeof value !== 'number') throw invalidArgumentType(name, 'a number', value)
  if (!(value >= 0 && value <= max)) throw outOfRange(name, `>= 0 and <= ${max}`, value)
  return value
}
