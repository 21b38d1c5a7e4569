import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  requireOptions,
} from '../../errors/index.js'
import { keepNamespace, type NamespaceDescriptor, type NamespaceReference } from '../../netns/index.js'
import { type Message, type NetlinkConnection, NetlinkError, type WaitOptions } from '../core/index.js'
import { RTM } from './constants.js'
import { findLinkKind, portKindNames, portKinds } from './kinds/index.js'
import { type Link, type LinkStatistics, readLink, readLinkStatistics } from './link.js'
import {
  changeLinkRequest,
  changeOptions,
  changePortRequest,
  createLinkRequest,
  createOptions,
  indexOf,
  type LinkChange,
  type LinkCreate,
  type LinkReference,
  linkRequest,
  listLinksRequest,
  type ResolvedLink,
  splitPortSettings,
} from './link-request.js'

export interface LinkFilter {
  kind?: string | undefined
  master?: LinkReference | undefined
}

// A link of a busy kind takes about 2 KiB; the buffer counts a page or two for it.
const linkReplyBytes = 8192

/** The links of one namespace, one verb for each thing that the kernel does. */
export class Links {
  readonly #connection: NetlinkConnection

  constructor(connection: NetlinkConnection) {
    this.#connection = connection
  }

  async list(filter?: LinkFilter & WaitOptions): Promise<Link[]> {
    const { kind, master, signal } = requireOptions('filter', filter, ['kind', 'master', 'signal'])
    const masterIndex = master === undefined ? undefined : await this.index(master)
    let links: Link[] = []
    await this.#connection.dump(listLinksRequest({ kind, master: masterIndex }), {
      operation: 'list links',
      signal,
      onMessage: message => {
        if (message.type === RTM.NEWLINK) links.push(readLink(message.payload))
      },
      onRestart: () => {
        links = []
      },
    })
    // Kernels that do not know a filter pass it over.
    return links.filter(
      link =>
        (kind === undefined || link.kind === kind) &&
        (masterIndex === undefined || link.master === masterIndex),
    )
  }

  /** @throws NetloomError `ERR_LINK_NOT_FOUND` */
  async get(reference: LinkReference, options?: WaitOptions): Promise<Link> {
    const link = await this.find(reference, options)
    if (!link) throw notFound(reference)
    return link
  }

  /** As {@link get}, but `undefined` for a link that is not there. */
  async find(reference: LinkReference, options?: WaitOptions): Promise<Link | undefined> {
    let link: Link | undefined
    try {
      await this.#connection.request(linkRequest(RTM.GETLINK, 0, checkReference(reference)), {
        operation: 'get link',
        subject: describeLink(reference),
        replyBytes: linkReplyBytes,
        signal: options?.signal,
        onMessage: message => {
          link = readLink(message.payload)
        },
      })
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
    return link
  }

  /**
   * The link of that name, if it is as asked; `undefined` if there is none.
   * @throws NetloomError `ERR_LINK_MISMATCH`
   */
  async findMatching(options: LinkCreate): Promise<Link | undefined> {
    const { name } = requireOptions('options', options, createOptions)
    if (typeof name !== 'string') throw invalidArgumentType('options.name', 'a string', name)
    const link = await this.find(name)
    if (!link) return undefined
    const { peer: _, ...wanted } = options
    const resolved: Record<string, unknown> = { ...wanted }
    for (const key of ['master', 'lower'] as const) {
      const reference = wanted[key]
      if (reference !== undefined && reference !== null) resolved[key] = await this.index(reference)
    }
    const difference = firstDifference(link, resolved)
    if (difference === undefined) return link
    throw new NetloomError('ERR_LINK_MISMATCH', `there is a link ${name}, but its ${difference}`)
  }

  /** At once, without a promise. @throws NetloomError `ERR_LINK_NOT_FOUND` */
  getSync(reference: LinkReference): Link {
    let link: Link | undefined
    this.#ask(reference, message => {
      link = readLink(message.payload)
    })
    if (!link) throw notFound(reference)
    return link
  }

  /** The counters alone, at once. @throws NetloomError `ERR_LINK_NOT_FOUND` */
  statisticsSync(reference: LinkReference): LinkStatistics {
    let statistics: LinkStatistics | undefined
    this.#ask(reference, message => {
      statistics = readLinkStatistics(message.payload)
    })
    if (!statistics) throw notFound(reference)
    return statistics
  }

  /**
   * Makes a link; down unless `up: true`. Nothing is left of one that could not be made as asked.
   * @throws NetlinkError `EEXIST`, `EOPNOTSUPP` for a kind that the kernel lacks, …; TypeError, RangeError
   */
  async create(options: LinkCreate): Promise<Link> {
    const { kind } = requireOptions('options', options, createOptions)
    if (typeof kind !== 'string' || kind === '') throw invalidArgumentType('options.kind', 'a string', kind)
    if (findLinkKind(kind)?.creatable === false) {
      throw invalidArgumentValue(
        'options.kind',
        kind,
        'cannot be made by netlink: use Tap.create or Tun.create',
      )
    }
    if (options.peer !== undefined) {
      if (kind !== 'veth') throw invalidArgumentValue('options.peer', options.peer, 'belongs to kind veth')
      requireOptions('options.peer', options.peer, ['name', 'mtu', 'macAddress', 'txQueueLength', 'in'])
    }
    const resolved = await this.#resolve(options)
    try {
      const { alias, ipv6LinkLocal, up, ...first } = resolved.link
      const later: ResolvedLink = { alias, ipv6LinkLocal }
      // Nothing is a port before it is made.
      for (const name of portKindNames) {
        Object.assign(later, { [name]: first[name] })
        delete first[name]
      }
      // A bridge follows the MTU of its ports unless its own was set after it was made.
      if (kind === 'bridge') {
        later.mtu = first.mtu
        first.mtu = undefined
      }
      if (Object.values(later).every(value => value === undefined)) {
        const index = await this.#create(createLinkRequest({ ...first, up }), options)
        return await this.get(index)
      }
      const index = await this.#create(createLinkRequest(first), options)
      try {
        return await this.#change(index, { ...later, up })
      } catch (error) {
        await this.delete(index).catch(() => {})
        throw error
      }
    } finally {
      resolved.release()
    }
  }

  /**
   * Changes what is given.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_LINK_MISMATCH` where settings of a port are not for what it is;
   * NetlinkError
   */
  async change(reference: LinkReference, options: LinkChange): Promise<Link> {
    requireOptions('options', options, changeOptions)
    const resolved = await this.#resolve(options)
    try {
      const { link } = resolved
      const kind = Object.keys(link).find(name => link[name as keyof ResolvedLink] && findLinkKind(name))
      if (kind !== undefined) link.kind = kind
      return await this.#change(await this.index(reference), link)
    } finally {
      resolved.release()
    }
  }

  /**
   * Moves a link to another namespace, under another name if need be. Its addresses, routes and master are lost, and
   * it goes down. @throws NetloomError `ERR_LINK_NOT_FOUND`; NetlinkError `EEXIST` when the name is taken there
   */
  async move(reference: LinkReference, to: NamespaceReference, options?: { name?: string }): Promise<void> {
    const { name } = requireOptions('options', options, ['name'])
    const namespace = keepNamespace(to)
    try {
      const request = changeLinkRequest(await this.index(reference), { in: namespace.fd, name })
      await this.#request(request, 'move link', reference)
    } finally {
      namespace.release()
    }
  }

  /** @throws NetloomError `ERR_LINK_NOT_FOUND` */
  async delete(reference: LinkReference, options?: WaitOptions): Promise<void> {
    await this.#request(
      linkRequest(RTM.DELLINK, 0, checkReference(reference)),
      'delete link',
      reference,
      options,
    )
  }

  /** The index behind a reference; asks the kernel only for a name. */
  async index(reference: LinkReference): Promise<number> {
    checkReference(reference)
    return typeof reference === 'string' ? (await this.get(reference)).index : indexOf(reference)
  }

  /** The same, at once: blocks the thread, for microseconds. */
  indexSync(reference: LinkReference): number {
    checkReference(reference)
    return typeof reference === 'string' ? this.getSync(reference).index : indexOf(reference)
  }

  /** Gives the index. */
  async #create(request: ReturnType<typeof createLinkRequest>, options: LinkCreate): Promise<number> {
    let index: number | undefined
    await this.#connection.request(request, {
      operation: `create ${options.kind} link`,
      subject: options.name,
      replyBytes: linkReplyBytes,
      // The echo of the request is the link before it got its master: good for its index only.
      onMessage: ({ type, payload }) => {
        if (type === RTM.NEWLINK && payload.u8(0) === 0) index ??= payload.s32(4)
      },
    })
    if (index !== undefined) return index
    // A kernel that does not echo.
    if (options.index !== undefined) return options.index
    if (options.name !== undefined && !options.name.includes('%')) return this.index(options.name)
    throw new NetloomError(
      'ERR_UNSUPPORTED',
      'the link was made, but this kernel does not say which it is: give it a name',
    )
  }

  async #change(index: number, change: ResolvedLink): Promise<Link> {
    const {
      link: { up, ...rest },
      ports,
    } = splitPortSettings(change)
    // The kernel goes up before it looks at the mode of link-local addresses, and makes the address as it does.
    // And ports are what they shall be before anything passes.
    if ((up && change.ipv6LinkLocal !== undefined) || ports.length > 0) {
      const requests = ports.map(([name, settings]) => changePortRequest(index, name, settings))
      if (Object.values(rest).some(value => value !== undefined)) {
        await this.#request(changeLinkRequest(index, rest), 'change link', index)
      }
      if (ports.length > 0) await this.#checkPort(index, ports)
      for (const request of requests) await this.#request(request, 'change port', index)
      if (up !== undefined) await this.#request(changeLinkRequest(index, { up }), 'change link', index)
    } else {
      await this.#request(changeLinkRequest(index, { ...rest, up }), 'change link', index)
    }
    return this.get(index)
  }

  // The kernel would take the settings of one kind of port for those of another.
  async #checkPort(index: number, ports: readonly [name: keyof typeof portKinds, settings: object][]) {
    const { name, portKind } = await this.get(index)
    for (const [settings] of ports) {
      const wanted = portKinds[settings].name
      if (portKind === wanted) continue
      const actual = portKind === undefined ? 'it is not a port' : `it is a port of a ${portKind}`
      throw new NetloomError('ERR_LINK_MISMATCH', `${settings} is not for ${name}: ${actual}`)
    }
  }

  async #request(
    request: ReturnType<typeof linkRequest>,
    operation: string,
    reference: LinkReference,
    options?: WaitOptions,
  ): Promise<void> {
    try {
      await this.#connection.request(request, {
        operation,
        subject: describeLink(reference),
        signal: options?.signal,
      })
    } catch (error) {
      if (isMissing(error)) throw notFound(reference, error)
      throw error
    }
  }

  #ask(reference: LinkReference, onMessage: (message: Message) => void): void {
    try {
      this.#connection.requestSync(linkRequest(RTM.GETLINK, 0, checkReference(reference)), {
        operation: 'get link',
        subject: describeLink(reference),
        replyBytes: linkReplyBytes,
        onMessage,
      })
    } catch (error) {
      if (isMissing(error)) throw notFound(reference, error)
      throw error
    }
  }

  async #resolve(options: LinkChange | LinkCreate): Promise<{ link: ResolvedLink; release(): void }> {
    const held: NamespaceDescriptor[] = []
    const release = () => {
      for (const descriptor of held) descriptor.release()
    }
    const hold = (reference: NamespaceReference | undefined) => {
      if (reference === undefined) return undefined
      const descriptor = keepNamespace(reference)
      held.push(descriptor)
      return descriptor.fd
    }
    try {
      const { master, lower, peer, ...rest } = options as LinkCreate
      const link: ResolvedLink = rest
      if (peer) link.peer = { ...peer, in: hold(peer.in) }
      if (master !== undefined) link.master = master === null ? 0 : await this.index(master)
      if (lower !== undefined) link.lower = await this.index(lower)
      return { link, release }
    } catch (error) {
      release()
      throw error
    }
  }
}

