import { checkInterfaceName, parseMacAddress } from '../../address/index.js'
import { invalidArgumentType, invalidArgumentValue, requireBoolean } from '../../errors/index.js'
import type { NamespaceReference } from '../../netns/index.js'
import {
  type FixedPart,
  littleEndian,
  MessageWriter,
  NLM_F,
  type Request,
  writeTable,
} from '../core/index.js'
import { AF, IFF, IFLA, IFLA_INET6, IFLA_INFO, RTM } from './constants.js'
import {
  findLinkKind,
  findPortKind,
  type LinkKind,
  type LinkKindName,
  type LinkKindOptions,
  type LinkPortOptions,
  linkKindNames,
  type PortKindName,
  portKindNames,
} from './kinds/index.js'
import { type Ipv6LinkLocal, ipv6LinkLocalModes, type LinkMode, linkHeaderLength, linkModes } from './link.js'
import { indexOf, type LinkReference } from './link-reference.js'

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
  /** Of TAP and TUN with a port, `dummy` and others that leave it to their users. Told while the link is up. */
  carrier?: boolean | undefined
  /** `dormant`: when its carrier comes it waits for a program that lets it come up. */
  linkMode?: LinkMode | undefined
  /** Held down for a protocol: `macvlan`, `vxlan`, some hardware. */
  protocolDown?: boolean | undefined
  ipv6LinkLocal?: Ipv6LinkLocal | undefined
  /** Other names, which may be longer than 15 bytes. A change replaces those that were. */
  altNames?: readonly string[] | undefined
  /** Limits of packets on their way to and from segmentation, in bytes and segments. */
  gsoMaxSize?: number | undefined
  gsoMaxSegments?: number | undefined
  groMaxSize?: number | undefined
  gsoIpv4MaxSize?: number | undefined
  groIpv4MaxSize?: number | undefined
}

export interface LinkChange extends LinkAttributes, LinkKindOptions, LinkPortOptions {
  /** The new name. */
  name?: string | undefined
}

/** The other end of a pair. */
export interface VethPeer {
  name?: string | undefined
  mtu?: number | undefined
  macAddress?: string | undefined
  txQueueLength?: number | undefined
  /** The namespace it appears in. Default: that of the first end. */
  in?: NamespaceReference | undefined
}

export type LinkCreate = LinkAttributes &
  LinkKindOptions &
  LinkPortOptions & {
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
    /** Of kinds that come in pairs: `veth`, `netkit`, `vxcan`. */
    peer?: VethPeer | undefined
    /** The namespace that it appears in; what is beneath it (`lower`) stays in ours. */
    in?: NamespaceReference | undefined
  }

/** Option values with references looked up: what a message can carry. */
export interface ResolvedLink extends Omit<LinkCreate, 'master' | 'lower' | 'peer' | 'kind' | 'in'> {
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
  'carrier',
  'linkMode',
  'protocolDown',
  'ipv6LinkLocal',
  'altNames',
  'gsoMaxSize',
  'gsoMaxSegments',
  'groMaxSize',
  'gsoIpv4MaxSize',
  'groIpv4MaxSize',
] as const satisfies readonly (keyof LinkAttributes)[]

export function changeOptions(): (keyof LinkChange)[] {
  return [...attributeNames, ...linkKindNames(), ...portKindNames(), 'name']
}

export function createOptions(): (keyof LinkCreate)[] {
  return [...changeOptions(), 'kind', 'index', 'lower', 'txQueues', 'rxQueues', 'peer', 'in']
}

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
 * A new link in one message. Some attributes are not in it: the kernel looks at them only when it changes a link
 * ({@link splitLater}).
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
  if (link.in !== undefined) writer.u32(IFLA.NET_NS_FD, 'in', link.in)
  writeLinkInfo(writer, link)
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
  for (const [name, type] of [
    ['carrier', IFLA.CARRIER],
    ['protocolDown', IFLA.PROTO_DOWN],
  ] as const) {
    if (link[name] !== undefined) writer.u8(type, name, Number(requireBoolean(name, link[name])))
  }
  const { linkMode, ipv6LinkLocal } = link
  if (linkMode !== undefined) {
    writer.u8(IFLA.LINKMODE, 'linkMode', numberOf('linkMode', linkModes, linkMode))
  }
  if (ipv6LinkLocal !== undefined) {
    const mode = numberOf('ipv6LinkLocal', ipv6LinkLocalModes, ipv6LinkLocal)
    writer.nested(IFLA.AF_SPEC, '', spec =>
      spec.nested(AF.INET6, '', inet6 => inet6.u8(IFLA_INET6.ADDR_GEN_MODE, 'ipv6LinkLocal', mode)),
    )
  }
  if (link.gsoMaxSize !== undefined) writer.u32(IFLA.GSO_MAX_SIZE, 'gsoMaxSize', link.gsoMaxSize)
  if (link.gsoMaxSegments !== undefined) writer.u32(IFLA.GSO_MAX_SEGS, 'gsoMaxSegments', link.gsoMaxSegments)
  if (link.groMaxSize !== undefined) writer.u32(IFLA.GRO_MAX_SIZE, 'groMaxSize', link.groMaxSize)
  if (link.gsoIpv4MaxSize !== undefined)
    writer.u32(IFLA.GSO_IPV4_MAX_SIZE, 'gsoIpv4MaxSize', link.gsoIpv4MaxSize)
  if (link.groIpv4MaxSize !== undefined)
    writer.u32(IFLA.GRO_IPV4_MAX_SIZE, 'groIpv4MaxSize', link.groIpv4MaxSize)
  if (link.kind !== undefined) writeLinkInfo(writer, link)
  return writer.finish()
}

