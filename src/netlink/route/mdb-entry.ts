import {
  formatIpv4,
  formatIpv6,
  formatMacAddress,
  parseIpAddress,
  parseMacAddress,
} from '../../address/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../../errors/index.js'
import {
  type AttributeCursor,
  type FixedPart,
  littleEndian,
  MessageWriter,
  malformed,
  NLM_F,
  type Payload,
  type Request,
  readIpAddress,
  wordOf,
} from '../core/index.js'
import {
  AF,
  MCAST,
  MDB_FLAGS,
  MDB_RTR_TYPE,
  MDB_STATE,
  MDBA,
  MDBA_MDB,
  MDBA_MDB_EATTR,
  MDBA_MDB_SRCATTR,
  MDBA_MDB_SRCLIST,
  MDBA_ROUTER,
  MDBA_ROUTER_PATTR,
  MDBA_SET_ENTRY,
  MDBA_SET_ENTRY_ATTRS,
  MDBE_ATTR,
  MDBE_SRC_LIST,
  MDBE_SRCATTR,
  RTM,
} from './constants.js'
import { requireVlan } from './fdb-entry.js'
import type { LinkReference } from './link-reference.js'

/** How long a member stays: `temporary` ones go when nobody reports any more (IGMP, MLD). */
export type MdbState = 'temporary' | 'permanent'
/** Whether frames of the listed sources are wanted, or of all others. */
export type MdbFilterMode = 'exclude' | 'include'

/** A port of a bridge that is a member of a multicast group. */
export interface MdbEntry {
  /** Index of the bridge. */
  readonly bridge: number
  /** Index of the port, or of the bridge itself. */
  readonly link: number
  /** An IP address, or a MAC address. */
  readonly group: string
  readonly vlan: number | undefined
  /** Only frames from here. */
  readonly source: string | undefined
  readonly filterMode: MdbFilterMode | undefined
  /** `timerMs`: until it is not heard any more. */
  readonly sources: readonly { readonly address: string; readonly timerMs: number }[]
  readonly state: MdbState
  /** Until it goes, of temporary ones; the kernel counts hundredths of a second. */
  readonly timerMs: number
  readonly offloaded: boolean
  readonly fastLeave: boolean
  /** The kernel made it out of an entry without a source that excludes some. */
  readonly derived: boolean
  /** Frames from the source are kept back. */
  readonly blocked: boolean
  /** Who made it, as of routes: 2 the kernel, 4 an administrator. Since 5.11. */
  readonly protocol: number | undefined
}

/** A port of a bridge behind which there are multicast routers: all groups go there. */
export interface RouterPort {
  /** Index of the bridge. */
  readonly bridge: number
  /** Index of the port. */
  readonly link: number
  readonly vlan: number | undefined
  readonly type: 'disabled' | 'temp-query' | 'permanent' | 'temporary'
  /** Until the port is none any more, if nobody queries; the kernel counts hundredths of a second. */
  readonly timerMs: number
}

export interface MdbKey {
  /** A port of a bridge, or the bridge itself. */
  link: LinkReference
  /** A multicast address: IPv4, IPv6 or MAC. */
  group: string
  vlan?: number | undefined
  /** An IP address. */
  source?: string | undefined
}

export interface MdbOptions extends MdbKey {
  /** Default `permanent`. */
  state?: MdbState | undefined
  /** Since 6.3, of an entry without a source. */
  filterMode?: MdbFilterMode | undefined
  sources?: readonly string[] | undefined
  /** Who makes it, 0 to 255. Since 6.3. Default: what the kernel takes, 4. */
  protocol?: number | undefined
}

export const mdbKeyNames = ['link', 'group', 'vlan', 'source'] as const satisfies readonly (keyof MdbKey)[]
export const mdbOptionNames = [
  ...mdbKeyNames,
  'state',
  'filterMode',
  'sources',
  'protocol',
] as const satisfies readonly (keyof MdbOptions)[]

/** Bytes of struct br_port_msg and struct br_mdb_entry, include/uapi/linux/if_bridge.h. */
const headerLength = 8
const entryLength = 28
/** include/uapi/linux/if_ether.h; groups of MAC addresses have none. */
const [ETH_P_IP, ETH_P_IPV6] = [0x0800, 0x86dd]

export interface MdbMessage {
  readonly entries: readonly MdbEntry[]
  readonly routerPorts: readonly RouterPort[]
}

