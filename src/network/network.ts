import { construct, NetloomError, requireOptions, requireOwnCall } from '../errors/index.js'
import type { WaitOptions } from '../netlink/core/index.js'
import { type Ethtool, GenericConnection, type Wireguard } from '../netlink/generic/index.js'
import { Nat } from '../netlink/netfilter/index.js'
import {
  type Addresses,
  type Batch,
  type BridgeVlans,
  type Fdb,
  type Filters,
  type Mdb,
  type NamespaceIds,
  type Neighbors,
  type Nexthops,
  type Objects,
  type Qdiscs,
  RouteConnection,
  type Routes,
  type Rules,
  type TrafficClasses,
  type Watch,
  type WatchOptions,
  type WatchSelection,
} from '../netlink/route/index.js'
import { Namespace, type NamespaceReference, namespaceDescriptor, type Sysctl } from '../netns/index.js'
import { NetworkLinks } from './network-links.js'
import { Scope } from './scope.js'

export interface NetworkCreateOptions {
  /** A name that `ip netns` sees too. Without one the network goes with its last handle and process. */
  name?: string | undefined
  /**
   * In a new user namespace where we are root, which needs no rights outside; or in the same user namespace as
   * another network, which links can be moved between. Default false: the process's own.
   */
  userNamespace?: boolean | NamespaceReference | undefined
}

/**
 * A network namespace and what is in it. `close()` lets go of it, `delete()` also takes its name away.
 *
 *     await using network = await Network.create()
 *     await network.links.create({ kind: 'bridge', name: 'br0', up: true, addresses: ['192.168.7.1/24'] })
 */
export class Network implements AsyncDisposable {
  readonly namespace: Namespace
  readonly links: NetworkLinks
  readonly addresses: Addresses
  readonly routes: Routes
  readonly neighbors: Neighbors
  readonly nat: Nat
  readonly sysctl: Sysctl
  readonly qdiscs: Qdiscs
  readonly classes: TrafficClasses
  readonly filters: Filters
  readonly fdb: Fdb
  /** Multicast databases of bridges. */
  readonly mdb: Mdb
  readonly rules: Rules
  readonly nexthops: Nexthops
  readonly namespaceIds: NamespaceIds
  readonly bridgeVlans: BridgeVlans
  readonly #route: RouteConnection
  #generic: GenericConnection | undefined
  #open = true

  private constructor(key: typeof construct, namespace: Namespace, route: RouteConnection) {
    requireOwnCall(key)
    this.namespace = namespace
    this.#route = route
    this.links = new NetworkLinks(route, namespace)
    this.addresses = route.addresses
    this.routes = route.routes
    this.neighbors = route.neighbors
    this.nat = new Nat(() => namespace)
    this.sysctl = namespace.sysctl
    this.qdiscs = route.qdiscs
    this.classes = route.classes
    this.filters = route.filters
    this.bridgeVlans = route.bridgeVlans
    this.namespaceIds = route.namespaceIds
    this.nexthops = route.nexthops
    this.rules = route.rules
    this.mdb = route.mdb
    this.fdb = route.fdb
  }

  /** A new network; its `lo` is up. @throws NetloomError `ERR_NAMESPACE_EXISTS`; SystemError */
  static async create(options?: NetworkCreateOptions): Promise<Network> {
    requireOptions('options', options, ['name', 'userNamespace'])
    const namespace = await Namespace.create(options)
    let route: RouteConnection | undefined
    try {
      route = RouteConnection.open(namespace)
      await route.links.change('lo', { up: true })
      return new Network(construct, namespace, route)
    } catch (error) {
      route?.close()
      await namespace.delete()
      throw error
    }
  }

  /** What exists already: by name, process id, or handle. Default: the network that the process is in. */
  static async open(which?: NamespaceReference): Promise<Network> {
    const namespace = await openNamespace(which)
    try {
      return new Network(construct, namespace, RouteConnection.open(namespace))
    } catch (error) {
      await namespace.close()
      throw error
    }
  }

  /**
   * What is there of the kinds that are selected, then what happens to them, in order. It keeps the process alive until
   * it is closed or aborted.
   *
   *     for await (const event of network.watch({ links: true, routes: { table: 'all' } }, { signal })) console.log(event)
   *
   * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_INVALID_STATE`; TypeError
   */
  watch<S extends WatchSelection>(selection: S, options?: WatchOptions): Watch<keyof S & keyof Objects> {
    return this.#route.watch(selection, options)
  }

  /** Generic netlink, for families that Netloom has no words for. Its socket is opened when it is first used. */
  get generic(): GenericConnection {
    if (!this.#open) throw new NetloomError('ERR_INVALID_STATE', 'the network is closed')
    this.#generic ??= GenericConnection.open(this.namespace)
    return this.#generic
  }

  /** Features, queues and statistics of devices. */
  get ethtool(): Ethtool {
    return this.generic.ethtool
  }

  /** Keys and peers of links of kind `wireguard`. */
  get wireguard(): Wireguard {
    return this.generic.wireguard
  }

  /**
   * Many changes of routes, addresses, neighbors, forwarding databases and rules in few calls, in the order in which `build` adds them: a hundred thousand take
   * a second. Nothing is sent if `build` throws. Gives what became of each: its error, or `undefined`; one that fails
   * leaves the others as they are.
   *
   *     const results = await network.batch(batch => {
   *       for (const destination of prefixes) batch.routes.replace({ destination, gateway: '10.0.0.1' })
   *     })
   */
  batch(build: (batch: Batch) => void, options?: WaitOptions): Promise<(Error | undefined)[]> {
    return this.#route.batch(build, options)
  }

  /** What is made through it is undone, in reverse, when it is closed or left. */
  scope(): Scope {
    if (!this.#open) throw new NetloomError('ERR_INVALID_STATE', 'the network is closed')
    return new Scope(this)
  }

  /** Lets go of the network. Idempotent. */
  async close(): Promise<void> {
    this.#closeConnections()
    await this.namespace.close()
  }

  /** Closes it and takes its name away, if it has one. Programs inside, and other handles, keep it alive. */
  async delete(): Promise<void> {
    this.#closeConnections()
    await this.namespace.delete()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #closeConnections(): void {
    this.nat.close()
    this.#open = false
    this.#route.close()
    this.#generic?.close()
  }
}

async function openNamespace(which: NamespaceReference | undefined): Promise<Namespace> {
  if (which === undefined) return Namespace.open('current')
  if (typeof which === 'string') return Namespace.open({ name: which })
  if (typeof which === 'number') return Namespace.open({ pid: which })
  using namespace = namespaceDescriptor(which)
  return await Namespace.open({ fd: namespace.fd })
}
