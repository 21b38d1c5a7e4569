import { invalidArgumentType, invalidArgumentValue, requireOptions } from '../../errors/index.js'
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
import { formatHandle, ingressParent, parseHandle } from './traffic/handle.js'
import { readTraffic, TCA, type TrafficMessage, trafficRequest } from './traffic/message.js'
import { qdiscKinds } from './traffic/qdiscs/index.js'
import type { TrafficStatistics } from './traffic/statistics.js'

export type QdiscKindName = keyof typeof qdiscKinds

/** Settings by the name of the kind that has them. */
export type QdiscSettings = {
  readonly [K in QdiscKindName]?: (typeof qdiscKinds)[K] extends Codec<infer V> ? V | undefined : never
}

/** What decides when packets leave a link. */
export type Qdisc = QdiscSettings & {
  /** Index of the link. */
  readonly link: number
  /** `1:`; `undefined` for those that the kernel put there. */
  readonly handle: string | undefined
  /** `root`, or the class that it is in: `1:10`. Of `ingress` and `clsact`, `undefined`. */
  readonly parent: string | undefined
  readonly kind: string
  readonly statistics: TrafficStatistics | undefined
  /** Settings of a kind that Netloom does not know. */
  readonly raw: RawAttribute | undefined
}

export type QdiscOptions = QdiscSettings & {
  link: LinkReference
  kind: QdiscKindName
  /** Default: the kernel's choice. */
  handle?: string | undefined
  /** `root`, or a class: `1:10`. Default `root`; `ingress` and `clsact` have a place of their own. */
  parent?: string | undefined
}

const qdiscOptions = ['link', 'kind', 'handle', 'parent', ...Object.keys(qdiscKinds)]

/** The qdiscs of one namespace. When a link goes, its qdiscs go without a word. */
export class Qdiscs {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  async list(filter?: { link?: LinkReference | undefined } & WaitOptions): Promise<Qdisc[]> {
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(
    filter?: { link?: LinkReference | undefined } & WaitOptions,
  ): AsyncGenerator<Qdisc, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(
    filter: ({ link?: LinkReference | undefined } & WaitOptions) | undefined,
  ): Promise<Listing<Qdisc>> {
    const { link, signal } = requireOptions('filter', filter, ['link', 'signal'])
    const index = link === undefined ? undefined : await this.#links.index(link)
    const header = { link: index ?? 0, handle: 0, parent: 0, info: 0 }
    return {
      request: trafficRequest(RTM.GETQDISC, NLM_F.DUMP, header, 'qdisc'),
      operation: 'list qdiscs',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWQDISC ? readQdisc(payload) : undefined),
      // The kernel lists those of all links, whatever it is asked.
      passes: qdisc => index === undefined || qdisc.link === index,
    }
  }

  /** @throws NetlinkError `EEXIST`; `ENOENT` for a kind that the kernel lacks; TypeError, RangeError */
  async create(options: QdiscOptions & WaitOptions): Promise<void> {
    const { request } = await this.#request('create', 0, options)
    const wanted = readQdisc(payloadOf(request))
    const there = wanted.handle === undefined ? await this.#find(wanted, options.signal) : undefined
    // Without a handle the kernel puts one of another kind aside, exclusive or not; with a handle it does not.
    const handle = there?.handle === undefined ? options.handle : there.handle === '1:' ? '2:' : '1:'
    // The kernel makes no htb of nothing; tc sends what it has by default.
    const settings = options.kind === 'htb' ? { htb: options.htb ?? {} } : {}
    await this.#change('create', NLM_F.CREATE | NLM_F.EXCL, { ...options, ...settings, handle })
  }

  /**
   * As {@link create}, but takes the place of what is there. One of the same kind and handle stays, and keeps what is
   * not given.
   */
  async replace(options: QdiscOptions & WaitOptions): Promise<void> {
    await this.#change('replace', NLM_F.CREATE | NLM_F.REPLACE, options)
  }

  /**
   * As {@link create}, but accepts one that is there as asked.
   * @throws NetloomError `ERR_OBJECT_MISMATCH`
   */
  async ensure(options: QdiscOptions & WaitOptions): Promise<void> {
    const { request } = await this.#request('ensure', 0, options)
    const wanted = readQdisc(payloadOf(request))
    const { link: _, signal, parent: _parent, ...asked } = options
    await ensure(
      `the ${wanted.parent ?? wanted.kind} qdisc of ${describeLink(options.link)}`,
      () => this.create(options),
      () => this.#find(wanted, signal),
      found => firstUnlike(asked, wanted, found),
    )
  }

