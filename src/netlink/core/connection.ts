import { NetloomError } from '../../errors/index.js'
import { abortError, deferred, onAbort, throwIfAborted } from '../../lifecycle/index.js'
import type { NamespaceReference } from '../../netns/index.js'
import {
  acknowledgementBytes,
  Conversation,
  type Exchange,
  groupBytes,
  type Ongoing,
  type Parts,
} from './conversation.js'
import { DumpStream, type DumpStreamOptions } from './dump-stream.js'
import { type NetlinkSocket, openNetlinkSocket, readDatagrams, sendDatagram, waitReadable } from './handle.js'
import type { Message } from './message-reader.js'
import type { Request } from './message-writer.js'
import type { RequestContext } from './netlink-error.js'
import type { RequestList } from './request-list.js'

export interface ConnectionOptions {
  /** The namespace whose network it is about, which stays the caller's to keep. Default: where the process is. */
  in?: NamespaceReference | undefined
  /** `NETLINK_ROUTE`, … */
  protocol: number
  /** Bytes, which the kernel doubles; as much of it as the system allows. Default 1 MiB. */
  receiveBuffer?: number | undefined
  /** Bytes of replies that may be outstanding. Default: what the receive buffer holds. */
  budget?: number | undefined
}

export interface RequestOptions extends RequestContext {
  onMessage?: ((message: Message) => void) | undefined
  /** What comes back beside the acknowledgement, in bytes of the receive buffer. Default 0. */
  replyBytes?: number | undefined
  /** Changes nothing, or comes to the same when done twice: where the answer is lost, it is asked for again. */
  repeatable?: boolean | undefined
}

export interface DumpOptions extends RequestContext {
  onMessage(message: Message): void
  /** What came so far is void. */
  onRestart(): void
}

export interface WaitOptions {
  signal?: AbortSignal | undefined
}

// Requests that complete at once, one after the other, before the event loop gets its turn.
const sendsPerTurn = 64

// Where the system allows: with it, a thousand acknowledgements may be on their way.
const defaultReceiveBuffer = 1024 * 1024

// The kernel answers while it takes the request; this is for what it may do later.
const syncTimeoutMs = 10_000

