import { formatMacAddress, parseMacAddress } from '../../address/index.js'
import { invalidArgumentValue, NetloomError, requireOptions } from '../../errors/index.js'
import { type NetlinkConnection, NetlinkError, payloadOf, type WaitOptions } from '../core/index.js'
import { NTF, RTM } from './constants.js'
import { ensure, firstUnlike } from './difference.js'
import { type Listing, listObjects, streamObjects } from './dump.js'
import {
  describeFdb,
  type FdbDestination,
  type FdbEntry,
  type FdbKey,
  type FdbOptions,
  type FdbPlace,
  type FdbVerb,
  fdbChange,
  fdbDestinationNames,
  fdbKeyNames,
  fdbOptionNames,
  fdbPlace,
  flushFdbRequest,
  getFdbRequest,
  listFdbRequest,
  readFdbEntry,
  requireVlan,
} from './fdb-entry.js'
import { describeLink, type LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { settle } from './settle.js'

export interface FdbFilter {
  /** Only what is behind this port, or in this device's table. */
  link?: LinkReference | undefined
  /** Only what is in this bridge's table. */
  bridge?: LinkReference | undefined
  vlan?: number | undefined
  macAddress?: string | undefined
}

export interface FdbFlush {
  /** The port, the bridge, or the device with a table of its own. */
  link: LinkReference
  vlan?: number | undefined
  /** In a bridge. Default: both. */
  state?: 'dynamic' | 'static' | undefined
}

const replyBytes = 4096

/** The forwarding databases of one namespace: of its bridges, and of devices with a table of their own (VXLAN). */
export class Fdb {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  async list(filter?: FdbFilter & WaitOptions): Promise<FdbEntry[]> {
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(filter?: FdbFilter & WaitOptions): AsyncGenerator<FdbEntry, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(filter: (FdbFilter & WaitOptions) | undefined): Promise<Listing<FdbEntry>> {
    const names = ['link', 'bridge', 'vlan', 'macAddress', 'signal'] as const
    const { link, bridge, vlan, macAddress, signal } = requireOptions('filter', filter, names)
    if (vlan !== undefined) requireVlan(vlan)
    const wanted = macAddress === undefined ? undefined : formatMacAddress(parseMacAddress(macAddress))
    const index = link === undefined ? undefined : await this.#links.index(link)
    const bridgeIndex = bridge === undefined ? undefined : await this.#links.index(bridge)
    return {
      request: listFdbRequest({ link: index, bridge: bridgeIndex }),
      operation: 'list fdb',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWNEIGH ? readFdbEntry(payload) : undefined),
      none: ['ENODEV'],
      // The kernel gives more than was asked for: a bridge's dump has its ports' own addresses in it.
      passes: entry =>
        (index === undefined || entry.link === index) &&
        (bridgeIndex === undefined || (entry.owner === 'bridge' && entry.bridge === bridgeIndex)) &&
        (vlan === undefined || entry.vlan === vlan) &&
        (wanted === undefined || entry.macAddress === wanted),
    }
  }

  /** @throws NetlinkError `ENOENT` when it is not there */
  async get(options: FdbKey & WaitOptions): Promise<FdbEntry> {
    const { signal, ...key } = requireOptions('options', options, [...fdbKeyNames, 'signal'])
    const { index, flags, isBridge } = await this.#place(key)
    let entry: FdbEntry | undefined
    await this.#connection.request(getFdbRequest(index, isBridge, flags, key), {
      operation: 'get fdb entry',
      subject: describeFdb(key),
      replyBytes,
      repeatable: true,
      signal,
      onMessage: message => {
        if (message.type === RTM.NEWNEIGH) entry ??= readFdbEntry(message.payload)
      },
    })
    if (!entry) throw new NetloomError('ERR_NETLINK_PROTOCOL', `get fdb entry ${describeFdb(key)}: no answer`)
    return entry
  }

  /** @throws NetlinkError `EEXIST`; TypeError, RangeError */
  async create(options: FdbOptions & WaitOptions): Promise<void> {
    await this.#change('create', options)
  }

  /** As {@link create}, but takes the place of what is there. */
  async replace(options: FdbOptions & WaitOptions): Promise<void> {
    await this.#change('replace', options)
  }

  /**
   * As {@link create}, but accepts an entry that is there as asked. One that was learned gives way.
   * @throws NetloomError `ERR_OBJECT_MISMATCH`
   */
  async ensure(options: FdbOptions & WaitOptions): Promise<void> {
    const { signal, ...entry } = requireOptions('options', options, [...fdbOptionNames, 'signal'])
    const place = await this.#place(entry)
    const via = entry.via === undefined ? undefined : await this.#links.index(entry.via)
    const { link: _, owner: _owner, macAddress, vlan, ...asked } = entry
    const wanted = readFdbEntry(payloadOf(fdbChange('create', { ...entry, via }, place).request))!
    const unlike = (found: FdbEntry) => firstUnlike({ state: wanted.state, ...asked }, wanted, found)
    const find = async () => {
      const all = await this.list({ link: place.index, macAddress, vlan, signal })
      // An entry for frames to many has one line for each destination.
      return all.find(found => unlike(found) === undefined) ?? all[0]
    }
    await ensure(
      `the entry ${describeFdb(entry)}`,
      () => this.create(options),
      async () => {
        const found = await find()
        if (found?.state !== 'dynamic' || found.externallyLearned || wanted.state === 'dynamic') return found
        await this.replace(options)
        return find()
      },
      unlike,
    )
  }

  /** VXLAN: one more destination for frames to many (`00:00:00:00:00:00`, or a group's address). */
  async append(options: FdbOptions & WaitOptions): Promise<void> {
    await this.#change('append', options)
  }

  /** With a destination: only this one of several. @throws NetlinkError `ENOENT` when it is not there */
  async delete(options: FdbKey & FdbDestination & WaitOptions): Promise<void> {
    requireOptions('options', options, [...fdbKeyNames, ...fdbDestinationNames, 'signal'])
    await this.#change('delete', options)
  }

  /**
   * Takes away what is behind a port, or in a bridge's or device's whole table. What belongs to the bridge and ports
   * themselves (`permanent`) stays; a VXLAN's default destination does not. In one step where the kernel can (bridges
   * since 5.19, VXLAN since 6.7), otherwise entry by entry.
   */
  async flush(options: FdbFlush & WaitOptions): Promise<void> {
    const names = ['link', 'vlan', 'state', 'signal'] as const
    const { link, vlan, state, signal } = requireOptions('options', options, names)
    if (state !== undefined && state !== 'dynamic' && state !== 'static') {
      throw invalidArgumentValue('options.state', state, "must be 'dynamic' or 'static'")
    }
    const { index, flags, isBridge } = await this.#place({ link })
    const inBridge = isBridge || flags === NTF.MASTER
    if (!inBridge && state !== undefined) {
      throw invalidArgumentValue('options.state', state, 'is for bridges and their ports')
    }
    const port = flags === NTF.MASTER ? index : undefined
    try {
      await this.#connection.request(
        flushFdbRequest({ link: index, port, flags, device: !inBridge }, { vlan, state }),
        {
          operation: 'flush fdb',
          subject: describeLink(link),
          signal,
        },
      )
      return
    } catch (error) {
      // EINVAL: a kernel that misses the address.
      if (!(error instanceof NetlinkError) || !['ENOTSUP', 'EINVAL'].includes(error.code)) throw error
    }
    const entries = await this.list({ ...(isBridge ? { bridge: index } : { link: index }), vlan, signal })
    const doomed = entries.filter(entry =>
      inBridge
        ? entry.owner === 'bridge' &&
          entry.state !== 'permanent' &&
          (state === undefined || (entry.state === 'static') === (state === 'static'))
        : entry.owner === 'device',
    )
    await Promise.all(doomed.map(entry => this.#deleteIfThere(entry, signal)))
  }

  async #deleteIfThere(entry: FdbEntry, signal: AbortSignal | undefined): Promise<void> {
    const { link, macAddress, vlan, owner, sourceVni, destination, port, vni, via, nextHopId } = entry
    try {
      await this.delete({
        link,
        macAddress,
        vlan,
        owner,
        sourceVni,
        destination,
        port,
        vni,
        via,
        nextHopId,
        signal,
      })
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.code !== 'ENOENT') throw error
    }
  }

  async #change(verb: FdbVerb, options: FdbOptions & WaitOptions): Promise<void> {
    const { signal, ...entry } = requireOptions('options', options, [...fdbOptionNames, 'signal'])
    const place = await this.#place(entry)
    const via = entry.via === undefined ? undefined : await this.#links.index(entry.via)
    const { request, ...context } = fdbChange(verb, { ...entry, via }, place)
    await settle(
      () => this.#connection.request(request, { ...context, repeatable: verb === 'replace', signal }),
      async () => {
        const { macAddress, vlan, destination } = entry
        const found = await this.list({ link: place.index, macAddress, vlan, signal })
        const there = found.some(each => destination === undefined || each.destination === destination)
        return there === (verb !== 'delete')
      },
    )
  }

  /** A port's entries are its bridge's; a bridge and any other device are asked for their own. */
  async #place(options: Pick<FdbOptions, 'link' | 'owner' | 'destination' | 'nextHopId'>): Promise<FdbPlace> {
    return fdbPlace(await this.#links.get(options.link), options)
  }
}
