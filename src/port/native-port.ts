import { invalidArgumentValue, outOfRange, SystemError } from '../errors/index.js'
import type { FrameBatch, LinkType } from '../frames/index.js'
import { deferred } from '../lifecycle/index.js'
import { BatchReader } from './batch-reader.js'
import {
  budgetSpent,
  closeDescriptor,
  type Framing,
  type NativeFramePort,
  openFramePort,
  readable,
  report,
  writable,
} from './handle.js'
import { NativeBatch } from './native-batch.js'
import { type ReaderKind, readAs } from './ownership.js'
import type {
  CloseReason,
  FramePort,
  Offload,
  PortCounters,
  PortEvent,
  ReceiveOptions,
  SendResult,
  WaitOptions,
} from './port.js'
import { frameTooLong, portClosed, portLocked } from './port-errors.js'
import { type ReceiveLimits, receiveLimits } from './receive-limits.js'
import { checkSendable } from './sendable.js'
import { SenderLine } from './sender-line.js'
import { slabPool } from './slab-pool.js'

// include/uapi/asm-generic/errno-base.h, errno.h
const EIO = 5
const EBADF = 9
const EAGAIN = 11
const ENODEV = 19
const ERANGE = 34
const EBADFD = 77
const EMSGSIZE = 90

const nothing: ReadonlySet<Offload> = new Set()
/** For what is to run within this turn, after those who were woken: without queueMicrotask()'s own bookkeeping. */
const settled = Promise.resolve()

export interface NativePortOptions<L extends LinkType> extends Framing {
  linkType: L
  /** What the port is called in errors. */
  name: string
  /** The descriptor stays the caller's where the constructor throws. Default false: it is closed. */
  lent?: boolean
}

