import { checkInterfaceName, parseMacAddress } from '../../address/index.js'
import { invalidArgumentType, invalidArgumentValue, requireInteger } from '../../errors/index.js'
import type { NamespaceReference } from '../../netns/index.js'
import {
  type FixedPart,
  littleEndian,
  MessageWriter,
  NLM_F,
  type Request,
  writeTable,
} from '../core/index.js'
import { AF, IFF, IFLA, IFLA_INET6, IFLA_INFO, RTM, VETH_INFO } from './constants.js'
import {
  findLinkKind,
  type LinkKindName,
  linkKinds,
  type PortKindName,
  portKindNames,
  portKinds,
} from './kinds/index.js'
import {
  type Ipv6LinkLocal,
  ipv6LinkLocalModes,
  type LinkKindSettings,
  type LinkPortSettings,
  linkHeaderLength,
} from './link.js'

/** How links are referred to: by name, by index, or as a link. */
export type LinkReference = string | number | { readonly index: number }

/** What can be set on any link. `undefined` is left as it is. */
export interface LinkAttributes {
  up?: boolean | undefined
  mtu?: number | undefined
  macAddress?: string | undefined
  /** Packets that wait to be sent. */
  txQueueLength?: number | undefined
  /** What it becomes a port of; `null` takes it out. */
  master?: LinkReference | null | undefined
  /** A text for people, at most 255 bytes; empty takes it away. */
  alias?: string | undefined
  group?: number | undefined
  promiscuous?: boolean | undefined
  allMulticast?: boolean | undefined
  multicast?: boolean | undefined
  arp?: boolean | undefined
  ipv6LinkLocal?: Ipv6LinkLocal | undefined
}

export interface LinkChange extends LinkAttributes, LinkKindSettings, LinkPortSettings {
  /** The new name. */
  name?: string | undefined
}

/** The other end of a veth pair. */
export interface VethPeer {
  name?: string | undefined
  mtu?: number | undefined
  macAddress?: string | undefined
  txQueueLength?: number | undefined
  /** The namespace it appears in. Default: that of the first end. */
  in?: NamespaceReference | undefined
}

export type LinkCreate = LinkAttributes &
  LinkKindSettings &
  LinkPortSettings & {
    /** Kinds beyond the registry's can be made too, without settings. */
    kind: LinkKindName | (string & {})
    /** May hold one `%d` for the first free number. Default: the kernel's choice. */
    name?: string | undefined
    /** The index, if it must be a certain one. */
    index?: number | undefined
    /** The link beneath, of kinds that sit on another. */
    lower?: LinkReference | undefined
    txQueues?: number | undefined
    rxQueues?: number | undefined
    /** Of `veth`. */
    peer?: VethPeer | undefined
  }

/** Option values with references looked up: what a message can carry. */
export interface ResolvedLink extends Omit<LinkCreate, 'master' | 'lower' | 'peer' | 'kind'> {
  kind?: string | undefined
  /** An index; 0 for none. */
  master?: number | undefined
  lower?: number | undefined
  /** A descriptor of the namespace that the link moves to. */
  in?: number | undefined
  peer?: (Omit<VethPeer, 'in'> & { in?: number | undefined }) | undefined
}

const attributeNames = [
  'up',
  'mtu',
  'macAddress',
  'txQueueLength',
  'master',
  'alias',
  'group',
  'promiscuous',
  'allMulticast',
  'multicast',
  'arp',
  'ipv6LinkLocal',
] as const satisfies readonly (keyof LinkAttributes)[]

const kindNames = Object.keys(linkKinds) as LinkKindName[]

export const changeOptions = [...attributeNames, ...kindNames, ...portKindNames, 'name'] as const

export const createOptions = [
  ...attributeNames,
  ...kindNames,
  ...portKindNames,
  'kind',
  'name',
  'index',
  'lower',
  'txQueues',
  'rxQueues',
  'peer',
] as const

const flagBits = {
  up: IFF.UP,
  promiscuous: IFF.PROMISC,
  allMulticast: IFF.ALLMULTI,
  multicast: IFF.MULTICAST,
} as const

