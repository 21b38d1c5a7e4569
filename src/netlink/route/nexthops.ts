import { type IpFamily, parseIpAddress } from '../../address/index.js'
import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  requireInteger,
  requireOptions,
} from '../../errors/index.js'
import {
  type AttributeCursor,
  centiseconds,
  type FixedPart,
  field,
  littleEndian,
  MessageWriter,
  type NetlinkConnection,
  NLM_F,
  type Payload,
  payloadOf,
  type RawAttribute,
  type Request,
  readIpAddress,
  readTable,
  reported,
  type TableValues,
  table,
  u16,
  type WaitOptions,
  wordOf,
  writeTable,
} from '../core/index.js'
import { AF, NEXTHOP_GRP_TYPE, NHA, netloomProtocol, RT_SCOPE, RTM, RTNH_F } from './constants.js'
import { ensure, firstUnlike } from './difference.js'
import { type Listing, listObjects, streamObjects } from './dump.js'
import { type Encapsulation, readEncapsulation, writeEncapsulation } from './encapsulation.js'
import type { LinkReference } from './link-reference.js'
import type { Links } from './links.js'
import type { RouteScope } from './route.js'

/** Of groups whose flows stay where they are when members come and go. include/uapi/linux/nexthop.h */
export const resilientSettings = table(
  'NHA_RES_GROUP_',
  {
    buckets: field(1, 'BUCKETS', u16),
    /** How long a bucket has to be idle before it may move. */
    idleTimerMs: field(2, 'IDLE_TIMER', centiseconds(32)),
    /** After so long it moves even if it is busy; 0 never. */
    unbalancedTimerMs: field(3, 'UNBALANCED_TIMER', centiseconds(32)),
    unbalancedTimeMs: reported(4, 'UNBALANCED_TIME', centiseconds(64)),
  },
  0,
)

export interface NexthopMember {
  readonly id: number
  /** 1 to 256; kernels since 6.12 take up to 65536. */
  readonly weight: number
}

/** A next hop with a number of its own, which many routes can share. */
export interface Nexthop {
  readonly id: number
  /** `undefined` for groups. */
  readonly family: IpFamily | undefined
  readonly scope: RouteScope
  /** Who made it, as of routes; 78 Netloom. */
  readonly protocol: number
  readonly gateway: string | undefined
  /** Index of the link. */
  readonly link: number | undefined
  readonly blackhole: boolean
  readonly onlink: boolean
  readonly dead: boolean
  readonly linkDown: boolean
  readonly offloaded: boolean
  /** For entries of forwarding databases, not for routes. */
  readonly fdb: boolean
  readonly encapsulation: Encapsulation | undefined
  /** Empty for what is no group. */
  readonly group: readonly NexthopMember[]
  readonly groupType: keyof typeof NEXTHOP_GRP_TYPE | undefined
  readonly resilient: TableValues<typeof resilientSettings> | undefined
  /** Attributes that are not told otherwise. */
  readonly raw: readonly RawAttribute[]
}

/** Either a `gateway`, a `link` or both, or `blackhole`, or a `group`. */
export interface NexthopOptions {
  /** Default: the kernel chooses; needed by `replace`. */
  id?: number | undefined
  /** Needed where no gateway tells, but for groups. */
  family?: IpFamily | undefined
  /** Default 78, Netloom's. */
  protocol?: number | undefined
  gateway?: string | undefined
  link?: LinkReference | undefined
  blackhole?: boolean | undefined
  onlink?: boolean | undefined
  fdb?: boolean | undefined
  encapsulation?: Encapsulation | undefined
  /** A number alone has weight 1. */
  group?: readonly (number | { id: number; weight?: number | undefined })[] | undefined
  /** Settings of a resilient group; without them a group is of type `mpath`. */
  resilient?: Omit<TableValues<typeof resilientSettings>, 'unbalancedTimeMs'> | undefined
}

export interface NexthopFilter {
  link?: LinkReference | undefined
  /** Only groups, or only what is none. */
  groups?: boolean | undefined
  fdb?: boolean | undefined
  protocol?: number | undefined
}

