import { constants } from 'node:os'
import {
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
  requireInteger,
  requireOptions,
  SystemError,
} from '../errors/index.js'
import type { FrameBatch } from '../frames/index.js'
import { deferred, EventQueue, throwIfAborted } from '../lifecycle/index.js'
import {
  BatchReader,
  budgetSpent,
  type CloseReason,
  checkSendable,
  NextTurn,
  type PortCounters,
  portClosed,
  portLocked,
  type ReceiveLimits,
  type ReceiveOptions,
  receiveLimits,
  report,
  type Sendable,
  SenderLine,
  type SendResult,
  share,
  slabPool,
  type WaitOptions,
} from '../port/index.js'
import { DatagramBatch, forgottenSender } from './datagram-batch.js'
import { Endpoint, type EndpointOptions } from './endpoint.js'
import { errors, mostSegments, type NativeUdpPort, openUdp, readable, writable } from './handle.js'
import { type UdpOptions, udpSettings } from './options.js'

const { EAFNOSUPPORT, EAGAIN, EBADF, EINVAL, EMSGSIZE, ENETUNREACH } = constants.errno
// include/uapi/asm-generic/errno.h, errno-base.h
const ESTALE = 116
const ERANGE = 34

export interface UdpSendOptions {
  /**
   * To whom: an endpoint, one for each datagram, or `senders`: each datagram of a received batch back to where it came
   * from, also by another socket than received it. Default: to whom the socket is connected.
   */
  to?: Endpoint | EndpointOptions | readonly (Endpoint | EndpointOptions)[] | 'senders' | undefined
  /**
   * The address of this host to send from, such as a batch's `local(i)`; its port is 0, as the socket has one. Default: the
   * kernel's choice.
   */
  from?: Endpoint | EndpointOptions | undefined
  /** In the place of the socket's, 0 to 255; the lower two bits are ECN. */
  typeOfService?: number | undefined
}

/** What became of datagrams on their way. */
export type UdpEvent =
  /** Datagrams to `endpoint` of more than `mtu` bytes, IP header included, do not pass. */
  | { type: 'path-mtu'; endpoint: Endpoint | undefined; mtu: number }
  /** The network, the host or the port cannot be reached; `icmp` of it said so, or this host itself. */
  | {
      type: 'unreachable'
      endpoint: Endpoint | undefined
      error: Error
      icmp: { type: number; code: number } | undefined
    }
  /** A way out refused joined datagrams: from now on each goes down alone. */
  | { type: 'segmentation-disabled' }
  /** The reader was slow, and events were lost. */
  | { type: 'resync' }

/** What is sent, with where to. */
interface Mail {
  readonly batch: FrameBatch | Uint8Array
  /** What was checked: that is what is sent, whatever the batch says later. */
  readonly columns: Sendable | undefined
  readonly endpoint: Endpoint | undefined
  readonly endpoints: readonly Endpoint[] | undefined
  readonly answer: boolean
  readonly from: Endpoint | undefined
  readonly typeOfService: number
  /** Frames in it, from `from` on such as can be sent. */
  check(from: number): number
  /** Room for the numbers of its endpoints. */
  numbers(count: number): Uint32Array
  [share](): Mail
  release(): void
}

const sendOptions = ['to', 'from', 'typeOfService'] as const
const waitOptions = [...sendOptions, 'signal'] as const
const eventLimit = 256
// Of the table in native/sys/endpoint_table.h, twice: those that are known no more among them.
const mostEndpoints = 2 * 65536
// Endpoints of a list that are named at once: so many are known together.
const namedAtOnce = 16384
// Of native/udp_binding.cc: more is not sent in one call while others wait for their turn.
const sentAtOnce = 512
const settled = Promise.resolve()