/** One message is of one bridge. @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readMdb(payload: Payload): MdbMessage {
  const entries: MdbEntry[] = []
  const routerPorts: RouterPort[] = []
  // In lists the family is not filled in.
  const bridge = payload.s32(4)
  const attributes = payload.attributes(headerLength)
  while (attributes.next()) {
    if (attributes.type === MDBA.MDB) {
      const groups = attributes.nested()
      while (groups.next()) {
        if (groups.type !== MDBA_MDB.ENTRY) continue
        const infos = groups.nested()
        while (infos.next()) if (infos.type === MDBA_MDB.ENTRY_INFO) entries.push(readEntry(bridge, infos))
      }
    } else if (attributes.type === MDBA.ROUTER) {
      const ports = attributes.nested()
      while (ports.next())
        if (ports.type === MDBA_ROUTER.PORT) routerPorts.push(readRouterPort(bridge, ports))
    }
  }
  return { entries, routerPorts }
}

/** struct br_mdb_entry: port, state, flags, VLAN, address, its protocol. */
function readEntry(bridge: number, info: AttributeCursor): MdbEntry {
  if (info.length < entryLength) throw malformed('an entry of a multicast database is too short')
  const { source: bytes, start } = info
  const flags = bytes[start + 5]!
  const vlan = hostU16(bytes, start + 6)
  const entry = {
    bridge,
    link: info.u32(),
    group: readGroup(bytes, start + 8),
    vlan: vlan === 0 ? undefined : vlan,
    source: undefined as string | undefined,
    filterMode: undefined as MdbFilterMode | undefined,
    sources: [] as { address: string; timerMs: number }[],
    state: wordOf(MDB_STATE, bytes[start + 4]!),
    timerMs: 0,
    offloaded: (flags & MDB_FLAGS.OFFLOAD) !== 0,
    fastLeave: (flags & MDB_FLAGS.FAST_LEAVE) !== 0,
    derived: (flags & MDB_FLAGS.STAR_EXCL) !== 0,
    blocked: (flags & MDB_FLAGS.BLOCKED) !== 0,
    protocol: undefined as number | undefined,
  }
  const attributes = info.nested(entryLength)
  while (attributes.next()) {
    switch (attributes.type) {
      case MDBA_MDB_EATTR.TIMER:
        entry.timerMs = attributes.u32() * 10
        break
      case MDBA_MDB_EATTR.SRC_LIST:
        entry.sources = readSources(attributes.nested())
        break
      case MDBA_MDB_EATTR.GROUP_MODE:
        entry.filterMode = wordOf(MCAST, attributes.u8())
        break
      case MDBA_MDB_EATTR.SOURCE:
        entry.source = readIpAddress(attributes)
        break
      case MDBA_MDB_EATTR.RTPROT:
        entry.protocol = attributes.u8()
        break
    }
  }
  return entry
}

function readSources(list: AttributeCursor): { address: string; timerMs: number }[] {
  const sources: { address: string; timerMs: number }[] = []
  while (list.next()) {
    if (list.type !== MDBA_MDB_SRCLIST.ENTRY) continue
    const source = { address: '', timerMs: 0 }
    const attributes = list.nested()
    while (attributes.next()) {
      if (attributes.type === MDBA_MDB_SRCATTR.ADDRESS) source.address = readIpAddress(attributes)
      else if (attributes.type === MDBA_MDB_SRCATTR.TIMER) source.timerMs = attributes.u32() * 10
    }
    sources.push(source)
  }
  return sources
}

function readGroup(bytes: Uint8Array, at: number): string {
  const protocol = (bytes[at + 16]! << 8) | bytes[at + 17]!
  if (protocol === ETH_P_IP) return formatIpv4(bytes, at)
  if (protocol === ETH_P_IPV6) return formatIpv6(bytes, at)
  return formatMacAddress(bytes, at)
}

/** The port's index, then attributes. */
function readRouterPort(bridge: number, port: AttributeCursor): RouterPort {
  const found = {
    bridge,
    link: port.u32(),
    vlan: undefined as number | undefined,
    type: 'disabled' as RouterPort['type'],
    timerMs: 0,
  }
  const attributes = port.nested(4)
  while (attributes.next()) {
    if (attributes.type === MDBA_ROUTER_PATTR.TIMER) found.timerMs = attributes.u32() * 10
    else if (attributes.type === MDBA_ROUTER_PATTR.TYPE) found.type = wordOf(MDB_RTR_TYPE, attributes.u8())
    else if (attributes.type === MDBA_ROUTER_PATTR.VID) found.vlan = attributes.u16()
  }
  return found
}