/** struct ifinfomsg. */
export function linkHeader(options: {
  index?: number | undefined
  flags?: number
  change?: number
}): FixedPart {
  return {
    length: linkHeaderLength,
    write(view, at) {
      view.setInt32(at + 4, options.index ?? 0, littleEndian)
      view.setUint32(at + 8, options.flags ?? 0, littleEndian)
      view.setUint32(at + 12, options.change ?? 0, littleEndian)
    },
  }
}

/**
 * A new link in one message. `alias` and `ipv6LinkLocal` are not in it: the kernel looks at them only when it
 * changes a link.
 */
export function createLinkRequest(link: ResolvedLink): Request {
  const writer = new MessageWriter({
    type: RTM.NEWLINK,
    flags: NLM_F.REQUEST | NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL | NLM_F.ECHO,
    header: linkHeader({ index: link.index, ...flagsOf(link) }),
    name: 'link',
  })
  writeCommon(writer, link, true)
  if (link.lower !== undefined) writer.u32(IFLA.LINK, 'lower', link.lower)
  if (link.txQueues !== undefined) writer.u32(IFLA.NUM_TX_QUEUES, 'txQueues', link.txQueues)
  if (link.rxQueues !== undefined) writer.u32(IFLA.NUM_RX_QUEUES, 'rxQueues', link.rxQueues)
  writer.nested(IFLA.LINKINFO, '', info => {
    info.string(IFLA_INFO.KIND, 'kind', link.kind ?? '')
    writeSettings(info, link)
    const { peer } = link
    if (peer) {
      info.nested(IFLA_INFO.DATA, '', data =>
        data.nested(VETH_INFO.PEER, 'peer', end => {
          end.fixed(linkHeader({}))
          writeCommon(end, peer, true)
          if (peer.in !== undefined) end.u32(IFLA.NET_NS_FD, 'in', peer.in)
        }),
      )
    }
  })
  return writer.finish()
}

export function changeLinkRequest(index: number, link: ResolvedLink): Request {
  const writer = new MessageWriter({
    type: RTM.NEWLINK,
    flags: NLM_F.REQUEST | NLM_F.ACK,
    header: linkHeader({ index, ...flagsOf(link) }),
    name: 'link',
  })
  writeCommon(writer, link, false)
  if (link.alias !== undefined) {
    if (typeof link.alias !== 'string') throw invalidArgumentType('alias', 'a string', link.alias)
    writer.bytes(IFLA.IFALIAS, 'alias', new TextEncoder().encode(link.alias))
  }
  if (link.in !== undefined) writer.u32(IFLA.NET_NS_FD, 'in', link.in)
  const mode = link.ipv6LinkLocal
  if (mode !== undefined) {
    if (!Object.hasOwn(ipv6LinkLocalModes, mode)) {
      const words = Object.keys(ipv6LinkLocalModes).join(', ')
      throw invalidArgumentValue('ipv6LinkLocal', mode, `must be one of ${words}`)
    }
    writer.nested(IFLA.AF_SPEC, '', spec =>
      spec.nested(AF.INET6, '', inet6 =>
        inet6.u8(IFLA_INET6.ADDR_GEN_MODE, 'ipv6LinkLocal', ipv6LinkLocalModes[mode]),
      ),
    )
  }
  if (link.kind !== undefined) {
    writer.nested(IFLA.LINKINFO, '', info => {
      info.string(IFLA_INFO.KIND, 'kind', link.kind ?? '')
      writeSettings(info, link)
    })
  }
  return writer.finish()
}

/** The settings of a port, which the kernel takes as those of whatever its master is: the caller has looked. */
export function changePortRequest(index: number, name: PortKindName, settings: object): Request {
  const kind = portKinds[name]
  return new MessageWriter({
    type: RTM.NEWLINK,
    flags: NLM_F.REQUEST | NLM_F.ACK,
    header: linkHeader({ index }),
    name: 'link',
  })
    .nested(IFLA.LINKINFO, '', info => {
      info.string(IFLA_INFO.SLAVE_KIND, '', kind.name)
      info.nested(IFLA_INFO.SLAVE_DATA, name, data =>
        writeTable(data, kind.settings, settings as Record<string, unknown>, name),
      )
    })
    .finish()
}

