import {
  invalidArgumentType,
  invalidArgumentValue,
  requireInteger,
  requireOptions,
} from '../../errors/index.js'
import {
  type FixedPart,
  littleEndian,
  MessageWriter,
  malformed,
  type NetlinkConnection,
  NLM_F,
  type Payload,
  type WaitOptions,
} from '../core/index.js'
import {
  AF,
  BRIDGE_FLAGS,
  BRIDGE_VLAN_INFO,
  IFLA,
  IFLA_BRIDGE,
  IFLA_BRIDGE_VLAN_TUNNEL,
  RTEXT_FILTER,
  RTM,
} from './constants.js'
import { type Listing, listObjects, streamObjects } from './dump.js'
import { requireVlan } from './fdb-entry.js'
import { describeLink, type LinkReference } from './link-reference.js'
import type { Links } from './links.js'

/** VLANs from `first` to `last`, both included, that a port of a bridge, or the bridge itself, belongs to. */
export interface BridgeVlan {
  /** Index of the port or bridge. */
  readonly link: number
  readonly first: number
  readonly last: number
  /** Frames that come in without a tag are of this VLAN. */
  readonly pvid: boolean
  /** Frames go out without a tag. */
  readonly untagged: boolean
  /** Tunnel id of `first`, such as a VXLAN's VNI; those of the others follow. */
  readonly tunnelId: number | undefined
}

export interface BridgeVlanOptions {
  /** A port, or the bridge itself. */
  link: LinkReference
  /** A VLAN, 1 to 4094, or a range. */
  vlan: number | { first: number; last: number }
  /** Of one VLAN only. */
  pvid?: boolean | undefined
  untagged?: boolean | undefined
  /** For ports with `vlanTunnel`: what `vlan`, or the first of them, becomes in a tunnel; the others follow. */
  tunnelId?: number | undefined
}

/** Bytes of struct ifinfomsg. */
const headerLength = 16
const maxTunnelId = 0xff_ffff

/** VLANs of bridges that filter by them, and of their ports. */
export class BridgeVlans {
  readonly #connection: NetlinkConnection
  readonly #links: Links

  constructor(connection: NetlinkConnection, links: Links) {
    this.#connection = connection
    this.#links = links
  }

  /** Neighbors with the same flags are one range. A kernel or bridge without VLANs has none. */
  async list(filter?: { link?: LinkReference | undefined } & WaitOptions): Promise<BridgeVlan[]> {
    return listObjects(this.#connection, await this.#listing(filter))
  }

  /**
   * As {@link list}, one by one: memory is bounded by what the kernel sends in one go. What the kernel interrupted cannot
   * be listed anew. @throws as {@link list}; NetloomError `ERR_NETLINK_DUMP_INTERRUPTED`
   */
  async *stream(
    filter?: { link?: LinkReference | undefined } & WaitOptions,
  ): AsyncGenerator<BridgeVlan, void, undefined> {
    yield* streamObjects(this.#connection, await this.#listing(filter))
  }

  async #listing(
    filter: ({ link?: LinkReference | undefined } & WaitOptions) | undefined,
  ): Promise<Listing<BridgeVlan>> {
    const { link, signal } = requireOptions('filter', filter, ['link', 'signal'])
    const index = link === undefined ? undefined : await this.#links.index(link)
    const writer = message(RTM.GETLINK, NLM_F.DUMP, 0)
    writer.u32(IFLA.EXT_MASK, 'filter', RTEXT_FILTER.BRVLAN_COMPRESSED)
    return {
      request: writer.finish(),
      operation: 'list bridge vlans',
      signal,
      read: ({ type, payload }) => (type === RTM.NEWLINK ? readBridgeVlans(payload) : undefined),
      none: ['ENOTSUP'],
      // The kernel has no filter.
      passes: vlan => index === undefined || vlan.link === index,
    }
  }

  /** Adds to VLANs, or changes the flags of those that are there. @throws NetlinkError; TypeError, RangeError */
  async create(options: BridgeVlanOptions & WaitOptions): Promise<void> {
    await this.#change('create', RTM.SETLINK, 0, options)
  }

  /** Takes out of VLANs, whatever their flags. With `tunnelId`: only the mapping. */
  async delete(options: Omit<BridgeVlanOptions, 'pvid' | 'untagged'> & WaitOptions): Promise<void> {
    requireOptions('options', options, ['link', 'vlan', 'tunnelId', 'signal'])
    await this.#change('delete', RTM.DELLINK, 0, options)
  }

  async #change(
    operation: string,
    type: typeof RTM.SETLINK | typeof RTM.DELLINK,
    flags: number,
    options: BridgeVlanOptions & WaitOptions,
  ): Promise<void> {
    const names = ['link', 'vlan', 'pvid', 'untagged', 'tunnelId', 'signal'] as const
    const { link, vlan, pvid, untagged, tunnelId, signal } = requireOptions('options', options, names)
    const { first, last } = rangeOf(vlan)
    for (const [name, value] of Object.entries({ pvid, untagged })) {
      if (value !== undefined && typeof value !== 'boolean')
        throw invalidArgumentType(name, 'a boolean', value)
    }
    if (pvid && first !== last) throw invalidArgumentValue('options.pvid', pvid, 'is for one VLAN')
    if (tunnelId !== undefined) requireInteger('options.tunnelId', tunnelId, 0, maxTunnelId - (last - first))
    const { index, kind } = await this.#links.get(link)
    const writer = message(type, NLM_F.ACK | flags, index)
    const bits = (pvid ? BRIDGE_VLAN_INFO.PVID : 0) | (untagged ? BRIDGE_VLAN_INFO.UNTAGGED : 0)
    writer.nested(IFLA.AF_SPEC, '', nest => {
      // The bridge answers for its ports; itself it is asked by its own name.
      if (kind === 'bridge') nest.u16(IFLA_BRIDGE.FLAGS, 'self', BRIDGE_FLAGS.SELF)
      const info = (vid: number, more: number) =>
        nest.bytes(IFLA_BRIDGE.VLAN_INFO, 'vlan', new Uint8Array(Uint16Array.of(bits | more, vid).buffer))
      if (type === RTM.SETLINK || tunnelId === undefined) {
        if (first === last) info(first, 0)
        else {
          info(first, BRIDGE_VLAN_INFO.RANGE_BEGIN)
          info(last, BRIDGE_VLAN_INFO.RANGE_END)
        }
      }
      if (tunnelId !== undefined) {
        const tunnel = (id: number, vid: number, more: number) =>
          nest.nested(IFLA_BRIDGE.VLAN_TUNNEL_INFO, 'tunnelId', inner => {
            inner.u32(IFLA_BRIDGE_VLAN_TUNNEL.ID, '', id)
            inner.u16(IFLA_BRIDGE_VLAN_TUNNEL.VID, '', vid)
            inner.u16(IFLA_BRIDGE_VLAN_TUNNEL.FLAGS, '', more)
          })
        if (first === last) tunnel(tunnelId, first, 0)
        else {
          tunnel(tunnelId, first, BRIDGE_VLAN_INFO.RANGE_BEGIN)
          tunnel(tunnelId + last - first, last, BRIDGE_VLAN_INFO.RANGE_END)
        }
      }
    })
    await this.#connection.request(writer.finish(), {
      operation: `${operation} bridge vlan`,
      subject: `${first === last ? first : `${first}-${last}`} on ${describeLink(link)}`,
      signal,
    })
  }
}

