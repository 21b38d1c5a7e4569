import { formatMacAddress } from '../../address/index.js'
import { hex } from '../../bytes/index.js'
import {
  type AttributeCursor,
  malformed,
  type Payload,
  type RawAttribute,
  readIpAddress,
  readTable,
  reported,
  table,
  u8,
  u32,
  wordOf,
} from '../core/index.js'
import { AF, IFF, IFLA, IFLA_INET6, IFLA_INFO, lastKnownLinkAttribute } from './constants.js'
import { findLinkKind, findPortKind, type LinkKindSettings, type LinkPortSettings } from './kinds/index.js'

/** RFC 2863, ifOperStatus; include/uapi/linux/if.h, IF_OPER_*. */
const operStates = {
  unknown: 0,
  'not-present': 1,
  down: 2,
  'lower-layer-down': 3,
  testing: 4,
  dormant: 5,
  up: 6,
} as const

export type OperState = keyof typeof operStates

/** How the kernel makes the link-local IPv6 address; include/uapi/linux/if_link.h, IN6_ADDR_GEN_MODE_*. */
export const ipv6LinkLocalModes = { eui64: 0, none: 1, 'stable-privacy': 2, random: 3 } as const

export type Ipv6LinkLocal = keyof typeof ipv6LinkLocalModes

export type LinkMode = keyof typeof linkModes

/** A network device as the kernel reports it. `undefined` is what the kernel did not say. */
export interface Link extends LinkKindSettings, LinkPortSettings {
  readonly index: number
  readonly name: string
  readonly altNames: readonly string[]
  /** `bridge`, `veth`, …; hardware and loopback have none. */
  readonly kind: string | undefined
  /** ARPHRD_ number: 1 Ethernet, 772 loopback, 65534 none (TUN). */
  readonly hardwareType: number
  /** Switched on by the administrator. */
  readonly up: boolean
  readonly carrier: boolean
  readonly operState: OperState
  readonly loopback: boolean
  readonly pointToPoint: boolean
  readonly promiscuous: boolean
  readonly allMulticast: boolean
  readonly multicast: boolean
  readonly arp: boolean
  readonly mtu: number
  readonly minMtu: number | undefined
  readonly maxMtu: number | undefined
  /** Of Ethernet-like links. */
  readonly macAddress: string | undefined
  readonly permanentMacAddress: string | undefined
  readonly broadcastMacAddress: string | undefined
  /** The addresses of IP tunnels, which stand where others have MAC addresses: this end and the other. */
  readonly tunnelLocal: string | undefined
  readonly tunnelRemote: string | undefined
  readonly txQueueLength: number
  readonly txQueues: number | undefined
  readonly rxQueues: number | undefined
  /** Index of the bridge, bond, … that it is a port of. */
  readonly master: number | undefined
  /** Index of the link beneath or at the other end; in the namespace `lowerNamespaceId` if there is one. */
  readonly lower: number | undefined
  readonly lowerNamespaceId: number | undefined
  readonly alias: string | undefined
  readonly group: number
  readonly qdisc: string | undefined
  readonly carrierChanges: number | undefined
  readonly carrierUpCount: number | undefined
  readonly carrierDownCount: number | undefined
  /** How many want it promiscuous, or want all multicast, the administrator among them. */
  readonly promiscuity: number | undefined
  readonly allMulticity: number | undefined
  /** `dormant`: does not come up by itself, but by a program that allows it. */
  readonly linkMode: LinkMode | undefined
  /** Held down by a protocol. */
  readonly protocolDown: boolean | undefined
  /** Limits of packets on their way to and from segmentation, in bytes and segments; `tso…`: of the device. */
  readonly gsoMaxSize: number | undefined
  readonly gsoMaxSegments: number | undefined
  readonly groMaxSize: number | undefined
  readonly gsoIpv4MaxSize: number | undefined
  readonly groIpv4MaxSize: number | undefined
  readonly tsoMaxSize: number | undefined
  readonly tsoMaxSegments: number | undefined
  /** The device of hardware: `0000:00:1f.6` on bus `pci`. */
  readonly parentDevice: string | undefined
  readonly parentBus: string | undefined
  /** Of ports of switches and of hardware. */
  readonly physicalPortName: string | undefined
  readonly physicalPortId: string | undefined
  readonly physicalSwitchId: string | undefined
  /** Programs that see packets first; `undefined` where there is none. */
  readonly xdp: LinkXdp | undefined
  readonly ipv6LinkLocal: Ipv6LinkLocal | undefined
  readonly statistics: LinkStatistics | undefined
  /** What it is to its master: `bridge` for a bridge's port. */
  readonly portKind: string | undefined
  readonly raw: {
    /** Settings of a kind, or of a port, that Netloom does not know. */
    readonly settings?: Uint8Array | undefined
    readonly portSettings?: Uint8Array | undefined
    /** Attributes newer than this library, and settings of a known kind that are. */
    readonly attributes: readonly RawAttribute[]
    readonly settingAttributes: readonly RawAttribute[]
    readonly portSettingAttributes: readonly RawAttribute[]
  }
}

