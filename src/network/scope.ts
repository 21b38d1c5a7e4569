import { invalidArgumentValue, NetloomError } from '../errors/index.js'
import { DisposeStack } from '../lifecycle/index.js'
import {
  type Addresses,
  type BridgeVlans,
  type Fdb,
  type Filters,
  type Link,
  type Mdb,
  type Neighbors,
  type Nexthops,
  netloomProtocol,
  type Qdiscs,
  type Routes,
  type Rules,
  type TrafficClasses,
} from '../netlink/route/index.js'
import type { Network } from './network.js'
import type { NetworkLinkCreate, NetworkLinks } from './network-links.js'

/** Objects that are gone already need no undoing. */
const goneCodes = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'EADDRNOTAVAIL', 'ERR_LINK_NOT_FOUND'])

/**
 * Undoes, in reverse, all that was made through it:
 *
 *     await using scope = network.scope()
 *     const link = await scope.links.create({ kind: 'bridge', name: 'br0', up: true })
 *     await scope.sysctl.set('net.ipv4.ip_forward', 1)
 *
 * also after an exception. What somebody else has taken away meanwhile is passed over; if something cannot be undone
 * the rest still is, and the end rejects.
 */
export class Scope implements AsyncDisposable {
  readonly #network: Network
  readonly #stack = new DisposeStack()
  #open = true

  /** @internal */
  constructor(network: Network) {
    this.#network = network
  }

  /** As those of the network; what `create` makes goes with the scope. */
  readonly links: Pick<NetworkLinks, 'create' | 'joinBridge'> = {
    create: async (options: NetworkLinkCreate): Promise<Link> => {
      const { in: elsewhere } = options
      // In another network it is that one's to delete.
      if (elsewhere !== undefined)
        throw new NetloomError('ERR_INVALID_STATE', 'a scope makes links in its own network')
      return this.#made(
        () => this.#network.links.create(options),
        link => this.#network.links.delete(link.index),
      )
    },
    joinBridge: (link, bridge, options) =>
      this.#made(
        () => this.#network.links.joinBridge(link, bridge, options),
        join => join.undo(),
      ),
  }

  readonly addresses: Pick<Addresses, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.addresses.create(options),
        ({ link }) => this.#network.addresses.delete({ link, address: options.address, peer: options.peer }),
      ),
  }

  readonly routes: Pick<Routes, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.routes.create(options),
        // Without the protocol it could be somebody else's.
        () =>
          this.#network.routes.delete({
            ...options,
            protocol: options.protocol ?? netloomProtocol,
            signal: undefined,
          }),
      ),
  }

  readonly neighbors: Pick<Neighbors, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.neighbors.create(options),
        () => {
          const { link, address, proxy } = options
          return this.#network.neighbors.delete({ link, address, proxy })
        },
      ),
  }

  readonly fdb: Pick<Fdb, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.fdb.create(options),
        () => {
          const { signal: _, state: _state, externallyLearned: _learned, sticky: _sticky, ...key } = options
          return this.#network.fdb.delete(key)
        },
      ),
  }

  readonly mdb: Pick<Mdb, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.mdb.create(options),
        () => {
          const { link, group, vlan, source } = options
          return this.#network.mdb.delete({ link, group, vlan, source })
        },
      ),
  }

  /** Of VLANs that the port is not in yet: what it was in before would be undone too. */
  readonly bridgeVlans: Pick<BridgeVlans, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.bridgeVlans.create(options),
        () => {
          const { link, vlan } = options
          return this.#network.bridgeVlans.delete({ link, vlan })
        },
      ),
  }

  readonly qdiscs: Pick<Qdiscs, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.qdiscs.create(options),
        () => {
          const { link, kind, parent } = options
          const own = kind === 'ingress' || kind === 'clsact'
          return this.#network.qdiscs.delete(own ? { link, kind } : { link, parent })
        },
      ),
  }

  readonly classes: Pick<TrafficClasses, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.classes.create(options),
        () => {
          const { link, handle } = options
          return this.#network.classes.delete({ link, handle })
        },
      ),
  }

  /** A `priority` is needed: by it the filter is found again. */
  readonly filters: Pick<Filters, 'create'> = {
    create: async options => {
      const { link, parent, priority, protocol, chain, handle, kind } = options
      if (priority === undefined) {
        throw invalidArgumentValue('options.priority', priority, 'is needed in a scope')
      }
      const key = { link, parent, priority, protocol, chain }
      await this.#made(
        () => this.#network.filters.create(options),
        () => this.#network.filters.delete(handle === undefined ? key : { ...key, handle, kind }),
      )
    },
  }

  readonly rules: Pick<Rules, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.rules.create(options),
        rule => this.#network.rules.delete({ ...options, priority: rule.priority, signal: undefined }),
      ),
  }

  readonly nexthops: Pick<Nexthops, 'create'> = {
    create: options =>
      this.#made(
        () => this.#network.nexthops.create(options),
        ({ id }) => this.#network.nexthops.delete(id),
      ),
  }

  readonly nat: Pick<Network['nat'], 'masquerade' | 'portForward'> = {
    masquerade: options =>
      this.#made(
        () => this.#network.nat.masquerade(options),
        rule => rule.delete(),
      ),
    portForward: options =>
      this.#made(
        () => this.#network.nat.portForward(options),
        rule => rule.delete(),
      ),
  }

  /** `set` brings back what was there before. */
  readonly sysctl: Pick<Network['sysctl'], 'set'> = {
    set: async (name, value) => {
      const before = await this.#network.sysctl.get(name)
      await this.#made(
        () => this.#network.sysctl.set(name, value),
        () => this.#network.sysctl.set(name, before),
      )
    },
  }

  /** Undoes it all. Idempotent. @throws what could not be undone, all the rest being so */
  async close(): Promise<void> {
    this.#open = false
    await this.#stack[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #made<T>(make: () => Promise<T>, undo: (made: T) => Promise<unknown>): Promise<T> {
    if (!this.#open) throw new NetloomError('ERR_INVALID_STATE', 'the scope is closed')
    const made = await make()
    const back = async () => {
      try {
        await undo(made)
      } catch (error) {
        const errors = error instanceof AggregateError ? error.errors : [error]
        const real = errors.filter(each => !goneCodes.has((each as { code?: string }).code ?? ''))
        if (real.length > 0) throw error
      }
    }
    // It was closed while this was being made.
    if (!this.#open) {
      await back()
      throw new NetloomError('ERR_INVALID_STATE', 'the scope is closed')
    }
    this.#stack.defer(back)
    return made
  }
}
