import fc from 'fast-check'
import { bytes, linkAddress, payload, uint, words } from './field-arbitraries.js'

const link = (bits: number, typeBits: number) => ({
  packetType: uint(typeBits),
  hardwareType: uint(16),
  addressLength: uint(bits),
  address: linkAddress(8),
  protocol: uint(16),
  payload,
})
/** Of an address that is longer than its field, the length alone is left. */
const addressed = <T extends { addressLength: number; address: string }>(record: T): T => {
  const length = (record.address.length + 1) / 3
  return { ...record, addressLength: length === 8 ? Math.max(8, record.addressLength) : Math.floor(length) }
}

const llc = fc.oneof(
  fc.record({
    destination: uint(8),
    source: fc.constant(0x42),
    control: fc.oneof(
      uint(6).map(bits => bits * 4 + 3),
      uint(16).filter(bits => (bits & 3) !== 3),
    ),
    payload,
  }),
  fc.record({
    destination: fc.constant(0xaa),
    source: fc.constant(0xaa),
    control: fc.constant(3),
    snap: fc.record({ organization: uint(24), protocol: uint(16) }),
    payload,
  }),
)

const tag = fc.record({ type: uint(16), data: fc.uint8Array({ maxLength: 12 }) })
const pppoe = fc.oneof(
  fc
    .record({ code: fc.constant(0), sessionId: uint(16), protocol: uint(16), payload })
    .map(record => ({ ...record, length: 2 + record.payload.length })),
  fc
    .record({
      code: fc.integer({ min: 1, max: 255 }),
      sessionId: uint(16),
      tags: fc.array(tag, { maxLength: 4 }),
      payload: fc.constant(new Uint8Array()),
    })
    .map(record => ({
      ...record,
      length: record.tags.reduce((sum, { data }) => sum + 4 + data.length, 0),
    })),
)

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const gre = fc
  .record({
    version: uint(1),
    protocol: uint(16),
    checksum: optional(uint(16)),
    key: optional(uint(32)),
    sequence: optional(uint(32)),
    acknowledgment: optional(uint(32)),
    payload,
  })
  .map(({ acknowledgment, ...record }) => {
    const whole = record.version === 1 ? { ...record, acknowledgment } : record
    return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined))
  })

const geneveOption = fc.record({ class: uint(16), type: uint(8), data: words(3) })

const virtioNet = {
  flags: uint(8),
  segmentation: uint(8),
  headersLength: uint(16),
  segmentSize: uint(16),
  checksumStart: uint(16),
  checksumOffset: uint(16),
  payload,
}

const wireguard = fc.oneof(
  fc.record({
    type: fc.constant(1),
    sender: uint(32),
    ephemeral: bytes(32),
    static: bytes(48),
    timestamp: bytes(28),
    mac1: bytes(16),
    mac2: bytes(16),
  }),
  fc.record({
    type: fc.constant(2),
    sender: uint(32),
    receiver: uint(32),
    ephemeral: bytes(32),
    empty: bytes(16),
    mac1: bytes(16),
    mac2: bytes(16),
  }),
  fc.record({ type: fc.constant(3), receiver: uint(32), nonce: bytes(24), cookie: bytes(32) }),
  fc.record({
    type: fc.constant(4),
    receiver: uint(32),
    counter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    payload: fc.uint8Array({ minLength: 16, maxLength: 80 }),
  }),
)

/** Records of what links and tunnels put around packets. */
export const tunnelArbitraries = {
  linuxSll: fc.record(link(16, 16)).map(addressed),
  linuxSll2: fc.record({ ...link(8, 8), interfaceIndex: uint(32) }).map(addressed),
  loopback: fc.oneof(
    fc.record({ family: fc.integer({ min: 1, max: 0xffff }), littleEndian: fc.boolean(), payload }),
    fc.record({ family: fc.constant(0), littleEndian: fc.constant(false), payload }),
  ),
  llc,
  mpls: fc.record({ label: uint(20), trafficClass: uint(3), bottom: fc.boolean(), ttl: uint(8), payload }),
  pppoe,
  gre,
  vxlan: fc.record({ flags: uint(16), groupPolicy: uint(16), vni: uint(24), payload }),
  geneve: fc.record({
    control: fc.boolean(),
    critical: fc.boolean(),
    protocol: uint(16),
    vni: uint(24),
    options: fc.array(geneveOption, { maxLength: 4 }),
    payload,
  }),
  virtioNet: fc.record(virtioNet),
  wireguard,
}
