import { setImmediate } from 'node:timers/promises'
import { throwIfAborted } from '../../lifecycle/index.js'
import type { NamespaceReference } from '../../netns/index.js'
import { Conversation } from './conversation.js'
import { openNetlinkSocket, readDatagrams, sendDatagram } from './handle.js'
import type { Message } from './message-reader.js'
import type { Request } from './message-writer.js'
import type { RequestContext } from './netlink-error.js'

export interface DumpStreamOptions extends RequestContext {
  in?: NamespaceReference | undefined
  protocol: number
  request: Request
  /** Its bytes are lent. */
  onMessage(message: Message): void
  signal?: AbortSignal | undefined
}

/**
 * A list that is read piece by piece, a slab at a time: the kernel makes the next piece only when it is asked for. It
 * has a socket of its own, as the kernel answers nothing else on it meanwhile. Between two pieces the event loop gets its turn.
 * What the kernel interrupted cannot be made anew: it fails at the end.
 */
export class DumpStream {
  readonly #options: DumpStreamOptions
  readonly #socket: ReturnType<typeof openNetlinkSocket>
  readonly #conversation: Conversation
  #outcome: { failure: unknown } | undefined
  #began = false

  constructor(options: DumpStreamOptions) {
    throwIfAborted(options.signal)
    this.#options = options
    const { protocol, request, operation, subject, onMessage } = options
    this.#socket = openNetlinkSocket(options.in, { protocol }, () => {})
    this.#conversation = new Conversation({
      send: bytes => sendDatagram(this.#socket, bytes),
      port: this.#socket.port,
      budget: this.#socket.receiveBuffer,
      restarts: 0,
    })
    this.#conversation.start({
      request,
      operation,
      subject,
      replyBytes: 0,
      onMessage,
      onDone: failure => {
        this.#outcome = { failure }
      },
    })
  }

  /** Reads the next piece; false at the end. @throws NetlinkError; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED` */
  async read(): Promise<boolean> {
    if (this.#began) await setImmediate()
    this.#began = true
    throwIfAborted(this.#options.signal)
    if (!this.#outcome) {
      // A dump's messages are there as soon as they are asked for.
      const end = readDatagrams(this.#socket, datagram => this.#conversation.receive(datagram))
      if (end === 'overflow') {
        this.#conversation.overflowed()
        this.#conversation.drained()
      }
    }
    if (!this.#outcome) return true
    const { failure } = this.#outcome
    this.close()
    if (failure !== undefined) throw failure
    return false
  }

  /** Idempotent. */
  close(): void {
    this.#outcome ??= { failure: undefined }
    this.#socket.close()
  }
}
