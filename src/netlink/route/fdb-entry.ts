import { formatMacAddress, parseIpAddress, parseMacAddress } from '../../address/index.js'
import { invalidArgumentType, invalidArgumentValue, requireInteger } from '../../errors/index.js'
import {
  MessageWriter,
  malformed,
  NLM_F,
  type Payload,
  type RawAttribute,
  type Request,
  readIpAddress,
} from '../core/index.js'
import type { Change } from './change.js'
import { AF, NDA, NLM_F_BULK, NTF, NTF_EXT, NUD, RTM } from './constants.js'
import type { Link } from './link.js'
import { describeLink, type LinkReference } from './link-reference.js'
import { neighborHeader, neighborHeaderLength } from './neighbor-message.js'

/**
 * How long an entry stays. `dynamic` ages; `static` does not; `permanent` in a bridge is an address of the bridge or
 * port itself, whose frames go up to the host; `stale` is about to go.
 */
export type FdbState = 'dynamic' | 'static' | 'permanent' | 'stale'

/** Where a MAC address is: an entry in the forwarding database of a bridge, or of a device such as a VXLAN's. */
export interface FdbEntry {
  readonly macAddress: string
  /** Index of the link behind which it is: a port, the bridge itself, or the device that has the table. */
  readonly link: number
  /** Whose table it is in. */
  readonly owner: 'bridge' | 'device'
  /** Index of the bridge. */
  readonly bridge: number | undefined
  readonly vlan: number | undefined
  readonly state: FdbState
  /** A program put it there in the place of learning (NTF_EXT_LEARNED). */
  readonly externallyLearned: boolean
  /** It does not move to another port. */
  readonly sticky: boolean
  readonly offloaded: boolean
  /** A locked port (`bridgePort.locked`, `macAuthenticationBypass`) saw it, and does not let it pass yet (since 6.2). */
  readonly locked: boolean
  /** VXLAN: the other end's address, and what differs from the device's own settings. */
  readonly destination: string | undefined
  readonly port: number | undefined
  readonly vni: number | undefined
  readonly sourceVni: number | undefined
  /** Index of the link to send by. */
  readonly via: number | undefined
  /** A nexthop object with `fdb`, in the place of a destination. */
  readonly nextHopId: number | undefined
  /** Since it was last seen as a source, and since it last changed; the kernel counts hundredths of a second. */
  readonly usedMs: number | undefined
  readonly updatedMs: number | undefined
  /** Attributes that are not told otherwise. */
  readonly raw: readonly RawAttribute[]
}

/** Which entry. */
export interface FdbKey {
  /** The port, the bridge, or the device. */
  link: LinkReference
  macAddress: string
  vlan?: number | undefined
  /** Default: `bridge` for a port or a bridge, if no destination is given. */
  owner?: 'bridge' | 'device' | undefined
  sourceVni?: number | undefined
}

/** A destination of VXLAN. */
export interface FdbDestination {
  destination?: string | undefined
  port?: number | undefined
  vni?: number | undefined
  via?: LinkReference | undefined
  nextHopId?: number | undefined
}

export interface FdbOptions extends FdbKey, FdbDestination {
  /** Default: `static` in a bridge, `permanent` in a device. */
  state?: 'dynamic' | 'static' | 'permanent' | undefined
  externallyLearned?: boolean | undefined
  sticky?: boolean | undefined
}

export const fdbKeyNames = ['link', 'macAddress', 'vlan', 'owner', 'sourceVni'] as const
export const fdbDestinationNames = ['destination', 'port', 'vni', 'via', 'nextHopId'] as const
export const fdbOptionNames = [
  ...fdbKeyNames,
  ...fdbDestinationNames,
  'state',
  'externallyLearned',
  'sticky',
] as const satisfies readonly (keyof FdbOptions)[]

// Permanent ones are no devices' addresses to VXLAN: it takes those of a state that neighbors have.
export const fdbStates = {
  dynamic: NUD.reachable,
  static: NUD.noarp | NUD.reachable,
  permanent: NUD.permanent,
} as const

const maxVni = 0xff_ffff

