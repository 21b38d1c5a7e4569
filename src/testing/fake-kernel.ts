import {
  type Conversation,
  littleEndian,
  type Message,
  NLM_F,
  NLMSG,
  type Request,
  readMessages,
} from '../netlink/core/index.js'

/** A message of the kernel's, before it is put into a datagram. */
export interface FakeReply {
  type: number
  flags?: number
  payload: Uint8Array
  /** Default: those of the request. */
  sequence?: number
  port?: number
}

export interface FakeRefusal {
  message?: string
  /** Of the attribute that is to blame, in the request. */
  offset?: number
  missingType?: number
  /** The whole request comes back, as without NETLINK_CAP_ACK. */
  uncapped?: boolean
}

const encoder = new TextEncoder()

/**
 * A kernel that speaks netlink as badly as the real one may: in fragments, late, interrupted, and with losses. It
 * answers when asked, and hands its answers over when the test says so.
 */
export class FakeKernel {
  /** Requests, as they came. */
  readonly requests: Message[] = []
  /** Datagrams that wait to be delivered. */
  outbox: Uint8Array[] = []
  /** Messages of a dump that go into one datagram. */
  messagesPerDatagram = 2
  /** So many of the dumps to come are marked as interrupted. */
  interruptions = 0
  /** Datagrams that are dropped before others are kept. */
  losses = 0
  /**
   * Datagrams that the receive buffer holds. Beyond it the kernel drops until everything has been read, and says so
   * (ENOBUFS) before anything that is there: {@link deliver} does.
   */
  capacity = Number.POSITIVE_INFINITY
  /** Thrown by the send to come. */
  sendError: unknown
  readonly #answer: (request: Message, kernel: FakeKernel) => FakeReply[]
  #congested = false
  #error = false

  constructor(answer: (request: Message, kernel: FakeKernel) => FakeReply[]) {
    this.#answer = answer
  }

  readonly send = (bytes: Uint8Array): void => {
    if (this.sendError !== undefined) {
      const error = this.sendError
      this.sendError = undefined
      throw error
    }
    readMessages(bytes.slice(), message => {
      this.requests.push(message)
      const replies = this.#answer(message, this)
      const each = isDump(message) ? this.messagesPerDatagram : 1
      for (let i = 0; i < replies.length; i += each) {
        const datagram = join(replies.slice(i, i + each).map(reply => encode(reply, message)))
        this.#put(datagram)
      }
    })
  }

  #put(datagram: Uint8Array): void {
    if (this.losses > 0) this.losses--
    else if (this.#congested || this.outbox.length >= this.capacity) this.#congested = this.#error = true
    else this.outbox.push(datagram)
  }

  /** Hands over the oldest datagrams; after an overflow, all. */
  deliver(conversation: Conversation, count = Number.POSITIVE_INFINITY): void {
    for (let i = 0; i < count; i++) {
      if (this.#error) {
        this.#overflow(conversation)
        continue
      }
      const datagram = this.outbox.shift()
      if (!datagram) return
      if (this.outbox.length === 0) this.#congested = false
      conversation.receive(datagram)
    }
  }

  #overflow(conversation: Conversation): void {
    this.#error = false
    conversation.overflowed()
    for (let datagram = this.outbox.shift(); datagram; datagram = this.outbox.shift()) {
      conversation.receive(datagram)
    }
    this.#congested = false
    conversation.drained()
  }

  /** Only who asks for it is told that all went well. */
  acknowledge(request: Message): FakeReply[] {
    return request.flags & NLM_F.ACK ? [error(request, 0, {})] : []
  }

  refuse(request: Message, errno: number, refusal: FakeRefusal = {}): FakeReply[] {
    return [error(request, errno, refusal)]
  }

  /** The messages of a dump, with the end. */
  dump(
    type: number,
    payloads: Uint8Array[],
    options: { errno?: number; message?: string } = {},
  ): FakeReply[] {
    const interrupted = this.interruptions > 0 ? NLM_F.DUMP_INTR : 0
    if (this.interruptions > 0) this.interruptions--
    const flags = NLM_F.MULTI | interrupted
    const end = new Uint8Array(4)
    new DataView(end.buffer).setInt32(0, -(options.errno ?? 0), littleEndian)
    const text = options.message === undefined ? [] : [attribute(1, encoder.encode(`${options.message}\0`))]
    return [
      ...payloads.map(payload => ({ type, flags, payload })),
      {
        type: NLMSG.DONE,
        flags: flags | (text.length > 0 ? NLM_F.ACK_TLVS : 0),
        payload: join([end, ...text]),
      },
    ]
  }
}

/** A request that carries nothing but what `fill` writes. */
export function emptyRequest(
  type: number,
  flags: number = NLM_F.REQUEST | NLM_F.ACK,
  length = 16,
  fill?: (view: DataView) => void,
): Request {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length, littleEndian)
  view.setUint16(4, type, littleEndian)
  view.setUint16(6, flags, littleEndian)
  fill?.(view)
  return {
    flags,
    message: bytes,
    length,
    marks: ['thing', 16, 'part', 0],
    stamp: (sequence, port) => {
      view.setUint32(8, sequence, littleEndian)
      view.setUint32(12, port, littleEndian)
    },
    copyTo: (target, at) => target.set(bytes, at),
  }
}

/** One message with its header. */
export function encodeMessage(message: Required<FakeReply>): Uint8Array {
  const bytes = new Uint8Array((16 + message.payload.length + 3) & ~3)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 16 + message.payload.length, littleEndian)
  view.setUint16(4, message.type, littleEndian)
  view.setUint16(6, message.flags, littleEndian)
  view.setUint32(8, message.sequence, littleEndian)
  view.setUint32(12, message.port, littleEndian)
  bytes.set(message.payload, 16)
  return bytes
}

function encode(reply: FakeReply, request: Message): Uint8Array {
  return encodeMessage({ flags: 0, sequence: request.sequence, port: request.port, ...reply })
}

function isDump(message: Message): boolean {
  return (message.flags & NLM_F.DUMP) === NLM_F.DUMP
}

/** struct nlmsgerr, include/uapi/linux/netlink.h. */
function error(request: Message, errno: number, refusal: FakeRefusal): FakeReply {
  const { message, offset, missingType, uncapped } = refusal
  const number = new Uint8Array(4)
  new DataView(number.buffer).setInt32(0, -errno, littleEndian)
  const echoed = encode({ ...request, payload: request.payload.bytes }, request)
  const attributes: Uint8Array[] = []
  if (message !== undefined) attributes.push(attribute(1, encoder.encode(`${message}\0`)))
  if (offset !== undefined) attributes.push(attribute(2, u32(offset)))
  if (missingType !== undefined) attributes.push(attribute(5, u32(missingType)))
  return {
    type: NLMSG.ERROR,
    flags: (uncapped ? 0 : NLM_F.CAPPED) | (attributes.length > 0 ? NLM_F.ACK_TLVS : 0),
    payload: join([number, uncapped ? echoed : echoed.subarray(0, 16), ...attributes]),
  }
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, littleEndian)
  return bytes
}

function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((4 + value.length + 3) & ~3)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 4 + value.length, littleEndian)
  view.setUint16(2, type, littleEndian)
  bytes.set(value, 4)
  return bytes
}

function join(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
