import { NetloomError } from '../../errors/index.js'
import { messageHeaderLength, NLM_F, NLMSG } from './constants.js'
import { littleEndian } from './endianness.js'
import { type Message, malformed, readMessages } from './message-reader.js'
import type { Marks, Request } from './message-writer.js'
import { acknowledgementAttributes, NetlinkError, type RequestContext, readFailure } from './netlink-error.js'

/** Of a request that is several, one behind the other, of which the last one asks for an acknowledgement. */
export interface Parts {
  readonly count: number
  context(i: number): RequestContext
  marks(i: number): Marks
  /** The kernel refused this one, or its answer was lost; the first that is told of one counts. */
  onRefused(i: number, failure: unknown): void
}

/** One request and what comes back for it. Exactly one `onDone` follows, unless {@link Conversation.abandon} is called. */
export interface Exchange extends RequestContext {
  readonly request: Request
  /** What the replies may take in the receive buffer, in bytes. A dump's are paced by the kernel: 0. */
  readonly replyBytes: number
  /** Changes nothing, or comes to the same when done twice: where the answer is lost, it is asked for again. */
  readonly repeatable?: boolean | undefined
  readonly parts?: Parts | undefined
  /** An answer that is no control message. Its bytes are lent. May throw: the exchange then fails with that. */
  onMessage(message: Message): void
  onDone(failure?: unknown): void
  /** Of a dump, or of what is repeatable: what came so far is void, it begins anew. */
  onRestart?(): void
}

/** An exchange that was begun. */
export interface Ongoing {
  readonly exchange: Exchange
}

interface State extends Ongoing {
  /** The first of its numbers; there are more if it has parts. */
  sequence: number
  count: number
  dump: boolean
  interrupted: boolean
  restarts: number
  /** Nobody waits any more, but the kernel still answers. */
  abandoned: boolean
  /** Those before it in its datagram, which are acknowledged with it. */
  group: readonly State[]
  /** Of the one that opens a transaction: all of it, which ends with its failure. */
  transaction: readonly State[]
}

const none: readonly State[] = []

function stateOf(exchange: Exchange): State {
  return {
    exchange,
    sequence: 0,
    count: exchange.parts?.count ?? 1,
    dump: (exchange.request.flags & NLM_F.DUMP) === NLM_F.DUMP,
    interrupted: false,
    restarts: 0,
    abandoned: false,
    group: none,
    transaction: none,
  }
}

export interface ConversationOptions {
  /** Hands a datagram to the kernel; throws when it is refused. Replies may be there before it returns. */
  send(bytes: Uint8Array): void
  /**
   * Calls back soon, to send what has been asked for until then together. Default: at once.
   */
  schedule?(flush: () => void): void
  /** The socket's address; replies to others are none of ours. */
  port: number
  /** Bytes of replies that may be outstanding. */
  budget: number
  /** How often a dump, or what is repeatable, begins anew before it fails. Default 8. */
  restarts?: number
  sequence?: number
}

/** Requests that go together fill at most so many bytes. */
export const groupBytes = 16 * 1024

/** Bytes of replies below which the budget does not fall when they are lost. */
const leastBudget = 8 * 1024

/** What an acknowledgement takes in the receive buffer: 256 of them fill 208 KiB, and some carry a message. */
export const acknowledgementBytes = 1024

/**
 * The protocol of one netlink socket, without the socket: numbers requests, matches what comes back, and ends every
 * exchange exactly once. Requests run side by side within the budget of replies, dumps one after the other, since
 * the kernel takes no second one (EBUSY). Requests that were asked for in one go are sent in one datagram; the kernel
 * answers them in order, and tells of failures unasked: only the last one asks for an acknowledgement.
 */
export class Conversation {
  readonly #options: ConversationOptions
  readonly #restarts: number
  readonly #group = new DataView(new ArrayBuffer(groupBytes))
  #sequence: number
  #scheduled = false
  #queue: State[] = []
  /** Where the queue begins: what is before it has been sent. */
  #head = 0
  #dumps: State[] = []
  #active = new Map<number, State>()
  #dumping: State | undefined
  #replyBytes = 0
  #budget: number
  #deaf = false
  readonly #takeMessage = (message: Message) => this.#take(message)

  constructor(options: ConversationOptions) {
    this.#options = options
    this.#restarts = options.restarts ?? 8
    this.#budget = options.budget
    this.#sequence = options.sequence ?? 0
  }

  /** Bytes of replies that may be outstanding now. */
  get budget(): number {
    return this.#budget
  }

  /** True while an answer is to come. */
  get waiting(): boolean {
    return this.#active.size > 0
  }

  /** True while something is to be sent yet. */
  get queued(): boolean {
    return this.#queue.length > this.#head || this.#dumps.length > 0
  }

