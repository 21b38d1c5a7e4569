import type { FrameBatch, LinkType } from '../frames/index.js'
import { deferred, EventQueue } from '../lifecycle/index.js'
import { BatchReader } from './batch-reader.js'
import { FrameQueue } from './frame-queue.js'
import { type ReaderKind, readAs } from './ownership.js'
import type { PairOptions } from './pair.js'
import type {
  CloseReason,
  FramePort,
  Offload,
  PortCounters,
  PortEvent,
  PortState,
  ReceiveOptions,
  SendResult,
  WaitOptions,
} from './port.js'
import { frameTooLong, portClosed, portLocked } from './port-errors.js'
import { QueuedBatch } from './queued-batch.js'
import { receiveLimits } from './receive-limits.js'
import { checkSendable } from './sendable.js'
import { SenderLine } from './sender-line.js'
import { TurnBudget } from './turn-budget.js'

const nothing: ReadonlySet<Offload> = new Set()

/** One end of an in-memory cable. */
export class MemoryPort<L extends LinkType> implements FramePort<L> {
  readonly linkType: L
  readonly maxFrameLength: number
  readonly accepts = nothing
  readonly #options: Required<PairOptions>
  readonly #queue = new FrameQueue()
  readonly #line: SenderLine<FrameBatch<L> | Uint8Array>
  readonly #reading = new TurnBudget()
  readonly #sending = new TurnBudget()
  readonly #closed = deferred<CloseReason>()
  readonly #watchers = new Set<EventQueue<PortEvent>>()
  readonly #received = { frames: 0, bytes: 0, dropped: 0 }
  readonly #sent = { frames: 0, bytes: 0, dropped: 0 }
  #peer: MemoryPort<L> | undefined
  #reader: BatchReader<L> | undefined
  #owner: FramePort['owner'] = 'none'
  #ended = false
  #announced = false

