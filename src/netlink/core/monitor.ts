import type { NamespaceReference } from '../../netns/index.js'
import { type NetlinkSocket, openNetlinkSocket, readDatagrams } from './handle.js'
import { type Message, readMessages } from './message-reader.js'

export interface MonitorOptions {
  in?: NamespaceReference | undefined
  protocol: number
  /** Multicast groups, by number. */
  groups: readonly number[]
  /** Bytes; as much of it as the system allows. Default 4 MiB. */
  receiveBuffer?: number | undefined
  /** Also what happens in namespaces that have an id in this one. */
  allNamespaces?: boolean | undefined
  /** Its bytes are lent. With `allNamespaces`: the id of the namespace, `undefined` for the monitor's own. */
  onMessage(message: Message, namespaceId: number | undefined): void
  /** The kernel dropped messages: whatever was learned from them is out of date. All older ones have been read. */
  onOverflow(): void
  /** The end: nothing follows. */
  onError(error: unknown): void
}

/** A netlink socket that listens to what changes. Apart from those that ask, so that a flood here costs no answer. */
export class NetlinkMonitor {
  readonly #socket: NetlinkSocket
  readonly #options: MonitorOptions
  #open = true

  constructor(options: MonitorOptions) {
    this.#options = options
    const { protocol, groups, receiveBuffer = 4 * 1024 * 1024, allNamespaces } = options
    this.#socket = openNetlinkSocket(options.in, { protocol, groups, receiveBuffer, allNamespaces }, () =>
      this.#read(),
    )
    this.#socket.watch(true)
    this.#socket.ref(true)
  }

  ref(): void {
    if (this.#open) this.#socket.ref(true)
  }

  unref(): void {
    if (this.#open) this.#socket.ref(false)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#socket.close()
  }

  #read(): void {
    try {
      // One slab a turn; the poll says so again when there is more.
      const take = (datagram: Uint8Array, id: number | undefined) => this.#take(datagram, id)
      if (readDatagrams(this.#socket, take, this.#options.allNamespaces) === 'overflow') this.#recover()
      // An overflow reports itself as an error too, which stops the poll.
      if (this.#open) this.#socket.watch(true)
    } catch (error) {
      this.close()
      this.#options.onError(error)
    }
  }

  #recover(): void {
    let end: ReturnType<typeof readDatagrams>
    do end = readDatagrams(this.#socket, () => {})
    while (end !== 'drained' && this.#open)
    if (this.#open) this.#options.onOverflow()
  }

  #take(datagram: Uint8Array, namespaceId: number | undefined): void {
    readMessages(datagram, message => {
      if (this.#open) this.#options.onMessage(message, namespaceId)
    })
  }
}
