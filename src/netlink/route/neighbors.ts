import { formatMacAddress, type IpFamily, parseIpAddress, parseMacAddress } from '../../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  requireOptions,
} from '../../errors/index.js'
import {
  MessageWriter,
  type NetlinkConnection,
  NetlinkError,
  NLM_F,
  type Payload,
  payloadOf,
  type RawAttribute,
  type Request,
  readIpAddress,
  type WaitOptions,
  wordOf,
} from '../core/index.js'
import type { Change, LinkIndex } from './change.js'
import { AF, NDA, NTF, NTF_EXT, NUD, netloomProtocol, RTM } from './constants.js'
import { ensure, firstUnlike } from './difference.js'
import { type Listing, listObjects, streamObjects } from './dump.js'
import { describeLink, type LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import { neighborHeader, neighborHeaderLength } from './neighbor-message.js'
import { settle } from './settle.js'

export type NeighborState = keyof typeof NUD

/** What the kernel knows of another host on a link: ARP and neighbor discovery. */
export interface Neighbor {
  readonly family: IpFamily
  readonly address: string
  /** Index of the link. */
  readonly link: number
  readonly macAddress: string | undefined
  readonly state: NeighborState
  readonly router: boolean
  /** Not a host, but an address that this one answers for. */
  readonly proxy: boolean
  /** A program put it there in the place of learning, and it does not age (NTF_EXT_LEARNED). */
  readonly externallyLearned: boolean
  /** The kernel finds it out and keeps it up to date by itself (NTF_EXT_MANAGED, since 5.16). */
  readonly managed: boolean
  readonly offloaded: boolean
  /** Who made it, as of routes: 78 Netloom; 0 where nobody said. */
  readonly protocol: number
  /** Attributes that are not told otherwise, but for what the kernel counts: times and probes. */
  readonly raw: readonly RawAttribute[]
}

export interface NeighborKey {
  link: LinkReference
  address: string
  proxy?: boolean | undefined
}

export interface NeighborFilter {
  link?: LinkReference | undefined
  family?: IpFamily | undefined
  state?: NeighborState | undefined
  /** Addresses that this host answers for, in the place of hosts. */
  proxy?: boolean | undefined
  protocol?: number | undefined
}

export interface NeighborOptions extends NeighborKey {
  /** Needed, but for `proxy`, and where the kernel is to find it out (`use`, `managed`). */
  macAddress?: string | undefined
  /** Default `permanent`; where the kernel is to find out the MAC address, `none`. */
  state?: NeighborState | undefined
  router?: boolean | undefined
  externallyLearned?: boolean | undefined
  managed?: boolean | undefined
  /** The kernel finds it out now, as if a packet were to be sent. */
  use?: boolean | undefined
  /** Who makes it, 0 to 255. Default 78. */
  protocol?: number | undefined
}

const keyNames = ['link', 'address', 'proxy'] as const
const neighborOptions = [
  ...keyNames,
  'macAddress',
  'state',
  'router',
  'externallyLearned',
  'managed',
  'use',
  'protocol',
] as const satisfies readonly (keyof NeighborOptions)[]
const filterNames = ['link', 'family', 'state', 'proxy', 'protocol'] as const

const replyBytes = 4096

/** The neighbors of one namespace. */
export class Neighbors {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  /**
   * Entries of ARP and neighbor discovery, those of multicast and of no use (`noarp`) included; or, with `proxy`, the
   * addresses that this host answers for.
   */
  async list(filter?: NeighborFilter & WaitOptions): Promise<Neighbor[]> {
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(filter?: NeighborFilter & WaitOptions): AsyncGenerator<Neighbor, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(filter: (NeighborFilter & WaitOptions) | undefined): Promise<Listing<Neighbor>> {
    const { link, family, state, proxy, protocol, signal } = requireOptions('filter', filter, [
      ...filterNames,
      'signal',
    ])
    if (family !== undefined && family !== 4 && family !== 6) {
      throw invalidArgumentValue('filter.family', family, 'must be 4 or 6')
    }
    if (state !== undefined) stateNumber(state)
    const index = link === undefined ? undefined : await this.#links.index(link)
    return {
      request: listRequest(index, family, proxy === true),
      operation: 'list neighbors',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWNEIGH ? readNeighbor(payload) : undefined),
      passes: found =>
        (index === undefined || found.link === index) &&
        (family === undefined || found.family === family) &&
        (state === undefined || found.state === state) &&
        (protocol === undefined || found.protocol === protocol),
    }
  }

  /** @throws NetlinkError `ENOENT` when it is not there */
  async get(options: NeighborKey & WaitOptions): Promise<Neighbor> {
    const { signal, ...key } = requireOptions('options', options, [...keyNames, 'signal'])
    const index = await this.#links.index(key.link)
    let neighbor: Neighbor | undefined
    await this.#connection.request(getRequest(index, key), {
      operation: 'get neighbor',
      subject: describe(key),
      replyBytes,
      repeatable: true,
      signal,
      onMessage: message => {
        if (message.type === RTM.NEWNEIGH) neighbor = readNeighbor(message.payload)
      },
    })
    if (!neighbor) throw new NetloomError('ERR_NETLINK_PROTOCOL', `get neighbor ${describe(key)}: no answer`)
    return neighbor
  }

  /** @throws NetlinkError `EEXIST`; TypeError, RangeError */
  async create(options: NeighborOptions & WaitOptions): Promise<void> {
    await this.#change('create', options)
  }

  /** As {@link create}, but takes the place of what is there. */
  async replace(options: NeighborOptions & WaitOptions): Promise<void> {
    await this.#change('replace', options)
  }

  /**
   * As {@link create}, but accepts one that is there as asked. What the kernel has found out by itself gives way.
   * @throws NetloomError `ERR_OBJECT_MISMATCH`
   */
  async ensure(options: NeighborOptions & WaitOptions): Promise<void> {
    const { signal, ...neighbor } = requireOptions('options', options, [...neighborOptions, 'signal'])
    const { link, protocol: _, ...asked } = neighbor
    const index = await this.#links.index(link)
    const wanted = readNeighbor(payloadOf(neighborChange('create', neighbor, () => index).request))!
    const { state } = wanted
    await ensure(
      `the neighbor ${describe(options)}`,
      () => this.create({ ...options, link: index }),
      async () => {
        const found = await this.#find(index, options, signal)
        if (!found || found.proxy || learnedStates.has(state) || !learnedStates.has(found.state)) return found
        await this.replace({ ...options, link: index })
        return this.#find(index, options, signal)
      },
      found => firstUnlike({ state: asked.proxy ? undefined : state, ...asked }, wanted, found),
    )
  }

  /** @throws NetlinkError `ENOENT` when it is not there */
  async delete(options: NeighborKey & WaitOptions): Promise<void> {
    requireOptions('options', options, [...keyNames, 'signal'])
    await this.#change('delete', options)
  }

  /**
   * Takes away what the kernel has found out, or what the filter selects: without a state, `permanent` and `noarp`
   * entries stay.
   */
  async flush(filter?: NeighborFilter & WaitOptions): Promise<void> {
    const { signal, state, proxy } = requireOptions('filter', filter, [...filterNames, 'signal'])
    const found = await this.list(filter)
    const doomed = found.filter(
      each => proxy || state !== undefined || (each.state !== 'permanent' && each.state !== 'noarp'),
    )
    await Promise.all(doomed.map(each => this.#deleteIfThere(each, signal)))
  }

  async #deleteIfThere({ link, address, proxy }: Neighbor, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.delete({ link, address, proxy, signal })
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.code !== 'ENOENT') throw error
    }
  }

  async #change(verb: NeighborVerb, options: NeighborOptions & WaitOptions): Promise<void> {
    const { signal, ...neighbor } = requireOptions('options', options, [...neighborOptions, 'signal'])
    const index = await this.#links.index(neighbor.link)
    const { request, ...context } = neighborChange(verb, neighbor, () => index)
    await settle(
      () => this.#connection.request(request, { ...context, repeatable: verb === 'replace', signal }),
      async () => {
        const found = await this.#find(index, neighbor, signal)
        if (verb === 'delete') return found === undefined
        return found !== undefined && found.macAddress === neighbor.macAddress?.toLowerCase()
      },
    )
  }

  async #find(
    link: number,
    { address, proxy }: NeighborKey,
    signal: AbortSignal | undefined,
  ): Promise<Neighbor | undefined> {
    try {
      return await this.get({ link, address, proxy, signal })
    } catch (error) {
      if (error instanceof NetlinkError && error.code === 'ENOENT') return undefined
      throw error
    }
  }
}

