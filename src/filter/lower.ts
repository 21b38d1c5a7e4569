import { type AddressSet, dottedSet, etherSet, ip6Set, numberSet, resolvedSet } from './address-values.js'
import { etherAddress, ip4Address, ip6Address, port, type Slots } from './addresses.js'
import { lowerRelation } from './arithmetic.js'
import { and, type Condition, not, or, test } from './condition.js'
import { FilterError } from './filter-error.js'
import { extensions } from './instruction.js'
import { etherProtocolNames, ipProtocolNames, nearest, type Service, serviceNames } from './names.js'
import { type Position, Unsupported } from './position.js'
import { protocolField, protocolNamed } from './protocols.js'
import type { Place, Syntax } from './syntax.js'
import { geneve, mpls, pppoeSession, vlan, vxlan } from './tunnels.js'
import { ValueSet } from './value-set.js'

export interface LowerOptions {
  expression: string
  slots: Slots
  /** Mask of the IPv4 network, for `ip broadcast`. */
  netmask: number | undefined
  resolve: ((name: string) => readonly string[]) | undefined
}

type Identifier = Extract<Syntax, { kind: 'identifier' }>
type Keyword = Extract<Syntax, { kind: 'keyword' }>

/** What a tree means at a position, which tunnels and tags in it move. */
export function lower(tree: Syntax, position: Position, options: LowerOptions): Condition {
  switch (tree.kind) {
    case 'and':
      return and(...tree.terms.map(term => lower(term, position, options)))
    case 'or':
      return or(...tree.terms.map(term => lower(term, position, options)))
    case 'not':
      return not(lower(tree.term, position, options))
    default:
      try {
        if (tree.kind === 'identifier') return identifier(tree, position, options)
        if (tree.kind === 'protocol') return protocolNamed(position, tree.name)
        if (tree.kind === 'relation') return lowerRelation(tree, position)
        return keyword(tree, position, options)
      } catch (error) {
        if (!(error instanceof Unsupported)) throw error
        throw fault(error.message, tree, options, error.suggestion)
      }
  }
}

function fault(
  reason: string,
  { offset, length }: Place,
  options: LowerOptions,
  suggestion?: string,
): FilterError {
  return new FilterError(reason, { expression: options.expression, offset, length, suggestion })
}

function identifier(tree: Identifier, position: Position, options: LowerOptions): Condition {
  const { value, qualifiers } = tree
  switch (qualifiers.type) {
    case 'gateway':
      throw new Unsupported(
        '`gateway` needs a host name and the Ethernet address behind it',
        'write ether host MAC and not host IP',
      )
    case 'protochain':
      throw new Unsupported(
        '`protochain` needs a loop, which filters cannot have',
        'use proto, which looks past a fragment header of IPv6',
      )
    case 'proto':
      return protocolField(position, qualifiers.protocol, protocolNumber(tree))
    case 'port':
    case 'portrange':
      return ports(tree, position, options.slots)
  }
  const { protocol, direction } = qualifiers
  if (value.kind === 'mac') {
    if (protocol !== 'ether' || qualifiers.type === 'net') {
      throw new Unsupported('This is an Ethernet address', `write ether host ${value.text}`)
    }
    return etherAddress(position, options.slots, direction, etherSet(value.bytes!))
  }
  const sets = addressSets(tree, options)
  const matched = sets.filter(({ family }) => carries(protocol, family))
  if (matched.length === 0) {
    const version = sets[0]?.family === 6 ? 'IPv6' : 'IPv4'
    throw new Unsupported(`\`${protocol}\` has no ${version} addresses`, wordFor(protocol))
  }
  return or(
    ...matched.map(({ family, set }) =>
      family === 4
        ? ip4Address(position, options.slots, protocol, direction, set)
        : ip6Address(position, options.slots, direction, set),
    ),
  )
}

/** Whether the layer that a qualifier names has addresses of this version of IP. */
function carries(protocol: string | undefined, family: 4 | 6): boolean {
  if (protocol === undefined) return true
  return family === 6 ? protocol === 'ip6' : ['ip', 'arp', 'rarp'].includes(protocol)
}

function wordFor(protocol: string | undefined): string {
  return protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp'
    ? `write ${protocol} and host …, or ${protocol} port …`
    : 'leave it out'
}

function addressSets(tree: Identifier, { resolve }: LowerOptions): AddressSet[] {
  const { value, qualifiers, prefix } = tree
  if (value.kind === 'number') return [numberSet(value.number!, qualifiers)]
  if (value.kind === 'dotted') return [dottedSet(tree, qualifiers)]
  if (value.kind === 'ip6') return [ip6Set(value.bytes!, prefix?.number, qualifiers)]
  if (qualifiers.type === 'net')
    throw new Unsupported('Names of networks are not looked up', 'write its address')
  if (qualifiers.protocol === 'ether') {
    throw new Unsupported('Names of Ethernet addresses are not looked up', 'write the address')
  }
  if (resolve === undefined) {
    throw new Unsupported('Host names are not looked up', 'write an address, or pass `resolve`')
  }
  const found = resolve(value.text)
  if ((found as unknown) instanceof Promise) {
    throw new Unsupported('`resolve` gave a promise', 'look names up before, and pass what was found')
  }
  if (!Array.isArray(found) || found.length === 0)
    throw new Unsupported('`resolve` gave no address for this name')
  return found.map(resolvedSet)
}

function protocolNumber({ value, qualifiers }: Identifier): number {
  if (value.kind === 'number') return value.number!
  if (value.kind !== 'name') throw new Unsupported('This is not a protocol', 'write its number or its name')
  const names = qualifiers.protocol === 'ether' ? etherProtocolNames : ipProtocolNames
  if (Object.hasOwn(names, value.text)) return names[value.text]!
  throw new Unsupported('There is no such protocol', meant(value.text, Object.keys(names)))
}