/** Takes out what is about the port that a link is: it has messages of its own. */
export function splitPortSettings<T extends LinkPortSettings>(
  link: T,
): { link: Omit<T, PortKindName>; ports: [PortKindName, object][] } {
  const rest = { ...link }
  const ports: [PortKindName, object][] = []
  for (const name of portKindNames) {
    const settings = rest[name]
    delete rest[name]
    if (settings !== undefined) ports.push([name, settings])
  }
  return { link: rest, ports }
}

/** A message about one link that carries nothing but which it is. */
export function linkRequest(type: number, flags: number, reference: LinkReference): Request {
  const index = typeof reference === 'string' ? undefined : indexOf(reference)
  const writer = new MessageWriter({
    type,
    flags: NLM_F.REQUEST | NLM_F.ACK | flags,
    header: linkHeader({ index }),
    name: 'link',
  })
  // A name too long for IFLA_IFNAME can only be an alternative one; the kernel looks for both under either.
  if (typeof reference === 'string') {
    const alternative = Buffer.byteLength(reference) > 15
    writer.string(alternative ? IFLA.ALT_IFNAME : IFLA.IFNAME, 'name', reference)
  }
  return writer.finish()
}

export function indexOf(reference: Exclude<LinkReference, string>): number {
  const index = typeof reference === 'object' && reference !== null ? reference.index : reference
  if (typeof index !== 'number') throw invalidArgumentType('link', 'a link, a name or an index', reference)
  return requireInteger('link.index', index, 1, 0x7fff_ffff)
}

export function listLinksRequest(filter: {
  master?: number | undefined
  kind?: string | undefined
}): Request {
  const writer = new MessageWriter({
    type: RTM.GETLINK,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    header: linkHeader({}),
    name: 'link',
  })
  if (filter.master !== undefined) writer.u32(IFLA.MASTER, 'master', filter.master)
  const { kind } = filter
  if (kind !== undefined) {
    writer.nested(IFLA.LINKINFO, '', info => info.string(IFLA_INFO.KIND, 'kind', kind))
  }
  return writer.finish()
}

function flagsOf(link: ResolvedLink): { flags: number; change: number } {
  let flags = 0
  let change = 0
  const set = (name: string, value: unknown, bit: number, inverted = false) => {
    if (value === undefined) return
    if (typeof value !== 'boolean') throw invalidArgumentType(name, 'a boolean', value)
    change |= bit
    if (value !== inverted) flags |= bit
  }
  for (const [name, bit] of Object.entries(flagBits)) set(name, link[name as keyof typeof flagBits], bit)
  set('arp', link.arp, IFF.NOARP, true)
  return { flags, change }
}

function writeCommon(writer: MessageWriter, link: Partial<ResolvedLink>, pattern: boolean): void {
  if (link.name !== undefined) {
    writer.string(IFLA.IFNAME, 'name', checkInterfaceName(link.name, { pattern }))
  }
  if (link.mtu !== undefined) writer.u32(IFLA.MTU, 'mtu', link.mtu)
  if (link.macAddress !== undefined) {
    writer.bytes(IFLA.ADDRESS, 'macAddress', parseMacAddress(link.macAddress))
  }
  if (link.txQueueLength !== undefined) writer.u32(IFLA.TXQLEN, 'txQueueLength', link.txQueueLength)
  if (link.group !== undefined) writer.u32(IFLA.GROUP, 'group', link.group)
  if (link.master !== undefined) writer.u32(IFLA.MASTER, 'master', link.master)
}

function writeSettings(info: MessageWriter, link: ResolvedLink): void {
  const kind = link.kind === undefined ? undefined : findLinkKind(link.kind)
  for (const name of kindNames) {
    const settings = link[name]
    if (settings === undefined) continue
    if (name !== kind?.name)
      throw invalidArgumentValue(name, settings, `does not belong to a link of kind ${link.kind}`)
    info.nested(IFLA_INFO.DATA, kind.name, data =>
      writeTable(data, kind.settings, settings as Record<string, unknown>, kind.name),
    )
  }
}