const optionNames = [
  'id',
  'family',
  'protocol',
  'gateway',
  'link',
  'blackhole',
  'onlink',
  'fdb',
  'encapsulation',
  'group',
  'resilient',
] as const satisfies readonly (keyof NexthopOptions)[]

/** Bytes of struct nhmsg and struct nexthop_grp. */
const headerLength = 8
const memberLength = 8
const replyBytes = 4096
const maxId = 0xffff_ffff

/** The nexthop objects of one namespace. */
export class Nexthops {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  async list(filter?: NexthopFilter & WaitOptions): Promise<Nexthop[]> {
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(filter?: NexthopFilter & WaitOptions): AsyncGenerator<Nexthop, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(filter: (NexthopFilter & WaitOptions) | undefined): Promise<Listing<Nexthop>> {
    const names = ['link', 'groups', 'fdb', 'protocol', 'signal'] as const
    const { link, groups, fdb, protocol, signal } = requireOptions('filter', filter, names)
    const index = link === undefined ? undefined : await this.#links.index(link)
    const writer = message(RTM.GETNEXTHOP, NLM_F.DUMP, {})
    if (index !== undefined) writer.u32(NHA.OIF, 'link', index)
    if (groups) writer.flag(NHA.GROUPS, 'groups')
    if (fdb) writer.flag(NHA.FDB, 'fdb')
    return {
      request: writer.finish(),
      operation: 'list nexthops',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWNEXTHOP ? readNexthop(payload) : undefined),
      passes: found =>
        (index === undefined || found.link === index) &&
        (groups === undefined || found.group.length > 0 === groups) &&
        (fdb === undefined || found.fdb === fdb) &&
        (protocol === undefined || found.protocol === protocol),
    }
  }

