import fc from 'fast-check'
import type { FrameCodecName } from '../../src/frames/index.js'
import { controlArbitraries } from './control-arbitraries.js'
import { bytes, ipv4, ipv6, mac, payload, uint } from './field-arbitraries.js'
import { tunnelArbitraries } from './tunnel-arbitraries.js'

const offset = fc.integer({ min: 0, max: 8191 }).map(units => units * 8)
const opaque = (unit: number) =>
  fc.integer({ min: 1, max: 4 }).chain(units => bytes(units * unit + (unit === 4 ? 4 : 0) - 2))

const ethernet = fc.oneof(
  fc.record({ destination: mac, source: mac, type: fc.integer({ min: 1501, max: 0xffff }), payload }),
  fc
    .tuple(mac, mac, payload, fc.uint8Array({ maxLength: 20 }))
    .map(([destination, source, payload, trailer]) => ({
      destination,
      source,
      length: payload.length,
      payload,
      ...(trailer.length > 0 && { trailer }),
    })),
)

const ipv4Packet = fc
  .record({
    dscp: uint(6),
    ecn: uint(2),
    identification: uint(16),
    reservedFlag: fc.boolean(),
    dontFragment: fc.boolean(),
    moreFragments: fc.boolean(),
    fragmentOffset: offset,
    ttl: uint(8),
    protocol: uint(8),
    checksum: uint(16),
    source: ipv4,
    destination: ipv4,
    options: fc.integer({ min: 0, max: 10 }).chain(words => bytes(words * 4)),
    payload,
  })
  .map(record => ({ ...record, totalLength: 20 + record.options.length + record.payload.length }))

const fragment = fc.record({
  type: fc.constant(44),
  fragmentOffset: offset,
  moreFragments: fc.boolean(),
  identification: uint(32),
})
const extension = fc.oneof(
  fc.record({ type: fc.constantFrom(0, 43, 60), body: opaque(8) }),
  fc.record({ type: fc.constant(51), body: opaque(4) }),
  // Behind a later fragment's header there are no more headers to be seen.
  fragment.map(header => ({ ...header, fragmentOffset: 0 })),
)

const ipv6Packet = fc
  .record({
    dscp: uint(6),
    ecn: uint(2),
    flowLabel: uint(20),
    hopLimit: uint(8),
    source: ipv6,
    destination: ipv6,
    extensions: fc
      .tuple(fc.array(extension, { maxLength: 4 }), fc.option(fragment))
      .map(([list, last]) => (last ? [...list, last] : list)),
    protocol: uint(8).filter(protocol => ![0, 43, 44, 51, 60].includes(protocol)),
    payload,
  })
  .map(record => ({ ...record, length: record.payload.length + extensionsLength(record.extensions) }))

function extensionsLength(extensions: readonly { type: number; body?: Uint8Array }[]): number {
  return extensions.reduce((sum, extension) => sum + (extension.body ? extension.body.length + 2 : 8), 0)
}

const icmpBase = { code: uint(8), checksum: uint(16), payload }
const nonZero = fc.integer({ min: 1, max: 0xffffffff })
const icmp = fc.oneof(
  fc.record({ ...icmpBase, type: fc.constantFrom(0, 8, 13, 14), identifier: uint(16), sequence: uint(16) }),
  fc.record({ ...icmpBase, type: fc.constant(5), gateway: ipv4 }),
  fc.record({ ...icmpBase, type: fc.constant(12), pointer: uint(8) }),
  fc.record({ ...icmpBase, type: fc.constant(3), code: fc.constant(4), mtu: uint(16) }),
  fc.record({ ...icmpBase, type: fc.constantFrom(3, 11), code: uint(2), rest: nonZero }),
  fc.record({ ...icmpBase, type: fc.constantFrom(9, 10, 255) }),
)
const icmpv6 = fc.oneof(
  fc.record({ ...icmpBase, type: fc.constantFrom(128, 129), identifier: uint(16), sequence: uint(16) }),
  fc.record({ ...icmpBase, type: fc.constant(2), mtu: uint(32) }),
  fc.record({ ...icmpBase, type: fc.constant(4), pointer: uint(32) }),
  fc.record({ ...icmpBase, type: fc.constantFrom(1, 3, 133, 143), rest: nonZero }),
  fc.record({ ...icmpBase, type: fc.constantFrom(1, 3, 133, 143) }),
)

