/** Packets for filters to be tried on: small, of every protocol that the language knows, from one seed. */

const seedBytes = (text: string) =>
  Uint8Array.from(text.match(/../g) ?? [], digits => Number.parseInt(digits, 16))

function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap(part => [...part]))
}

const half = (number: number) => [number >> 8, number & 0xff]

const source4 = [10, 0, 0, 1]
const target4 = [192, 168, 1, 80]
const source6 = seedBytes('20010db8000000000000000000000001')
const target6 = seedBytes('ff020000000000000000000000000016')

function ip4(
  protocol: number,
  payload: Uint8Array,
  options: { fragment?: number; words?: number } = {},
): Uint8Array {
  const { fragment = 0, words = 5 } = options
  const length = words * 4 + payload.length
  const head = [
    0x40 | words,
    0,
    ...half(length),
    0,
    1,
    ...half(fragment),
    64,
    protocol,
    0,
    0,
    ...source4,
    ...target4,
  ]
  return join(head, new Uint8Array((words - 5) * 4), payload)
}

function ip6(next: number, payload: Uint8Array): Uint8Array {
  return join([0x60, 0, 0, 0, ...half(payload.length), next, 64], source6, target6, payload)
}

const transport = (source: number, target: number, more = 20) =>
  join(half(source), half(target), [0, 0, 0, 9, 0, 0, 0, 5, 0x50, 0x12], new Uint8Array(more))
const udp = (port: number, payload: Uint8Array) => join(half(40000), half(port), [0, 0, 0, 0], payload)
const ether = (type: number, payload: Uint8Array, target = [2, 0, 0, 0, 0, 2]) =>
  join(target, [2, 0, 0, 0, 0, 1], half(type), payload)
const arp = (operation: number) =>
  join([0, 1, 8, 0, 6, 4, 0, operation, 2, 0, 0, 0, 0, 1], source4, [0, 0, 0, 0, 0, 0], target4)

const tcp80 = ip4(6, transport(40000, 80))
const inner = ether(0x0800, ip4(17, transport(53, 1000)))

/** EtherType and packet. */
const packets: readonly [number, Uint8Array][] = [
  [0x0800, tcp80],
  [0x0800, ip4(6, transport(22, 443), { words: 7 })],
  [0x0800, ip4(17, transport(53, 53))],
  [0x0800, ip4(132, transport(7, 80))],
  [0x0800, ip4(6, transport(80, 22), { fragment: 0x2000 })],
  [0x0800, ip4(6, transport(80, 22), { fragment: 100 })],
  [0x0800, ip4(1, Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 1))],
  [0x0800, ip4(2, Uint8Array.of(0x16, 0, 0, 0, 224, 0, 0, 1))],
  [0x0800, ip4(50, transport(1, 2))],
  [0x0800, ip4(51, transport(1, 2))],
  [0x0800, ip4(103, transport(0x2000, 2))],
  [0x0800, ip4(112, transport(0x2101, 2))],
  [0x86dd, ip6(6, transport(40000, 80))],
  [0x86dd, ip6(17, transport(53, 5353))],
  [0x86dd, ip6(44, join([6, 0, 0, 1, 0, 0, 0, 1], transport(40000, 80)))],
  [0x86dd, ip6(58, Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0))],
  [0x86dd, ip6(0, Uint8Array.of(58, 0, 5, 2, 0, 0, 0, 0, 143, 0, 0, 0))],
  [0x0806, arp(1)],
  [0x8035, arp(3)],
  [0x8100, join(half(100), half(0x0800), tcp80)],
  [0x88a8, join(half(5), half(0x8100), half(100), half(0x86dd), ip6(6, transport(40000, 80)))],
  [0x9100, join(half(0x2003), half(0x0806), arp(1))],
  [0x8847, join([0, 0, 0x31, 64], tcp80)],
  [0x8847, join([0, 0, 0x30, 64, 0, 0, 0x51, 64], ip6(17, transport(53, 53)))],
  [0x8864, join([0x11, 0, 0, 3, ...half(tcp80.length + 2), 0, 0x21], tcp80)],
  [0x8864, join([0x11, 0, 0, 4, 0, 60, 0, 0x57], ip6(6, transport(1, 80)))],
  [0x8863, Uint8Array.of(0x11, 9, 0, 0, 0, 0)],
  [0x0800, ip4(17, udp(6081, join([0, 0, 0x65, 0x58, 0, 0, 5, 0], inner)))],
  [0x0800, ip4(17, udp(6081, join([2, 0, 0x08, 0, 0, 0, 7, 0], new Uint8Array(8), tcp80)))],
  [0x86dd, ip6(17, udp(6081, join([1, 0, 0x65, 0x58, 0, 0, 5, 0, 0, 0, 0, 0], inner)))],
  [0x0800, ip4(17, udp(4789, join([8, 0, 0, 0, 0, 0, 42, 0], inner)))],
  [0x86dd, ip6(17, udp(4789, join([8, 0, 0, 0, 0, 0, 42, 0], inner)))],
  [0x002e, Uint8Array.of(0x42, 0x42, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  [0x002e, Uint8Array.of(0xaa, 0xaa, 3, 8, 0, 7, 0x80, 0x9b, 0, 0, 0, 0)],
  [0x002e, Uint8Array.of(0xe0, 0xe0, 3, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0)],
  [0x809b, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
]

const wraps: Record<string, (type: number, packet: Uint8Array) => Uint8Array | undefined> = {
  ethernet: (type, packet) =>
    ether(type, packet, type === 0x0806 ? [255, 255, 255, 255, 255, 255] : undefined),
  'linux-sll': (type, packet) =>
    join(half(packet.length % 5), [0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], half(type), packet),
  'linux-sll2': (type, packet) =>
    join(half(type), [0, 0, 0, 0, 0, 3, 0, 1, packet.length % 5, 6, 2, 0, 0, 0, 0, 1, 0, 0], packet),
  null: (type, packet) => family(type, packet, number => [number, 0, 0, 0]),
  loop: (type, packet) => family(type, packet, number => [0, 0, 0, number]),
  ip: (type, packet) => family(type, packet, () => []),
  ipv4: (type, packet) => (type === 0x0800 ? packet : undefined),
  ipv6: (type, packet) => (type === 0x86dd ? packet : undefined),
}

function family(
  type: number,
  packet: Uint8Array,
  head: (number: number) => number[],
): Uint8Array | undefined {
  const number = type === 0x0800 ? 2 : type === 0x86dd ? 10 : undefined
  return number === undefined ? undefined : join(head(number), packet)
}

/** All of the packets as they are on a link type. */
export function packetsOn(linkType: string): Uint8Array[] {
  return packets
    .map(([type, packet]) => wraps[linkType]!(type, packet))
    .filter(packet => packet !== undefined)
}