/** A port over a descriptor of the kernel's that carries frames; devices extend it. */
export abstract class NativePort<L extends LinkType> implements FramePort<L> {
  readonly linkType: L
  readonly maxFrameLength: number
  readonly accepts = nothing
  /** Open until the port has ended. */
  protected readonly handle: NativeFramePort
  protected vnetHeaderSize: number
  readonly #line: SenderLine<L>
  readonly #closed = deferred<CloseReason>()
  readonly #counts = {
    receivedFrames: 0,
    receivedBytes: 0,
    tooLong: 0,
    sentFrames: 0,
    sentBytes: 0,
    sentDropped: 0,
  }
  #name: string
  #reader: BatchReader<L> | undefined
  #owner: FramePort['owner'] = 'none'
  #ended = false
  #watched = 0
  #wanted = true // by the user: ref() or unref()
  #holding = false
  readonly #holdLater = () => this.#hold()
  /** The kernel's queue was empty when last looked at, and no readiness was reported since. */
  #drained = false
  /**
   * Frames come one at a time: the first after a wake-up is handed on before the kernel is asked for more, as
   * the call that says "no more" would delay an answer.
   */
  #sparse = false
  #woken = false

  /** Owns `fd`. */
  protected constructor(fd: number, options: NativePortOptions<L>) {
    this.linkType = options.linkType
    this.maxFrameLength = options.maxFrameLength
    this.vnetHeaderSize = options.vnetHeaderSize
    this.#name = options.name
    this.#line = new SenderLine({
      check: (batch, from) => this.#check(batch, from),
      transmit: (batch, from, budgeted) => this.#transmit(batch, from, budgeted),
      wait: () => this.#arm(writable),
      rest: () => this.#hold(),
    })
    try {
      this.handle = openFramePort(fd, options, (status, events) => this.#onReady(status, events))
    } catch (error) {
      if (!options.lent) closeDescriptor(fd)
      throw error
    }
  }

  get owner(): FramePort['owner'] {
    return this.#owner
  }

  get closed(): Promise<CloseReason> {
    return this.#closed.promise
  }

  protected get ended(): boolean {
    return this.#ended
  }

  tryReceive(options?: ReceiveOptions): FrameBatch<L> | undefined {
    const limits = receiveLimits(options)
    if (this.#ended) throw portClosed()
    if (this.#owner !== 'none') throw portLocked(this.#owner)
    return this.#receive(limits, false)
  }

  batches(options?: ReceiveOptions & WaitOptions): AsyncIterableIterator<FrameBatch<L>> {
    return this[readAs]('reader', options)
  }

  /** @internal See ownership.ts. */
  [readAs](kind: ReaderKind, options?: ReceiveOptions & WaitOptions): BatchReader<L> {
    const limits = receiveLimits(options)
    if (this.#owner !== 'none') throw portLocked(this.#owner)
    const reader = new BatchReader<L>(
      {
        take: () => (this.#drained || this.#ended ? undefined : this.#receive(limits, true)),
        ended: () => this.#ended,
        wait: () => this.#arm(readable),
        free: () => {
          this.#reader = undefined
          this.#owner = 'none'
          this.#hold()
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
    const counts = this.#counts
    return {
      receivedFrames: BigInt(counts.receivedFrames),
      receivedBytes: BigInt(counts.receivedBytes),
      receivedDropped: BigInt(counts.tooLong) + this.kernelDrops(),
      sentFrames: BigInt(counts.sentFrames),
      sentBytes: BigInt(counts.sentBytes),
      sentDropped: BigInt(counts.sentDropped),
    }
  }

  abstract events(options?: WaitOptions): AsyncIterableIterator<PortEvent>

  async close(): Promise<void> {
    this.end({ type: 'closed' })
    await this.#closed.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  ref(): this {
    this.#wanted = true
    this.#hold()
    return this
  }

  unref(): this {
    this.#wanted = false
    this.#hold()
    return this
  }

  /** Frames that the kernel lost on their way to us, in 64 bits. */
  protected abstract kernelDrops(): bigint

  /** The port has ended; called once, before anybody is told. */
  protected abstract onEnd(reason: CloseReason): void

  /** Ends the port; returns the descriptor if it is handed over, else -1. */
  protected end(reason: CloseReason, handOver = false): number {
    if (this.#ended) return -1
    this.#ended = true
    const fd = this.handle.close(handOver)
    this.#closed.resolve(reason)
    this.onEnd(reason)
    this.#reader?.finish()
    this.#line.wake()
    return fd
  }

  #onReady(status: number, events: number): void {
    // The poll has stopped; the next system call tells why.
    if (status < 0 && this.#probe()) return
    // A device on its way out reports errors before it refuses calls: whoever waits looks again.
    if (status < 0) events = readable | writable
    if (events & readable) {
      this.#drained = false
      this.#woken = true
      if (this.#reader?.waiting) this.#reader.wake()
      else this.#watch(this.#watched & ~readable)
    }
    if (events & writable) {
      if (this.#line.waiting) this.#line.wake()
      else this.#watch(this.#watched & ~writable)
    }
    // Most who were woken wait again before the turn is over; those who do not are let go of then.
    settled.then(this.#holdLater)
  }

  /** After an error on the descriptor: true if the port has ended. */
  #probe(): boolean {
    const batch = this.#receive({ frames: 1, bytes: 1, lifetime: 'pooled' }, false)
    // It can't be given back to the kernel; a device that reports errors has no frames left.
    batch?.release()
    if (!this.#ended) this.#watch(0)
    return this.#ended
  }

  #receive(limits: ReceiveLimits, budgeted: boolean): NativeBatch<L> | undefined {
    const owned = limits.lifetime === 'owned'
    const slab = owned ? slabPool().ownedRoom() : slabPool().room()
    const first = slab.frames
    const alone = this.#woken && this.#sparse
    const most = alone ? 1 : Math.min(limits.frames, slab.offsets.length - first)
    const count = this.handle.receive(slab.native, slab.cursor, first, most, limits.bytes, budgeted)
    if (count === budgetSpent) return undefined
    const done = report()
    const cursor = done[0]!
    const error = done[1]!
    this.#counts.tooLong += done[2]!
    this.#drained = error !== 0
    if (this.#woken) this.#sparse = count === 1 && (alone || this.#drained)
    else if (count > 0) this.#sparse = false
    this.#woken = false
    if (count === 0) {
      if (error) this.#failed(error, 'read')
      return undefined
    }
    this.#counts.receivedFrames += count
    this.#counts.receivedBytes += cursor - slab.cursor
    slab.cursor = cursor
    slab.frames = first + count
    return new NativeBatch(this.linkType, slab, first, count, this.vnetHeaderSize, owned)
  }

  #check(batch: FrameBatch<L> | Uint8Array, from: number): number {
    // A single frame is checked where it is written.
    if (from === 0 && isPlainFrame(batch)) return 1
    if (!NativeBatch.is(batch)) return checkSendable(batch, this.linkType, from).count
    batch.check()
    if (batch.linkType !== this.linkType) {
      throw invalidArgumentValue(
        'batch.linkType',
        batch.linkType,
        `must be '${this.linkType}', as the port's is`,
      )
    }
    if (!Number.isInteger(from) || from < 0 || from > batch.count) {
      throw outOfRange('from', `>= 0 and <= ${batch.count}`, from)
    }
    return batch.count
  }

  #transmit(batch: FrameBatch<L> | Uint8Array, from: number, budgeted: boolean): SendResult {
    if (this.#ended) throw portClosed()
    const next = this.#write(batch, from, budgeted)
    if (next === budgetSpent) return { sent: 0, dropped: 0, next: from }
    const done = report()
    const result: SendResult = { sent: done[1]!, dropped: done[2]!, next }
    const error = done[5]!
    this.#counts.sentFrames += result.sent
    this.#counts.sentBytes += done[7]! * 2 ** 32 + (done[6]! >>> 0)
    this.#counts.sentDropped += result.dropped
    if (result.dropped) {
      const index = done[3]!
      result.failure = { index, error: this.#frameError(index, done[0]! >>> 0, done[4]!) }
    }
    if (error && error !== EAGAIN) {
      this.#failed(error, 'write')
      result.failure ??= { index: next, error: portClosed() }
    }
    return result
  }

  /** Each batch is read once: what was checked is what is written, whatever the batch says later. */
  #write(batch: FrameBatch<L> | Uint8Array, from: number, budgeted: boolean): number {
    if (NativeBatch.is(batch)) {
      const headers = this.vnetHeaderSize > 0 && batch.vnetHeaderSize === this.vnetHeaderSize
      return this.handle.sendSlab(batch.memory.native, batch.first, batch.count, from, headers, budgeted)
    }
    if (from === 0 && isPlainFrame(batch)) {
      const next = this.handle.sendFrame(batch, budgeted)
      if (next !== undefined) return next
    }
    const { slab, offsets, lengths, count } = checkSendable(batch, this.linkType, from)
    return this.handle.sendBytes(slab, offsets, lengths, count, from, undefined, budgeted)
  }

  #frameError(index: number, length: number, errno: number): Error {
    if (errno === EMSGSIZE) return frameTooLong(index, length, this.maxFrameLength)
    if (errno === ERANGE) return outOfRange(`batch.lengths[${index}]`, 'within the slab', length)
    const hint = errno === EIO ? 'the link is down, or this queue is disabled' : undefined
    return new SystemError({ errno: -errno, syscall: 'write', subject: this.#name, hint })
  }

  /** A system call failed for the port as a whole. */
  #failed(errno: number, syscall: string): void {
    if (errno === EAGAIN) return
    if (errno === EBADFD || errno === EBADF || errno === ENODEV) {
      this.end({ type: 'removed' })
    } else {
      this.end({ type: 'error', error: new SystemError({ errno: -errno, syscall, subject: this.#name }) })
    }
  }

  /** Somebody waits for `event`. */
  #arm(event: number): void {
    if (this.#ended) return
    if (!(this.#watched & event)) this.#watch(this.#watched | event)
    this.#hold()
  }

  #watch(events: number): void {
    if (this.#ended) return
    this.#watched = events
    this.handle.watch(events)
  }

  /** Keeps the process alive while somebody waits, and only then. */
  #hold(): void {
    const hold = !this.#ended && this.#wanted && (this.#reader?.waiting === true || this.#line.waiting)
    if (hold === this.#holding || this.#ended) return
    this.#holding = hold
    this.handle.ref(hold)
  }
}

/** A single frame that native code can check: of this realm, and not resizable, which native code can't see. */
function isPlainFrame(batch: unknown): batch is Uint8Array {
  return batch instanceof Uint8Array && (batch.buffer as { resizable?: boolean }).resizable !== true
}
