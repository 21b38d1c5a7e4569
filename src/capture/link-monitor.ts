import { EventQueue } from '../lifecycle/index.js'
import { type Link, RouteConnection } from '../netlink/route/index.js'
import { keepNamespace, type NamespaceDescriptor, type NamespaceReference } from '../netns/index.js'
import { type PortEvent, type PortState, stateChanges, type WaitOptions } from '../port/index.js'

/** Events that may wait to be read. */
const limit = 256

/** What a capture of all interfaces says of itself. */
const everything: PortState = { name: 'any', index: 0, mtu: 65535, up: true, carrier: true }

/**
 * The interface of a capture, followed by netlink once somebody listens, or once it went down: the packet socket is
 * told of a removal with the same error, and not at all if the interface was down before.
 */
export class LinkMonitor {
  readonly #namespace: NamespaceDescriptor | undefined
  readonly #index: number
  readonly #onGone: () => void
  readonly #queues = new Set<EventQueue<PortEvent>>()
  /** Told to everybody who comes later, too. */
  readonly #lasting: PortEvent[] = []
  #route: RouteConnection | undefined
  #watch: { ref(): void; unref(): void } | undefined
  #state: PortState
  #ended = false

  /** `link` is undefined for all interfaces; `onGone` is called when the interface is deleted or moved away. */
  constructor(where: NamespaceReference | undefined, link: Link | undefined, onGone: () => void) {
    this.#namespace = where === undefined ? undefined : keepNamespace(where)
    this.#index = link?.index ?? 0
    this.#state = link ? stateOf(link) : everything
    this.#onGone = onGone
  }

  /** As last heard of. */
  get state(): PortState {
    return this.#state
  }

  events(options: WaitOptions | undefined): EventQueue<PortEvent> {
    const queue = new EventQueue<PortEvent>({
      limit,
      onOverflow: () => ({ type: 'resync' }),
      signal: options?.signal,
    })
    if (this.#ended || queue.ended) {
      queue.end()
      return queue
    }
    this.#queues.add(queue)
    queue.onEnd(() => {
      this.#queues.delete(queue)
      if (this.#queues.size === 0) this.#watch?.unref()
    })
    // At once, so that the first event is there before anything else can happen.
    queue.push({ type: 'state', state: this.#current() })
    for (const event of this.#lasting) queue.push(event)
    this.follow()
    this.#watch?.ref()
    return queue
  }

  push(event: PortEvent, lasting = false): void {
    if (lasting) this.#lasting.push(event)
    for (const queue of this.#queues) {
      const full = queue.length >= limit
      queue.push(event)
      if (full) queue.push({ type: 'state', state: this.#state })
    }
  }

  /** Forgets events that no longer hold. */
  forget(type: PortEvent['type']): void {
    for (let i = this.#lasting.length; i-- > 0; )
      if (this.#lasting[i]!.type === type) this.#lasting.splice(i, 1)
  }

  /** From now on a removal is noticed. */
  follow(): void {
    if (this.#route || this.#ended || this.#index === 0) return
    this.#route = RouteConnection.open(this.#reference())
    void this.#run(this.#route)
  }

  /** The capture has ended. */
  end(removed: boolean): void {
    if (this.#ended) return
    this.#ended = true
    for (const queue of [...this.#queues]) {
      if (removed) queue.push({ type: 'removed' })
      queue.end()
    }
    this.#route?.close()
    this.#namespace?.release()
  }

  async #run(route: RouteConnection): Promise<void> {
    try {
      const watch = route.watch({ links: { link: this.#index } }, { limit })
      this.#watch = watch
      if (this.#queues.size === 0) watch.unref()
      for await (const event of watch) {
        if (event.type === 'removed') break
        const link = event.type === 'state' || event.type === 'resync' ? event.state.links[0] : event.item
        if (!link) break
        this.#compare(stateOf(link))
      }
    } catch (error) {
      const { code } = error as { code?: string }
      if (!this.#ended && code !== 'ERR_LINK_NOT_FOUND' && code !== 'ENODEV') {
        for (const queue of [...this.#queues]) queue.fail(error)
        return
      }
    }
    if (!this.#ended) this.#onGone()
  }

  #compare(state: PortState): void {
    const events = stateChanges(this.#state, state)
    this.#state = state
    for (const event of events) this.push(event)
  }

  #current(): PortState {
    if (this.#index === 0 || this.#queues.size > 1) return this.#state
    const route = RouteConnection.open(this.#reference())
    try {
      // A link that vanished just now is told of by the watch.
      this.#state = stateOf(route.links.getSync(this.#index))
    } catch {
    } finally {
      route.close()
    }
    return this.#state
  }

  #reference(): NamespaceReference | undefined {
    return this.#namespace && { fd: this.#namespace.fd, id: '' }
  }
}

function stateOf({ name, index, mtu, up, carrier, macAddress }: Link): PortState {
  return { name, index, mtu, up, carrier, macAddress }
}