  /** Changes settings of one that is there. What is not given goes back to its default, for most kinds. */
  async change(options: QdiscOptions & WaitOptions): Promise<void> {
    await this.#change('change', 0, options)
  }

  /** Which: `parent`, by default `root`; `kind: 'ingress'` or `clsact` for those. @throws NetlinkError `ENOENT` */
  async delete(
    options: Pick<QdiscOptions, 'link' | 'parent' | 'handle'> & {
      kind?: 'ingress' | 'clsact' | undefined
    } & WaitOptions,
  ): Promise<void> {
    const { link, signal, ...rest } = requireOptions('options', options, [
      'link',
      'parent',
      'handle',
      'kind',
      'signal',
    ])
    const { parent, handle } = place(rest)
    const index = await this.#links.index(link)
    const header = { link: index, handle: rest.kind === undefined ? handle : 0, parent, info: 0 }
    await this.#connection.request(trafficRequest(RTM.DELQDISC, NLM_F.ACK, header, 'qdisc'), {
      operation: 'delete qdisc',
      subject: describeLink(link),
      signal,
    })
  }

  async #change(operation: string, flags: number, options: QdiscOptions & WaitOptions): Promise<void> {
    const { request, ...context } = await this.#request(operation, flags, options)
    await this.#connection.request(request, { ...context, signal: options.signal })
  }

  /** What is in its place. */
  async #find({ link, parent }: Qdisc, signal: AbortSignal | undefined): Promise<Qdisc | undefined> {
    const all = await this.list({ link, signal })
    return all.find(found => found.parent === parent)
  }

  async #request(operation: string, flags: number, options: QdiscOptions & WaitOptions): Promise<Change> {
    const {
      signal: _,
      link,
      kind,
      ...rest
    } = requireOptions('options', options, [...qdiscOptions, 'signal'] as (keyof (QdiscOptions &
      WaitOptions))[])
    const settings = settingsOf('options', kind, qdiscKinds, rest)
    const { parent, handle } = place({ ...rest, kind })
    const make = (index: number) =>
      trafficRequest(
        RTM.NEWQDISC,
        NLM_F.ACK | flags,
        { link: index, handle, parent, info: 0 },
        'qdisc',
        writer => {
          writer.string(TCA.KIND, 'kind', kind)
          if (settings !== undefined) {
            ;(qdiscKinds[kind] as Codec<unknown>).write(writer, TCA.OPTIONS, kind, settings)
          }
        },
      )
    // Bad settings are refused before anything is asked.
    make(0)
    const request = make(await this.#links.index(link))
    return { request, operation: `${operation} ${kind} qdisc`, subject: describeLink(link) }
  }
}

/** The settings of a kind, of which there must be no others. */
export function settingsOf<K extends string>(
  path: string,
  kind: K,
  kinds: Readonly<Record<K, unknown>>,
  options: Record<string, unknown>,
): unknown {
  if (typeof kind !== 'string') throw invalidArgumentType(`${path}.kind`, 'a string', kind)
  if (!Object.hasOwn(kinds, kind)) {
    throw invalidArgumentValue(`${path}.kind`, kind, `must be one of ${Object.keys(kinds).join(', ')}`)
  }
  for (const other of Object.keys(kinds)) {
    if (other !== kind && options[other] !== undefined) {
      throw invalidArgumentValue(`${path}.${other}`, options[other], `belongs to kind ${other}`)
    }
  }
  return options[kind]
}

function place(options: {
  kind?: string | undefined
  parent?: string | undefined
  handle?: string | undefined
}) {
  const { kind, parent, handle } = options
  const own = kind === 'ingress' || kind === 'clsact'
  if (own && parent !== undefined) {
    throw invalidArgumentValue('options.parent', parent, `is not for ${kind}, which has a place of its own`)
  }
  return {
    parent: own ? ingressParent : parseHandle('options.parent', parent ?? 'root'),
    // TC_H_MAKE(TC_H_INGRESS, 0)
    handle: own ? 0xffff_0000 : handle === undefined ? 0 : parseHandle('options.handle', handle),
  }
}

function qdiscOf({ link, handle, parent, kind, settings, statistics, raw }: TrafficMessage): Qdisc {
  return {
    link,
    handle: formatHandle(handle),
    parent: parent === ingressParent ? undefined : formatHandle(parent),
    kind,
    statistics,
    raw,
    ...(settings !== undefined && { [kind]: settings }),
  } as Qdisc
}

/** @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readQdisc(payload: Payload): Qdisc {
  return qdiscOf(readTraffic(payload, qdiscKinds))
}
