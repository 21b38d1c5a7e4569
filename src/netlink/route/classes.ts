import { requireOptions } from '../../errors/index.js'
import {
  type Codec,
  type NetlinkConnection,
  NLM_F,
  type Payload,
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
import { formatHandle, parseHandle } from './traffic/handle.js'
import { readTraffic, TCA, trafficRequest } from './traffic/message.js'
import type { HtbClassSettings } from './traffic/qdiscs/htb.js'
import { classKinds } from './traffic/qdiscs/index.js'
import type { TrafficStatistics } from './traffic/statistics.js'

/** A share of what a qdisc gives out. */
export interface TrafficClass {
  /** Index of the link. */
  readonly link: number
  /** `1:10` */
  readonly handle: string
  /** The class or qdisc above it: `1:1`, `1:`; `root` for those that are directly in the qdisc. */
  readonly parent: string | undefined
  readonly kind: string
  readonly htb?: HtbClassSettings | undefined
  /** Handle of the qdisc that is in it. */
  readonly qdisc: string | undefined
  readonly statistics: TrafficStatistics | undefined
  /** Settings of a kind that Netloom does not know. */
  readonly raw: RawAttribute | undefined
}

export interface TrafficClassOptions {
  link: LinkReference
  /** `1:10`: the part before the colon is the qdisc's. */
  handle: string
  /** Default: the qdisc. */
  parent?: string | undefined
  kind: keyof typeof classKinds
  htb: HtbClassSettings
}

/** The classes of one namespace. */
export class TrafficClasses {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  /** Of one link: the kernel does not list those of several. @throws NetloomError `ERR_LINK_NOT_FOUND` */
  async list(filter: { link: LinkReference } & WaitOptions): Promise<TrafficClass[]> {
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(
    filter: { link: LinkReference } & WaitOptions,
  ): AsyncGenerator<TrafficClass, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(filter: { link: LinkReference } & WaitOptions): Promise<Listing<TrafficClass>> {
    const { link, signal } = requireOptions('filter', filter, ['link', 'signal'])
    const index = await this.#links.index(link)
    const header = { link: index, handle: 0, parent: 0, info: 0 }
    return {
      request: trafficRequest(RTM.GETTCLASS, NLM_F.DUMP, header, 'class'),
      operation: 'list classes',
      subject: describeLink(link),
      signal,
      read: ({ type, payload }) => (type === RTM.NEWTCLASS ? readClass(payload) : undefined),
      passes: each => each.link === index,
    }
  }

  /** @throws NetlinkError `EEXIST`; TypeError, RangeError */
  async create(options: TrafficClassOptions & WaitOptions): Promise<void> {
    await this.#change('create', NLM_F.CREATE | NLM_F.EXCL, options)
  }

  /** As {@link create}, but takes the place of what is there. */
  async replace(options: TrafficClassOptions & WaitOptions): Promise<void> {
    await this.#change('replace', NLM_F.CREATE | NLM_F.REPLACE, options)
  }

  /**
   * As {@link create}, but accepts one that is there as asked.
   * @throws NetloomError `ERR_OBJECT_MISMATCH`
   */
  async ensure(options: TrafficClassOptions & WaitOptions): Promise<void> {
    const { request } = await this.#request('ensure', 0, options)
    const wanted = readClass(payloadOf(request))
    const { link: _, handle, signal, parent: _parent, ...asked } = options
    await ensure(
      `the class ${handle} of ${describeLink(options.link)}`,
      () => this.create(options),
      async () => {
        const all = await this.list({ link: wanted.link, signal })
        return all.find(found => found.handle === wanted.handle)
      },
      found => {
        // One that is directly in the qdisc is told to be at the root.
        const parent = found.parent === 'root' ? `${found.handle.split(':')[0]}:` : found.parent
        return firstUnlike({ parent: wanted.parent, ...asked }, wanted, { ...found, parent })
      },
    )
  }

  /** Changes one that is there. @throws NetlinkError `ENOENT` */
  async change(options: TrafficClassOptions & WaitOptions): Promise<void> {
    await this.#change('change', 0, options)
  }

  /** @throws NetlinkError `ENOENT`; `EBUSY` while a filter or another class refers to it */
  async delete(options: Pick<TrafficClassOptions, 'link' | 'handle'> & WaitOptions): Promise<void> {
    const { link, handle, signal } = requireOptions('options', options, ['link', 'handle', 'signal'])
    const number = parseHandle('options.handle', handle)
    const header = { link: await this.#links.index(link), handle: number, parent: 0, info: 0 }
    await this.#connection.request(trafficRequest(RTM.DELTCLASS, NLM_F.ACK, header, 'class'), {
      operation: 'delete class',
      subject: `${handle} on ${describeLink(link)}`,
      signal,
    })
  }

  async #change(operation: string, flags: number, options: TrafficClassOptions & WaitOptions): Promise<void> {
    const { request, ...context } = await this.#request(operation, flags, options)
    await this.#connection.request(request, { ...context, signal: options.signal })
  }

  async #request(
    operation: string,
    flags: number,
    options: TrafficClassOptions & WaitOptions,
  ): Promise<Change> {
    const {
      signal: _,
      link,
      kind,
      ...rest
    } = requireOptions('options', options, ['link', 'handle', 'parent', 'kind', 'htb', 'signal'])
    const settings = settingsOf('options', kind, classKinds, { htb: rest.htb })
    const handle = parseHandle('options.handle', rest.handle)
    const parent =
      rest.parent === undefined ? handle & 0xffff_0000 : parseHandle('options.parent', rest.parent)
    const make = (index: number) =>
      trafficRequest(
        RTM.NEWTCLASS,
        NLM_F.ACK | flags,
        { link: index, handle, parent: parent >>> 0, info: 0 },
        'class',
        writer => {
          writer.string(TCA.KIND, 'kind', kind)
          ;(classKinds[kind] as Codec<unknown>).write(writer, TCA.OPTIONS, kind, settings ?? {})
        },
      )
    // Bad settings are refused before anything is asked.
    make(0)
    const request = make(await this.#links.index(link))
    return {
      request,
      operation: `${operation} ${kind} class`,
      subject: `${rest.handle} on ${describeLink(link)}`,
    }
  }
}

function readClass(payload: Payload): TrafficClass {
  const { settings, info, handle, parent, chain: _, ...rest } = readTraffic(payload, classKinds)
  return {
    ...rest,
    handle: formatHandle(handle) ?? '0:',
    parent: formatHandle(parent),
    qdisc: formatHandle(info),
    ...(settings !== undefined && { [rest.kind]: settings }),
  }
}
