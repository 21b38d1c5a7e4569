import { setTimeout as sleep } from 'node:timers/promises'
import { formatIpAddress, type IpFamily, parseIpAddress } from '../../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  requireObject,
  requireOptions,
} from '../../errors/index.js'
import { abortError } from '../../lifecycle/index.js'
import { type NetlinkConnection, NLM_F, payloadOf, RequestList, type WaitOptions } from '../core/index.js'
import {
  type Address,
  type AddressOptions,
  addressChange,
  addressOptions,
  addressVerbs,
  canonicalAddress,
  changeAddressRequest,
  listAddressesRequest,
  readAddress,
} from './address.js'
import { RTM } from './constants.js'
import { deleteAll } from './delete-all.js'
import { describeDifference, ensure, firstUnlike } from './difference.js'
import { type Listing, listObjects, streamObjects } from './dump.js'
import { describeLink, type LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { settle } from './settle.js'

export interface AddressFilter {
  link?: LinkReference | undefined
  family?: IpFamily | undefined
}

const replyBytes = 4096
// Detection takes a second or two.
const detectionPollMs = 40

/** The IP addresses of one namespace. */
export class Addresses {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  async list(filter?: AddressFilter & WaitOptions): Promise<Address[]> {
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(filter?: AddressFilter & WaitOptions): AsyncGenerator<Address, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(filter: (AddressFilter & WaitOptions) | undefined): Promise<Listing<Address>> {
    const { link, family, signal } = requireOptions('filter', filter, ['link', 'family', 'signal'])
    if (family !== undefined && family !== 4 && family !== 6) {
      throw invalidArgumentValue('filter.family', family, 'must be 4 or 6')
    }
    const index = link === undefined ? undefined : await this.#links.index(link)
    return {
      request: listAddressesRequest(index, family),
      operation: 'list addresses',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWADDR ? readAddress(payload) : undefined),
      passes: address =>
        (index === undefined || address.link === index) &&
        (family === undefined || address.family === family),
    }
  }

  /** @throws NetlinkError `EEXIST`; NetloomError `ERR_ADDRESS_DUPLICATE`, with the address taken back; TypeError */
  async create(options: AddressOptions & WaitOptions): Promise<Address> {
    return this.#put('create', options)
  }

  /**
   * As {@link create}, but an address that is there already gets the new settings: of IPv4 lifetimes and metric, as the
   * kernel passes over what else it is told.
   */
  async replace(options: AddressOptions & WaitOptions): Promise<Address> {
    return this.#put('replace', options)
  }

  /**
   * As {@link create}, but an address that is there already as asked is accepted, whatever is left of its lifetimes.
   * @throws NetloomError `ERR_OBJECT_MISMATCH`
   */
  async ensure(options: AddressOptions & WaitOptions): Promise<Address> {
    const { link, signal, dad, ...rest } = requireOptions('options', options, [...addressOptions, 'signal'])
    const { validSeconds: _, preferredSeconds: _preferred, ...asked } = rest
    const there = async () => {
      const index = await this.#links.index(link)
      // Of one that is like it the kernel says that it is there, too.
      return (await this.#find(index, rest, signal)) ?? (await this.#findLike(index, rest, signal))
    }
    const unlike = (found: Address) => {
      const wanted = readAddress(payloadOf(changeAddressRequest(RTM.NEWADDR, 0, found.link, asked)))
      for (const name of ['prefixLength', 'peer'] as const)
        if (found[name] !== wanted[name]) return describeDifference(name, found[name], wanted[name])
      // The scope of an IPv6 address follows from it.
      const { address: _address, peer: _peer, scope, ...settings } = asked
      return firstUnlike(wanted.family === 4 ? { ...settings, scope } : settings, wanted, found)
    }
    const what = `the address ${rest.address} on ${describeLink(link)}`
    const found = await ensure(what, () => this.create(options), there, unlike)
    return dad === undefined || dad === 'wait' ? this.#usable(found, options, false) : found
  }

  /** @throws NetlinkError `EADDRNOTAVAIL` when it is not there */
  async delete(options: Pick<AddressOptions, 'link' | 'address' | 'peer'> & WaitOptions): Promise<void> {
    const { link, address, peer, signal } = requireOptions('options', options, [
      'link',
      'address',
      'peer',
      'signal',
    ])
    const index = await this.#links.index(link)
    const request = changeAddressRequest(RTM.DELADDR, 0, index, { address, peer })
    await settle(
      () =>
        this.#connection.request(request, {
          operation: 'delete address',
          subject: `${address} on ${describeLink(link)}`,
          signal,
        }),
      async () => (await this.#find(index, { address, peer })) === undefined,
    )
  }

  /** Deletes all of a link, or those of a family; routes that lean on them go with them. */
  async flush(filter: AddressFilter & { link: LinkReference } & WaitOptions): Promise<void> {
    const { link } = requireObject('filter', filter)
    if (link === undefined) throw invalidArgumentType('filter.link', 'a link, a name or an index', link)
    const doomed = new RequestList()
    // Secondary ones before their primary one, which would take them along or make them primary.
    for (const { address, prefixLength, peer, link } of (await this.list(filter)).reverse()) {
      const options = { link, address: `${address}/${prefixLength}`, peer }
      doomed.add(addressChange('delete', options, () => link))
    }
    await deleteAll(this.#connection, doomed, 'EADDRNOTAVAIL', filter)
  }

  async #put(verb: 'create' | 'replace', options: AddressOptions & WaitOptions): Promise<Address> {
    const {
      link,
      signal,
      dad = 'wait',
      ...rest
    } = requireOptions('options', options, [...addressOptions, 'signal'])
    if (dad !== 'wait' && dad !== 'start' && dad !== 'skip') {
      throw invalidArgumentValue('options.dad', dad, "must be 'wait', 'start' or 'skip'")
    }
    const index = await this.#links.index(link)
    let created: Address | undefined
    const { type, flags } = addressVerbs[verb]
    const request = changeAddressRequest(type, flags | NLM_F.ECHO, index, { ...rest, dad })
    await settle(
      () =>
        this.#connection.request(request, {
          operation: `${verb} address`,
          subject: `${options.address} on ${describeLink(link)}`,
          replyBytes,
          repeatable: verb === 'replace',
          signal,
          onMessage: message => {
            if (message.type === RTM.NEWADDR) created = readAddress(message.payload)
          },
        }),
      async () => {
        created = await this.#find(index, rest)
        return created !== undefined
      },
    )
    // Not every kernel echoes an address of either family.
    created ??= await this.#find(index, rest)
    if (!created) throw new NetloomError('ERR_INVALID_STATE', `${options.address} was taken away meanwhile`)
    return dad === 'wait' ? this.#usable(created, options, verb === 'create') : created
  }

  /** One with the same address, whatever its network. */
  async #findLike(
    index: number,
    options: Pick<AddressOptions, 'address'>,
    signal: AbortSignal | undefined,
  ): Promise<Address | undefined> {
    const { family, address } = canonicalAddress(options.address)
    return (await this.list({ link: index, family, signal })).find(found => found.address === address)
  }

  async #find(
    index: number,
    options: Pick<AddressOptions, 'address' | 'peer'>,
    signal?: AbortSignal,
  ): Promise<Address | undefined> {
    const { family, address, prefixLength } = canonicalAddress(options.address)
    const peer = options.peer === undefined ? undefined : formatIpAddress(parseIpAddress(options.peer).bytes)
    const all = await this.list({ link: index, family, signal })
    return all.find(
      found => found.address === address && found.prefixLength === prefixLength && found.peer === peer,
    )
  }

  /** Waits for the end of duplicate address detection. It runs only while there is a carrier. */
  async #usable(address: Address, options: AddressOptions & WaitOptions, isNew: boolean): Promise<Address> {
    const { signal } = options
    let current = address
    try {
      while (current.family === 6 && (current.tentative || current.duplicate)) {
        if (current.duplicate) {
          throw new NetloomError(
            'ERR_ADDRESS_DUPLICATE',
            `another host on the link of ${describeLink(options.link)} has ${address.address}`,
          )
        }
        const link = await this.#links.get(address.link)
        if (!link.up || !link.carrier) return current
        await sleep(detectionPollMs, undefined, { signal })
        const next = await this.#find(address.link, options)
        if (!next) {
          throw new NetloomError('ERR_INVALID_STATE', `${address.address} was taken away meanwhile`)
        }
        current = next
      }
      return current
    } catch (error) {
      const { link, peer } = options
      // One that was there before is somebody's.
      if (isNew) await this.delete({ link, address: options.address, peer }).catch(() => {})
      throw signal?.aborted ? abortError(signal) : error
    }
  }
}
