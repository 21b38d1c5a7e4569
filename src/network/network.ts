import { requireOptions } from '../errors/index.js'
import {
  type Addresses,
  type BridgeVlans,
  type Fdb,
  type NamespaceIds,
  type Neighbors,
  type Nexthops,
  RouteConnection,
  type Routes,
  type Rules,
} from '../netlink/route/index.js'
import { Namespace, type NamespaceReference, namespaceDescriptor } from '../netns/index.js'
import { NetworkLinks } from './network-links.js'

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
  readonly fdb: Fdb
  readonly rules: Rules
  readonly nexthops: Nexthops
  readonly namespaceIds: NamespaceIds
  readonly bridgeVlans: BridgeVlans
  readonly #route: RouteConnection

  private constructor(namespace: Namespace, route: RouteConnection) {
    this.namespace = namespace
    this.#route = route
    this.links = new NetworkLinks(route)
    this.addresses = route.addresses
    this.routes = route.routes
    this.neighbors = route.neighbors
    this.bridgeVlans = route.bridgeVlans
    this.namespaceIds = route.namespaceIds
    this.nexthops = route.nexthops
    this.rules = route.rules
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
      return new Network(namespace, route)
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
      return new Network(namespace, RouteConnection.open(namespace))
    } catch (error) {
      await namespace.close()
      throw error
    }
  }

  /** Lets go of the network. Idempotent. */
  async close(): Promise<void> {
    this.#route.close()
    await this.namespace.close()
  }

  /** Closes it and takes its name away, if it has one. Programs inside, and other handles, keep it alive. */
  async delete(): Promise<void> {
    this.#route.close()
    await this.namespace.delete()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

async function openNamespace(which: NamespaceReference | undefined): Promise<Namespace> {
  if (which === undefined) return Namespace.open('current')
  if (typeof which === 'string') return Namespace.open({ name: which })
  if (typeof which === 'number') return Namespace.open({ pid: which })
  using namespace = namespaceDescriptor(which)
  return await Namespace.open({ fd: namespace.fd })
}
