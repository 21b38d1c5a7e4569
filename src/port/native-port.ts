import { invalidArgumentValue, NetloomError, outOfRange, SystemError } from '../errors/index.js'
import type { FrameBatch, LinkType } from '../frames/index.js'
import { deferred } from '../lifecycle/index.js'
import { BatchReader, type DeliveredBatch } from './batch-reader.js'
import {
  budgetSpent,
  closeDescriptor,
  type Framing,
  type NativeFramePort,
  type NativePortHandle,
  noRoom,
  type OnReady,
  openFramePort,
  portCalls,
  readable,
  report,
  superFrameOffloads,
  writable,
} from './handle.js'
import { NativeBatch } from './native-batch.js'
import { NextTurn } from './next-turn.js'
import {
  type ForwardedCounts,
  type ForwardedSide,
  type ForwardMember,
  joinForward,
  type ReaderKind,
  readAs,
} from './ownership.js'
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
import { type Slab, slabPool } from './slab-pool.js'

// include/uapi/asm-generic/errno-base.h, errno.h
const EIO = 5
const EBADF = 9
const EAGAIN = 11
const ENODEV = 19
const ERANGE = 34
const EBADFD = 77
const EMSGSIZE = 90

/** For what is to run within this turn, after those who were woken: without queueMicrotask()'s own bookkeeping. */
const settled = Promise.resolve()

export interface NativePortOptions<L extends LinkType> extends Framing {
  linkType: L
  /** Default none. */
  accepts?: Iterable<Offload>
  /** What the port is called in errors. */
  name: string
  /** The descriptor stays the caller's where the constructor throws. Default false: it is closed. */
  lent?: boolean
  /** Batches have the columns of captures. Default false. */
  captured?: boolean
}

/**
 * A port over something of the kernel's that carries frames; devices and packet sockets extend it. `H` is its native
 * side.
 */
