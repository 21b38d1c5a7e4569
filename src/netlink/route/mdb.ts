import { NetloomError, requireOptions } from '../../errors/index.js'
import { type NetlinkConnection, NLM_F, type WaitOptions } from '../core/index.js'
import { RTM } from './constants.js'
import { ensure, firstUnlike, isSame } from './difference.js'
import { type Listing, listObjects, streamObjects } from './dump.js'
import { requireVlan } from './fdb-entry.js'
import { describeLink, type LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import {
  canonicalGroup,
  changeMdbRequest,
  listMdbRequest,
  type MdbEntry,
  type MdbKey,
  type MdbMessage,
  type MdbOptions,
  mdbKeyNames,
  mdbOptionNames,
  type RouterPort,
  readMdb,
} from './mdb-entry.js'
import { settle } from './settle.js'

export interface MdbFilter {
  bridge?: LinkReference | undefined
  /** A port, or the bridge itself. */
  link?: LinkReference | undefined
  group?: string | undefined
  vlan?: number | undefined
}

/** The multicast databases of the bridges of one namespace: which ports are members of which groups. */
export class Mdb {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  /** A kernel without multicast snooping has none. */
  async list(filter?: MdbFilter & WaitOptions): Promise<MdbEntry[]> {
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(filter?: MdbFilter & WaitOptions): AsyncGenerator<MdbEntry, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(filter: (MdbFilter & WaitOptions) | undefined): Promise<Listing<MdbEntry>> {
    const names = ['bridge', 'link', 'group', 'vlan', 'signal'] as const
    const { bridge, link, group, vlan, signal } = requireOptions('filter', filter, names)
    if (vlan !== undefined) requireVlan(vlan)
    const wanted = group === undefined ? undefined : canonicalGroup(group)
    const bridgeIndex = bridge === undefined ? undefined : await this.#links.index(bridge)
    const index = link === undefined ? undefined : await this.#links.index(link)
    return {
      ...listing(signal, ({ entries }) => entries),
      // The kernel has no filter.
      passes: entry =>
        (bridgeIndex === undefined || entry.bridge === bridgeIndex) &&
        (index === undefined || entry.link === index) &&
        (wanted === undefined || entry.group === wanted) &&
        (vlan === undefined || entry.vlan === vlan),
    }
  }

  /** Ports behind which there are multicast routers. */
  async routerPorts(filter?: { bridge?: LinkReference | undefined } & WaitOptions): Promise<RouterPort[]> {
    const { bridge, signal } = requireOptions('filter', filter, ['bridge', 'signal'])
    const index = bridge === undefined ? undefined : await this.#links.index(bridge)
    const passes = (port: RouterPort) => index === undefined || port.bridge === index
    return listObjects(this.#connection, { ...listing(signal, ({ routerPorts }) => routerPorts), passes })
  }

  /** @throws NetlinkError `EEXIST`; NetloomError `ERR_LINK_MISMATCH` for what is no port; TypeError, RangeError */
  async create(options: MdbOptions & WaitOptions): Promise<void> {
    await this.#change('create', RTM.NEWMDB, NLM_F.CREATE | NLM_F.EXCL, options)
  }

  /**
   * As {@link create}, but a member that is there as asked is accepted.
   * @throws NetloomError `ERR_OBJECT_MISMATCH`
   */
  async ensure(options: MdbOptions & WaitOptions): Promise<void> {
    const {
      signal,
      link,
      protocol: _,
      sources,
      ...asked
    } = requireOptions('options', options, [...mdbOptionNames, 'signal'])
    const place = await this.#place(link)
    const { group, vlan, source, state = 'permanent' } = asked
    const wanted = {
      ...asked,
      state,
      group: canonicalGroup(group),
      sources: sources?.map(address => ({ address })),
    }
    await ensure(
      `${group} on ${describeLink(link)}`,
      () => this.create(options),
      async () => {
        const all = await this.list({ ...place, group, vlan, signal })
        return all.find(found => isSame(found.source, source))
      },
      found => firstUnlike({ state, filterMode: asked.filterMode, sources }, wanted, found),
    )
  }

  /** As {@link create}, but takes the place of what is there. Since 6.3: before, `EEXIST`. */
  async replace(options: MdbOptions & WaitOptions): Promise<void> {
    await this.#change('replace', RTM.NEWMDB, NLM_F.CREATE | NLM_F.REPLACE, options)
  }

  /** @throws NetlinkError `ENOENT`, `EINVAL` when it is not there */
  async delete(options: MdbKey & WaitOptions): Promise<void> {
    requireOptions('options', options, [...mdbKeyNames, 'signal'])
    await this.#change('delete', RTM.DELMDB, 0, options)
  }

  async #change(
    operation: string,
    type: typeof RTM.NEWMDB | typeof RTM.DELMDB,
    flags: number,
    options: MdbOptions & WaitOptions,
  ): Promise<void> {
    const { signal, link, ...entry } = requireOptions('options', options, [...mdbOptionNames, 'signal'])
    // What is wrong in itself is refused before the kernel is asked for anything.
    changeMdbRequest(type, flags, { bridge: 0, link: 0 }, entry)
    const place = await this.#place(link)
    const request = changeMdbRequest(type, flags, place, entry)
    await settle(
      () =>
        this.#connection.request(request, {
          operation: `${operation} mdb entry`,
          subject: `${entry.group} on ${describeLink(link)}`,
          repeatable: (flags & NLM_F.REPLACE) !== 0,
          signal,
        }),
      async () => {
        const { group, vlan, source } = entry
        const found = await this.list({ ...place, group, vlan, signal })
        return found.some(each => each.source === source) === (type === RTM.NEWMDB)
      },
    )
  }

  async #place(reference: LinkReference): Promise<{ bridge: number; link: number }> {
    const { index: link, name, kind, portKind, master } = await this.#links.get(reference)
    if (portKind === 'bridge' && master !== undefined) return { bridge: master, link }
    if (kind === 'bridge') return { bridge: link, link }
    throw new NetloomError('ERR_LINK_MISMATCH', `${name} is neither a bridge nor a port of one`)
  }
}

function listing<T extends object>(
  signal: AbortSignal | undefined,
  pick: (message: MdbMessage) => readonly T[],
): Listing<T> {
  return {
    request: listMdbRequest(),
    operation: 'list mdb',
    signal,
    // What is listed is told with the number of the question.
    read: ({ type, payload }) =>
      type === RTM.GETMDB || type === RTM.NEWMDB ? pick(readMdb(payload)) : undefined,
    none: ['ENOTSUP'],
  }
}
