import { invalidArgumentType, invalidArgumentValue, requireObject, requireOptions } from '../errors/index.js'
import { throwIfAborted } from '../lifecycle/index.js'
import type { WaitOptions } from '../netlink/core/index.js'
import {
  type AddressOptions,
  checkAddress,
  type Link,
  type LinkChange,
  type LinkCreate,
  type LinkFilter,
  type LinkReference,
  type LinkStatistics,
  netloomAlias,
  type RouteConnection,
  type Watch,
  type WatchOptions,
} from '../netlink/route/index.js'
import type { NamespaceReference } from '../netns/index.js'
import { type BridgeJoin, joinBridge } from './bridge-join.js'
import {
  checkTuntapLink,
  checkTuntapMatch,
  createTuntapLink,
  isTuntapKind,
  type TuntapLinkSettings,
} from './tuntap-link.js'

/** An address of a link that is being made: `10.0.0.1/24`, or with settings. */
export type LinkAddress = string | Omit<AddressOptions, 'link'>

export type NetworkLinkCreate = Omit<LinkCreate, 'tun'> &
  WaitOptions & {
    /** Of a TAP or TUN device, which stays there without a port for others to attach to. */
    tun?: TuntapLinkSettings | undefined
    /** Resolves when they can be used; see `dad`. */
    addresses?: readonly LinkAddress[] | undefined
  }

/** The links of a network. */
export class NetworkLinks {
  readonly #route: RouteConnection
  readonly #namespace: NamespaceReference

  constructor(route: RouteConnection, namespace: NamespaceReference) {
    this.#route = route
    this.#namespace = namespace
  }

  list(filter?: LinkFilter & WaitOptions): Promise<Link[]> {
    return this.#route.links.list(filter)
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  stream(filter?: LinkFilter & WaitOptions): AsyncGenerator<Link, void, undefined> {
    return this.#route.links.stream(filter)
  }

  /** @throws NetloomError `ERR_LINK_NOT_FOUND` */
  get(link: LinkReference, options?: WaitOptions): Promise<Link> {
    return this.#route.links.get(link, options)
  }

  /** `undefined` for a link that is not there. */
  find(link: LinkReference, options?: WaitOptions): Promise<Link | undefined> {
    return this.#route.links.find(link, options)
  }

  /**
   * Makes a link with its addresses; down unless `up: true`. Nothing is left of one that could not be made as asked.
   * Its alias is `netloom` unless another is given: `netloom clean` finds by it what a crash left.
   * @throws NetlinkError; NetloomError `ERR_ADDRESS_DUPLICATE`; TypeError, RangeError before anything is done
   */
  async create(options: NetworkLinkCreate): Promise<Link> {
    const { addresses, signal, ...given } = requireObject('options', options)
    throwIfAborted(signal)
    const rest = { ...given, alias: given.alias ?? netloomAlias }
    const list = checkAddresses(addresses, rest.in)
    const link = isTuntapKind(rest.kind)
      ? await this.#createTuntap({ ...rest, kind: rest.kind })
      : await this.#route.links.create(rest as LinkCreate)
    if (list.length === 0) return link
    try {
      // Their duplicate address detections run side by side.
      const results = await Promise.allSettled(
        list.map(address => this.#route.addresses.create({ ...address, link: link.index, signal })),
      )
      for (const result of results) if (result.status === 'rejected') throw result.reason
      return await this.#route.links.get(link)
    } catch (error) {
      await this.#route.links.delete(link).catch(() => {})
      throw error
    }
  }

  async #createTuntap(options: Omit<NetworkLinkCreate, 'kind'> & { kind: 'tap' | 'tun' }): Promise<Link> {
    checkTuntapLink(options)
    const { kind, name: wanted, tun, ...change } = options
    this.#route.links.checkChange(change)
    const name = await createTuntapLink(this.#namespace, { kind, name: wanted, tun })
    try {
      return await this.#route.links.change(name, change)
    } catch (error) {
      await this.#route.links.delete(name).catch(() => {})
      throw error
    }
  }

  /**
   * As {@link create}, but a link of that name is accepted if it is of that kind and as asked.
   * @throws NetloomError `ERR_LINK_MISMATCH`
   */
  async ensure(options: NetworkLinkCreate): Promise<Link> {
    const { addresses, signal, ...rest } = requireObject('options', options)
    throwIfAborted(signal)
    const list = checkAddresses(addresses, rest.in)
    const { kind, tun, ...others } = rest
    const tuntap = isTuntapKind(kind)
    const found = await this.#route.links.findMatching(
      (tuntap ? { ...others, kind: 'tun' } : rest) as LinkCreate,
    )
    if (found && tuntap) checkTuntapMatch(found, kind, tun)
    if (!found) return this.create(options)
    await Promise.all(
      list.map(address => this.#route.addresses.ensure({ ...address, link: found.index, signal })),
    )
    return found
  }

  /** @throws NetloomError `ERR_LINK_NOT_FOUND`; NetlinkError */
  change(link: LinkReference, options: LinkChange & WaitOptions): Promise<Link> {
    return this.#route.links.change(link, options)
  }

  /**
   * Moves a link to another network, under another name if need be. Its addresses, routes and master are lost, and
   * it goes down.
   */
  move(
    link: LinkReference,
    to: NamespaceReference,
    options?: { name?: string | undefined } & WaitOptions,
  ): Promise<void> {
    return this.#route.links.move(link, to, options)
  }

  /** @throws NetloomError `ERR_LINK_NOT_FOUND` */
  delete(link: LinkReference, options?: WaitOptions): Promise<void> {
    return this.#route.links.delete(link, options)
  }

  /** Counters, at once. @throws NetloomError `ERR_LINK_NOT_FOUND` */
  statistics(link: LinkReference): LinkStatistics {
    return this.#route.statistics(link)
  }

  /**
   * Makes an existing link the port of a bridge, and moves its addresses, routes and MAC address to the bridge, so that
   * the host stays reachable. If a step fails, or the signal aborts, everything is as it was before; `undo()` makes it so later.
   * @throws NetloomError `ERR_INVALID_STATE` for what cannot be moved, before anything is done; `ERR_LINK_NOT_FOUND`;
   * NetlinkError
   */
  joinBridge(link: LinkReference, bridge: LinkReference, options?: WaitOptions): Promise<BridgeJoin> {
    return joinBridge(this.#route, { link, bridge, signal: options?.signal })
  }

  /** What is there, then what happens to it. */
  watch(options: WatchOptions & { link?: LinkReference | undefined } = {}): Watch<'links'> {
    const { link, ...rest } = requireOptions('options', options, ['link', 'signal', 'limit'])
    return this.#route.watch({ links: { link } }, rest)
  }
}

function checkAddresses(
  addresses: readonly LinkAddress[] | undefined,
  elsewhere: NamespaceReference | undefined,
): Omit<AddressOptions, 'link'>[] {
  if (addresses === undefined) return []
  if (!Array.isArray(addresses)) throw invalidArgumentType('options.addresses', 'an array', addresses)
  if (elsewhere !== undefined && addresses.length > 0) {
    throw invalidArgumentValue('options.addresses', addresses, 'are for the network of `in` to create')
  }
  return addresses.map((entry: LinkAddress) => {
    const address = typeof entry === 'string' ? { address: entry } : entry
    checkAddress(address)
    return address
  })
}