function meant(text: string, names: Iterable<string>): string {
  const near = nearest(text, names)
  return near === undefined ? 'write its number' : `did you mean ${near}?`
}

function ports({ value, qualifiers }: Identifier, position: Position, slots: Slots): Condition {
  const { protocol, direction, type } = qualifiers
  if (protocol !== undefined && !['tcp', 'udp', 'sctp'].includes(protocol)) {
    throw new Unsupported(`\`${protocol}\` has no ports`, 'use tcp, udp, sctp or none')
  }
  if (value.kind !== 'number' && value.kind !== 'name') throw new Unsupported('This is not a port')
  let ends: { port: number; only?: string | undefined }[]
  if (value.kind === 'number') ends = [{ port: value.number! }]
  else if (type === 'port') ends = [service(value.text, protocol)]
  else {
    const cut = splitRange(value.text)
    ends = cut.map(text => (/^\d+$/.test(text) ? { port: Number(text) } : service(text, protocol)))
  }
  const low = Math.min(...ends.map(end => end.port))
  const high = Math.max(...ends.map(end => end.port))
  if (high > 0xffff) throw new Unsupported('A port is at most 65535')
  const only = new Set(ends.map(end => end.only))
  const transport = protocol ?? (only.size === 1 ? [...only][0] : undefined)
  return port(position, slots, transport, direction, ValueSet.of(16, BigInt(low), BigInt(high)))
}

/** The two ends of `1000-2000` or `ftp-data-ssh`: the first hyphen with a port or a service on both sides. */
function splitRange(text: string): string[] {
  const isPort = (end: string) => /^\d+$/.test(end) || Object.hasOwn(serviceNames, end)
  if (isPort(text)) return [text]
  for (let at = text.indexOf('-'); at >= 0; at = text.indexOf('-', at + 1)) {
    const ends = [text.slice(0, at), text.slice(at + 1)]
    if (ends.every(isPort)) return ends
  }
  throw new Unsupported('This is not a range of ports', 'write portrange 1000-2000')
}

function service(name: string, protocol: string | undefined): { port: number; only: string | undefined } {
  if (!Object.hasOwn(serviceNames, name)) {
    throw new Unsupported('There is no such service', meant(name, Object.keys(serviceNames)))
  }
  const { port, protocols } = serviceNames[name] as Service
  if (protocol !== undefined && !(protocols as readonly string[]).includes(protocol)) {
    throw new Unsupported(`This service is one of ${protocols.join(' and ')}`)
  }
  return { port, only: protocol ?? (protocols.length === 1 ? protocols[0] : undefined) }
}

function keyword(tree: Keyword, position: Position, options: LowerOptions): Condition {
  const { word, protocol, argument } = tree
  const { values, link } = position
  switch (word) {
    case 'less':
      return not(test('>', values.length(), values.constant(argument!)))
    case 'greater':
      return test('>=', values.length(), values.constant(argument!))
    case 'inbound':
    case 'outbound': {
      const at = link.packetType
      const type =
        at === undefined ? values.extension(extensions.packetType) : values.load(at.size, at.offset)
      // PACKET_OUTGOING of linux/if_packet.h.
      const outgoing = position.equals(type, 4)
      return word === 'outbound' ? outgoing : not(outgoing)
    }
    case 'ifindex': {
      const at = link.interfaceIndex
      const index = at === undefined ? values.extension(extensions.interfaceIndex) : values.load(4, at)
      return position.equals(index, argument!)
    }
    case 'vlan':
      return vlan(position, argument)
    case 'mpls':
      return mpls(position, argument)
    case 'pppoed':
      return position.protocol(0x8863)
    case 'pppoes':
      return pppoeSession(position, argument)
    case 'geneve':
      return geneve(position, options.slots, argument)
    case 'vxlan':
      return vxlan(position, options.slots, argument)
    case 'broadcast':
      return broadcast(position, protocol, options)
    default:
      return multicast(position, protocol)
  }
}

function broadcast(
  position: Position,
  protocol: string | undefined,
  { slots, netmask }: LowerOptions,
): Condition {
  if (protocol === undefined || protocol === 'ether') {
    if (position.kind !== 'ethernet') throw new Unsupported(`${position.name} has no broadcast address`)
    return etherAddress(position, slots, 'dst', ValueSet.of(48, 0xffffffffffffn, 0xffffffffffffn))
  }
  if (protocol !== 'ip') throw new Unsupported(`\`${protocol}\` has no broadcast address`)
  if (netmask === undefined) {
    throw new Unsupported('`ip broadcast` depends on the network', 'pass its mask as `netmask`')
  }
  const host = ~netmask >>> 0
  const destination = position.load(4, position.network, 16)
  return and(position.ip, or(position.masked(destination, host, 0), position.masked(destination, host, host)))
}

function multicast(position: Position, protocol: string | undefined): Condition {
  const { network } = position
  switch (protocol) {
    case undefined:
    case 'ether':
      if (position.kind !== 'ethernet') throw new Unsupported(`${position.name} has no multicast addresses`)
      return and(position.hasHeader, position.hasBits(position.load(1, position.header), 1))
    case 'ip':
      return and(position.ip, test('>=', position.load(1, network, 16), position.values.constant(224)))
    case 'ip6':
      return and(position.ip6, position.equals(position.load(1, network, 24), 255))
    default:
      throw new Unsupported(`\`${protocol}\` has no multicast addresses`)
  }
}
