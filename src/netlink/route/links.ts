import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  requireOptions,
} from '../../errors/index.js'
import { throwIfAborted } from '../../lifecycle/index.js'
import { keepNamespace, type NamespaceDescriptor, type NamespaceReference } from '../../netns/index.js'
import {
  type Message,
  NETLINK,
  NetlinkConnection,
  NetlinkError,
  type Request,
  type WaitOptions,
} from '../core/index.js'
import type { LinkIndex } from './change.js'
import { RTM } from './constants.js'
import { isPlain } from './difference.js'
import { type Listing, listObjects, streamObjects } from './dump.js'
import { findLinkKind, findPortKind, resolveLinks } from './kinds/index.js'
import { type Link, type LinkStatistics, readLink, readLinkStatistics } from './link.js'
import { firstDifference } from './link-difference.js'
import { describeLink, indexOf, type LinkReference } from './link-reference.js'
import {
  altNamesRequest,
  changeLinkRequest,
  changeOptions,
  changePortRequest,
  checkAltNames,
  createLinkRequest,
  createOptions,
  type LinkChange,
  type LinkCreate,
  linkRequest,
  listLinksRequest,
  type PortSettings,
  type ResolvedLink,
  splitLater,
  splitPortSettings,
} from './link-request.js'
import { settle } from './settle.js'

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
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(filter?: LinkFilter & WaitOptions): AsyncGenerator<Link, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(filter: (LinkFilter & WaitOptions) | undefined): Promise<Listing<Link>> {
    const { kind, master, signal } = requireOptions('filter', filter, ['kind', 'master', 'signal'])
    if (kind !== undefined && typeof kind !== 'string') {
      throw invalidArgumentType('filter.kind', 'a string', kind)
    }
    const masterIndex = master === undefined ? undefined : await this.index(master)
    return {
      request: listLinksRequest({ kind, master: masterIndex }),
      operation: 'list links',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWLINK ? readLink(payload) : undefined),
      passes: link =>
        (kind === undefined || link.kind === kind) &&
        (masterIndex === undefined || link.master === masterIndex),
    }
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
        repeatable: true,
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
    const { name, in: namespace } = requireOptions('options', options, createOptions())
    if (typeof name !== 'string') throw invalidArgumentType('options.name', 'a string', name)
    checkCreate(options, true)
    const there = this.#there(namespace)
    try {
      const link = await there.links.find(name)
      if (!link) return undefined
      const resolved = await this.#resolve(options, there.links)
      resolved.release()
      const difference = firstDifference(link, resolved.link) ?? (await this.#peerDifference(link, options))
      if (difference === undefined) return link
      throw new NetloomError('ERR_LINK_MISMATCH', `there is a link ${name}, but its ${difference}`)
    } finally {
      there.close()
    }
  }

  // The other end is looked at only where it is in the same namespace.
  async #peerDifference(link: Link, { peer, in: namespace }: LinkCreate): Promise<string | undefined> {
    if (peer?.name === undefined || peer.in !== undefined || namespace !== undefined) return undefined
    const other = link.lower === undefined ? undefined : await this.find(link.lower)
    if (other?.name === peer.name || other?.altNames.includes(peer.name)) return undefined
    return `peer is ${other?.name ?? 'elsewhere'}, not ${peer.name}`
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
   * @throws NetlinkError `EEXIST`, `ENOTSUP` for a kind that the kernel lacks, …; TypeError, RangeError
   */
  async create(options: LinkCreate): Promise<Link> {
    requireOptions('options', options, createOptions())
    checkCreate(options)
    const there = this.#there(options.in)
    try {
      return await this.#createThere(options, there.links)
    } finally {
      there.close()
    }
  }

  /** `there`: the links of the namespace that the new one appears in. */
  async #createThere(options: LinkCreate, there: Links): Promise<Link> {
    const resolved = await this.#resolve(options, there)
    try {
      const { first, later } = splitLater(resolved.link)
      if (Object.keys(later).length === 0) {
        const index = await this.#create(first, options, there)
        return await there.get(index)
      }
      const { up, ...down } = first
      checkLater({ ...later, up })
      const index = await this.#create(down, options, there)
      try {
        return await there.#change(index, { ...later, up }, { called: first.name ?? index })
      } catch (error) {
        await there.delete(index).catch(() => {})
        throw error
      }
    } finally {
      resolved.release()
    }
  }

  #there(namespace: NamespaceReference | undefined): { links: Links; close(): void } {
    if (namespace === undefined) return { links: this, close: () => {} }
    const connection = new NetlinkConnection({ in: namespace, protocol: NETLINK.ROUTE })
    return { links: new Links(connection), close: () => connection.close() }
  }

  /**
   * Changes what is given.
   * @throws NetloomError `ERR_LINK_NOT_FOUND`, `ERR_LINK_MISMATCH` where settings of a port are not for what it is;
   * NetlinkError
   */
  async change(reference: LinkReference, options: LinkChange & WaitOptions): Promise<Link> {
    const { signal, ...change } = requireOptions('options', options, [...changeOptions(), 'signal'])
    checkCommon(change)
    throwIfAborted(signal)
    const resolved = await this.#resolve(change, this)
    try {
      const { link } = resolved
      const kind = Object.keys(link).find(name => link[name as keyof ResolvedLink] && findLinkKind(name))
      if (kind !== undefined) link.kind = kind
      return await this.#change(await this.index(reference), link, { called: reference, signal })
    } finally {
      resolved.release()
    }
  }

  /** Refuses what {@link change} would, but for links that are not there. @throws TypeError, RangeError */
  checkChange(options: LinkChange): void {
    const { master, ...change } = requireOptions('options', options, changeOptions())
    checkCommon(change)
    checkLater(change as ResolvedLink)
  }

  /**
   * Moves a link to another namespace, under another name if need be. Its addresses, routes and master are lost, and
   * it goes down. @throws NetloomError `ERR_LINK_NOT_FOUND`; NetlinkError `EEXIST` when the name is taken there
   */
  async move(
    reference: LinkReference,
    to: NamespaceReference,
    options?: { name?: string | undefined } & WaitOptions,
  ): Promise<void> {
    const { name, signal } = requireOptions('options', options, ['name', 'signal'])
    throwIfAborted(signal)
    const namespace = keepNamespace(to)
    try {
      const request = changeLinkRequest(await this.index(reference), { in: namespace.fd, name })
      await this.#request(request, 'move link', reference, { signal })
    } finally {
      namespace.release()
    }
  }

  /** @throws NetloomError `ERR_LINK_NOT_FOUND` */
  async delete(reference: LinkReference, options?: WaitOptions): Promise<void> {
    const request = linkRequest(RTM.DELLINK, 0, checkReference(reference))
    await settle(
      () => this.#request(request, 'delete link', reference, options),
      async () => (await this.find(reference, options)) === undefined,
    )
  }

  /** The index behind a reference; asks the kernel only for a name. */
  async index(reference: LinkReference): Promise<number> {
    checkReference(reference)
    return typeof reference === 'string' ? (await this.get(reference)).index : indexOf(reference)
  }

  /** For several, of which some may be absent: those that are names are looked up. @throws as {@link index} */
  async indexes(references: readonly (LinkReference | undefined)[]): Promise<LinkIndex> {
    const found = new Map<string, number>()
    for (const name of references) {
      if (typeof name === 'string' && !found.has(name)) found.set(name, await this.index(name))
    }
    return reference => {
      checkReference(reference)
      return typeof reference === 'string' ? found.get(reference)! : indexOf(reference)
    }
  }

  /** The same, at once: blocks the thread, for microseconds. */
  indexSync(reference: LinkReference): number {
    checkReference(reference)
    return typeof reference === 'string' ? this.getSync(reference).index : indexOf(reference)
  }

  /** Gives the index. */
  async #create(link: ResolvedLink, options: LinkCreate, there: Links): Promise<number> {
    const request = createLinkRequest(link)
    const name = options.name?.includes('%') ? undefined : options.name
    let index: number | undefined
    await settle(
      () =>
        this.#connection.request(request, {
          operation: `create ${options.kind} link`,
          subject: options.name,
          replyBytes: linkReplyBytes,
          // The echo of the request is the link before it got its master: good for its index only.
          onMessage: ({ type, payload }) => {
            if (type === RTM.NEWLINK && payload.u8(0) === 0) index ??= payload.s32(4)
          },
        }),
      async () => {
        // Its echo may have come although its acknowledgement did not.
        if (index !== undefined) return true
        const reference = name ?? options.index
        if (reference === undefined) return undefined
        const found = await there.find(reference)
        return found !== undefined && firstDifference(found, link) === undefined
      },
    )
    if (index !== undefined) return index
    // A kernel that does not echo.
    if (options.index !== undefined) return options.index
    if (name !== undefined) return there.index(name)
    throw new NetloomError(
      'ERR_UNSUPPORTED',
      'the link was made, but this kernel does not say which it is: give it a name',
    )
  }

  /** `called`: what errors call the link. */
  async #change(
    index: number,
    change: ResolvedLink,
    { called, signal }: { called: LinkReference } & WaitOptions,
  ): Promise<Link> {
    const options = { repeatable: true, signal }
    const {
      link: { up, altNames, ...rest },
      ports,
    } = splitPortSettings(await this.#whole(index, change))
    // The kernel goes up before it looks at the mode of link-local addresses, and makes the address as it does.
    // And ports are what they shall be before anything passes.
    if ((up && change.ipv6LinkLocal !== undefined) || ports.length > 0) {
      const requests = ports.map(({ name, kind, settings }) => changePortRequest(index, name, kind, settings))
      if (Object.values(rest).some(value => value !== undefined)) {
        await this.#request(changeLinkRequest(index, rest), 'change link', called, options)
      }
      if (ports.length > 0) await this.#checkPort(index, ports)
      for (const request of requests) await this.#request(request, 'change port', called, options)
      if (up !== undefined)
        await this.#request(changeLinkRequest(index, { up }), 'change link', called, options)
    } else {
      await this.#request(changeLinkRequest(index, { ...rest, up }), 'change link', called, options)
    }
    const link = await this.get(index)
    return altNames && (await this.#rename(link, altNames)) ? this.get(index) : link
  }

  /** Gives a link these other names and no more; tells whether that was a change. */
  async #rename({ index, altNames }: Link, wanted: readonly string[]): Promise<boolean> {
    const extra = altNames.filter(name => !wanted.includes(name))
    const missing = [...new Set(wanted)].filter(name => !altNames.includes(name))
    const changes = [
      { type: RTM.NEWLINKPROP, names: missing },
      { type: RTM.DELLINKPROP, names: extra },
    ].filter(({ names }) => names.length > 0)
    for (const { type, names } of changes) {
      await this.#request(altNamesRequest(type, index, names), 'change names of link', index)
    }
    return changes.length > 0
  }

  // Where the kernel takes settings as a whole, those that are not changed are sent as they are.
  async #whole(index: number, change: ResolvedLink): Promise<ResolvedLink> {
    const kind = change.kind === undefined ? undefined : findLinkKind(change.kind)
    if (!kind?.whole) return change
    const given = (change as Record<string, unknown>)[kind.name]
    if (!isPlain(given)) return change
    const merged: Record<string, unknown> = {}
    const link = (await this.get(index)) as unknown as Record<string, object | undefined>
    for (const [name, value] of Object.entries(link[kind.name] ?? {})) {
      if (kind.settings.fields[name]?.readOnly === false) merged[name] = value
    }
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined) continue
      // Bits: those that are not given stay.
      merged[name] = isPlain(value) && isPlain(merged[name]) ? { ...merged[name], ...value } : value
    }
    return { ...change, [kind.name]: merged }
  }

  // The kernel would take the settings of one kind of port for those of another.
  async #checkPort(index: number, ports: readonly PortSettings[]) {
    const { name, portKind } = await this.get(index)
    for (const { name: settings, kind } of ports) {
      if (portKind === kind.name) continue
      const actual = portKind === undefined ? 'it is not a port' : `it is a port of a ${portKind}`
      throw new NetloomError('ERR_LINK_MISMATCH', `${settings} is not for ${name}: ${actual}`)
    }
  }

  async #request(
    request: Request,
    operation: string,
    reference: LinkReference,
    options?: WaitOptions & { repeatable?: boolean },
  ): Promise<void> {
    try {
      await this.#connection.request(request, {
        operation,
        subject: describeLink(reference),
        ...options,
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
        repeatable: true,
        onMessage,
      })
    } catch (error) {
      if (isMissing(error)) throw notFound(reference, error)
      throw error
    }
  }

  /** `there`: the links of the namespace that it is in. */
  async #resolve(
    options: LinkChange | LinkCreate,
    there: Links,
  ): Promise<{ link: ResolvedLink; release(): void }> {
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
      const { master, lower, peer, in: namespace, ...rest } = options as LinkCreate
      // Strings, indices or links by now turn into indices: what is left of the types of options is the same.
      const link = { ...rest } as ResolvedLink
      if (peer) link.peer = { ...peer, in: hold(peer.in) }
      if (namespace !== undefined) link.in = hold(namespace)
      if (master !== undefined) link.master = master === null ? 0 : await there.index(master)
      if (lower !== undefined) link.lower = await this.index(lower)
      // Before it is made, a link is asked for where the request is sent; a port is what it is in its own namespace.
      for (const [name, value] of Object.entries(rest)) {
        if (value === undefined) continue
        const kind = findLinkKind(name)
        const settings = kind?.prepare && isPlain(value) ? kind.prepare(value) : value
        if (kind)
          Object.assign(link, {
            [name]: await resolveLinks(kind.settings, settings as object, to => this.index(to)),
          })
        const port = findPortKind(name)
        if (port)
          Object.assign(link, {
            [name]: await resolveLinks(port.settings, value as object, to => there.index(to)),
          })
      }
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

// ENODEV for what is not there; strict checking says EINVAL to names that no link can have.
function isMissing(error: unknown): boolean {
  return error instanceof NetlinkError && error.code === 'ENODEV'
}

export function notFound(reference: LinkReference, cause?: unknown): NetloomError {
  return new NetloomError('ERR_LINK_NOT_FOUND', `there is no link ${describeLink(reference)}`, { cause })
}

/** `there`: it may be there already. */
function checkCreate(options: LinkCreate, there = false): void {
  const { kind: name, peer } = options
  if (typeof name !== 'string' || name === '') throw invalidArgumentType('options.kind', 'a string', name)
  const kind = findLinkKind(name)
  if (kind?.creatable === false && !there) {
    throw invalidArgumentValue(
      'options.kind',
      name,
      'cannot be made by netlink: use links.create of a Network, Tap.create or Tun.create',
    )
  }
  if (peer !== undefined) {
    if (kind?.peer === undefined) {
      throw invalidArgumentValue('options.peer', peer, 'belongs to kinds that come in pairs, such as veth')
    }
    requireOptions('options.peer', peer, ['name', 'mtu', 'macAddress', 'txQueueLength', 'in'])
  }
  checkCommon(options)
}

function checkCommon({ altNames }: LinkChange | LinkCreate): void {
  if (altNames !== undefined) checkAltNames(altNames)
}

/** What is said to a link once it is made: bad input is refused before it is. @throws TypeError, RangeError */
function checkLater(change: ResolvedLink): void {
  const { link, ports } = splitPortSettings(change)
  const { altNames: _, ...rest } = link
  changeLinkRequest(1, rest)
  for (const { name, kind, settings } of ports) changePortRequest(1, name, kind, settings)
}
