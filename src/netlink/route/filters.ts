import {
  invalidArgumentType,
  invalidArgumentValue,
  requireInteger,
  requireOptions,
} from '../../errors/index.js'
import {
  type Codec,
  littleEndian,
  type NetlinkConnection,
  NLM_F,
  payloadOf,
  type RawAttribute,
  type WaitOptions,
} from '../core/index.js'
import type { Change } from './change.js'
import { RTM } from './constants.js'
import { ensure, firstUnlike } from './difference.js'
import { type Listing, listObjects, streamObjects } from './dump.js'
import { describeLink, type LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { settingsOf } from './qdiscs.js'
import { type ActionOptions, checkActions } from './traffic/actions/index.js'
import { filterKinds } from './traffic/filters/index.js'
import { formatHandle, parseHandle } from './traffic/handle.js'
import { readTraffic, TCA, type TrafficMessage, trafficRequest } from './traffic/message.js'

/** EtherTypes of include/uapi/linux/if_ether.h that have a word here. */
export const filterProtocols = {
  all: 0x0003,
  ip: 0x0800,
  arp: 0x0806,
  '802.1q': 0x8100,
  ipv6: 0x86dd,
  '802.1ad': 0x88a8,
} as const

export type FilterKindName = keyof typeof filterKinds

/** Settings by the name of the kind that has them. */
export type FilterSettings = {
  readonly [K in FilterKindName]?: (typeof filterKinds)[K] extends Codec<infer V> ? V | undefined : never
}

/** What is done with which packets. */
export type Filter = FilterSettings & {
  /** Index of the link. */
  readonly link: number
  /** The qdisc or class that it is at: `1:`, `ingress`, `egress`. */
  readonly parent: string | undefined
  /** Lower ones are asked first. */
  readonly priority: number
  /** A word, or an EtherType. */
  readonly protocol: keyof typeof filterProtocols | number
  /** By which a kind tells its filters apart. */
  readonly handle: number
  readonly chain: number
  readonly kind: string
  /** Settings of a kind that Netloom does not know. */
  readonly raw: RawAttribute | undefined
}

export type FilterOptions = FilterSettings & {
  link: LinkReference
  kind: FilterKindName
  /** The qdisc or class: `1:`; `ingress` or `egress` with a qdisc `clsact`; `ffff:` with `ingress`. */
  parent: string
  /** 1 to 65535. Default: the kernel's choice. */
  priority?: number | undefined
  /** Default `all`. */
  protocol?: keyof typeof filterProtocols | number | undefined
  /** Default: the kernel's choice. For kind `fw`, the mark. */
  handle?: number | undefined
  chain?: number | undefined
}

/** Which filters: all that are at `parent`, or less. */
export interface FilterSelection {
  link: LinkReference
  parent: string
  priority?: number | undefined
  protocol?: keyof typeof filterProtocols | number | undefined
  handle?: number | undefined
  chain?: number | undefined
  /** Needed with `handle`. */
  kind?: FilterKindName | undefined
}

const placeOptions = ['link', 'kind', 'parent', 'priority', 'protocol', 'handle', 'chain', 'signal'] as const

/** The filters of one namespace. */
export class Filters {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  /** Those at one place. The tables of kind `u32` are among them. */
  async list(filter: { link: LinkReference; parent: string } & WaitOptions): Promise<Filter[]> {
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(
    filter: { link: LinkReference; parent: string } & WaitOptions,
  ): AsyncGenerator<Filter, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(filter: { link: LinkReference; parent: string } & WaitOptions): Promise<Listing<Filter>> {
    const { link, parent, signal } = requireOptions('filter', filter, ['link', 'parent', 'signal'])
    const number = parseHandle('filter.parent', parent)
    const index = await this.#links.index(link)
    const header = { link: index, handle: 0, parent: number, info: 0 }
    return {
      request: trafficRequest(RTM.GETTFILTER, NLM_F.DUMP, header, 'filter'),
      operation: 'list filters',
      subject: `${parent} on ${describeLink(link)}`,
      signal,
      read: ({ type, payload }) => {
        if (type !== RTM.NEWTFILTER) return
        const found = readTraffic(payload, filterKinds)
        // Each kind begins with a message that has no more than the kind.
        return found.settings !== undefined || found.raw !== undefined ? filterOf(found) : undefined
      },
      passes: each => each.link === index,
    }
  }

  /** @throws NetlinkError `EEXIST`; `ENOENT` for a kind or action that the kernel lacks; TypeError, RangeError */
  async create(options: FilterOptions & WaitOptions): Promise<void> {
    await this.#change('create', NLM_F.CREATE | NLM_F.EXCL, options)
  }

  /** As {@link create}, but takes the place of the one with this handle and priority. */
  async replace(options: FilterOptions & WaitOptions): Promise<void> {
    await this.#change('replace', NLM_F.CREATE, options)
  }

  /**
   * As {@link create}, but accepts a filter of that kind at the same place that is there as asked.
   * @throws NetloomError `ERR_OBJECT_MISMATCH` where another one has its priority and handle
   */
  async ensure(options: FilterOptions & WaitOptions): Promise<void> {
    const { request } = await this.#request('ensure', 0, options)
    const wanted = filterOf(readTraffic(payloadOf(request), filterKinds))
    const { link: _, signal, parent, ...asked } = options
    const all = await this.list({ link: wanted.link, parent, signal })
    const unlike = (found: Filter) =>
      firstUnlike({ protocol: wanted.protocol, chain: wanted.chain, ...asked }, wanted, found)
    if (all.some(found => unlike(found) === undefined)) return
    await ensure(
      `the filter at ${parent} of ${describeLink(options.link)}`,
      () => this.create(options),
      async () => {
        const there = await this.list({ link: wanted.link, parent, signal })
        return there.find(found => found.priority === wanted.priority && found.handle === wanted.handle)
      },
      unlike,
    )
  }

  /** All that is selected. @throws NetlinkError `ENOENT` */
  async delete(options: FilterSelection & WaitOptions): Promise<void> {
    const { link, kind, parent, signal, ...rest } = requireOptions('options', options, placeOptions)
    if (rest.handle !== undefined && kind === undefined) {
      throw invalidArgumentValue('options.kind', kind, 'is needed with handle')
    }
    const place = placeOf(parent, rest)
    // Zero is any.
    if (rest.protocol === undefined) place.info = (place.info & 0xffff_0000) >>> 0
    const header = { ...place, link: await this.#links.index(link) }
    const request = trafficRequest(RTM.DELTFILTER, NLM_F.ACK, header, 'filter', writer => {
      if (kind !== undefined) writer.string(TCA.KIND, 'kind', kind)
      if (rest.chain !== undefined) writer.u32(TCA.CHAIN, 'chain', rest.chain)
    })
    await this.#connection.request(request, {
      operation: 'delete filter',
      subject: `${parent} on ${describeLink(link)}`,
      signal,
    })
  }

  async #change(operation: string, flags: number, options: FilterOptions & WaitOptions): Promise<void> {
    const { request, ...context } = await this.#request(operation, flags, options)
    await this.#connection.request(request, { ...context, signal: options.signal })
  }

  async #request(operation: string, flags: number, options: FilterOptions & WaitOptions): Promise<Change> {
    const {
      signal: _,
      link,
      kind,
      parent,
      ...rest
    } = requireOptions('options', options, [
      ...placeOptions,
      ...Object.keys(filterKinds),
    ] as (keyof (FilterOptions & WaitOptions))[])
    const given = settingsOf('options', kind, filterKinds, rest)
    const place = placeOf(parent, rest)
    if (given !== undefined && (typeof given !== 'object' || given === null)) {
      throw invalidArgumentType(`options.${kind}`, 'an object', given)
    }
    const settings = complete(kind, (given ?? {}) as Record<string, unknown>)
    const make = (index: number, settings: Record<string, unknown>) =>
      trafficRequest(RTM.NEWTFILTER, NLM_F.ACK | flags, { ...place, link: index }, 'filter', writer => {
        writer.string(TCA.KIND, 'kind', kind)
        if (rest.chain !== undefined) writer.u32(TCA.CHAIN, 'chain', rest.chain)
        ;(filterKinds[kind] as Codec<unknown>).write(writer, TCA.OPTIONS, kind, settings)
      })
    if (
      kind === 'flower' &&
      settings.etherType === undefined &&
      (place.info & 0xffff) !== protocolBits('all')
    ) {
      settings.etherType = protocolNumber(rest.protocol ?? 'all')
    }
    const { actions } = settings as { actions?: readonly ActionOptions[] }
    if (actions !== undefined) checkActions(`options.${kind}.actions`, actions)
    const index = await this.#links.index(link)
    if (actions !== undefined) settings.actions = await this.#resolve(actions)
    return {
      request: make(index, settings),
      operation: `${operation} ${kind} filter`,
      subject: `${parent} on ${describeLink(link)}`,
    }
  }

  async #resolve(actions: readonly ActionOptions[]): Promise<ActionOptions[]> {
    return Promise.all(
      actions.map(async action =>
        action.kind === 'mirred' ? { ...action, to: await this.#links.index(action.to) } : action,
      ),
    )
  }
}