export function listMdbRequest(): Request {
  return message(RTM.GETMDB, NLM_F.DUMP, 0).finish()
}

/** @throws TypeError, RangeError */
export function changeMdbRequest(
  type: typeof RTM.NEWMDB | typeof RTM.DELMDB,
  flags: number,
  place: { bridge: number; link: number },
  options: Omit<MdbOptions, 'link'>,
): Request {
  const { vlan, source, state = 'permanent', filterMode, sources, protocol } = options
  const group = parseGroup(options.group)
  if (vlan !== undefined) requireVlan(vlan)
  requireWord('state', state, MDB_STATE)
  if (filterMode !== undefined) requireWord('filterMode', filterMode, MCAST)
  if (sources !== undefined && !Array.isArray(sources)) {
    throw invalidArgumentType('sources', 'an array', sources)
  }
  const entry = new Uint8Array(entryLength)
  const view = new DataView(entry.buffer)
  view.setUint32(0, place.link, littleEndian)
  view.setUint8(4, MDB_STATE[state])
  view.setUint16(6, vlan ?? 0, littleEndian)
  entry.set(group.bytes, 8)
  view.setUint16(24, group.protocol)
  const writer = message(type, NLM_F.ACK | flags, place.bridge)
  writer.bytes(MDBA_SET_ENTRY, 'group', entry)
  if ([source, filterMode, sources, protocol].some(value => value !== undefined)) {
    writer.nested(MDBA_SET_ENTRY_ATTRS, '', nest => {
      if (source !== undefined) nest.bytes(MDBE_ATTR.SOURCE, 'source', parseIpAddress(source).bytes)
      if (sources !== undefined) {
        nest.nested(MDBE_ATTR.SRC_LIST, 'sources', list => {
          for (const [i, address] of sources.entries()) {
            list.nested(MDBE_SRC_LIST.ENTRY, `${i}`, item =>
              item.bytes(MDBE_SRCATTR.ADDRESS, '', parseIpAddress(address).bytes),
            )
          }
        })
      }
      if (filterMode !== undefined) nest.u8(MDBE_ATTR.GROUP_MODE, 'filterMode', MCAST[filterMode])
      if (protocol !== undefined) nest.u8(MDBE_ATTR.RTPROT, 'protocol', protocol)
    })
  }
  return writer.finish()
}

/** What users may write, as it is read: lower case, shortest form. @throws TypeError, RangeError */
export function canonicalGroup(group: string): string {
  const { bytes, protocol } = parseGroup(group)
  const address = new Uint8Array(18)
  address.set(bytes)
  new DataView(address.buffer).setUint16(16, protocol)
  return readGroup(address, 0)
}

function parseGroup(group: string): { bytes: Uint8Array; protocol: number } {
  if (typeof group !== 'string') throw invalidArgumentType('group', 'a string', group)
  if (/^[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}$/i.test(group))
    return { bytes: parseMacAddress(group), protocol: 0 }
  const { family, bytes } = parseIpAddress(group)
  return { bytes, protocol: family === 4 ? ETH_P_IP : ETH_P_IPV6 }
}

function requireWord(name: string, value: string, words: Readonly<Record<string, number>>): void {
  if (!Object.hasOwn(words, value)) {
    throw invalidArgumentValue(name, value, `must be one of ${Object.keys(words).join(', ')}`)
  }
}

function hostU16(bytes: Uint8Array, at: number): number {
  const [first, second] = [bytes[at]!, bytes[at + 1]!]
  return littleEndian ? (second << 8) | first : (first << 8) | second
}

/** struct br_port_msg: family, then an index, that of the bridge. */
function message(type: number, flags: number, bridge: number): MessageWriter {
  const header: FixedPart = {
    length: headerLength,
    write(view, at) {
      view.setUint8(at, AF.BRIDGE)
      view.setInt32(at + 4, bridge, littleEndian)
    },
  }
  return new MessageWriter({ type, flags: NLM_F.REQUEST | flags, header, name: 'mdb' })
}