  private constructor(linkType: L, options: Required<PairOptions>) {
    this.linkType = linkType
    this.maxFrameLength = options.maxFrameLength
    this.#options = options
    this.#line = new SenderLine({
      check: (batch, from) => checkSendable(batch, linkType, from).count,
      transmit: (batch, from, budgeted) => this.#transmit(batch, from, budgeted),
      wait: () => this.#sending.wait(() => this.#line.wake()),
    })
  }

  static pair<L extends LinkType>(
    linkType: L,
    options: Required<PairOptions>,
  ): [MemoryPort<L>, MemoryPort<L>] {
    const a = new MemoryPort(linkType, options)
    const b = new MemoryPort(linkType, options)
    a.#peer = b
    b.#peer = a
    return [a, b]
  }

  get owner(): FramePort['owner'] {
    return this.#owner
  }

  get closed(): Promise<CloseReason> {
    return this.#closed.promise
  }

  tryReceive(options?: ReceiveOptions): FrameBatch<L> | undefined {
    const { frames, bytes } = receiveLimits(options)
    if (this.#ended) throw portClosed()
    if (this.#owner !== 'none') throw portLocked(this.#owner)
    return this.#take(frames, bytes)
  }

  batches(options?: ReceiveOptions & WaitOptions): BatchReader<L> {
    return this[readAs]('reader', options)
  }

  /** @internal See ownership.ts. */
  [readAs](kind: ReaderKind, options?: ReceiveOptions & WaitOptions): BatchReader<L> {
    const { frames, bytes } = receiveLimits(options)
    if (this.#owner !== 'none') throw portLocked(this.#owner)
    const reader: BatchReader<L> = new BatchReader<L>(
      {
        take: () => (this.#reading.spent ? undefined : this.#take(frames, bytes)),
        wait: () => this.#reading.wait(() => reader.wake()),
        ended: () => this.#ended,
        free: () => {
          this.#reader = undefined
          this.#owner = 'none'
        },
      },
      options?.signal,
    )
    if (!this.#ended && !reader.done) {
      this.#reader = reader
      this.#owner = kind
    }
    return reader
  }

  trySend(batch: FrameBatch<L> | Uint8Array, from = 0): SendResult {
    return this.#line.trySend(batch, from)
  }

  send(batch: FrameBatch<L> | Uint8Array, options?: WaitOptions): Promise<SendResult> {
    return this.#line.send(batch, options)
  }

  counters(): PortCounters {
    return {
      receivedFrames: BigInt(this.#received.frames),
      receivedBytes: BigInt(this.#received.bytes),
      receivedDropped: BigInt(this.#received.dropped),
      sentFrames: BigInt(this.#sent.frames),
      sentBytes: BigInt(this.#sent.bytes),
      sentDropped: BigInt(this.#sent.dropped),
    }
  }

  events(options?: WaitOptions): AsyncIterableIterator<PortEvent> {
    const watcher = new EventQueue<PortEvent>({
      limit: 16,
      onOverflow: () => ({ type: 'resync' }),
      signal: options?.signal,
    })
    watcher.push({ type: 'state', state: this.#state() })
    if (this.#ended) {
      watcher.end()
    } else {
      this.#watchers.add(watcher)
      watcher.onEnd(() => this.#watchers.delete(watcher))
    }
    return watcher
  }

  async close(): Promise<void> {
    this.#end({ type: 'closed' })
    await this.#closed.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  #state(): PortState {
    const header = this.linkType === 'ethernet' ? 14 : 0
    const up = !this.#ended
    return { name: 'memory', index: 0, mtu: this.maxFrameLength - header, up, carrier: up && !!this.#peer }
  }

  #take(frames: number, bytes: number): QueuedBatch<L> | undefined {
    const run = this.#queue.take(frames, bytes)
    if (!run) return undefined
    const batch = new QueuedBatch(this.linkType, run)
    this.#reading.spend(batch.count)
    this.#received.frames += batch.count
    this.#received.bytes += run.bytes
    if (this.#peer) this.#peer.#line.wake()
    else if (this.#queue.frames === 0) this.#end({ type: 'removed' })
    return batch
  }

  #transmit(batch: FrameBatch<L> | Uint8Array, from: number, budgeted: boolean): SendResult {
    const peer = this.#peer
    if (!peer) throw portClosed()
    if (budgeted && this.#sending.spent) return { sent: 0, dropped: 0, next: from }
    const frames = checkSendable(batch, this.linkType, from)
    const result: SendResult = { sent: 0, dropped: 0, next: from }
    for (; result.next < frames.count; result.next++) {
      const length = frames.lengths[result.next]!
      if (length > this.maxFrameLength) {
        result.failure ??= {
          index: result.next,
          error: frameTooLong(result.next, length, this.maxFrameLength),
        }
        result.dropped++
      } else if (peer.#queue.frames < this.#options.queueFrames) {
        peer.#queue.push(frames, result.next)
        this.#sent.frames++
        this.#sent.bytes += length
        result.sent++
      } else if (this.#options.whenFull === 'drop') {
        peer.#received.dropped++
        result.dropped++
      } else {
        break
      }
    }
    this.#sending.spend(result.next - from)
    this.#sent.dropped += result.dropped
    if (result.sent > 0) peer.#announce()
    return result
  }

  /**
   * Wakes the reader once the running code is done: frames sent one by one then arrive as one batch, and the
   * queue does not empty under the hands of a sender that is about to wait for room.
   */
  #announce(): void {
    if (this.#announced || !this.#reader?.waiting) return
    this.#announced = true
    queueMicrotask(() => {
      this.#announced = false
      this.#reader?.wake()
    })
  }

  #end(reason: CloseReason): void {
    if (this.#ended) return
    this.#ended = true
    this.#queue.clear()
    this.#reader?.finish()
    for (const watcher of [...this.#watchers]) {
      if (reason.type === 'removed') watcher.push({ type: 'removed' })
      watcher.end()
    }
    this.#closed.resolve(reason)
    const peer = this.#peer
    this.#unplug()
    if (peer) peer.#unplug()
  }

  /** The other end is gone: nothing can be sent, and what is queued is the last there is. */
  #unplug(): void {
    this.#peer = undefined
    this.#line.wake()
    if (this.#queue.frames === 0) this.#end({ type: 'removed' })
    else for (const watcher of this.#watchers) watcher.push({ type: 'carrier', carrier: false })
  }
}