/** Those of entries that come and go by themselves. */
const learnedStates: ReadonlySet<NeighborState> = new Set([
  'incomplete',
  'reachable',
  'stale',
  'delay',
  'probe',
  'failed',
  'none',
])

const verbs = {
  create: { type: RTM.NEWNEIGH, flags: NLM_F.CREATE | NLM_F.EXCL },
  replace: { type: RTM.NEWNEIGH, flags: NLM_F.CREATE | NLM_F.REPLACE },
  delete: { type: RTM.DELNEIGH, flags: 0 },
} as const

export type NeighborVerb = keyof typeof verbs

/** @throws TypeError, RangeError; what `index` throws */
export function neighborChange(verb: NeighborVerb, options: NeighborOptions, index: LinkIndex): Change {
  requireOptions('options', options, neighborOptions)
  const { type, flags } = verbs[verb]
  const request = changeRequest(type, flags, index(options.link), options)
  return { request, operation: `${verb} neighbor`, subject: describe(options) }
}

function describe({ address, link }: NeighborKey): string {
  return `${address} on ${describeLink(link)}`
}

/** `undefined` for what is no IP neighbor. @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readNeighbor(payload: Payload): Neighbor | undefined {
  const family = payload.u8(0)
  if (family !== AF.INET && family !== AF.INET6) return undefined
  const flags = payload.u8(10)
  let address: string | undefined
  let macAddress: string | undefined
  let protocol = 0
  let extended = 0
  let raw: RawAttribute[] | undefined
  const attributes = payload.attributes(neighborHeaderLength)
  while (attributes.next()) {
    switch (attributes.type) {
      case NDA.DST:
        address = readIpAddress(attributes)
        break
      case NDA.LLADDR:
        if (attributes.length === 6) macAddress = formatMacAddress(attributes.source, attributes.start)
        break
      case NDA.PROTOCOL:
        protocol = attributes.u8()
        break
      case NDA.FLAGS_EXT:
        extended = attributes.u32()
        break
      case NDA.CACHEINFO:
      case NDA.PROBES:
        break
      default:
        raw ??= []
        raw.push(attributes.raw())
    }
  }
  if (address === undefined) return undefined
  return {
    family: family === AF.INET ? 4 : 6,
    address,
    link: payload.s32(4),
    macAddress,
    state: wordOf(NUD, payload.u16(8)),
    router: (flags & NTF.ROUTER) !== 0,
    proxy: (flags & NTF.PROXY) !== 0,
    externallyLearned: (flags & NTF.EXT_LEARNED) !== 0,
    managed: (extended & NTF_EXT.MANAGED) !== 0,
    offloaded: (flags & NTF.OFFLOADED) !== 0,
    protocol,
    raw: raw ?? none,
  }
}

const none: readonly never[] = Object.freeze([])

function listRequest(link: number | undefined, family: IpFamily | undefined, proxy: boolean): Request {
  const number = family === undefined ? AF.UNSPEC : family === 4 ? AF.INET : AF.INET6
  const writer = new MessageWriter({
    type: RTM.GETNEIGH,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    header: neighborHeader({ family: number, flags: proxy ? NTF.PROXY : 0 }),
    name: 'neighbor',
  })
  // Strict checking wants the link as an attribute.
  if (link !== undefined) writer.u32(NDA.IFINDEX, 'link', link)
  return writer.finish()
}

function getRequest(link: number, { address, proxy }: NeighborKey): Request {
  const { family, bytes } = parseIpAddress(address)
  return new MessageWriter({
    type: RTM.GETNEIGH,
    flags: NLM_F.REQUEST | NLM_F.ACK,
    header: neighborHeader({
      family: family === 4 ? AF.INET : AF.INET6,
      link,
      flags: truth('proxy', proxy) ? NTF.PROXY : 0,
    }),
    name: 'neighbor',
  })
    .bytes(NDA.DST, 'address', bytes)
    .finish()
}

function changeRequest(
  type: typeof RTM.NEWNEIGH | typeof RTM.DELNEIGH,
  flags: number,
  link: number,
  options: Omit<NeighborOptions, 'link'>,
): Request {
  const { family, bytes } = parseIpAddress(options.address)
  const { macAddress, proxy, router, externallyLearned, managed, use } = options
  const isFoundOut = (use || managed) && macAddress === undefined
  const state = stateNumber(options.state ?? (isFoundOut ? 'none' : 'permanent'))
  const bits =
    (truth('proxy', proxy) ? NTF.PROXY : 0) |
    (truth('router', router) ? NTF.ROUTER : 0) |
    (truth('externallyLearned', externallyLearned) ? NTF.EXT_LEARNED : 0) |
    (truth('use', use) ? NTF.USE : 0)
  const writer = new MessageWriter({
    type,
    flags: NLM_F.REQUEST | NLM_F.ACK | flags,
    header: neighborHeader({
      family: family === 4 ? AF.INET : AF.INET6,
      link,
      state: proxy ? 0 : state,
      flags: bits,
    }),
    name: 'neighbor',
  })
  writer.bytes(NDA.DST, 'address', bytes)
  if (macAddress !== undefined) writer.bytes(NDA.LLADDR, 'macAddress', parseMacAddress(macAddress))
  if (truth('managed', managed)) writer.u32(NDA.FLAGS_EXT, 'managed', NTF_EXT.MANAGED)
  if (type === RTM.NEWNEIGH) writer.u8(NDA.PROTOCOL, 'protocol', options.protocol ?? netloomProtocol)
  return writer.finish()
}

function stateNumber(state: NeighborState): number {
  if (!Object.hasOwn(NUD, state)) {
    throw invalidArgumentValue('state', state, `must be one of ${Object.keys(NUD).join(', ')}`)
  }
  return NUD[state]
}

function truth(name: string, value: boolean | undefined): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw invalidArgumentType(name, 'a boolean', value)
  return value === true
}