/** The XDP programs of a link: include/uapi/linux/if_link.h, enum IFLA_XDP_*. */
export interface LinkXdp {
  /** Where it runs: in the driver, in the kernel's common code, in hardware, or in several. */
  mode: 'driver' | 'generic' | 'hardware' | 'several'
  /** Of the program; by mode where there are several. */
  programId: number | undefined
  driverProgramId: number | undefined
  genericProgramId: number | undefined
  hardwareProgramId: number | undefined
}

/** struct rtnl_link_stats64, include/uapi/linux/if_link.h. */
export interface LinkStatistics {
  rxPackets: bigint
  txPackets: bigint
  rxBytes: bigint
  txBytes: bigint
  rxErrors: bigint
  txErrors: bigint
  rxDropped: bigint
  txDropped: bigint
  multicast: bigint
  collisions: bigint
  rxLengthErrors: bigint
  rxOverErrors: bigint
  rxCrcErrors: bigint
  rxFrameErrors: bigint
  rxFifoErrors: bigint
  rxMissedErrors: bigint
  txAbortedErrors: bigint
  txCarrierErrors: bigint
  txFifoErrors: bigint
  txHeartbeatErrors: bigint
  txWindowErrors: bigint
  rxNoHandler: bigint
}

/** Bytes of struct ifinfomsg. */
export const linkHeaderLength = 16

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readLink(payload: Payload): Link {
  const flags = payload.u32(8)
  const raw: Mutable<Link['raw']> = { attributes: [], settingAttributes: [], portSettingAttributes: [] }
  const unknown: RawAttribute[] = []
  const link: Mutable<Link> = {
    index: payload.s32(4),
    name: '',
    altNames: [],
    kind: undefined,
    hardwareType: payload.u16(2),
    up: (flags & IFF.UP) !== 0,
    carrier: (flags & IFF.LOWER_UP) !== 0,
    operState: 'unknown',
    loopback: (flags & IFF.LOOPBACK) !== 0,
    pointToPoint: (flags & IFF.POINTOPOINT) !== 0,
    promiscuous: (flags & IFF.PROMISC) !== 0,
    allMulticast: (flags & IFF.ALLMULTI) !== 0,
    multicast: (flags & IFF.MULTICAST) !== 0,
    arp: (flags & IFF.NOARP) === 0,
    mtu: 0,
    minMtu: undefined,
    maxMtu: undefined,
    macAddress: undefined,
    permanentMacAddress: undefined,
    broadcastMacAddress: undefined,
    tunnelLocal: undefined,
    tunnelRemote: undefined,
    txQueueLength: 0,
    txQueues: undefined,
    rxQueues: undefined,
    master: undefined,
    lower: undefined,
    lowerNamespaceId: undefined,
    alias: undefined,
    group: 0,
    qdisc: undefined,
    carrierChanges: undefined,
    carrierUpCount: undefined,
    carrierDownCount: undefined,
    promiscuity: undefined,
    allMulticity: undefined,
    linkMode: undefined,
    protocolDown: undefined,
    gsoMaxSize: undefined,
    gsoMaxSegments: undefined,
    groMaxSize: undefined,
    gsoIpv4MaxSize: undefined,
    groIpv4MaxSize: undefined,
    tsoMaxSize: undefined,
    tsoMaxSegments: undefined,
    parentDevice: undefined,
    parentBus: undefined,
    physicalPortName: undefined,
    physicalPortId: undefined,
    physicalSwitchId: undefined,
    xdp: undefined,
    ipv6LinkLocal: undefined,
    statistics: undefined,
    portKind: undefined,
    raw,
  }
  const attributes = payload.attributes(linkHeaderLength)
  while (attributes.next()) {
    switch (attributes.type) {
      case IFLA.IFNAME:
        link.name = attributes.string()
        break
      case IFLA.MTU:
        link.mtu = attributes.u32()
        break
      case IFLA.ADDRESS:
        link.macAddress = readMacAddress(attributes)
        link.tunnelLocal = readTunnelEnd(link.hardwareType, attributes)
        break
      case IFLA.BROADCAST:
        link.broadcastMacAddress = readMacAddress(attributes)
        link.tunnelRemote = readTunnelEnd(link.hardwareType, attributes)
        break
      case IFLA.PERM_ADDRESS:
        link.permanentMacAddress = readMacAddress(attributes)
        break
      case IFLA.TXQLEN:
        link.txQueueLength = attributes.u32()
        break
      case IFLA.OPERSTATE:
        link.operState = wordOf(operStates, attributes.u8())
        break
      case IFLA.MASTER:
        link.master = attributes.u32() || undefined
        break
      case IFLA.LINK:
        // A link that has none beneath it says 0, or itself.
        link.lower = attributes.u32() || undefined
        if (link.lower === link.index) link.lower = undefined
        break
      case IFLA.LINK_NETNSID:
        link.lowerNamespaceId = attributes.s32()
        break
      case IFLA.IFALIAS:
        link.alias = attributes.string()
        break
      case IFLA.GROUP:
        link.group = attributes.u32()
        break
      case IFLA.QDISC:
        link.qdisc = attributes.string()
        break
      case IFLA.MIN_MTU:
        link.minMtu = attributes.u32() || undefined
        break
      case IFLA.MAX_MTU:
        link.maxMtu = attributes.u32() || undefined
        break
      case IFLA.NUM_TX_QUEUES:
        link.txQueues = attributes.u32()
        break
      case IFLA.NUM_RX_QUEUES:
        link.rxQueues = attributes.u32()
        break
      case IFLA.CARRIER_CHANGES:
        link.carrierChanges = attributes.u32()
        break
      case IFLA.CARRIER_UP_COUNT:
        link.carrierUpCount = attributes.u32()
        break
      case IFLA.CARRIER_DOWN_COUNT:
        link.carrierDownCount = attributes.u32()
        break
      case IFLA.PROMISCUITY:
        link.promiscuity = attributes.u32()
        break
      case IFLA.ALLMULTI:
        link.allMulticity = attributes.u32()
        break
      case IFLA.LINKMODE:
        link.linkMode = wordOf(linkModes, attributes.u8())
        break
      case IFLA.PROTO_DOWN:
        link.protocolDown = attributes.u8() !== 0
        break
      case IFLA.GSO_MAX_SIZE:
        link.gsoMaxSize = attributes.u32()
        break
      case IFLA.GSO_MAX_SEGS:
        link.gsoMaxSegments = attributes.u32()
        break
      case IFLA.GRO_MAX_SIZE:
        link.groMaxSize = attributes.u32()
        break
      case IFLA.GSO_IPV4_MAX_SIZE:
        link.gsoIpv4MaxSize = attributes.u32()
        break
      case IFLA.GRO_IPV4_MAX_SIZE:
        link.groIpv4MaxSize = attributes.u32()
        break
      case IFLA.TSO_MAX_SIZE:
        link.tsoMaxSize = attributes.u32()
        break
      case IFLA.TSO_MAX_SEGS:
        link.tsoMaxSegments = attributes.u32()
        break
      case IFLA.PARENT_DEV_NAME:
        link.parentDevice = attributes.string()
        break
      case IFLA.PARENT_DEV_BUS_NAME:
        link.parentBus = attributes.string()
        break
      case IFLA.PHYS_PORT_NAME:
        link.physicalPortName = attributes.string()
        break
      case IFLA.PHYS_PORT_ID:
        link.physicalPortId = hex(attributes.bytes())
        break
      case IFLA.PHYS_SWITCH_ID:
        link.physicalSwitchId = hex(attributes.bytes())
        break
      case IFLA.XDP:
        link.xdp = readXdp(attributes.nested())
        break
      case IFLA.STATS64:
        link.statistics = readStatistics(attributes)
        break
      case IFLA.AF_SPEC:
        link.ipv6LinkLocal = readLinkLocal(attributes.nested())
        break
      case IFLA.PROP_LIST:
        link.altNames = readAltNames(attributes.nested())
        break
      case IFLA.LINKINFO:
        readLinkInfo(attributes.nested(), link, raw)
        break
      default:
        if (attributes.type > lastKnownLinkAttribute) unknown.push(attributes.raw())
    }
  }
  raw.attributes = unknown
  return link
}

