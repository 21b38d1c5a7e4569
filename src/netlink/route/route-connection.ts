import {
  construct,
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  requireOwnCall,
} from '../../errors/index.js'
import { throwIfAborted } from '../../lifecycle/index.js'
import { keepNamespace, type NamespaceDescriptor, type NamespaceReference } from '../../netns/index.js'
import { NETLINK, NetlinkConnection, type WaitOptions } from '../core/index.js'
import { Addresses } from './addresses.js'
import { Batch } from './batch.js'
import { BridgeVlans } from './bridge-vlans.js'
import { TrafficClasses } from './classes.js'
import { Fdb } from './fdb.js'
import { Filters } from './filters.js'
import type { LinkStatistics } from './link.js'
import type { LinkReference } from './link-reference.js'
import { Links } from './links.js'
import { Mdb } from './mdb.js'
import { NamespaceIds } from './namespace-ids.js'
import { Neighbors } from './neighbors.js'
import { Nexthops } from './nexthops.js'
import { Qdiscs } from './qdiscs.js'
import { Routes } from './routes.js'
import { Rules } from './rules.js'
import { Watch, type WatchOptions } from './watch.js'
import { type Objects, type WatchedObjects, type WatchSelection, watchedObjects } from './watched-objects.js'

/** Route netlink in one namespace: links, addresses, routes, neighbors, traffic control, and what happens to links. */
export class RouteConnection implements AsyncDisposable {
  readonly links: Links
  readonly addresses: Addresses
  readonly routes: Routes
  readonly neighbors: Neighbors
  readonly qdiscs: Qdiscs
  readonly classes: TrafficClasses
  readonly filters: Filters
  readonly fdb: Fdb
  readonly mdb: Mdb
  readonly rules: Rules
  readonly nexthops: Nexthops
  readonly namespaceIds: NamespaceIds
  readonly bridgeVlans: BridgeVlans
  readonly #connection: NetlinkConnection
  /** Kept, so that a later watch is of the same namespace. */
  readonly #namespace: NamespaceDescriptor | undefined
  readonly #watches = new Set<{ close(): void }>()
  #open = true

  private constructor(key: typeof construct, namespace: NamespaceDescriptor | undefined) {
    requireOwnCall(key)
    this.#namespace = namespace
    this.#connection = new NetlinkConnection({ in: this.#reference(), protocol: NETLINK.ROUTE })
    this.links = new Links(this.#connection)
    this.addresses = new Addresses(this.#connection, this.links)
    this.routes = new Routes(this.#connection, this.links)
    this.neighbors = new Neighbors(this.#connection, this.links)
    this.qdiscs = new Qdiscs(this.#connection, this.links)
    this.classes = new TrafficClasses(this.#connection, this.links)
    this.filters = new Filters(this.#connection, this.links)
    this.bridgeVlans = new BridgeVlans(this.#connection, this.links)
    this.namespaceIds = new NamespaceIds(this.#connection)
    this.nexthops = new Nexthops(this.#connection, this.links)
    this.rules = new Rules(this.#connection, this.links)
    this.mdb = new Mdb(this.#connection, this.links)
    this.fdb = new Fdb(this.#connection, this.links)
  }

  /** Synchronous. Default: the network that the process is in. */
  static open(where?: NamespaceReference): RouteConnection {
    const namespace = where === undefined ? undefined : keepNamespace(where)
    try {
      return new RouteConnection(construct, namespace)
    } catch (error) {
      namespace?.release()
      throw error
    }
  }

  /**
   * What is there of the kinds that are selected, then what happens to them.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_INVALID_STATE`; TypeError
   */
  watch<S extends WatchSelection>(selection: S, options: WatchOptions = {}): Watch<keyof S & keyof Objects> {
    if (!this.#open) throw new NetloomError('ERR_INVALID_STATE', 'the netlink connection is closed')
    const objects = watchedObjects(selection, this) as WatchedObjects
    const watch = new Watch<keyof S & keyof Objects>(this.#reference(), objects, options)
    this.#watches.add(watch)
    watch.onEnd(() => this.#watches.delete(watch))
    return watch
  }

  /**
   * Many changes in few calls, in the order in which `build` adds them; nothing is sent if it throws. Gives what became
   * of each: its error, or `undefined`.
   */
  async batch(build: (batch: Batch) => void, options?: WaitOptions): Promise<(Error | undefined)[]> {
    throwIfAborted(options?.signal)
    if (typeof build !== 'function') throw invalidArgumentType('build', 'a function', build)
    const batch = new Batch(this.links)
    const result: unknown = build(batch)
    // What it would add after this would be lost.
    if (result instanceof Promise) throw invalidArgumentValue('build', build, 'must not be asynchronous')
    return batch.send(this.#connection, options)
  }

  /** A link's counters, at once. @throws NetloomError `ERR_LINK_NOT_FOUND` */
  statistics(link: LinkReference): LinkStatistics {
    return this.links.statisticsSync(link)
  }

  /** Ends at once: requests under way reject, watches end. Idempotent. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#connection.close()
    for (const watch of [...this.#watches]) watch.close()
    this.#namespace?.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #reference(): NamespaceReference | undefined {
    return this.#namespace && { fd: this.#namespace.fd, id: '' }
  }
}
