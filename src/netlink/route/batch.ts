import type { NetlinkConnection, WaitOptions } from '../core/index.js'
import { type AddressOptions, addressChange } from './address.js'
import type { Change, LinkIndex } from './change.js'
import type { LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { type RouteOptions, type RouteVerb, routeChange } from './route-request.js'

/** Which address. */
export type AddressKey = Pick<AddressOptions, 'link' | 'address' | 'peer'>

/**
 * Changes that are collected and then sent in few calls, in their order. Options are checked, and links that are given
 * by name are looked up, when a change is added. The kernel takes each by itself: one that fails leaves the others as they are.
 */
export class Batch {
  readonly #changes: Change[] = []
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

  /** @internal */
  constructor(links: Links) {
    const names = new Map<string, number>()
    this.#index = (link: LinkReference) => {
      if (typeof link !== 'string') return links.indexSync(link)
      const known = names.get(link)
      if (known !== undefined) return known
      const index = links.indexSync(link)
      names.set(link, index)
      return index
    }
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
    return (await connection.requestAll(this.#changes, options)) as (Error | undefined)[]
  }

  #add(change: Change): void {
    this.#changes.push(change)
  }
}
