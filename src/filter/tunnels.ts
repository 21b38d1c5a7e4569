import type { Slots } from './addresses.js'
import { and, type Condition, not, or, type Store, test } from './condition.js'
import { extensions } from './instruction.js'
import { type Location, type Position, Unsupported } from './position.js'
import type { Value } from './value.js'

/** `vlan [id]`: the outermost tag that is left, which may be beside the packet instead of in it. */
export function vlan(position: Position, id: number | undefined): Condition {
  if (position.labels > 0) throw new Unsupported('There is no VLAN tag behind MPLS labels')
  if (position.kind !== 'ethernet') throw new Unsupported(`${position.name} has no VLAN tags`)
  limit('VLAN id', id, 0xfff)
  const beside = position.tag === 'beside' && position.tags === 0 && position.header.base === undefined
  position.tags++
  if (beside) {
    const tag = position.values.extension(extensions.vlanTag)
    position.moves++
    return id === undefined ? { kind: 'constant', value: true } : position.masked(tag, 0xfff, id)
  }
  const type = position.load(2, position.type)
  const tagged = or(...[0x8100, 0x88a8, 0x9100].map(number => position.equals(type, number)))
  const matches =
    id === undefined ? tagged : and(tagged, position.masked(position.load(2, position.network), 0xfff, id))
  position.type = moved(position.type, 4)
  position.network = moved(position.network, 4)
  position.moves++
  return matches
}

/** `mpls [label]`: one label, the one after the last that was asked for. */
export function mpls(position: Position, label: number | undefined): Condition {
  limit('MPLS label', label, 0xfffff)
  let labelled: Condition
  if (position.labels > 0) labelled = position.masked(position.load(1, position.network, -2), 1, 0)
  else if (position.kind === 'ethernet') labelled = position.protocol(0x8847)
  else if (position.kind === 'ppp') labelled = position.protocol(0x0281)
  else throw new Unsupported(`There is no MPLS on ${position.name}`)
  if (label !== undefined) {
    labelled = and(labelled, position.masked(position.load(4, position.network), 0xfffff000, label * 4096))
  }
  position.network = moved(position.network, 4)
  position.labels++
  position.moves++
  return labelled
}

/** `pppoes [session]`: what follows is about the packet in the PPP frame. */
export function pppoeSession(position: Position, session: number | undefined): Condition {
  limit('PPPoE session', session, 0xffff)
  let matches = position.protocol(0x8864)
  if (session !== undefined) {
    matches = and(matches, position.masked(position.load(4, position.network), 0xffff, session))
  }
  position.header = moved(position.network, 6)
  position.type = position.header
  position.network = moved(position.network, 8)
  position.kind = 'ppp'
  position.moves++
  return matches
}

/** `geneve [vni]`, UDP port 6081 (RFC 8926): what follows is about the inner packet, with or without Ethernet. */
export function geneve(position: Position, slots: Slots, vni: number | undefined): Condition {
  limit('Geneve VNI', vni, 0xffffff)
  const { values } = position
  const [outer, header, type, network] = [0, 1, 2, 3].map(() => take(slots)) as [
    number,
    number,
    number,
    number,
  ]
  const start: Location = { base: values.memory(outer), offset: 0 }
  const valid = (at: Location) =>
    and(
      position.masked(position.load(1, at), 0xc0, 0),
      ...(vni === undefined ? [] : [position.masked(position.load(4, at, 4), 0xffffff00, vni * 256)]),
    )
  const found = overUdp(position, 6081, outer, valid)
  const words = values.binary('&', position.load(1, start), values.constant(0x3f))
  const options = values.binary('<<', words, values.constant(2))
  const plus = (value: Value, number: number) => values.binary('+', value, values.constant(number))
  const inner = values.memory(header)
  const condition = and(
    found,
    store({ slot: header, value: plus(values.binary('+', options, values.memory(outer)), 8) }),
    or(
      and(
        position.equals(position.load(2, start, 2), 0x6558),
        store({ slot: type, value: plus(inner, 12) }, { slot: network, value: plus(inner, 14) }),
      ),
      store({ slot: type, value: plus(values.memory(outer), 2) }, { slot: network, value: inner }),
    ),
  )
  enterEthernet(
    position,
    inner,
    { base: values.memory(type), offset: 0 },
    { base: values.memory(network), offset: 0 },
  )
  position.hasHeader = not(test('=', inner, values.memory(network)))
  return condition
}

/** `vxlan [vni]`, UDP port 4789 (RFC 7348): what follows is about the inner frame. */
export function vxlan(position: Position, slots: Slots, vni: number | undefined): Condition {
  limit('VXLAN VNI', vni, 0xffffff)
  const slot = take(slots)
  const valid = (at: Location) =>
    and(
      position.hasBits(position.load(1, at), 0x08),
      ...(vni === undefined ? [] : [position.masked(position.load(4, at, 4), 0xffffff00, vni * 256)]),
    )
  const condition = overUdp(position, 4789, slot, valid)
  const base = position.values.memory(slot)
  enterEthernet(position, base, { base, offset: 8 + 12 }, { base, offset: 8 + 14 }, 8)
  return condition
}

/** That a header of this UDP port follows and is `valid`; where it begins is then in the memory. */
function overUdp(
  position: Position,
  port: number,
  slot: number,
  valid: (at: Location) => Condition,
): Condition {
  const { values, network } = position
  const transport = position.transport()
  const carried = (over: Condition, udp: Location, ...more: Condition[]) => {
    const at = moved(udp, 8)
    const constant = values.constant(at.offset)
    const value = at.base === undefined ? constant : values.binary('+', at.base, constant)
    return and(
      over,
      ...more,
      position.equals(position.load(2, udp, 2), port),
      valid(at),
      store({ slot, value }),
    )
  }
  const next = (offset: number) => position.equals(position.load(1, network, offset), 17)
  return or(
    carried(and(position.ip, next(9)), transport, position.notLaterFragment),
    carried(and(position.ip6, next(6)), moved(network, 40)),
  )
}

function enterEthernet(
  position: Position,
  header: Value,
  type: Location,
  network: Location,
  offset = 0,
): void {
  position.kind = 'ethernet'
  position.header = { base: header, offset }
  position.type = type
  position.network = network
  position.labels = 0
  position.moves++
}

function store(...stores: Store[]): Condition {
  return { kind: 'store', stores }
}

function take(slots: Slots): number {
  const slot = slots.take(1)
  if (slot === undefined) throw new Unsupported('So many tunnels do not fit in the memory of a filter')
  return slot
}

function moved({ base, offset }: Location, by: number): Location {
  return { base, offset: offset + by }
}

function limit(what: string, number: number | undefined, max: number): void {
  if (number !== undefined && number > max) throw new Unsupported(`A ${what} is at most ${max}`)
}