/** What a kind needs beside what it was given. */
function complete(kind: FilterKindName, settings: Record<string, unknown>): Record<string, unknown> {
  if (kind === 'u32' && settings.divisor === undefined) return { matches: [], ...settings }
  return { ...settings }
}

function placeOf(parent: string, options: Omit<FilterSelection, 'link' | 'parent' | 'kind'>) {
  const { priority = 0, protocol = 'all', handle = 0, chain } = options
  requireInteger('options.priority', priority, 0, 0xffff)
  requireInteger('options.handle', handle, 0, 0xffff_ffff)
  if (chain !== undefined) requireInteger('options.chain', chain, 0, 0xfff_ffff)
  return {
    handle,
    parent: parseHandle('options.parent', parent),
    info: ((priority << 16) | protocolBits(protocol)) >>> 0,
  }
}

function protocolNumber(protocol: keyof typeof filterProtocols | number): number {
  if (typeof protocol === 'number') return requireInteger('options.protocol', protocol, 0, 0xffff)
  if (!Object.hasOwn(filterProtocols, protocol)) {
    const known = Object.keys(filterProtocols).join(', ')
    throw invalidArgumentValue('options.protocol', protocol, `must be one of ${known}, or a number`)
  }
  return filterProtocols[protocol]
}

/** In network byte order, as it stands in the header. */
function protocolBits(protocol: keyof typeof filterProtocols | number): number {
  const number = protocolNumber(protocol)
  return littleEndian ? ((number & 0xff) << 8) | (number >> 8) : number
}

function filterOf({ link, handle, parent, info, kind, settings, chain, raw }: TrafficMessage): Filter {
  const bits = info & 0xffff
  const number = littleEndian ? ((bits & 0xff) << 8) | (bits >> 8) : bits
  const word = Object.entries(filterProtocols).find(([, value]) => value === number)?.[0]
  return {
    link,
    parent: formatHandle(parent),
    priority: info >>> 16,
    protocol: word ?? number,
    handle,
    chain: chain ?? 0,
    kind,
    raw,
    ...(settings !== undefined && { [kind]: settings }),
  } as Filter
}
