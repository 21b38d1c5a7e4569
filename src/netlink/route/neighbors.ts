import { formatMacAddress, type IpFamily, parseIpAddress, parseMacAddress } from '../../address/index.js'
import { invalidArgumentValue, requireOptions } from '../../errors/index.js'
import {
  MessageWriter,
  type NetlinkConnection,
  NLM_F,
  type Payload,
  type Request,
  readIpAddress,
  type WaitOptions,
  wordOf,
} from '../core/index.js'
import { AF, NDA, NTF, NUD, RTM } from './constants.js'
import type { LinkReference } from './link-reference.js'
import { describeLink, type Links } from './links.js'
import { neighborHeader, neighborHeaderLength } from './neighbor-message.js'

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
}

export interface NeighborOptions {
  link: LinkReference
  address: string
  /** Needed, but for `proxy`. */
  macAddress?: string | undefined
  /** Default `permanent`. */
  state?: NeighborState | undefined
  router?: boolean | undefined
  proxy?: boolean | undefined
}

const neighborOptions = ['link', 'address', 'macAddress', 'state', 'router', 'proxy'] as const

/** The neighbors of one namespace. */
export class Neighbors {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  /** Entries of ARP and neighbor discovery; those of multicast and of no use (`noarp`) included. */
  async list(
    filter?: { link?: LinkReference | undefined; family?: IpFamily | undefined } & WaitOptions,
  ): Promise<Neighbor[]> {
    const { link, family, signal } = requireOptions('filter', filter, ['link', 'family', 'signal'])
    const index = link === undefined ? undefined : await this.#links.index(link)
    let neighbors: Neighbor[] = []
    await this.#connection.dump(listRequest(index, family), {
      operation: 'list neighbors',
      signal,
      onMessage: message => {
        const neighbor = message.type === RTM.NEWNEIGH ? readNeighbor(message.payload) : undefined
        if (neighbor) neighbors.push(neighbor)
      },
      onRestart: () => {
        neighbors = []
      },
    })
    // Kernels that do not know a filter pass it over.
    return neighbors.filter(
      found =>
        (index === undefined || found.link === index) && (family === undefined || found.family === family),
    )
  }

  /** @throws NetlinkError `EEXIST`; TypeError */
  async create(options: NeighborOptions & WaitOptions): Promise<void> {
    await this.#change('create', RTM.NEWNEIGH, NLM_F.CREATE | NLM_F.EXCL, options)
  }

  /** As {@link create}, but takes the place of what is there. */
  async replace(options: NeighborOptions & WaitOptions): Promise<void> {
    await this.#change('replace', RTM.NEWNEIGH, NLM_F.CREATE | NLM_F.REPLACE, options)
  }

  /** @throws NetlinkError `ENOENT` when it is not there */
  async delete(options: Pick<NeighborOptions, 'link' | 'address' | 'proxy'> & WaitOptions): Promise<void> {
    await this.#change('delete', RTM.DELNEIGH, 0, options)
  }

  async #change(
    operation: string,
    type: number,
    flags: number,
    options: NeighborOptions & WaitOptions,
  ): Promise<void> {
    const { signal, ...neighbor } = requireOptions('options', options, [...neighborOptions, 'signal'])
    const index = await this.#links.index(neighbor.link)
    await this.#connection.request(changeRequest(type, flags, index, neighbor), {
      operation: `${operation} neighbor`,
      subject: `${neighbor.address} on ${describeLink(neighbor.link)}`,
      signal,
    })
  }
}

/** `undefined` for what is no IP neighbor. @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readNeighbor(payload: Payload): Neighbor | undefined {
  const family = payload.u8(0)
  if (family !== AF.INET && family !== AF.INET6) return undefined
  const flags = payload.u8(10)
  let address: string | undefined
  let macAddress: string | undefined
  const attributes = payload.attributes(neighborHeaderLength)
  while (attributes.next()) {
    if (attributes.type === NDA.DST) address = readIpAddress(attributes)
    else if (attributes.type === NDA.LLADDR && attributes.length === 6) {
      macAddress = formatMacAddress(attributes.source, attributes.start)
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
  }
}

function listRequest(link: number | undefined, family: IpFamily | undefined): Request {
  const number = family === undefined ? AF.UNSPEC : family === 4 ? AF.INET : AF.INET6
  const writer = new MessageWriter({
    type: RTM.GETNEIGH,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    header: neighborHeader({ family: number }),
    name: 'neighbor',
  })
  // Strict checking wants the link as an attribute.
  if (link !== undefined) writer.u32(NDA.IFINDEX, 'link', link)
  return writer.finish()
}

function changeRequest(
  type: number,
  flags: number,
  link: number,
  options: Omit<NeighborOptions, 'link'>,
): Request {
  const { family, bytes } = parseIpAddress(options.address)
  const { state = 'permanent', macAddress, proxy = false, router = false } = options
  if (!Object.hasOwn(NUD, state)) {
    throw invalidArgumentValue('state', state, `must be one of ${Object.keys(NUD).join(', ')}`)
  }
  const bits = (proxy ? NTF.PROXY : 0) | (router ? NTF.ROUTER : 0)
  const writer = new MessageWriter({
    type,
    flags: NLM_F.REQUEST | NLM_F.ACK | flags,
    header: neighborHeader({
      family: family === 4 ? AF.INET : AF.INET6,
      link,
      state: proxy ? 0 : NUD[state],
      flags: bits,
    }),
    name: 'neighbor',
  })
  writer.bytes(NDA.DST, 'address', bytes)
  if (macAddress !== undefined) writer.bytes(NDA.LLADDR, 'macAddress', parseMacAddress(macAddress))
  return writer.finish()
}