/**
 * A UDP socket that moves datagrams in batches, as the kernel does: many in one call, those of one flow joined
 * (UDP_SEGMENT, UDP_GRO). For tunnels, and whoever has more than `node:dgram` can take.
 *
 *     await using socket = await UdpSocket.open({ port: 51820, in: network })
 *     for await (const batch of socket.batches()) await socket.send(batch, { to: 'senders' })
 *
 * udp(7), ip(7), ipv6(7).
 */
export class UdpSocket implements AsyncDisposable {
  /** Whether the kernel joins datagrams on their way in. */
  readonly coalesces: boolean
  readonly #informed: boolean
  readonly #connected: boolean
  readonly #port: NativeUdpPort
  readonly #line: SenderLine<Mail>
  readonly #closed = deferred<CloseReason>()
  readonly #counts = { received: 0, receivedBytes: 0, cut: 0, sent: 0, sentBytes: 0, dropped: 0 }
  readonly #events = new Set<EventQueue<UdpEvent>>()
  /** By the number that native code has for it. */
  readonly #known = new Map<number, Endpoint>()
  readonly #numbers = new WeakMap<Endpoint, number>()
  #segments: boolean
  #reader: BatchReader<'user0', DatagramBatch> | undefined
  #ended = false
  #drained = false
  #watched = 0
  #wanted = true
  #holding = false
  readonly #holdLater = () => this.#hold()
  /** The last send ended with the turn's share of work, not for want of room. */
  #spent = false
  /** Each that comes begins a share. */
  readonly #nextTurn = new NextTurn(() => {
    if (this.#ended) return
    this.#port.renew()
    this.#line.wake()
    settled.then(this.#holdLater)
  })