/** The settings of a port, which the kernel takes as those of whatever its master is: the caller has looked. */
export function changePortRequest(index: number, name: string, kind: LinkKind, settings: object): Request {
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
export function splitPortSettings(link: ResolvedLink): { link: ResolvedLink; ports: PortSettings[] } {
  const rest = { ...link }
  const ports: PortSettings[] = []
  for (const name of portKindNames()) {
    const settings: object | undefined = rest[name]
    delete rest[name]
    if (settings !== undefined) ports.push({ name, kind: findPortKind(name)!, settings })
  }
  return { link: rest, ports }
}

export interface PortSettings {
  readonly name: PortKindName
  readonly kind: LinkKind
  readonly settings: object
}

const laterNames = [
  'alias',
  'carrier',
  'linkMode',
  'protocolDown',
  'ipv6LinkLocal',
  'altNames',
  'gsoMaxSize',
  'gsoMaxSegments',
  'groMaxSize',
  'gsoIpv4MaxSize',
  'groIpv4MaxSize',
] as const satisfies readonly (keyof LinkAttributes)[]

/** Takes apart what a new link is made with, and what it takes a change for. */
export function splitLater(link: ResolvedLink): { first: ResolvedLink; later: ResolvedLink } {
  const first = { ...link }
  // A bridge follows the MTU of its ports unless its own was set after it was made. Nothing is a port before it is made.
  const names = [...laterNames, ...portKindNames(), ...(link.kind === 'bridge' ? (['mtu'] as const) : [])]
  const later: Record<string, unknown> = {}
  for (const name of names) {
    if (first[name] !== undefined) later[name] = first[name]
    delete first[name]
  }
  return { first, later }
}

/** Adds other names to a link, or takes them away. */
export function altNamesRequest(type: number, index: number, names: readonly string[]): Request {
  return new MessageWriter({
    type,
    flags: NLM_F.REQUEST | NLM_F.ACK | (type === RTM.NEWLINKPROP ? NLM_F.CREATE | NLM_F.EXCL : 0),
    header: linkHeader({ index }),
    name: 'link',
  })
    .nested(IFLA.PROP_LIST, 'altNames', list => {
      for (const name of names) list.string(IFLA.ALT_IFNAME, name, name)
    })
    .finish()
}

/** include/uapi/linux/if.h, ALTIFNAMSIZ. @throws TypeError */
export function checkAltNames(names: unknown): readonly string[] {
  if (!Array.isArray(names)) throw invalidArgumentType('altNames', 'an array', names)
  for (const name of names) {
    if (typeof name !== 'string') throw invalidArgumentType('altNames', 'an array of strings', name)
    if (
      name === '' ||
      Buffer.byteLength(name) > 127 ||
      /[\s/:\0]/.test(name) ||
      name === '.' ||
      name === '..'
    ) {
      throw invalidArgumentValue('altNames', name, 'cannot be a name of a link')
    }
  }
  return names
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

function numberOf<W extends string>(name: string, words: Record<W, number>, word: W): number {
  if (Object.hasOwn(words, word)) return words[word]
  throw invalidArgumentValue(name, word, `must be one of ${Object.keys(words).join(', ')}`)
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

/** Kind, settings, and the other end. */
function writeLinkInfo(writer: MessageWriter, link: ResolvedLink): void {
  const { kind: name = '', peer } = link
  const kind = findLinkKind(name)
  for (const other of linkKindNames()) {
    if (link[other] === undefined || other === name) continue
    throw invalidArgumentValue(other, link[other], `does not belong to a link of kind ${name}`)
  }
  const given: Record<string, unknown> | undefined = link[name as LinkKindName]
  writer.nested(IFLA.LINKINFO, '', info => {
    info.string(IFLA_INFO.KIND, 'kind', name)
    if (!kind || (given === undefined && peer === undefined)) return
    info.nested(IFLA_INFO.DATA, given ? kind.name : '', data => {
      if (given !== undefined) writeTable(data, kind.settings, given, kind.name)
      if (kind.peer === undefined || peer === undefined) return
      data.nested(kind.peer, 'peer', end => {
        end.fixed(linkHeader({}))
        writeCommon(end, peer, true)
        if (peer.in !== undefined) end.u32(IFLA.NET_NS_FD, 'in', peer.in)
      })
    })
  })
}