export abstract class NativePort<L extends LinkType, H extends NativePortHandle = NativeFramePort>
  implements FramePort<L>
{
  readonly linkType: L
  readonly maxFrameLength: number
  #accepts: ReadonlySet<Offload>
  /** Open until the port has ended. */
  protected readonly handle: H
  readonly #calls = portCalls()
  readonly #number: number
  /** What a reader waits for, for frames to be read before it is woken: how many, and bytes; 0: not so. */
  readonly #request: Uint32Array
  /** Frames that were read so, and that the reader takes next. */
  #ahead: NativeBatch<L> | undefined
  /** Of batches: 0 on ports that cut super-frames. */
  protected vnetHeaderSize: number
  readonly #line: SenderLine<FrameBatch<L> | Uint8Array>
  readonly #closed = deferred<CloseReason>()
  readonly #counts = {
    receivedFrames: 0,
    receivedBytes: 0,
    receivedDropped: 0, // too long
    sentFrames: 0,
    sentBytes: 0,
    sentDropped: 0,
  }
  #name: string
  #reader: BatchReader<L> | undefined
  #owner: FramePort['owner'] = 'none'
  #ended = false
  #watched = 0
  #referenced = true // by the user: ref() or unref()
  #holding = false
  readonly #holdLater = () => this.#hold()
  /** The kernel's queue was empty when last looked at, and no readiness was reported since. */
  #drained = false
  /**
   * Frames come one at a time: the first after a wake-up is handed on before the kernel is asked for more, as
   * the call that says "no more" would delay an answer.
   */
  #sparse = false
  /** Frames were there when last looked: while they were dealt with, others may have come. Cheaper than to wait. */
  #eager = false
  #woken = false
  readonly #captured: boolean
  /** Frames in a batch, by default. Those of a ring cost little each, so that what a batch costs would show. */
  readonly #most: number
  /** The last send ended with the turn's share of work, not for want of room. */
  #spent = false
  /** Each that comes begins a share. */
  readonly #nextTurn = new NextTurn(() => {
    if (this.#ended) return
    this.#calls.renew(this.#number)
    this.#line.wake()
    settled.then(this.#holdLater)
  })
  /** What reads the port natively, and finds out about errors. */
  #forward: ForwardMember | undefined
  /** Frames that the kernel dropped, which no batch has told of yet. */
  #lost = 0

  /** Owns the descriptor, or what `source` opens. */
  protected constructor(source: number | ((onReady: OnReady) => H), options: NativePortOptions<L>) {
    this.linkType = options.linkType
    this.maxFrameLength = options.maxFrameLength
    this.#accepts = new Set(options.accepts)
    this.vnetHeaderSize = options.split ? 0 : options.vnetHeaderSize
    this.#name = options.name
    this.#captured = options.captured ?? false
    this.#most = this.#captured ? 1024 : 256
    this.#line = new SenderLine({
      check: (batch, from) => this.#check(batch, from),
      transmit: (batch, from, budgeted) => this.#transmit(batch, from, budgeted),
      wait: () => this.#awaitRoom(),
      rest: () => this.#hold(),
    })
    const onReady: OnReady = (status, events, count) => this.#onReady(status, events, count)
    if (typeof source === 'function') {
      this.handle = source(onReady)
    } else {
      try {
        // Whoever gives a descriptor has the native side that there is for descriptors.
        this.handle = openFramePort(source, options, onReady) as NativePortHandle as H
      } catch (error) {
        if (!options.lent) closeDescriptor(source)
        if (error instanceof SystemError && error.code === 'EEXIST') throw descriptorInUse(source, error)
        throw error
      }
    }
    this.#number = this.handle.number
    this.#request = new Uint32Array(this.handle.wanted)
  }

  get accepts(): ReadonlySet<Offload> {
    return this.#accepts
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
    const limits = receiveLimits(options, this.#most)
    if (this.#ended) throw portClosed()
    if (this.#owner !== 'none') throw portLocked(this.#owner)
    return this.#receive(limits, false)
  }

  batches(options?: ReceiveOptions & WaitOptions): AsyncIterableIterator<FrameBatch<L>> {
    return this[readAs]('reader', options)
  }

  /** @internal See ownership.ts. */
  [readAs](kind: ReaderKind, options?: ReceiveOptions & WaitOptions): BatchReader<L> {
    const limits = receiveLimits(options, this.#most)
    return this.readWith(kind, options?.signal, () => this.#receive(limits, true), limits)
  }

  /**
   * A reader of what `take` gives: a batch, or nothing when there is none or the turn's share is used up. With `limits`,
   * `take` is the native receive() within them.
   */
  protected readWith(
    kind: ReaderKind,
    signal: AbortSignal | undefined,
    take: () => DeliveredBatch<L> | undefined,
    limits?: ReceiveLimits,
  ): BatchReader<L> {
    if (this.#owner !== 'none') throw portLocked(this.#owner)
    const reader = new BatchReader<L>(
      {
        take: () => {
          if (this.#ended || (this.#drained && !this.#eager)) return undefined
          this.#eager = false
          return take()
        },
        ended: () => this.#ended,
        wait: () => {
          if (limits) this.#want(limits)
          this.awaitFrames()
        },
        free: () => {
          this.#wantNothing()
          this.#reader = undefined
          this.#owner = 'none'
          this.#hold()
        },
      },
      signal,
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
    const forwarded = this.#forward?.counts()
    const sum = (key: keyof ForwardedCounts) => BigInt(counts[key] + (forwarded?.[key] ?? 0))
    return {
      receivedFrames: sum('receivedFrames'),
      receivedBytes: sum('receivedBytes'),
      receivedDropped: sum('receivedDropped') + this.kernelDrops(),
      sentFrames: sum('sentFrames'),
      sentBytes: sum('sentBytes'),
      sentDropped: sum('sentDropped'),
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
    this.#referenced = true
    this.#nextTurn.hold(true)
    this.#hold()
    return this
  }

  unref(): this {
    this.#referenced = false
    this.#nextTurn.hold(false)
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
    this.#forward?.portEnded(reason)
    const fd = this.handle.close(handOver)
    this.#closed.resolve(reason)
    this.onEnd(reason)
    this.#reader?.finish()
    this.#line.wake()
    return fd
  }

  /** An error was reported on the descriptor, which is polled no more: true if the port has ended. */
  protected troubled(_errno: number): boolean {
    // The next system call tells why.
    const batch = this.#receive({ frames: 1, bytes: 1, lifetime: 'pooled' }, false)
    // It can't be given back to the kernel; a device that reports errors has no frames left.
    batch?.release()
    return this.#ended
  }

  /** The reader waits for the kernel to have frames. */
  protected awaitFrames(): void {
    this.#arm(readable)
  }

  /** A waiting reader looks again. */
  protected wakeReader(): void {
    this.#drained = false
    this.#reader?.wake()
  }

  /** There is nothing until the next readiness. */
  protected setDrained(): void {
    this.#drained = true
  }

  /** Frames that were delivered in other ways than by the native receive(). */
  protected countReceived(frames: number, bytes: number): void {
    this.#counts.receivedFrames += frames
    this.#counts.receivedBytes += bytes
  }

  /** The kernel dropped frames on their way to us; of captures. */
  protected lost(_frames: number): void {}

  /**
   * Of the `count` frames from `first` on in the slab's columns keeps those that are wanted, in order, at the front:
   * how many they are.
   */
  protected select(_slab: Slab, _first: number, count: number): number {
    return count
  }

  /** The kernel refused such super-frames, for good. */
  protected offloadsRefused(_offloads: readonly Offload[]): void {}

  /** Of ports over a descriptor. */
  protected setFraming(
    this: NativePort<L, NativeFramePort>,
    framing: Framing,
    accepts: Iterable<Offload> = this.#accepts,
  ): void {
    if (this.ended) return
    this.handle.setFraming(framing)
    this.#accepts = new Set(accepts)
    this.vnetHeaderSize = framing.split ? 0 : framing.vnetHeaderSize
  }

  /** Owns the port for something that reads it natively; the result lets go. */
  protected occupy(kind: ReaderKind): () => void {
    if (this.#ended) throw portClosed()
    if (this.#owner !== 'none') throw portLocked(this.#owner)
    this.#owner = kind
    return () => {
      this.#owner = 'none'
      this.#drained = false
    }
  }

  /** @internal See forward.ts. */
  [joinForward](forward: ForwardMember): ForwardedSide {
    const leave = this.occupy('forward')
    let skip: number
    try {
      skip = this.forwardable()
    } catch (error) {
      leave()
      throw error
    }
    this.#forward = forward
    return {
      handle: this.handle,
      skip,
      leave: () => {
        const counts = forward.counts()
        for (const key of Object.keys(counts) as (keyof ForwardedCounts)[]) this.#counts[key] += counts[key]
        this.#forward = undefined
        this.forwarded()
        leave()
        this.#line.wake()
      },
      failed: errno => this.#failed(errno, 'read'),
      refused: kinds => this.offloadsRefused(superFrameOffloads(kinds)),
      troubled: errno => {
        if (!this.#ended) this.troubled(errno)
      },
    }
  }

  /** How many frames a forward leaves out at the beginning; throws where there can be none. */
  protected forwardable(): number {
    return 0
  }

  /** A forward has let go of the port, or could not begin. */
  protected forwarded(): void {}

  #onReady(status: number, events: number, count: number): void {
    if (status < 0) {
      // A device has one error only, that it is gone, and the thread that forwards is told of it too.
      if (this.#forward && !this.#captured) return
      if (this.troubled(-status)) return
      this.#watch(0)
      // A device on its way out reports errors before it refuses calls: whoever waits looks again.
      events = readable | writable
    }
    if (events & readable) {
      this.#drained = false
      this.#woken = true
      if (count >= 0) {
        this.#wantNothing()
        const slab = slabPool().current!
        this.#ahead = this.#delivered(slab, slab.frames, count, this.#sparse, false)
      } else if (count === noRoom && this.#captured) this.#noteLost(report()[3]!)
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

  #receive(limits: ReceiveLimits, budgeted: boolean): NativeBatch<L> | undefined {
    const ahead = this.#ahead
    if (ahead) {
      this.#ahead = undefined
      this.#eager = true
      return ahead
    }
    this.#wantNothing()
    const owned = limits.lifetime === 'owned'
    for (let fresh = false; ; ) {
      const slab = owned ? slabPool().ownedRoom(fresh) : slabPool().room(fresh)
      const first = slab.frames
      const alone = this.#woken && this.#sparse
      const most = alone ? 1 : Math.min(limits.frames, slab.offsets.length - first)
      const { cursor, number } = slab
      const count = this.#calls.receive(this.#number, number, cursor, first, most, limits.bytes, budgeted)
      if (count === budgetSpent) return undefined
      if (count === noRoom) {
        if (this.#captured) this.#noteLost(report()[3]!)
        fresh = true
        continue
      }
      const batch = this.#delivered(slab, first, count, alone, owned)
      // None of those that came may be wanted: then the next ones are looked at.
      if (batch || count === 0 || this.#drained) return batch
    }
  }

  /** What a native receive() brought and reported. `alone`: one frame only was asked for. */
  #delivered(
    slab: Slab,
    first: number,
    count: number,
    alone: boolean,
    owned: boolean,
  ): NativeBatch<L> | undefined {
    const done = report()
    const cursor = done[0]!
    const error = done[1]!
    this.#counts.receivedDropped += done[2]!
    if (this.#captured) this.#noteLost(done[3]!)
    this.#drained = error !== 0
    if (this.#woken) this.#sparse = count === 1 && (alone || this.#drained)
    else if (count > 0) this.#sparse = false
    this.#woken = false
    this.#eager = count > 0
    if (count === 0) {
      if (error) this.#failed(error, 'read')
      return undefined
    }
    const kept = this.#captured ? this.select(slab, first, count) : count
    let bytes = done[4]!
    if (kept < count) {
      bytes = 0
      for (let i = first; i < first + kept; i++) bytes += slab.lengths[i]!
    }
    // None is wanted: their room is free again.
    if (kept === 0) return undefined
    this.#counts.receivedFrames += kept
    this.#counts.receivedBytes += bytes
    slabPool().filled(slab, cursor, first + kept)
    const lost = this.#lost
    this.#lost = 0
    return new NativeBatch(this.linkType, slab, first, kept, this.vnetHeaderSize, owned, this.#captured, lost)
  }

  #noteLost(frames: number): void {
    if (frames === 0) return
    this.#lost += frames
    this.lost(frames)
  }

  /** Frames are to be read as soon as there are any, before the reader, which waits, is woken. */
  #want({ frames, bytes, lifetime }: ReceiveLimits): void {
    if (lifetime === 'owned') return
    // Where it can start over in warm memory, it does.
    slabPool().room()
    this.#request[0] = this.#sparse ? 1 : frames
    this.#request[1] = bytes
  }

  #wantNothing(): void {
    this.#request[0] = 0
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
    this.#spent = next === budgetSpent
    if (this.#spent) return { sent: 0, dropped: 0, next: from }
    const done = report()
    this.#spent = done[5] === 0
    const result: SendResult = { sent: done[1]!, dropped: done[2]!, next }
    const error = done[5]!
    this.#counts.sentFrames += result.sent
    this.#counts.sentBytes += done[7]! * 2 ** 32 + (done[6]! >>> 0)
    this.#counts.sentDropped += result.dropped
    if (result.dropped) {
      const index = done[3]!
      result.failure = { index, error: this.frameError(index, done[0]! >>> 0, done[4]!) }
    }
    if (done[8]) this.offloadsRefused(superFrameOffloads(done[8]))
    if (error && error !== EAGAIN) {
      this.#failed(error, 'write')
      result.failure ??= { index: next, error: portClosed() }
    }
    return result
  }

  /** Each batch is read once: what was checked is what is written, whatever the batch says later. */
  #write(batch: FrameBatch<L> | Uint8Array, from: number, budgeted: boolean): number {
    if (NativeBatch.is(batch)) {
      const headers = batch.vnetHeaderSize > 0
      return this.#calls.sendSlab(
        this.#number,
        batch.memory.number,
        batch.first,
        batch.count,
        from,
        headers,
        budgeted,
      )
    }
    if (from === 0 && isPlainFrame(batch)) {
      const next = this.#calls.sendFrame(this.#number, batch, budgeted)
      if (next !== undefined) return next
    }
    const { slab, offsets, lengths, count, gso } = checkSendable(batch, this.linkType, from)
    return this.#calls.sendBytes(this.#number, slab, offsets, lengths, count, from, gso?.bytes, budgeted)
  }

  /** Why one frame was refused. */
  protected frameError(index: number, length: number, errno: number): Error {
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

  /** The next turn will do where the share of this one is used up: no device whose link is down reports room. */
  #awaitRoom(): void {
    if (!this.#spent) {
      this.#arm(writable)
      return
    }
    this.#nextTurn.wait()
    this.#hold()
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
    this.#calls.watch(this.#number, events)
  }

  /** Keeps the process alive while somebody waits, and only then. */
  #hold(): void {
    const hold = !this.#ended && this.#referenced && (this.#reader?.waiting === true || this.#line.waiting)
    if (hold === this.#holding || this.#ended) return
    this.#holding = hold
    this.#calls.ref(this.#number, hold)
  }
}

function descriptorInUse(fd: number, cause: SystemError): NetloomError {
  const message = `descriptor ${fd} has a port or a stream in this thread already`
  return new NetloomError('ERR_INVALID_STATE', message, { cause })
}

/** A single frame that native code can check: of this realm, and not resizable, which native code can't see. */
function isPlainFrame(batch: unknown): batch is Uint8Array {
  return batch instanceof Uint8Array && (batch.buffer as { resizable?: boolean }).resizable !== true
}
