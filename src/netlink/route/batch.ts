import { NetloomError, requireOptions } from '../../errors/index.js'
import { type NetlinkConnection, RequestList, type WaitOptions } from '../core/index.js'
import { type AddressOptions, addressChange } from './address.js'
import type { Change, LinkIndex } from './change.js'
import {
  type FdbDestination,
  type FdbKey,
  type FdbOptions,
  type FdbVerb,
  fdbChange,
  fdbOptionNames,
  fdbPlace,
} from './fdb-entry.js'
import type { Link } from './link.js'
import type { LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { type NeighborKey, type NeighborOptions, type NeighborVerb, neighborChange } from './neighbors.js'
import { type RouteOptions, type RouteVerb, routeChange } from './route-request.js'
import { type RuleOptions, ruleOptionNames } from './rule.js'
import { ruleChange } from './rules.js'

/** Which address. */
export type AddressKey = Pick<AddressOptions, 'link' | 'address' | 'peer'>

/**
 * Changes that are collected and then sent in few calls, in their order. Options are checked, and links that are given
 * by name are looked up, when a change is added. The kernel takes each by itself: one that fails leaves the others as they are.
 */
export class Batch {
  readonly #changes = new RequestList()
  #sent = false
  readonly #index: LinkIndex

  /** Of routes. @throws TypeError, RangeError; NetloomError `ERR_LINK_NOT_FOUND` */
  readonly routes: { readonly [V in RouteVerb]: (options: RouteOptions) => void }
  /**
   * Of addresses. Nothing waits for duplicate address detection.
   * @throws TypeError, RangeError; NetloomError `ERR_LINK_NOT_FOUND`
   */
  readonly addresses: {
    create(options: Omit<AddressOptions, 'dad'> & { dad?: 'start' | 'skip' | undefined }): void
    replace(options: Omit<AddressOptions, 'dad'> & { dad?: 'start' | 'skip' | undefined }): void
    delete(options: AddressKey): void
  }

  /** Of neighbors. @throws TypeError, RangeError; NetloomError `ERR_LINK_NOT_FOUND` */
  readonly neighbors: {
    create(options: NeighborOptions): void
    replace(options: NeighborOptions): void
    delete(options: NeighborKey): void
  }
  /** Of forwarding databases. @throws TypeError, RangeError; NetloomError `ERR_LINK_NOT_FOUND` */
  readonly fdb: {
    create(options: FdbOptions): void
    replace(options: FdbOptions): void
    append(options: FdbOptions): void
    delete(options: FdbKey & FdbDestination): void
  }
  /** Of rules. @throws TypeError, RangeError; NetloomError `ERR_LINK_NOT_FOUND` */
  readonly rules: {
    create(options: RuleOptions): void
    delete(options: RuleOptions): void
  }

  /** @internal */
  constructor(links: Links) {
    const known = new Map<LinkReference, Link>()
    const find = (link: LinkReference) => {
      const found = known.get(link) ?? links.getSync(link)
      known.set(link, found)
      return found
    }
    this.#index = link => (typeof link === 'string' ? find(link).index : links.indexSync(link))
    const route = (verb: RouteVerb) => (options: RouteOptions) =>
      this.#add(routeChange(verb, options, this.#index))
    this.routes = {
      create: route('create'),
      append: route('append'),
      prepend: route('prepend'),
      change: route('change'),
      replace: route('replace'),
      delete: route('delete'),
    }
    this.addresses = {
      create: options => this.#add(addressChange('create', options, this.#index)),
      replace: options => this.#add(addressChange('replace', options, this.#index)),
      delete: options => this.#add(addressChange('delete', options, this.#index)),
    }
    const neighbor = (verb: NeighborVerb) => (options: NeighborOptions) =>
      this.#add(neighborChange(verb, options, this.#index))
    this.neighbors = {
      create: neighbor('create'),
      replace: neighbor('replace'),
      delete: neighbor('delete'),
    }
    const fdb = (verb: FdbVerb) => (options: FdbOptions) => {
      const { via, ...entry } = requireOptions('options', options, fdbOptionNames)
      const place = fdbPlace(find(entry.link), entry)
      this.#add(fdbChange(verb, { ...entry, via: via === undefined ? undefined : this.#index(via) }, place))
    }
    this.fdb = {
      create: fdb('create'),
      replace: fdb('replace'),
      append: fdb('append'),
      delete: fdb('delete'),
    }
    const nameOf = (link: LinkReference | undefined) =>
      link === undefined || typeof link === 'string' ? link : find(link).name
    const rule = (verb: 'create' | 'delete') => (options: RuleOptions) => {
      const { inputLink, outputLink, ...rest } = requireOptions('options', options, ruleOptionNames)
      const resolved = { ...rest, inputLink: nameOf(inputLink), outputLink: nameOf(outputLink) }
      this.#add(ruleChange(verb, options, resolved))
    }
    this.rules = { create: rule('create'), delete: rule('delete') }
  }

  /** How many changes there are. */
  get length(): number {
    return this.#changes.length
  }

  /** @internal */
  async send(
    connection: NetlinkConnection,
    options: WaitOptions | undefined,
  ): Promise<(Error | undefined)[]> {
    this.#sent = true
    return (await connection.requestAll(this.#changes, options)) as (Error | undefined)[]
  }

  #add(change: Change): void {
    if (this.#sent) throw new NetloomError('ERR_INVALID_STATE', 'the batch has been sent')
    this.#changes.add(change)
  }
}
