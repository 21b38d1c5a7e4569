import { and, type Condition, never, or } from './condition.js'
import { type Carrier, type Location, type Position, Unsupported } from './position.js'
import { transportNumber } from './protocols.js'
import type { Qualifiers } from './syntax.js'
import type { Value } from './value.js'
import { ValueSet } from './value-set.js'

type Direction = Qualifiers['direction']

/** Memory that may still be taken for long lists. */
export interface Slots {
  take(count: number): number | undefined
}

/** From this many ranges on, the addresses of IPv4 and ARP go through one search instead of one each. */
const sharedFrom = 17

/** An IPv4 address in a packet of IPv4, ARP or RARP. */
export function ip4Address(
  position: Position,
  slots: Slots,
  layer: string | undefined,
  direction: Direction,
  set: ValueSet | { address: number; mask: number },
): Condition {
  if (set instanceof ValueSet) {
    return carried(position, slots, `ip4 ${layer}`, direction, set, () => ip4Carriers(position, layer))
  }
  const masked = ([word]: readonly Value[]) => position.masked(word!, set.mask, set.address)
  return or(
    ...ip4Carriers(position, layer).map(({ guard, source, destination }) =>
      and(guard, directed(direction, masked(source), masked(destination))),
    ),
  )
}

function ip4Carriers(position: Position, layer: string | undefined): Carrier[] {
  const carriers: Carrier[] = []
  const words = (offset: number) => [position.load(4, position.network, offset)]
  if (layer === undefined || layer === 'ip') {
    carriers.push({ guard: position.ip, source: words(12), destination: words(16) })
  }
  if (layer !== 'ip' && (layer !== undefined || position.labels === 0)) {
    // Apart from each other, so that what follows a match knows which of the two it was.
    for (const [name, number] of [
      ['arp', 0x0806],
      ['rarp', 0x8035],
    ] as const) {
      if (layer !== undefined && layer !== name) continue
      carriers.push({ guard: position.protocol(number), source: words(14), destination: words(24) })
    }
  }
  return carriers
}

export function ip6Address(position: Position, slots: Slots, direction: Direction, set: ValueSet): Condition {
  const words = (offset: number) =>
    [0, 4, 8, 12].map(more => position.load(4, position.network, offset + more))
  return carried(position, slots, 'ip6', direction, set, () => [
    { guard: position.ip6, source: words(8), destination: words(24) },
  ])
}

export function etherAddress(
  position: Position,
  slots: Slots,
  direction: Direction,
  set: ValueSet,
): Condition {
  if (position.kind !== 'ethernet') {
    throw new Unsupported(`${position.name} has no Ethernet addresses`)
  }
  const words = (offset: number) => [
    position.load(2, position.header, offset),
    position.load(4, position.header, offset + 2),
  ]
  return carried(position, slots, 'ether', direction, set, () => [
    { guard: position.hasHeader, source: words(6), destination: words(0) },
  ])
}

/** A port of TCP, UDP or SCTP; in IPv6 only without extension headers. */
export function port(
  position: Position,
  slots: Slots,
  transport: string | undefined,
  direction: Direction,
  set: ValueSet,
): Condition {
  return carried(position, slots, `port ${transport}`, direction, set, () =>
    portCarriers(position, transport),
  )
}

function portCarriers(position: Position, transport: string | undefined): Carrier[] {
  const numbers = (transport === undefined ? ['sctp', 'tcp', 'udp'] : [transport]).map(transportNumber)
  const ports = (at: Location, offset: number) => [position.load(2, at, offset)]
  const carries = (offset: number) =>
    or(...numbers.map(number => position.equals(position.load(1, position.network, offset), number)))
  return [
    {
      guard: and(position.ip6, carries(6)),
      source: ports(position.network, 40),
      destination: ports(position.network, 42),
    },
    {
      guard: and(position.ip, carries(9), position.notLaterFragment),
      source: ports(position.transport(), 0),
      destination: ports(position.transport(), 2),
    },
  ]
}

function carried(
  position: Position,
  slots: Slots,
  what: string,
  direction: Direction,
  set: ValueSet,
  carriers: () => Carrier[],
): Condition {
  const key = `${what} ${position.moves}`
  let possible = position.carriers.get(key)
  if (possible === undefined) {
    possible = carriers().filter(({ guard }) => guard !== never)
    position.carriers.set(key, possible)
  }
  const ways = possible
  const member = (words: readonly Value[], of: ValueSet): Condition => ({ kind: 'member', words, set: of })
  const separate = (of: ValueSet) =>
    or(
      ...ways.map(({ guard, source, destination }) =>
        and(guard, directed(direction, member(source, of), member(destination, of))),
      ),
    )
  // Of both addresses being in one set, nothing follows for the union of two.
  if (direction === 'and') return separate(set)
  const ask = (of: ValueSet): Condition => {
    if (of.ranges.length < sharedFrom || ways.length < 2) return separate(of)
    const slot = slots.take(2)
    if (slot === undefined) return separate(of)
    const { values } = position
    const stored = ways.map(({ guard, source, destination }) =>
      and(guard, {
        kind: 'store',
        stores: [
          ...(direction === 'src' ? [] : [{ slot: slot + 1, value: destination[0]! }]),
          ...(direction === 'dst' ? [] : [{ slot, value: source[0]! }]),
        ],
      }),
    )
    const found = directed(
      direction,
      member([values.memory(slot)], of),
      member([values.memory(slot + 1)], of),
    )
    return and(or(...stored), found)
  }
  return { kind: 'lookup', key: `${key} ${direction ?? 'or'}`, set, ask }
}

function directed(direction: Direction, source: Condition, destination: Condition): Condition {
  if (direction === 'src') return source
  if (direction === 'dst') return destination
  return direction === 'and' ? and(source, destination) : or(source, destination)
}