/** `undefined` for what is no entry of a forwarding database. @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readFdbEntry(payload: Payload): FdbEntry | undefined {
  if (payload.u8(0) !== AF.BRIDGE) return undefined
  const flags = payload.u8(10)
  const number = payload.u16(8)
  const entry = {
    macAddress: '',
    link: payload.s32(4),
    owner: 'device' as FdbEntry['owner'],
    bridge: undefined as number | undefined,
    vlan: undefined as number | undefined,
    state: stateOf(number),
    externallyLearned: (flags & NTF.EXT_LEARNED) !== 0,
    sticky: (flags & NTF.STICKY) !== 0,
    offloaded: (flags & NTF.OFFLOADED) !== 0,
    locked: false,
    destination: undefined as string | undefined,
    port: undefined as number | undefined,
    vni: undefined as number | undefined,
    sourceVni: undefined as number | undefined,
    via: undefined as number | undefined,
    nextHopId: undefined as number | undefined,
    usedMs: undefined as number | undefined,
    updatedMs: undefined as number | undefined,
    raw: [] as RawAttribute[],
  }
  const attributes = payload.attributes(neighborHeaderLength)
  while (attributes.next()) {
    switch (attributes.type) {
      case NDA.LLADDR:
        // Tunnels list the addresses of their own kind.
        if (attributes.length !== 6) return undefined
        entry.macAddress = formatMacAddress(attributes.source, attributes.start)
        break
      case NDA.FLAGS_EXT:
        entry.locked = (attributes.u32() & NTF_EXT.LOCKED) !== 0
        break
      case NDA.MASTER:
        entry.bridge = attributes.u32()
        break
      case NDA.VLAN:
        entry.vlan = attributes.u16()
        break
      case NDA.DST:
        entry.destination = readIpAddress(attributes)
        break
      case NDA.PORT:
        entry.port = attributes.u16be()
        break
      case NDA.VNI:
        entry.vni = attributes.u32()
        break
      case NDA.SRC_VNI:
        entry.sourceVni = attributes.u32()
        break
      case NDA.IFINDEX:
        entry.via = attributes.u32()
        break
      case NDA.NH_ID:
        entry.nextHopId = attributes.u32()
        break
      case NDA.CACHEINFO:
        // struct nda_cacheinfo: confirmed, used, updated, references.
        entry.usedMs = attributes.u32(4) * 10
        entry.updatedMs = attributes.u32(8) * 10
        break
      default:
        entry.raw.push(attributes.raw())
    }
  }
  if (entry.macAddress === '') throw malformed('an entry of a forwarding database without a MAC address')
  if (entry.bridge !== undefined && (flags & NTF.SELF) === 0) entry.owner = 'bridge'
  return entry
}

function stateOf(number: number): FdbState {
  if (number & NUD.permanent) return 'permanent'
  if (number & NUD.noarp) return 'static'
  return number & NUD.stale ? 'stale' : 'dynamic'
}

export function listFdbRequest(filter: { link?: number | undefined; bridge?: number | undefined }): Request {
  const writer = new MessageWriter({
    type: RTM.GETNEIGH,
    flags: NLM_F.REQUEST | NLM_F.DUMP,
    header: neighborHeader({ family: AF.BRIDGE }),
    name: 'fdb',
  })
  if (filter.bridge !== undefined) writer.u32(NDA.MASTER, 'bridge', filter.bridge)
  if (filter.link !== undefined) writer.u32(NDA.IFINDEX, 'link', filter.link)
  return writer.finish()
}

/** `flags`: whose table, NTF_SELF or NTF_MASTER. A bridge that is asked is named in an attribute. */
export function getFdbRequest(link: number, isBridge: boolean, flags: number, key: FdbKey): Request {
  const writer = new MessageWriter({
    type: RTM.GETNEIGH,
    flags: NLM_F.REQUEST | NLM_F.ACK,
    header: neighborHeader({
      family: AF.BRIDGE,
      link: isBridge ? 0 : link,
      flags: isBridge ? 0 : flags,
    }),
    name: 'fdb',
  })
  if (isBridge) writer.u32(NDA.MASTER, 'link', link)
  writeKey(writer, key)
  return writer.finish()
}

/** @throws TypeError, RangeError */
function changeFdbRequest(
  type: typeof RTM.NEWNEIGH | typeof RTM.DELNEIGH,
  flags: number,
  place: { link: number; via: number | undefined; flags: number },
  options: Omit<FdbOptions, 'link' | 'via' | 'owner'>,
): Request {
  const inDevice = (place.flags & NTF.SELF) !== 0
  const state = options.state ?? (inDevice ? 'permanent' : 'static')
  if (!Object.hasOwn(fdbStates, state)) {
    throw invalidArgumentValue('state', state, `must be one of ${Object.keys(fdbStates).join(', ')}`)
  }
  for (const name of ['externallyLearned', 'sticky'] as const) {
    const value = options[name]
    if (value !== undefined && typeof value !== 'boolean') throw invalidArgumentType(name, 'a boolean', value)
  }
  const bits =
    (options.externallyLearned ? NTF.EXT_LEARNED : 0) | (options.sticky ? NTF.STICKY : 0) | place.flags
  const writer = new MessageWriter({
    type,
    flags: NLM_F.REQUEST | NLM_F.ACK | flags,
    header: neighborHeader({
      family: AF.BRIDGE,
      link: place.link,
      // A device does not delete what is not said to be permanent.
      state: type === RTM.NEWNEIGH ? fdbStates[state] : inDevice ? NUD.permanent : 0,
      flags: bits,
    }),
    name: 'fdb',
  })
  writeKey(writer, options)
  const { destination, port, vni, nextHopId } = options
  if (destination !== undefined) writer.bytes(NDA.DST, 'destination', parseIpAddress(destination).bytes)
  if (port !== undefined) writer.u16be(NDA.PORT, 'port', port)
  if (vni !== undefined) writer.u32(NDA.VNI, 'vni', requireInteger('vni', vni, 0, maxVni))
  if (place.via !== undefined) writer.u32(NDA.IFINDEX, 'via', place.via)
  if (nextHopId !== undefined) writer.u32(NDA.NH_ID, 'nextHopId', nextHopId)
  return writer.finish()
}

