import { EventQueue } from '../lifecycle/index.js'
import { type Link, RouteConnection } from '../netlink/route/index.js'
import { type PortEvent, stateChanges, type WaitOptions } from '../port/index.js'
import type { DeviceNamespace } from './device-namespace.js'
import { identifyTuntap } from './handle.js'

/** Events that may wait to be read. */
const limit = 256

/**
 * What happens to the device behind a descriptor, watched by netlink in the namespace where the device is; the
 * watch follows it from one namespace to another.
 */
export class DeviceEvents extends EventQueue<PortEvent> {
  readonly #fd: () => number
  readonly #where: () => DeviceNamespace
  readonly #onGone: () => void
  #route: RouteConnection | undefined
  #link: Link | undefined

  /** `fd` is -1 once the port has ended; `onGone` is called when the device seems to be deleted: it ends the port if so. */
  constructor(
    fd: () => number,
    where: () => DeviceNamespace,
    onGone: () => void,
    options: WaitOptions | undefined,
  ) {
    super({ limit, onOverflow: () => ({ type: 'resync' }), signal: options?.signal })
    this.#fd = fd
    this.#where = where
    this.#onGone = onGone
    this.onEnd(() => this.#route?.close())
    void this.#follow()
  }

  /** The port has ended. */
  finish(removed: boolean): void {
    if (removed) this.push({ type: 'removed' })
    this.end()
  }

  async #follow(): Promise<void> {
    try {
      while (!this.ended && this.#fd() >= 0 && (await this.#watch()) === 'moved') {
        this.push({ type: 'namespace' })
      }
      if (!this.ended && this.#fd() >= 0) this.#onGone()
    } catch (error) {
      // The device may vanish between any two calls; then the port ends, and this with it.
      if (this.#fd() >= 0 && isGone(error)) this.#onGone()
      if (this.#fd() >= 0) this.fail(error)
    }
  }

  /** Until the device leaves its namespace. */
  async #watch(): Promise<'moved' | 'ended'> {
    const { name } = identifyTuntap(this.#fd())
    const route = this.#openRoute()
    // At once, so that the first event is there before anything else can happen.
    const { index } = this.#state(route.links.getSync(name))
    for await (const event of route.watch({ links: { link: index } }, { limit })) {
      if (event.type === 'removed') return event.moved ? 'moved' : 'ended'
      const link = event.type === 'state' || event.type === 'resync' ? event.state.links[0] : event.item
      if (!link) return 'ended'
      if (event.type === 'resync') {
        this.push({ type: 'resync' })
        this.#state(link)
      } else {
        this.#compare(link)
      }
    }
    return 'ended'
  }

  #openRoute(): RouteConnection {
    using namespace = this.#where()
    this.#route?.close()
    this.#route = RouteConnection.open(namespace.reference)
    return this.#route
  }

  #state(link: Link): Link {
    this.#link = link
    const { name, index, mtu, up, carrier, macAddress } = link
    this.push({ type: 'state', state: { name, index, mtu, up, carrier, macAddress } })
    return link
  }

  #compare(link: Link): void {
    const previous = this.#link!
    this.#link = link
    for (const event of stateChanges(previous, link)) this.push(event)
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === 'EBADFD' || code === 'EBADF' || code === 'ENODEV' || code === 'ERR_LINK_NOT_FOUND'
}