function checkReference(reference: LinkReference): LinkReference {
  if (typeof reference !== 'string') return indexOf(reference)
  if (reference === '' || reference.includes('\0')) {
    throw invalidArgumentValue('link', reference, 'must be the name of a link')
  }
  return reference
}

export function describeLink(reference: LinkReference): string {
  return typeof reference === 'string' ? reference : `#${indexOf(reference)}`
}

// ENODEV for what is not there; strict checking says EINVAL to names that no link can have.
function isMissing(error: unknown): boolean {
  return error instanceof NetlinkError && error.code === 'ENODEV'
}

export function notFound(reference: LinkReference, cause?: unknown): NetloomError {
  return new NetloomError('ERR_LINK_NOT_FOUND', `there is no link ${describeLink(reference)}`, { cause })
}

/** Where a link is not what was asked for, in words. */
function firstDifference(link: object, wanted: object, path = ''): string | undefined {
  for (const [name, value] of Object.entries(wanted)) {
    const actual = (link as Record<string, unknown>)[name]
    // The name was found, perhaps as an alternative one.
    if (value === undefined || name === 'name') continue
    if (typeof value === 'object' && value !== null) {
      const difference = firstDifference(actual ?? {}, value, `${path}${name}.`)
      if (difference !== undefined) return difference
    } else if ((actual ?? null) !== value && !(actual === undefined && value === '')) {
      const same = typeof value === 'string' && String(actual).toLowerCase() === value.toLowerCase()
      if (!same) return `${path}${name} is ${actual}, not ${value}`
    }
  }
  return undefined
}