/** A netlink socket to ask the kernel with, in one namespace. It keeps the process alive only while it waits. */
export class NetlinkConnection {
  readonly #options: ConnectionOptions
  readonly #socket: NetlinkSocket
  readonly #conversation: Conversation
  #sendsThisTurn = 0
  #open = true

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { protocol, receiveBuffer = defaultReceiveBuffer } = options
    this.#socket = openNetlinkSocket(options.in, { protocol, receiveBuffer }, () => {
      this.#sendsThisTurn = 0
      this.#read()
    })
    this.#conversation = new Conversation({
      send: bytes => sendDatagram(this.#socket, bytes),
      schedule: flush =>
        queueMicrotask(() => {
          flush()
          // What the kernel answered is there already, unless the loop should have its turn.
          if (++this.#sendsThisTurn <= sendsPerTurn) this.#read()
          else this.#watch()
        }),
      port: this.#socket.port,
      // The buffer's size as the kernel counts it, less what it may need for bookkeeping.
      budget: options.budget ?? Math.max(64 * 1024, this.#socket.receiveBuffer / 2),
    })
  }

  /** The socket's address, which no other netlink socket of the same protocol in the namespace has. */
  get port(): number {
    return this.#socket.port
  }

  /** Asks for a change, or for one object. Resolves with its acknowledgement. */
  request(request: Request, options: RequestOptions & WaitOptions): Promise<void> {
    return this.#exchange(
      request,
      { ...options, onMessage: options.onMessage ?? ignore },
      acknowledged(options),
      options.signal,
    )
  }

  /** The same, at once: blocks the thread, for microseconds. */
  requestSync(request: Request, options: RequestOptions): void {
    this.#checkOpen()
    let done = false
    let failure: unknown
    const exchange: Exchange = {
      ...options,
      request,
      replyBytes: acknowledged(options),
      onMessage: options.onMessage ?? ignore,
      onDone: error => {
        done = true
        failure = error
      },
    }
    const ongoing = this.#conversation.start(exchange, { urgent: true })
    while (!done) {
      if (this.#readOnce() === 'drained' && !done && !waitReadable(this.#socket, syncTimeoutMs)) {
        this.#conversation.abandon(ongoing)
        throw new NetloomError('ERR_NETLINK_PROTOCOL', `${options.operation}: the kernel does not answer`)
      }
    }
    this.#watch()
    if (failure !== undefined) throw failure
  }

  /**
   * Changes, one after the other in few calls; each that fails leaves the others as they are. Resolves with what became
   * of each: its error, or `undefined`. What was not sent yet when it was aborted, or not answered when the connection
   * was closed, has that as its error.
   */
  async requestAll(list: RequestList, options?: WaitOptions): Promise<unknown[]> {
    const { signal } = options ?? {}
    const failures: unknown[] = new Array(list.length).fill(undefined)
    this.#checkOpen()
    for (let first = 0; first < failures.length; ) {
      if (!this.#open) return failures.fill(closed(), first)
      if (signal?.aborted) return failures.fill(abortError(signal), first)
      const most = Math.max(1, Math.floor(this.#conversation.budget / acknowledgementBytes))
      const count = Math.min(list.fitting(first, groupBytes), most)
      await this.#requestPart(list, first, count, failures)
      first += count
    }
    return failures
  }

  #requestPart(list: RequestList, first: number, count: number, failures: unknown[]): Promise<void> {
    return new Promise(resolve => {
      const parts: Parts = {
        count,
        context: i => list.context(first + i),
        marks: i => list.marks(first + i),
        onRefused: (i, failure) => {
          failures[first + i] ??= failure
        },
      }
      this.#conversation.start({
        ...list.context(first),
        request: list.part(first, count),
        parts,
        replyBytes: count * acknowledgementBytes,
        onMessage: ignore,
        onDone: failure => {
          if (failure !== undefined) for (let i = 0; i < count; i++) parts.onRefused(i, failure)
          resolve()
        },
      })
    })
  }

  /**
   * Requests that the kernel takes or refuses as one; see nfnetlink. Rejects with the first failure.
   * @param open begins, and `close` ends the transaction
   */
  async transaction(
    open: Request,
    requests: readonly Request[],
    close: Request,
    options: RequestOptions,
  ): Promise<void> {
    this.#checkOpen()
    const results: Promise<void>[] = []
    const exchanges = [open, ...requests].map((request): Exchange => {
      const { promise, resolve, reject } = deferred<void>()
      results.push(promise)
      const onDone = (failure?: unknown) => (failure === undefined ? resolve() : reject(failure))
      return {
        ...options,
        request,
        replyBytes: acknowledged(options),
        onMessage: options.onMessage ?? ignore,
        onDone,
      }
    })
    this.#conversation.startTransaction(exchanges[0]!, exchanges.slice(1), close.message)
    this.#read()
    for (const result of await Promise.allSettled(results))
      if (result.status === 'rejected') throw result.reason
  }

  /** Lists objects. A list that the kernel could not make in one piece is made anew, a few times. */
  dump(request: Request, options: DumpOptions & WaitOptions): Promise<void> {
    return this.#exchange(request, options, 0, options.signal)
  }

  /** A list that is read piece by piece, on a socket of its own in the same namespace. */
  dumpStream(options: Omit<DumpStreamOptions, 'in' | 'protocol'>): DumpStream {
    this.#checkOpen()
    return new DumpStream({ ...options, in: this.#options.in, protocol: this.#options.protocol })
  }

  /** Ends at once; what is under way rejects. Idempotent. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#socket.close()
    this.#conversation.fail(closed())
  }

  #exchange(
    request: Request,
    options: RequestContext & Pick<Exchange, 'onMessage' | 'onRestart' | 'repeatable'>,
    replyBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#checkOpen()
      throwIfAborted(signal)
      let stop = () => {}
      const exchange: Exchange = {
        operation: options.operation,
        subject: options.subject,
        request,
        replyBytes,
        repeatable: options.repeatable,
        onMessage: options.onMessage,
        onRestart: () => options.onRestart?.(),
        onDone: failure => {
          stop()
          if (failure === undefined) resolve()
          else reject(failure)
        },
      }
      let ongoing: Ongoing | undefined
      stop = onAbort(signal, error => {
        if (ongoing) this.#conversation.abandon(ongoing)
        reject(error)
      })
      ongoing = this.#conversation.start(exchange)
    })
  }

  #read(): void {
    this.#readOnce()
    this.#watch()
  }

  #readOnce(): 'drained' | 'full' {
    if (!this.#open) return 'drained'
    try {
      let end = readDatagrams(this.#socket, datagram => this.#conversation.receive(datagram))
      while (end === 'overflow') {
        this.#conversation.overflowed()
        do end = readDatagrams(this.#socket, datagram => this.#conversation.receive(datagram))
        while (end === 'full')
        if (end === 'drained') this.#conversation.drained()
      }
      return end
    } catch (error) {
      this.#conversation.fail(error)
      return 'drained'
    }
  }

  #watch(): void {
    if (!this.#open) return
    const waiting = this.#conversation.waiting
    this.#socket.watch(waiting)
    this.#socket.ref(waiting)
  }

  #checkOpen(): void {
    if (!this.#open) throw closed()
  }
}

function acknowledged(options: RequestOptions): number {
  return acknowledgementBytes + (options.replyBytes ?? 0)
}

function ignore(): void {}

function closed(): NetloomError {
  return new NetloomError('ERR_INVALID_STATE', 'the netlink connection is closed')
}
