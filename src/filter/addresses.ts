import { and, type Condition, never, or } from './condition.js'
import { type Location, type Position, Unsupported } from './position.js'
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

/** One way in which a packet may carry a pair of addresses or ports: what it must be, and where they are. */
interface Carrier {
  guard: Condition
  source: readonly Value[]
  destination: readonly Value[]
}

/** An IPv4 address in a packet of IPv4, ARP or RARP. */
export function ip4Address(
  position: Position,
  slots: Slots,
  layer: string | undefined,
  direction: Direction,
  set: ValueSet | { address: number; mask: number },
): Condition {
  const carriers: Carrier[] = []
  const words = (offset: number) => [position.load(4, position.network, offset)]
  if (layer === undefined || layer === 'ip') {
    carriers.push({ guard: position.ip, source: words(12), destination: words(16) })
  }
  if (layer !== 'ip' && (layer !== undefined || position.labels === 0)) {
    const arp = [0x0806, 0x8035].filter((_, i) => layer === undefined || layer === (i === 0 ? 'arp' : 'rarp'))
    carriers.push({
      guard: or(...arp.map(number => position.protocol(number))),
      source: words(14),
      destination: words(24),
    })
  }
  if (set instanceof ValueSet) return carried(position, slots, `ip4 ${layer}`, direction, set, carriers)
  const masked = ([word]: readonly Value[]) => position.masked(word!, set.mask, set.address)
  return or(
    ...carriers.map(({ guard, source, destination }) =>
      and(guard, directed(direction, masked(source), masked(destination))),
    ),
  )
}

export function ip6Address(position: Position, slots: Slots, direction: Direction, set: ValueSet): Condition {
  const words = (offset: number) =>
    [0, 4, 8, 12].map(more => position.load(4, position.network, offset + more))
  const carrier = { guard: position.ip6, source: words(8), destination: words(24) }
  return carried(position, slots, 'ip6', direction, set, [carrier])
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
  const carrier = { guard: position.hasHeader, source: words(6), destination: words(0) }
  return carried(position, slots, 'ether', direction, set, [carrier])
}

/** A port of TCP, UDP or SCTP; in IPv6 only without extension headers. */
export function port(
  position: Position,
  slots: Slots,
  transport: string | undefined,
  direction: Direction,
  set: ValueSet,
): Condition {
  const numbers = (transport === undefined ? ['sctp', 'tcp', 'udp'] : [transport]).map(transportNumber)
  const ports = (at: Location, offset: number) => [position.load(2, at, offset)]
  const carries = (offset: number) =>
    or(...numbers.map(number => position.equals(position.load(1, position.network, offset), number)))
  const carriers: Carrier[] = [
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
  return carried(position, slots, `port ${transport}`, direction, set, carriers)
}

function carried(
  position: Position,
  slots: Slots,
  what: string,
  direction: Direction,
  set: ValueSet,
  carriers: readonly Carrier[],
): Condition {
  const possible = carriers.filter(({ guard }) => guard !== never)
  const member = (words: readonly Value[], of: ValueSet): Condition => ({ kind: 'member', words, set: of })
  const separate = (of: ValueSet) =>
    or(
      ...possible.map(({ guard, source, destination }) =>
        and(guard, directed(direction, member(source, of), member(destination, of))),
      ),
    )
  // Of both addresses being in one set, nothing follows for the union of two.
  if (direction === 'and') return separate(set)
  const ask = (of: ValueSet): Condition => {
    if (of.ranges.length < sharedFrom || possible.length < 2) return separate(of)
    const slot = slots.take(2)
    if (slot === undefined) return separate(of)
    const { values } = position
    const stored = possible.map(({ guard, source, destination }) =>
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
  return { kind: 'lookup', key: `${what} ${direction ?? 'or'} ${position.moves}`, set, ask }
}

function directed(direction: Direction, source: Condition, destination: Condition): Condition {
  if (direction === 'src') return source
  if (direction === 'dst') return destination
  return direction === 'and' ? and(source, destination) : or(source, destination)
}
