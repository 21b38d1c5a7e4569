import { headers } from './header-kinds.js'
import { type HeaderWalk, walkFrame } from './header-walk.js'
import type { LinkType } from './link-type.js'
import { type LinkedFrame, linkedFrame } from './linked-frame.js'
import { isMld } from './mld.js'
import { isNeighborDiscovery } from './neighbor-discovery.js'
import { pppoeCodes } from './pppoe.js'
import { FieldList, type FrameNode } from './tree-fields.js'
import { addHeaderFields } from './tree-headers.js'

const names = new Map<number, string>(Object.entries(headers).map(([name, number]) => [number, name]))

/**
 * A frame as a tree, to show byte by byte: its headers one after the other, then the payload, then what follows it
 * (padding, trailers), innermost first; below each header its fields. On each level every byte of the node above is in
 * exactly one node. Never throws on bytes: a header that cannot be read has a label that says so.
 * @param linkType what the bytes begin with: `ethernet` unless given; a packet says it itself
 * @throws TypeError when `frame` is neither a Uint8Array nor a packet, or `linkType` is unknown
 */
export function decodeTree(frame: Uint8Array, linkType?: LinkType): FrameNode
export function decodeTree(packet: LinkedFrame): FrameNode
export function decodeTree(given: Uint8Array | LinkedFrame, second?: LinkType): FrameNode {
  const [{ data: frame, linkType }] = linkedFrame(given, second)
  const walk = walkFrame(frame, linkType)
  const children: FrameNode[] = []
  const after: FrameNode[] = []
  let at = 0
  let end = frame.length
  while (walk.next()) {
    const { start, limit } = walk
    at = endOf(walk)
    end = walk.broken ? limit : Math.max(at, walk.end)
    children.push(headerNode(walk, start, at))
    if (end < limit) after.unshift(leaf('padding', frame, end, limit))
  }
  if (at < end || (children.length === 0 && frame.length > 0)) children.push(leaf('payload', frame, at, end))
  const label = `frame: ${frame.length} bytes`
  return { name: 'frame', label, offset: 0, length: frame.length, children: [...children, ...after] }
}

/** Where the header's fields end. Some protocols are fields all through. */
function endOf(walk: HeaderWalk): number {
  const { header, bytes, start, payload, end, limit } = walk
  if (walk.broken) return limit
  switch (header) {
    case headers.lldp:
    case headers.igmp:
    case headers.dhcpv4:
    case headers.dhcpv6:
      return limit
    case headers.pppoe:
      return bytes[start + 1] === pppoeCodes.session ? payload : end
    case headers.icmpv6:
      return isMld(bytes[start]!) || isNeighborDiscovery(bytes[start]!) ? limit : payload
    default:
      return payload
  }
}

function headerNode(walk: HeaderWalk, start: number, end: number): FrameNode {
  const name = names.get(walk.header)!
  const fields = new FieldList(walk.bytes, start, end)
  if (!walk.broken) addHeaderFields(walk, fields)
  fields.rest(walk.broken ? 'unreadable' : 'data')
  const label = walk.broken
    ? ' [truncated or malformed]'
    : `${between(fields.nodes, 'source', 'destination')}${between(fields.nodes, 'sourcePort', 'destinationPort')}`
  return { name, label: name + label, offset: start, length: end - start, children: fields.nodes }
}

/** ` 10.0.0.1 > 10.0.0.2`, if these fields are there. */
function between(nodes: readonly FrameNode[], from: string, to: string): string {
  const source = nodes.find(node => node.name === from)
  const destination = nodes.find(node => node.name === to)
  return source && destination ? ` ${source.value} > ${destination.value}` : ''
}

function leaf(name: string, bytes: Uint8Array, start: number, end: number): FrameNode {
  const fields = new FieldList(bytes, start, end)
  fields.rest(name)
  return fields.nodes[0]!
}