/** Just the statistics of a link message. */
export function readLinkStatistics(payload: Payload): LinkStatistics | undefined {
  const attributes = payload.attributes(linkHeaderLength)
  while (attributes.next()) if (attributes.type === IFLA.STATS64) return readStatistics(attributes)
  return undefined
}

/** True for the message of a link that left for another namespace. */
export function hasMoved(payload: Payload): boolean {
  const attributes = payload.attributes(linkHeaderLength)
  while (attributes.next()) if (attributes.type === IFLA.NEW_NETNSID) return true
  return false
}

/** include/uapi/linux/if_arp.h, ARPHRD_*: tunnels whose hardware addresses are IP addresses. */
const tunnelTypes = new Set([768, 769, 776, 778, 823])

function readTunnelEnd(hardwareType: number, attribute: AttributeCursor): string | undefined {
  const { length } = attribute
  return tunnelTypes.has(hardwareType) && (length === 4 || length === 16)
    ? readIpAddress(attribute)
    : undefined
}

/** include/uapi/linux/if.h, IF_LINK_MODE_*. */
export const linkModes = { default: 0, dormant: 1, testing: 2 } as const

/** include/uapi/linux/if_link.h, XDP_ATTACHED_*; 0 is none. */
const xdpModes = { driver: 1, generic: 2, hardware: 3, several: 4 } as const

