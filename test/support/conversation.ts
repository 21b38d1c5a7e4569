import {
  acknowledgementBytes,
  Conversation,
  type ConversationOptions,
  type Exchange,
  type Message,
  type Request,
} from '../../src/netlink/core/index.js'
import { FakeKernel, type FakeReply } from '../../src/testing/fake-kernel.js'

/** Of requests that change something. */
export const CHANGE = 101

export const port = 4711

export type Answer = (request: Message, kernel: FakeKernel) => FakeReply[]

export const acknowledgeAll: Answer = (request, kernel) => kernel.acknowledge(request)

/** Those of types above 200, with what the type is above it. */
export const refuseSome: Answer = (request, kernel) =>
  request.type > 200 ? kernel.refuse(request, request.type - 200) : kernel.acknowledge(request)

/** A conversation with a kernel that answers so. */
export function start(answer: Answer, options: Partial<ConversationOptions> = {}) {
  const kernel = new FakeKernel(answer)
  const conversation = new Conversation({ send: kernel.send, port, budget: 1 << 20, ...options })
  return { kernel, conversation }
}

export interface Probe extends Exchange {
  got: number[]
  results: unknown[]
  restarts: number
}

/** An exchange that keeps what it is told. */
export function probe(request: Request, replyBytes = acknowledgementBytes): Probe {
  const self: Probe = {
    operation: 'do thing',
    subject: 'x',
    request,
    replyBytes,
    got: [],
    results: [],
    restarts: 0,
    onMessage: message => {
      self.got.push(message.payload.u8(0))
    },
    onDone: failure => {
      self.results.push(failure)
    },
    onRestart: () => {
      self.got = []
      self.restarts++
    },
  }
  return self
}