const discoveryOption = fc.oneof(
  fc.record({ kind: fc.constantFrom('source', 'target'), macAddress: mac }),
  fc.record({ kind: fc.constant('mtu'), mtu: uint(32) }),
  fc.record({
    kind: fc.constant('prefix'),
    prefix: ipv6,
    length: uint(8),
    onLink: fc.boolean(),
    autonomous: fc.boolean(),
    validLifetimeSeconds: uint(32),
    preferredLifetimeSeconds: uint(32),
  }),
  fc.record({ kind: fc.constant('unknown'), number: fc.constantFrom(14, 25, 31), data: opaque(8) }),
)
const message = { checksum: uint(16), options: fc.array(discoveryOption, { maxLength: 4 }) }
const neighborDiscovery = fc.oneof(
  fc.record({ ...message, type: fc.constant(133) }),
  fc.record({
    ...message,
    type: fc.constant(134),
    hopLimit: uint(8),
    managed: fc.boolean(),
    other: fc.boolean(),
    lifetimeSeconds: uint(16),
    reachableTimeMs: uint(32),
    retransmitTimerMs: uint(32),
  }),
  fc.record({ ...message, type: fc.constant(135), target: ipv6 }),
  fc.record({
    ...message,
    type: fc.constant(136),
    target: ipv6,
    router: fc.boolean(),
    solicited: fc.boolean(),
    override: fc.boolean(),
  }),
  fc.record({ ...message, type: fc.constant(137), target: ipv6, destination: ipv6 }),
)

const tcpOption = fc.oneof(
  fc.record({ kind: fc.constant('nop') }),
  fc.record({ kind: fc.constant('mss'), mss: uint(16) }),
  fc.record({ kind: fc.constant('windowScale'), shift: uint(8) }),
  fc.record({ kind: fc.constant('sackPermitted') }),
  fc.record({ kind: fc.constant('timestamps'), value: uint(32), echo: uint(32) }),
  fc.record({
    kind: fc.constant('sack'),
    blocks: fc.array(fc.record({ start: uint(32), end: uint(32) }), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    kind: fc.constant('unknown'),
    number: fc.constantFrom(6, 28, 34, 254),
    data: fc.uint8Array({ maxLength: 6 }),
  }),
)
const optionLengths: Record<string, number> = {
  nop: 1,
  mss: 4,
  windowScale: 3,
  sackPermitted: 2,
  timestamps: 10,
}

function optionLength(option: { kind: string; blocks?: unknown[]; data?: Uint8Array }): number {
  if (option.blocks) return 2 + 8 * option.blocks.length
  return option.data ? 2 + option.data.length : optionLengths[option.kind]!
}

/** As many options as fit in a header, and what pads them. */
const tcpOptions = fc.array(tcpOption, { maxLength: 6 }).map(options => {
  const fitting: object[] = []
  let length = 0
  for (const option of options) {
    if (length + optionLength(option) > 40) break
    length += optionLength(option)
    fitting.push(option)
  }
  return length % 4 === 0 ? fitting : [...fitting, { kind: 'end', length: 4 - (length % 4) }]
})

/** Records as the decoders return them, for every codec: all fields set, lengths right, checksums arbitrary. */
export const recordArbitraries: Record<FrameCodecName, fc.Arbitrary<object>> = {
  ...tunnelArbitraries,
  ...controlArbitraries,
  ethernet,
  vlan: fc.record({ priority: uint(3), dropEligible: fc.boolean(), id: uint(12), type: uint(16), payload }),
  arp: fc.record({
    operation: uint(16),
    senderMacAddress: mac,
    senderIpAddress: ipv4,
    targetMacAddress: mac,
    targetIpAddress: ipv4,
  }),
  ipv4: ipv4Packet,
  ipv6: ipv6Packet,
  icmp,
  icmpv6,
  neighborDiscovery,
  udp: fc
    .record({ sourcePort: uint(16), destinationPort: uint(16), checksum: uint(16), payload })
    .map(record => ({ ...record, length: 8 + record.payload.length })),
  tcp: fc.record({
    sourcePort: uint(16),
    destinationPort: uint(16),
    sequence: uint(32),
    acknowledgment: uint(32),
    reserved: uint(3),
    flags: fc.record({
      fin: fc.boolean(),
      syn: fc.boolean(),
      rst: fc.boolean(),
      psh: fc.boolean(),
      ack: fc.boolean(),
      urg: fc.boolean(),
      ece: fc.boolean(),
      cwr: fc.boolean(),
      ae: fc.boolean(),
    }),
    window: uint(16),
    checksum: uint(16),
    urgentPointer: uint(16),
    options: tcpOptions,
    payload,
  }),
}