function rangeOf(vlan: BridgeVlanOptions['vlan']): { first: number; last: number } {
  if (typeof vlan === 'number') return { first: requireVlan(vlan), last: vlan }
  const { first, last } = requireOptions('options.vlan', vlan, ['first', 'last'])
  requireInteger('options.vlan.first', first, 1, 4094)
  requireInteger('options.vlan.last', last, first, 4094)
  return { first, last }
}

function message(type: number, flags: number, link: number): MessageWriter {
  const header: FixedPart = {
    length: headerLength,
    write(view, at) {
      view.setUint8(at, AF.BRIDGE)
      view.setInt32(at + 4, link, littleEndian)
    },
  }
  return new MessageWriter({ type, flags: NLM_F.REQUEST | flags, header, name: 'bridgeVlan' })
}

/** A range of VLANs on its way to being read. */
interface Range {
  first: number
  last: number
  flags: number
}

/** @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readBridgeVlans(payload: Payload): BridgeVlan[] {
  if (payload.u8(0) !== AF.BRIDGE) return []
  const link = payload.s32(4)
  const vlans: Range[] = []
  const tunnels: (Range & { id: number })[] = []
  const attributes = payload.attributes(headerLength)
  while (attributes.next()) {
    if (attributes.type !== IFLA.AF_SPEC) continue
    const spec = attributes.nested()
    while (spec.next()) {
      if (spec.type === IFLA_BRIDGE.VLAN_INFO) {
        // struct bridge_vlan_info: flags, then the VLAN.
        const pair = spec.u32()
        const [flags, vid] = littleEndian ? [pair & 0xffff, pair >>> 16] : [pair >>> 16, pair & 0xffff]
        addTo(vlans, { first: vid!, last: vid!, flags: flags! })
      } else if (spec.type === IFLA_BRIDGE.VLAN_TUNNEL_INFO) {
        const tunnel = { id: 0, first: 0, last: 0, flags: 0 }
        const inner = spec.nested()
        while (inner.next()) {
          if (inner.type === IFLA_BRIDGE_VLAN_TUNNEL.ID) tunnel.id = inner.u32()
          else if (inner.type === IFLA_BRIDGE_VLAN_TUNNEL.VID) tunnel.first = tunnel.last = inner.u16()
          else if (inner.type === IFLA_BRIDGE_VLAN_TUNNEL.FLAGS) tunnel.flags = inner.u16()
        }
        addTo(tunnels, tunnel)
      }
    }
  }
  return vlans.flatMap(range => split(link, range, tunnels))
}

/** A range's end is told in a row of its own. */
function addTo<T extends Range>(ranges: T[], row: T): void {
  const open = ranges.at(-1)
  if (row.flags & BRIDGE_VLAN_INFO.RANGE_END) {
    if (!open || !(open.flags & BRIDGE_VLAN_INFO.RANGE_BEGIN))
      throw malformed('a range of VLANs without a begin')
    open.last = row.last
  } else ranges.push(row)
}

/** Where part of a range has tunnel ids, that part is a range of its own. */
function split(link: number, range: Range, tunnels: readonly (Range & { id: number })[]): BridgeVlan[] {
  const parts: BridgeVlan[] = []
  const add = (first: number, last: number, tunnelId: number | undefined) => {
    if (first > last) return
    const pvid = (range.flags & BRIDGE_VLAN_INFO.PVID) !== 0
    const untagged = (range.flags & BRIDGE_VLAN_INFO.UNTAGGED) !== 0
    parts.push({ link, first, last, pvid, untagged, tunnelId })
  }
  let next = range.first
  for (const tunnel of tunnels) {
    const [first, last] = [Math.max(tunnel.first, range.first), Math.min(tunnel.last, range.last)]
    if (first > last) continue
    add(next, first - 1, undefined)
    add(first, last, tunnel.id + first - tunnel.first)
    next = last + 1
  }
  add(next, range.last, undefined)
  return parts
}