  /** Sends, or queues; `urgent` goes past the queue and the budget. */
  start(exchange: Exchange, options: { urgent?: boolean } = {}): Ongoing {
    const state = stateOf(exchange)
    if (options.urgent && !state.dump) {
      this.#send([state])
      return state
    }
    const queue = state.dump ? this.#dumps : this.#queue
    queue.push(state)
    if (this.#scheduled) return state
    this.#scheduled = true
    const { schedule = (flush: () => void) => flush() } = this.#options
    schedule(() => {
      this.#scheduled = false
      this.#pump()
    })
    return state
  }

  /**
   * Several requests that the kernel takes or refuses as one, between one that opens the transaction and a message that
   * closes it (nfnetlink). Sent at once. If the kernel refuses to open or to commit it, all fail.
   */
  startTransaction(open: Exchange, exchanges: readonly Exchange[], close: Uint8Array): void {
    const states = [open, ...exchanges].map(stateOf)
    states[0]!.transaction = states
    this.#send(states, close)
  }

  /** Nobody waits for this one any more: it is not sent, or its answers are passed over. */
  abandon(ongoing: Ongoing): void {
    const state = ongoing as State
    state.abandoned = true
  }

  /** A datagram from the kernel. */
  receive(datagram: Uint8Array): void {
    try {
      readMessages(datagram, this.#takeMessage)
    } catch (error) {
      // An acknowledgement may have been behind what cannot be read.
      this.#failAll(error)
    }
    this.#pump()
  }

  /** The kernel had no room for a reply (ENOBUFS). Nothing is sent until {@link drained}: it would go unheard. */
  overflowed(): void {
    this.#deaf = true
    // Replies take more than they were thought to.
    this.#budget = Math.max(this.#budget / 2, Math.min(this.#budget, leastBudget))
  }

  /** Everything that was there has been read. */
  drained(): void {
    if (!this.#deaf) return
    this.#deaf = false
    // The kernel has answered everything: what is not here now was lost.
    for (const state of [...new Set(this.#active.values())].reverse()) {
      if ((state.dump || state.exchange.repeatable) && !state.abandoned) {
        this.#restart(state, () => lost(state.exchange))
      } else {
        this.#lose(state)
      }
    }
    this.#pump()
  }

  /** Ends everything, what is queued included. */
  fail(error: unknown): void {
    this.#failAll(error)
    this.#deaf = false
    const queued = [...this.#queue.slice(this.#head), ...this.#dumps]
    this.#queue = []
    this.#head = 0
    this.#dumps = []
    for (const state of queued) if (!state.abandoned) state.exchange.onDone(error)
  }

  #pump(): void {
    while (!this.#deaf && this.#dumping === undefined) {
      const next = this.#dumps.shift()
      if (!next) break
      if (!next.abandoned) this.#send([next])
    }
    while (!this.#deaf) {
      const group = this.#nextGroup()
      if (group.length === 0) return
      this.#send(group)
    }
  }

  /** As many as fit a datagram and the budget. What is larger than either goes alone, and what has parts. */
  #nextGroup(): State[] {
    let bytes = 0
    let replyBytes = this.#replyBytes
    const group: State[] = []
    for (; this.#head < this.#queue.length; this.#head++) {
      const state = this.#queue[this.#head]!
      if (state.abandoned) continue
      const { exchange } = state
      bytes += aligned(exchange.request.length)
      replyBytes += exchange.replyBytes
      const fits = replyBytes <= this.#budget || replyBytes === exchange.replyBytes
      if (!fits || ((bytes > groupBytes || exchange.parts) && group.length > 0)) break
      group.push(state)
      if (exchange.parts) bytes = groupBytes
    }
    if (this.#head === this.#queue.length || this.#head > 4096) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return group
  }

  #send(states: State[], close?: Uint8Array): void {
    const last = states.at(-1)!
    last.group = states.slice(0, -1)
    for (const state of states) this.#number(state)
    try {
      if (states.length === 1) this.#options.send(last.exchange.request.message)
      else this.#options.send(this.#join(states, close))
    } catch (error) {
      for (const state of states) this.#finish(state, error)
    }
  }

  #number(state: State): void {
    for (let free = 0; free < state.count; ) {
      this.#sequence = (this.#sequence + 1) >>> 0
      free = this.#sequence === 0 || this.#active.has(this.#sequence) ? 0 : free + 1
    }
    state.sequence = this.#sequence - state.count + 1
    state.interrupted = false
    state.exchange.request.stamp(state.sequence, this.#options.port)
    for (let i = 0; i < state.count; i++) this.#active.set(state.sequence + i, state)
    this.#replyBytes += state.exchange.replyBytes
    if (state.dump) this.#dumping = state
  }

  #join(states: State[], close: Uint8Array = new Uint8Array()): Uint8Array {
    let size = close.length
    for (const { exchange } of states) size += aligned(exchange.request.length)
    const view = size <= groupBytes ? this.#group : new DataView(new ArrayBuffer(size))
    const joined = new Uint8Array(view.buffer)
    const last = states.at(-1)
    let at = 0
    for (const state of states) {
      const { request } = state.exchange
      request.copyTo(joined, at)
      if (state !== last) view.setUint16(at + 6, request.flags & ~NLM_F.ACK, littleEndian)
      const end = at + aligned(request.length)
      for (let pad = at + request.length; pad < end; pad++) joined[pad] = 0
      at = end
    }
    joined.set(close, at)
    return joined.subarray(0, size)
  }

  #take(message: Message): void {
    const state = this.#active.get(message.sequence)
    if (!state || message.port !== this.#options.port) return
    if (message.flags & NLM_F.DUMP_INTR) state.interrupted = true
    switch (message.type) {
      case NLMSG.NOOP:
        return
      case NLMSG.OVERRUN:
        this.#lose(state)
        return
      case NLMSG.ERROR: {
        // In order: those before it that nothing was heard of went well, unless something was lost.
        if (!this.#deaf) for (const earlier of state.group) this.#finish(earlier)
        const { exchange } = state
        const { parts } = exchange
        if (parts) {
          const i = message.sequence - state.sequence
          const failure = this.#readError(message, parts.marks(i), parts.context(i))
          if (failure !== undefined) parts.onRefused(i, failure)
          if (i < parts.count - 1) return
          // What was lost may be a refusal of those before it.
          for (let before = 0; this.#deaf && before < i; before++)
            parts.onRefused(before, lost(parts.context(before)))
          this.#finish(state)
          return
        }
        const failure = this.#readError(message, exchange.request.marks, exchange)
        // Of a dump: there was no room to begin.
        if (state.dump && !state.abandoned && failure instanceof NetlinkError && failure.code === 'ENOBUFS') {
          this.#restart(state, () => failure)
          return
        }
        this.#finish(state, failure)
        if (failure !== undefined) for (const other of state.transaction) this.#finish(other, failure)
        return
      }
      case NLMSG.DONE:
        // Only a dump ends so; the acknowledgement of anything else is still to come.
        if (state.dump) this.#endDump(message, state)
        return
    }
    if (state.abandoned) return
    try {
      state.exchange.onMessage(message)
    } catch (error) {
      state.abandoned = true
      state.exchange.onDone(error)
    }
  }

  #endDump(message: Message, state: State): void {
    // Older kernels end without a number.
    const errno = message.payload.length >= 4 ? message.payload.s32(0) : 0
    if (errno < 0) {
      const attributes = message.flags & NLM_F.ACK_TLVS ? acknowledgementAttributes(message, 4) : undefined
      this.#finish(state, readFailure(errno, attributes, state.exchange.request.marks, state.exchange))
    } else if (state.interrupted && !state.abandoned) {
      this.#restart(
        state,
        () =>
          new NetloomError(
            'ERR_NETLINK_DUMP_INTERRUPTED',
            `${describe(state.exchange)}: the kernel changed what it was listing, ${this.#restarts + 1} times in a row`,
          ),
      )
    } else {
      this.#finish(state)
    }
  }

  #restart(state: State, failure: () => unknown): void {
    if (state.restarts >= this.#restarts) {
      this.#finish(state, failure())
      return
    }
    this.#forget(state)
    state.restarts++
    state.exchange.onRestart?.()
    if (state.dump) this.#dumps.unshift(state)
    else this.#queue.splice(this.#head, 0, state)
  }

  /** struct nlmsgerr: a number, the request's header and perhaps the request, then attributes. */
  #readError(message: Message, marks: Marks, context: RequestContext): unknown {
    const { payload } = message
    const errno = payload.s32(0)
    if (errno === 0) return undefined
    if (errno > 0) return malformed(`an error message with the number ${errno}`)
    let attributes: ReturnType<typeof acknowledgementAttributes>
    if (message.flags & NLM_F.ACK_TLVS) {
      const echoed = message.flags & NLM_F.CAPPED ? messageHeaderLength : payload.u32(4)
      attributes = acknowledgementAttributes(message, 4 + ((echoed + 3) & ~3))
    }
    return readFailure(errno, attributes, marks, context)
  }

  #lose(state: State): void {
    const { parts } = state.exchange
    for (let i = 0; parts && i < parts.count; i++) parts.onRefused(i, lost(parts.context(i)))
    this.#finish(state, parts ? undefined : lost(state.exchange))
  }

  #finish(state: State, failure?: unknown): void {
    if (this.#forget(state) && !state.abandoned) state.exchange.onDone(failure)
  }

  /** False: it had ended already. */
  #forget(state: State): boolean {
    if (this.#active.get(state.sequence) !== state) return false
    for (let i = 0; i < state.count; i++) this.#active.delete(state.sequence + i)
    this.#replyBytes -= state.exchange.replyBytes
    if (this.#dumping === state) this.#dumping = undefined
    return true
  }

  #failAll(error: unknown): void {
    for (const state of new Set(this.#active.values())) this.#finish(state, error)
  }
}

function lost(context: RequestContext): NetloomError {
  return new NetloomError(
    'ERR_NETLINK_OVERFLOW',
    `${describe(context)}: the answer was lost; whether the request took effect is not known`,
  )
}

function describe({ operation, subject }: RequestContext): string {
  return subject === undefined ? operation : `${operation} ${subject}`
}

function aligned(length: number): number {
  return (length + 3) & ~3
}