function readXdp(settings: AttributeCursor): LinkXdp | undefined {
  const { values } = readTable(xdpTable, settings)
  const { attached = 0, ...programs } = values
  if (attached === 0) return undefined
  const { programId, driverProgramId, genericProgramId, hardwareProgramId } = programs
  return {
    mode: wordOf(xdpModes, attached),
    programId,
    driverProgramId,
    genericProgramId,
    hardwareProgramId,
  }
}

export const xdpTable = table('IFLA_XDP_', {
  attached: reported(2, 'ATTACHED', u8),
  programId: reported(4, 'PROG_ID', u32),
  driverProgramId: reported(5, 'DRV_PROG_ID', u32),
  genericProgramId: reported(6, 'SKB_PROG_ID', u32),
  hardwareProgramId: reported(7, 'HW_PROG_ID', u32),
})

// Tunnels have addresses of other lengths here.
function readMacAddress(attribute: AttributeCursor): string | undefined {
  return attribute.length === 6 ? formatMacAddress(attribute.source, attribute.start) : undefined
}

function readStatistics(attribute: AttributeCursor): LinkStatistics {
  const at = (row: number) => attribute.u64(8 * row)
  return {
    rxPackets: at(0),
    txPackets: at(1),
    rxBytes: at(2),
    txBytes: at(3),
    rxErrors: at(4),
    txErrors: at(5),
    rxDropped: at(6),
    txDropped: at(7),
    multicast: at(8),
    collisions: at(9),
    rxLengthErrors: at(10),
    rxOverErrors: at(11),
    rxCrcErrors: at(12),
    rxFrameErrors: at(13),
    rxFifoErrors: at(14),
    rxMissedErrors: at(15),
    txAbortedErrors: at(16),
    txCarrierErrors: at(17),
    txFifoErrors: at(18),
    txHeartbeatErrors: at(19),
    txWindowErrors: at(20),
    // 21 and 22 are compressed packets.
    rxNoHandler: at(23),
  }
}

function readLinkLocal(families: AttributeCursor): Ipv6LinkLocal | undefined {
  while (families.next()) {
    if (families.type !== AF.INET6) continue
    const settings = families.nested()
    while (settings.next()) {
      if (settings.type === IFLA_INET6.ADDR_GEN_MODE) return wordOf(ipv6LinkLocalModes, settings.u8())
    }
  }
  return undefined
}

function readAltNames(list: AttributeCursor): string[] {
  const names: string[] = []
  while (list.next()) if (list.type === IFLA.ALT_IFNAME) names.push(list.string())
  return names
}

function readLinkInfo(info: AttributeCursor, link: Mutable<Link>, raw: Mutable<Link['raw']>): void {
  let settings: Nest | undefined
  let portSettings: Nest | undefined
  while (info.next()) {
    switch (info.type) {
      case IFLA_INFO.KIND:
        link.kind = info.string()
        break
      case IFLA_INFO.DATA:
        settings = { cursor: info.nested(), bytes: info.bytes() }
        break
      case IFLA_INFO.SLAVE_KIND:
        link.portKind = info.string()
        break
      case IFLA_INFO.SLAVE_DATA:
        portSettings = { cursor: info.nested(), bytes: info.bytes() }
        break
    }
  }
  if (settings !== undefined) {
    if (link.kind === undefined) throw malformed('a link has settings but no kind')
    const kind = findLinkKind(link.kind)
    if (kind) {
      const { values, unknown } = readTable(kind.settings, settings.cursor)
      // The registry's names are the property names.
      Object.assign(link, { [kind.name]: values })
      raw.settingAttributes = unknown
    } else {
      raw.settings = settings.bytes
    }
  }
  if (portSettings !== undefined) {
    if (link.portKind === undefined) throw malformed('a port has settings but no kind')
    const name = `${link.portKind}Port`
    const kind = findPortKind(name)
    if (kind) {
      const { values, unknown } = readTable(kind.settings, portSettings.cursor)
      Object.assign(link, { [name]: values })
      raw.portSettingAttributes = unknown
    } else {
      raw.portSettings = portSettings.bytes
    }
  }
}

interface Nest {
  cursor: AttributeCursor
  bytes: Uint8Array
}