export interface FdbPlace {
  /** Index of the link. */
  index: number
  flags: number
  isBridge: boolean
}

/** A port's entries are its bridge's; a bridge and any other device are asked for their own. */
export function fdbPlace(
  { index, kind, portKind }: Pick<Link, 'index' | 'kind' | 'portKind'>,
  { owner, destination, nextHopId }: Pick<FdbOptions, 'owner' | 'destination' | 'nextHopId'>,
): FdbPlace {
  if (owner !== undefined && owner !== 'bridge' && owner !== 'device') {
    throw invalidArgumentValue('owner', owner, "must be 'bridge' or 'device'")
  }
  const remote = destination !== undefined || nextHopId !== undefined
  const isBridge = kind === 'bridge' && owner !== 'device'
  const inMaster = owner === undefined ? portKind === 'bridge' && !remote : owner === 'bridge'
  return { index, flags: inMaster && !isBridge ? NTF.MASTER : NTF.SELF, isBridge }
}

const verbs = {
  create: { type: RTM.NEWNEIGH, flags: NLM_F.CREATE | NLM_F.EXCL },
  replace: { type: RTM.NEWNEIGH, flags: NLM_F.CREATE | NLM_F.REPLACE },
  append: { type: RTM.NEWNEIGH, flags: NLM_F.CREATE | NLM_F.APPEND },
  delete: { type: RTM.DELNEIGH, flags: 0 },
} as const

export type FdbVerb = keyof typeof verbs

/** `via` is an index here. @throws TypeError, RangeError */
export function fdbChange(
  verb: FdbVerb,
  options: Omit<FdbOptions, 'via'> & { via?: number | undefined },
  { index, flags: place }: FdbPlace,
): Change {
  const { type, flags } = verbs[verb]
  const request = changeFdbRequest(type, flags, { link: index, via: options.via, flags: place }, options)
  return { request, operation: `${verb} fdb entry`, subject: describeFdb(options) }
}

export function describeFdb({ link, macAddress }: Pick<FdbKey, 'link' | 'macAddress'>): string {
  return `${macAddress} on ${describeLink(link)}`
}

/** All at once, which kernels can since 5.19, for VXLAN since 6.7. */
export function flushFdbRequest(
  place: { link: number; port: number | undefined; flags: number; device: boolean },
  filter: { vlan?: number | undefined; state?: 'dynamic' | 'static' | undefined },
): Request {
  const writer = new MessageWriter({
    type: RTM.DELNEIGH,
    flags: NLM_F.REQUEST | NLM_F.ACK | NLM_F_BULK,
    header: neighborHeader({
      family: AF.BRIDGE,
      link: place.link,
      state: filter.state === 'static' ? NUD.noarp : 0,
      flags: place.flags,
    }),
    name: 'fdb',
  })
  if (place.port !== undefined) writer.u32(NDA.IFINDEX, 'link', place.port)
  if (filter.vlan !== undefined) writer.u16(NDA.VLAN, 'vlan', requireVlan(filter.vlan))
  if (!place.device) {
    const mask = NUD.permanent | (filter.state === undefined ? 0 : NUD.noarp)
    writer.u16(NDA.NDM_STATE_MASK, 'state', mask)
  }
  return writer.finish()
}

function writeKey(writer: MessageWriter, key: Omit<FdbKey, 'link' | 'owner'>): void {
  writer.bytes(NDA.LLADDR, 'macAddress', parseMacAddress(key.macAddress))
  if (key.vlan !== undefined) writer.u16(NDA.VLAN, 'vlan', requireVlan(key.vlan))
  if (key.sourceVni !== undefined) {
    writer.u32(NDA.SRC_VNI, 'sourceVni', requireInteger('sourceVni', key.sourceVni, 0, maxVni))
  }
}

/** IEEE 802.1Q: 0 and 4095 are no VLANs. */
export function requireVlan(vlan: number): number {
  return requireInteger('vlan', vlan, 1, 4094)
}