  /** @throws NetlinkError `ENOENT` */
  async get(id: number, options?: WaitOptions): Promise<Nexthop> {
    requireInteger('id', id, 1, maxId)
    let nexthop: Nexthop | undefined
    await this.#connection.request(message(RTM.GETNEXTHOP, NLM_F.ACK, {}).u32(NHA.ID, 'id', id).finish(), {
      operation: 'get nexthop',
      subject: `${id}`,
      replyBytes,
      signal: options?.signal,
      onMessage: ({ type, payload }) => {
        if (type === RTM.NEWNEXTHOP) nexthop = readNexthop(payload)
      },
    })
    if (!nexthop) throw new NetloomError('ERR_NETLINK_PROTOCOL', `get nexthop ${id}: no answer`)
    return nexthop
  }

  /** @throws NetlinkError `EEXIST`, `ENETUNREACH`, …; TypeError, RangeError */
  async create(options: NexthopOptions & WaitOptions): Promise<Nexthop> {
    return this.#put('create', NLM_F.CREATE | NLM_F.EXCL, options)
  }

  /** As {@link create}, but takes the place of the one with the `id`, in all routes that use it. */
  async replace(options: NexthopOptions & { id: number } & WaitOptions): Promise<Nexthop> {
    requireInteger('options.id', options?.id, 1, maxId)
    return this.#put('replace', NLM_F.CREATE | NLM_F.REPLACE, options)
  }

  /**
   * As {@link create}, but one of that `id` is accepted if it is as asked.
   * @throws NetloomError `ERR_OBJECT_MISMATCH`
   */
  async ensure(options: NexthopOptions & { id: number } & WaitOptions): Promise<Nexthop> {
    const id = requireInteger('options.id', options?.id, 1, maxId)
    const wanted = readNexthop(payloadOf(await this.#request(0, options)))
    const { signal, protocol: _, ...asked } = options
    return ensure(
      `the nexthop ${id}`,
      () => this.create(options),
      () => this.get(id, { signal }),
      found => firstUnlike({ blackhole: false, fdb: false, ...asked }, wanted, found),
    )
  }

  /** The routes that use it go too, without the kernel telling of each. @throws NetlinkError `ENOENT` */
  async delete(id: number, options?: WaitOptions): Promise<void> {
    requireInteger('id', id, 1, maxId)
    await this.#connection.request(message(RTM.DELNEXTHOP, NLM_F.ACK, {}).u32(NHA.ID, 'id', id).finish(), {
      operation: 'delete nexthop',
      subject: `${id}`,
      signal: options?.signal,
    })
  }

  async #put(operation: string, flags: number, options: NexthopOptions & WaitOptions): Promise<Nexthop> {
    const { id, signal } = options
    let created: Nexthop | undefined
    await this.#connection.request(await this.#request(flags | NLM_F.ECHO, options), {
      operation: `${operation} nexthop`,
      subject: id === undefined ? undefined : `${id}`,
      replyBytes,
      signal,
      onMessage: ({ type, payload }) => {
        if (type === RTM.NEWNEXTHOP) created ??= readNexthop(payload)
      },
    })
    if (created) return created
    if (id !== undefined) return this.get(id, { signal })
    throw new NetloomError(
      'ERR_UNSUPPORTED',
      'this kernel does not say which nexthop was made: give it an id',
    )
  }

  async #request(flags: number, options: NexthopOptions & WaitOptions): Promise<Request> {
    const { signal: _, link, ...rest } = requireOptions('options', options, [...optionNames, 'signal'])
    const index = link === undefined ? undefined : await this.#links.index(link)
    const writer = message(RTM.NEWNEXTHOP, flags | NLM_F.ACK, headerOf({ ...rest, link: index }))
    if (rest.id !== undefined) writer.u32(NHA.ID, 'id', requireInteger('id', rest.id, 1, maxId))
    if (rest.group !== undefined) {
      writer.bytes(NHA.GROUP, 'group', membersOf(rest.group))
      if (rest.resilient !== undefined) {
        writer.u16(NHA.GROUP_TYPE, 'resilient', NEXTHOP_GRP_TYPE.resilient)
        writer.nested(NHA.RES_GROUP, 'resilient', nest =>
          writeTable(nest, resilientSettings, rest.resilient as Record<string, unknown>, 'resilient'),
        )
      }
    }
    if (rest.blackhole) writer.flag(NHA.BLACKHOLE, 'blackhole')
    if (index !== undefined) writer.u32(NHA.OIF, 'link', index)
    if (rest.gateway !== undefined) writer.bytes(NHA.GATEWAY, 'gateway', parseIpAddress(rest.gateway).bytes)
    if (rest.fdb) writer.flag(NHA.FDB, 'fdb')
    writeEncapsulation(writer, { type: NHA.ENCAP_TYPE, value: NHA.ENCAP }, rest.encapsulation)
    return writer.finish()
  }
}

function headerOf(options: Omit<NexthopOptions, 'link'> & { link: number | undefined }): {
  family?: number
  protocol?: number
  flags?: number
} {
  const { group, gateway, link, blackhole, family, encapsulation, resilient } = options
  for (const name of ['blackhole', 'onlink', 'fdb'] as const) {
    const value = options[name]
    if (value !== undefined && typeof value !== 'boolean') throw invalidArgumentType(name, 'a boolean', value)
  }
  const protocol = requireInteger('protocol', options.protocol ?? netloomProtocol, 0, 255)
  if (group !== undefined) {
    for (const [name, value] of Object.entries({ gateway, link, blackhole, family, encapsulation })) {
      if (value !== undefined) throw invalidArgumentValue(name, value, 'does not go with `group`')
    }
    return { protocol }
  }
  if (resilient !== undefined) throw invalidArgumentValue('resilient', resilient, 'is for groups')
  if (gateway === undefined && link === undefined && !blackhole) {
    throw invalidArgumentValue('gateway', gateway, 'is needed, or `link`, `blackhole` or `group`')
  }
  const known = gateway === undefined ? family : parseIpAddress(gateway).family
  if ((known !== 4 && known !== 6) || (family !== undefined && family !== known)) {
    throw invalidArgumentValue('family', family, 'must be 4 or 6, and that of the gateway if there is one')
  }
  return {
    family: known === 4 ? AF.INET : AF.INET6,
    protocol,
    flags: options.onlink ? RTNH_F.ONLINK : 0,
  }
}