  private constructor(options: UdpOptions | undefined) {
    const settings = udpSettings(options)
    const { port, coalesces } = openUdp(options?.in, settings, (status, events) =>
      this.#onReady(status, events),
    )
    this.#port = port
    this.#informed = settings.information
    this.#connected = settings.remote !== undefined
    this.coalesces = coalesces
    this.#segments = port.segments()
    this.#line = new SenderLine({
      check: (mail, from) => mail.check(from),
      transmit: (mail, from, budgeted) => this.#transmit(mail, from, budgeted),
      wait: () => this.#awaitRoom(),
      rest: () => this.#hold(),
    })
  }

  /**
   * @throws SystemError `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `EPERM` for a mark without rights, …; TypeError,
   * RangeError before anything is done
   */
  static async open(options?: UdpOptions): Promise<UdpSocket> {
    return new UdpSocket(options)
  }

  /** Where it listens. */
  get address(): Endpoint {
    return this.#name(false)!
  }

  /** To whom it is connected. */
  get remote(): Endpoint | undefined {
    return this.#name(true)
  }

  /** Whether datagrams of one length go down joined. */
  get segments(): boolean {
    return this.#ended ? this.#segments : this.#port.segments()
  }

  /** The descriptor, lent; -1 after the end. */
  get fd(): number {
    return this.#ended ? -1 : this.#port.descriptor()
  }

  get closed(): Promise<CloseReason> {
    return this.#closed.promise
  }

  /**
   * Datagrams that are there already, or `undefined`; never waits. The caller releases them.
   * @throws NetloomError `ERR_PORT_LOCKED` while a reader has the socket, `ERR_PORT_CLOSED` after its end
   */
  tryReceive(options?: ReceiveOptions): DatagramBatch | undefined {
    const limits = receiveLimits(options)
    if (this.#ended) throw portClosed()
    if (this.#reader) throw portLocked('reader')
    return this.#receive(limits, false)
  }

  /**
   * Batches as they come, until the socket is closed; as `batches()` of a port. `frames` is a soft bound:
   * what the kernel joined stays together.
   */
  batches(options?: ReceiveOptions & WaitOptions): AsyncIterableIterator<DatagramBatch> {
    const limits = receiveLimits(options)
    if (this.#reader) throw portLocked('reader')
    const reader = new BatchReader<'user0', DatagramBatch>(
      {
        take: () => (this.#drained || this.#ended ? undefined : this.#receive(limits, true)),
        ended: () => this.#ended,
        wait: () => this.#arm(readable),
        free: () => {
          this.#reader = undefined
          this.#watch(this.#watched & ~readable)
          this.#hold()
        },
      },
      options?.signal,
    )
    if (!this.#ended && !reader.done) this.#reader = reader
    return reader
  }

  /**
   * Sends what can be sent now, from datagram `from` on; never waits. One that is refused is counted in `dropped`, with
   * the first reason, and the next is tried.
   */
  trySend(data: FrameBatch | Uint8Array, options?: UdpSendOptions, from = 0): SendResult {
    return this.#line.trySend(this.#mail(data, options), from)
  }

  /** Sends all of it, waiting while the socket is full. An abort rejects; nothing is sent after it. */
  async send(data: FrameBatch | Uint8Array, options?: UdpSendOptions & WaitOptions): Promise<SendResult> {
    return this.#line.send(this.#mail(data, options, waitOptions), options)
  }

  /** What happens to datagrams on their way; see {@link UdpEvent}. Ends with the socket. */
  events(options?: WaitOptions): AsyncIterableIterator<UdpEvent> {
    const { signal } = requireOptions('options', options, ['signal'])
    throwIfAborted(signal)
    const queue = new EventQueue<UdpEvent>({
      limit: eventLimit,
      onOverflow: () => ({ type: 'resync' }),
      signal,
    })
    if (this.#ended) {
      queue.end()
      return queue
    }
    this.#events.add(queue)
    queue.onEnd(() => {
      this.#events.delete(queue)
      this.#watch(this.#watched)
      this.#hold()
    })
    this.#readErrors()
    this.#arm(0)
    return queue
  }

  /** Datagrams and bytes since it was opened. */
  counters(): PortCounters {
    const { received, receivedBytes, cut, sent, sentBytes, dropped } = this.#counts
    return {
      receivedFrames: BigInt(received),
      receivedBytes: BigInt(receivedBytes),
      receivedDropped: BigInt(cut),
      sentFrames: BigInt(sent),
      sentBytes: BigInt(sentBytes),
      sentDropped: BigInt(dropped),
    }
  }

  /** @internal The endpoint behind a number in a batch. */
  endpoint(number: number): Endpoint | undefined {
    const known = this.#known.get(number)
    if (known || number === 0) return known
    const bytes = new Uint8Array(24)
    const endpoint = this.#port.endpoint(number, bytes) ? Endpoint.from(bytes) : undefined
    if (!endpoint) return undefined
    if (this.#known.size >= mostEndpoints) this.#known.clear()
    this.#known.set(number, endpoint)
    this.#numbers.set(endpoint, number)
    return endpoint
  }

  /** Ends it at once. Idempotent. */
  async close(): Promise<void> {
    this.#end({ type: 'closed' })
    await this.#closed.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  ref(): this {
    this.#wanted = true
    this.#nextTurn.hold(true)
    this.#hold()
    return this
  }

  unref(): this {
    this.#wanted = false
    this.#nextTurn.hold(false)
    this.#hold()
    return this
  }

  #name(peer: boolean): Endpoint | undefined {
    if (this.#ended) throw portClosed()
    const bytes = new Uint8Array(24)
    return this.#port.local(bytes, peer) ? Endpoint.from(bytes) : undefined
  }

  #mail(
    batch: FrameBatch | Uint8Array,
    options: (UdpSendOptions & WaitOptions) | undefined,
    known: readonly (keyof (UdpSendOptions & WaitOptions))[] = sendOptions,
  ): Mail {
    const { to, from, typeOfService } = requireOptions('options', options, known)
    let answer = false
    let endpoint: Endpoint | undefined
    let endpoints: readonly Endpoint[] | undefined
    if (to === 'senders') {
      if (!(batch instanceof DatagramBatch)) {
        throw invalidArgumentType('batch', 'a DatagramBatch where it goes back to its senders', batch)
      }
      // Another socket has other numbers for them.
      answer = batch.source === this
      if (!answer) endpoints = Array.from({ length: batch.count }, (_, i) => batch.endpoint(i))
    } else if (Array.isArray(to)) {
      // Also of the holes in it.
      endpoints = Array.from(to, (each, i) => receiver(`options.to[${i}]`, each))
    } else if (to !== undefined) {
      endpoint = receiver('options.to', to as Endpoint | EndpointOptions)
    } else if (!this.#connected) {
      throw invalidArgumentValue('options.to', to, 'must be given: the socket is not connected')
    }
    const local = from === undefined ? undefined : Endpoint.of(from)
    if (local && local.port !== 0) throw outOfRange('options.from.port', '0: the socket has one', local.port)
    return new Letter(batch, {
      answer,
      endpoint,
      endpoints,
      from: local,
      typeOfService:
        typeOfService === undefined ? -1 : requireInteger('options.typeOfService', typeOfService, 0, 255),
    })
  }

  /** The number that native code has for an endpoint; `anew`: it had one, which is known no more. */
  #number(endpoint: Endpoint | undefined, anew: boolean): number {
    if (!endpoint) return 0
    let number = anew ? undefined : this.#numbers.get(endpoint)
    if (number === undefined) {
      number = this.#port.intern(Endpoint.bytesOf(endpoint))
      this.#numbers.set(endpoint, number)
    }
    return number
  }

  #receive(limits: ReceiveLimits, budgeted: boolean): DatagramBatch | undefined {
    const owned = limits.lifetime === 'owned'
    for (const again of [false, true]) {
      const room = (fresh: boolean) => (owned ? slabPool().ownedRoom(fresh) : slabPool().room(fresh))
      let slab = room(again)
      if (slab.offsets.length - slab.frames < mostSegments()) slab = room(true)
      const first = slab.frames
      const count = this.#port.receive(slab.number, slab.cursor, first, limits.frames, limits.bytes, budgeted)
      if (count === budgetSpent) return undefined
      const done = report()
      const error = done[1]!
      this.#counts.cut += done[2]!
      this.#drained = error !== 0
      if (count > 0) {
        slabPool().filled(slab, done[0]!, first + count)
        this.#counts.received += count
        this.#counts.receivedBytes += done[4]!
        return new DatagramBatch(this, this.#informed, slab, first, count, owned)
      }
      if (error !== 0) {
        if (error === EBADF) this.#end({ type: 'error', error: this.#systemError(error, 'recvmmsg') })
        // What became of datagrams that were sent, told by this call: the queue of errors says more.
        else if (error !== EAGAIN) {
          this.#readErrors()
          this.#drained = false
        }
        return undefined
      }
    }
    return undefined
  }

  #transmit(mail: Mail, from: number, budgeted: boolean): SendResult {
    if (this.#ended) throw portClosed()
    const { count } = mail.columns ?? (mail.batch as FrameBatch)
    const result: SendResult = { sent: 0, dropped: 0, next: from }
    // Numbers were given to others meanwhile.
    let anew = false
    do {
      const at = this.#write(mail, result.next, budgeted, anew)
      this.#spent = at === budgetSpent
      if (this.#spent) return result
      const done = report()
      const error = done[5]!
      const dropped = done[2]!
      result.next = at
      result.sent += done[1]!
      result.dropped += dropped
      this.#counts.sent += done[1]!
      this.#counts.sentBytes += done[7]! * 2 ** 32 + (done[6]! >>> 0)
      this.#counts.dropped += dropped
      if (dropped > 0) {
        const index = done[3]!
        result.failure ??= { index, error: this.#sendError(mail, index, done[0]! >>> 0, done[4]!) }
      }
      if (error === EAGAIN) return result
      if (error !== 0 && error !== ESTALE) {
        this.#end({ type: 'error', error: this.#systemError(error, 'sendmmsg') })
        result.failure ??= { index: at, error: portClosed() }
        return result
      }
      anew = error === ESTALE
      if (this.#segments && !this.#port.segments()) {
        this.#segments = false
        this.#tell({ type: 'segmentation-disabled' })
      }
    } while (result.next < count)
    return result
  }

  #write(mail: Mail, from: number, budgeted: boolean, anew: boolean): number {
    const { batch, answer, columns, endpoints, typeOfService } = mail
    const endpoint = this.#number(mail.endpoint, anew)
    const local = this.#number(mail.from, anew)
    if (!columns) {
      const { memory, first, count } = batch as DatagramBatch
      return this.#port.sendSlab(
        memory.number,
        first,
        count,
        from,
        answer,
        endpoint,
        local,
        typeOfService,
        budgeted,
      )
    }
    let { count } = columns
    let numbers: Uint32Array | undefined
    if (endpoints) {
      numbers = mail.numbers(count)
      count = Math.min(count, from + (budgeted ? sentAtOnce : namedAtOnce))
      for (let i = from; i < count; i++) numbers[i] = this.#number(endpoints[i], anew)
    }
    const { slab, offsets, lengths } = columns
    return this.#port.sendBytes(
      slab,
      offsets,
      lengths,
      count,
      from,
      numbers,
      endpoint,
      local,
      typeOfService,
      budgeted,
    )
  }

  #sendError({ from }: Mail, index: number, length: number, errno: number): Error {
    if (errno === ERANGE) return outOfRange(`batch.lengths[${index}]`, 'within the slab', length)
    if (errno === ESTALE) return forgottenSender()
    let hint: string | undefined
    if (errno === EMSGSIZE) hint = `datagram ${index} has ${length} bytes`
    else if (errno === EAFNOSUPPORT) hint = 'the socket, `to` and `from` are not of one family'
    else if (from && (errno === ENETUNREACH || errno === EINVAL)) hint = `is ${from.address} of this host?`
    return this.#systemError(errno, 'sendmmsg', hint)
  }

  #systemError(errno: number, syscall: string, hint?: string): SystemError {
    return new SystemError({ errno: -errno, syscall, hint })
  }

  #onReady(status: number, events: number): void {
    if (status < 0) {
      // The poll has stopped: there is something in the queue of errors.
      this.#watched = 0
      this.#readErrors()
      events = readable | writable
    }
    if (events & readable) {
      this.#drained = false
      if (this.#reader?.waiting) this.#reader.wake()
      else this.#watch(this.#watched & ~readable)
    }
    if (events & writable) {
      if (this.#line.waiting) this.#line.wake()
      else this.#watch(this.#watched & ~writable)
    }
    if (status < 0 && this.#events.size > 0) this.#watch(this.#watched)
    settled.then(this.#holdLater)
  }

  /** Empties the socket's queue of errors, which otherwise would wake us for ever. */
  #readErrors(): void {
    let told: { endpoint: Endpoint | undefined; mtu: number } | undefined
    while (!this.#ended && this.#port.readError()) {
      const [errno, origin, type, code, mtu, number] = report() as unknown as number[]
      const endpoint = this.endpoint(number! >>> 0)
      if (mtu !== 0) {
        // The kernel says so for each datagram, and each time that it is tried.
        if (told?.endpoint === endpoint && told?.mtu === mtu) continue
        told = { endpoint, mtu: mtu! }
        this.#tell({ type: 'path-mtu', endpoint, mtu: mtu! >>> 0 })
      } else {
        const error = new SystemError({ errno: -errno!, syscall: 'recvmsg', subject: endpoint?.toString() })
        // SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6
        const icmp = origin === 2 || origin === 3 ? { type: type!, code: code! } : undefined
        this.#tell({ type: 'unreachable', endpoint, error, icmp })
      }
    }
  }

  #tell(event: UdpEvent): void {
    for (const queue of [...this.#events]) queue.push(event)
  }

  #end(reason: CloseReason): void {
    if (this.#ended) return
    this.#segments = this.#port.segments()
    this.#ended = true
    this.#port.close()
    this.#closed.resolve(reason)
    for (const queue of [...this.#events]) queue.end()
    this.#reader?.finish()
    this.#line.wake()
  }

  /** The next turn will do where the share of this one is used up. */
  #awaitRoom(): void {
    if (!this.#spent) {
      this.#arm(writable)
      return
    }
    this.#nextTurn.wait()
    this.#hold()
  }

  /** Somebody waits for `event`; for 0, for errors alone. */
  #arm(event: number): void {
    if (this.#ended) return
    if (event === 0 || !(this.#watched & event)) this.#watch(this.#watched | event)
    this.#hold()
  }

  #watch(events: number): void {
    if (this.#ended) return
    this.#watched = events
    this.#port.watch(this.#events.size > 0 ? events | errors : events)
  }

  /** Keeps the process alive while somebody waits, and only then. */
  #hold(): void {
    const waits = this.#reader?.waiting === true || this.#line.waiting || this.#events.size > 0
    const hold = !this.#ended && this.#wanted && waits
    if (hold === this.#holding || this.#ended) return
    this.#holding = hold
    this.#port.ref(hold)
  }
}

class Letter implements Mail {
  readonly batch: FrameBatch | Uint8Array
  readonly endpoint: Endpoint | undefined
  readonly endpoints: readonly Endpoint[] | undefined
  readonly answer: boolean
  readonly from: Endpoint | undefined
  readonly typeOfService: number
  columns: Sendable | undefined
  #shared: FrameBatch | undefined
  #numbers: Uint32Array | undefined

  constructor(
    batch: FrameBatch | Uint8Array,
    to: Pick<Mail, 'endpoint' | 'endpoints' | 'answer' | 'from' | 'typeOfService'>,
  ) {
    this.batch = batch
    this.endpoint = to.endpoint
    this.endpoints = to.endpoints
    this.answer = to.answer
    this.from = to.from
    this.typeOfService = to.typeOfService
  }

  check(from: number): number {
    const { batch, endpoints } = this
    if (batch instanceof DatagramBatch && !endpoints) {
      // Native code has its memory, and checks it.
      batch.check()
      if (!Number.isInteger(from) || from < 0 || from > batch.count) {
        throw outOfRange('from', `>= 0 and <= ${batch.count}`, from)
      }
      return batch.count
    }
    const linkType = batch instanceof Uint8Array ? 'user0' : batch?.linkType
    this.columns = checkSendable(batch, linkType, from)
    const { count, gso } = this.columns
    if (gso?.asksAny(count)) {
      throw invalidArgumentValue('batch.gso', gso, 'leaves work undone: send what cutFrames() makes of it')
    }
    if (endpoints && endpoints.length !== count) {
      throw outOfRange('options.to.length', `${count}, as many as there are datagrams`, endpoints.length)
    }
    return count
  }

  numbers(count: number): Uint32Array {
    if (this.#numbers?.length !== count) this.#numbers = new Uint32Array(count)
    return this.#numbers
  }

  [share](): Mail {
    const batch = (this.batch as { [share]?: () => FrameBatch })[share]?.()
    const letter = new Letter(batch ?? this.batch, this)
    letter.#shared = batch
    return letter
  }

  /** Of what was shared; the caller's own batch stays his. */
  release(): void {
    this.#shared?.release()
  }
}

/** To whom datagrams can be sent. */
function receiver(name: string, given: Endpoint | EndpointOptions): Endpoint {
  const endpoint = Endpoint.of(given)
  if (endpoint.port === 0) throw outOfRange(`${name}.port`, '>= 1 and <= 65535', 0)
  return endpoint
}