function membersOf(group: NonNullable<NexthopOptions['group']>): Uint8Array {
  if (!Array.isArray(group) || group.length === 0) {
    throw invalidArgumentType('group', 'an array with at least one member', group)
  }
  const members = new Uint8Array(memberLength * group.length)
  const view = new DataView(members.buffer)
  for (const [i, member] of group.entries()) {
    const { id, weight = 1 } = typeof member === 'number' ? { id: member } : (member ?? {})
    view.setUint32(memberLength * i, requireInteger(`group[${i}].id`, id, 1, maxId), littleEndian)
    const less = requireInteger(`group[${i}].weight`, weight, 1, 65536) - 1
    view.setUint8(memberLength * i + 4, less & 0xff)
    view.setUint8(memberLength * i + 5, less >> 8)
  }
  return members
}

function message(
  type: number,
  flags: number,
  header: { family?: number; protocol?: number; flags?: number },
): MessageWriter {
  const fixed: FixedPart = {
    length: headerLength,
    write(view, at) {
      view.setUint8(at, header.family ?? AF.UNSPEC)
      view.setUint8(at + 2, header.protocol ?? 0)
      view.setUint32(at + 4, header.flags ?? 0, littleEndian)
    },
  }
  return new MessageWriter({ type, flags: NLM_F.REQUEST | flags, header: fixed, name: 'nexthop' })
}

/** @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readNexthop(payload: Payload): Nexthop {
  const family = payload.u8(0)
  const flags = payload.u32(4)
  const nexthop = {
    id: 0,
    family: (family === AF.INET ? 4 : family === AF.INET6 ? 6 : undefined) as IpFamily | undefined,
    scope: wordOf(RT_SCOPE, payload.u8(1)),
    protocol: payload.u8(2),
    gateway: undefined as string | undefined,
    link: undefined as number | undefined,
    blackhole: false,
    onlink: (flags & RTNH_F.ONLINK) !== 0,
    dead: (flags & RTNH_F.DEAD) !== 0,
    linkDown: (flags & RTNH_F.LINKDOWN) !== 0,
    offloaded: (flags & RTNH_F.OFFLOAD) !== 0,
    fdb: false,
    encapsulation: undefined as Encapsulation | undefined,
    group: [] as NexthopMember[],
    groupType: undefined as Nexthop['groupType'],
    resilient: undefined as Nexthop['resilient'],
    raw: [] as RawAttribute[],
  }
  let encapsulation: AttributeCursor | undefined
  let encapsulationType = 0
  const attributes = payload.attributes(headerLength)
  while (attributes.next()) {
    switch (attributes.type) {
      case NHA.ID:
        nexthop.id = attributes.u32()
        break
      case NHA.GROUP:
        nexthop.group = readMembers(attributes.bytes())
        break
      case NHA.GROUP_TYPE:
        nexthop.groupType = wordOf(NEXTHOP_GRP_TYPE, attributes.u16())
        break
      case NHA.BLACKHOLE:
        nexthop.blackhole = true
        break
      case NHA.OIF:
        nexthop.link = attributes.u32()
        break
      case NHA.GATEWAY:
        nexthop.gateway = readIpAddress(attributes)
        break
      case NHA.FDB:
        nexthop.fdb = true
        break
      case NHA.RES_GROUP:
        nexthop.resilient = readTable(resilientSettings, attributes.nested()).values
        break
      case NHA.ENCAP_TYPE:
        encapsulationType = attributes.u16()
        break
      case NHA.ENCAP:
        encapsulation = attributes.nested()
        break
      default:
        nexthop.raw.push(attributes.raw())
    }
  }
  if (encapsulation) nexthop.encapsulation = readEncapsulation(encapsulationType, encapsulation)
  return nexthop
}

function readMembers(bytes: Uint8Array): NexthopMember[] {
  const view = new DataView(bytes.buffer)
  return Array.from({ length: Math.floor(bytes.length / memberLength) }, (_, i) => ({
    id: view.getUint32(memberLength * i, littleEndian),
    weight: (bytes[memberLength * i + 4]! | (bytes[memberLength * i + 5]! << 8)) + 1,
  }))
}
