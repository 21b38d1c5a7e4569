import fc, { type Arbitrary } from 'fast-check'
import { formatIpv4, formatIpv6, formatMacAddress } from '../../src/address/index.js'
import { hex } from '../../src/bytes/index.js'
import type {
  CaptureInterface,
  CaptureNames,
  CapturePacket,
  CaptureSecrets,
  CaptureSection,
  CustomBlock,
  FileLinkType,
  InterfaceStatistics,
  UnknownBlock,
} from '../../src/pcap/index.js'

/** What a pcapng file can hold, as a reader gives it. Names of options come in any order. */

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const comments = fc.array(text, { minLength: 1, maxLength: 2 })
const uint8 = fc.nat(0xff)
const uint32 = fc.nat(0xffffffff)
const uint64 = fc.bigInt(0n, (1n << 64n) - 1n)
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const ipv4 = bytes(4).map(formatIpv4)
const ipv6 = bytes(16).map(formatIpv6)
const macAddress = bytes(6).map(formatMacAddress)
const euiAddress = bytes(8).map(value => hex(value, ':'))
const kindAndBytes = fc.record({ kind: uint8, value: fc.uint8Array({ maxLength: 9 }) })
const words = fc.uint8Array({ maxLength: 20 }).map(value => value.subarray(0, value.length & ~3))
/** Codes that no block has a name for. */
const options = fc.array(
  fc.record({ code: fc.integer({ min: 100, max: 0xffff }), value: fc.uint8Array({ maxLength: 9 }) }),
  { minLength: 1, maxLength: 2 },
)

/** An object with some of these properties, in any order. */
function some<T extends object>(properties: { [K in keyof T]: Arbitrary<T[K]> }): Arbitrary<Partial<T>> {
  return fc
    .tuple(fc.record(properties, { requiredKeys: [] }), fc.infiniteStream(fc.nat(1000)))
    .map(([values, order]) => {
      const entries = Object.entries(values).map(entry => [order.next().value, entry] as const)
      entries.sort(([a], [b]) => (a as number) - (b as number))
      return Object.fromEntries(entries.map(([, entry]) => entry)) as Partial<T>
    })
}

export const sections: Arbitrary<CaptureSection> = fc
  .tuple(
    fc.boolean(),
    some({ comments, hardware: text, operatingSystem: text, application: text, options }),
    fc.option(fc.bigInt(0n, 1n << 40n), { nil: undefined }),
  )
  .map(([littleEndian, rest, length]) => ({
    type: 'section',
    format: 'pcapng',
    littleEndian,
    version: [1, 0],
    length,
    interfaces: [],
    ...rest,
  }))

export const interfaces: Arbitrary<CaptureInterface> = fc
  .tuple(
    fc.constantFrom<FileLinkType[]>('ethernet', 'ip', 'linux-sll2', 148, 0xffff),
    uint32,
    some({
      comments,
      name: text,
      description: text,
      ipv4Addresses: fc.array(
        fc.tuple(ipv4, ipv4).map(([address, mask]) => `${address}/${mask}`),
        { minLength: 1, maxLength: 2 },
      ),
      ipv6Addresses: fc.array(
        fc.tuple(ipv6, uint8).map(([address, length]) => `${address}/${length}`),
        { minLength: 1, maxLength: 2 },
      ),
      macAddress,
      euiAddress,
      speedBitsPerSecond: uint64,
      timestampResolution: fc.record({ base: fc.constantFrom<(2 | 10)[]>(2, 10), exponent: fc.nat(127) }),
      timeZone: fc.integer(),
      filter: kindAndBytes,
      operatingSystem: text,
      fcsLength: uint8,
      timestampOffsetSeconds: fc.bigInt(-(1n << 63n), (1n << 63n) - 1n),
      hardware: text,
      transmitBitsPerSecond: uint64,
      receiveBitsPerSecond: uint64,
      timeZoneName: text,
      options,
    }),
  )
  .map(([linkType, snapLength, rest]) => ({ type: 'interface', linkType, snapLength, ...rest }))

/** A packet with its time in `ticks`. */
export const packets: Arbitrary<CapturePacket> = fc
  .tuple(
    uint32,
    uint64,
    fc.uint8Array({ maxLength: 40 }),
    uint32,
    some({
      comments,
      flags: uint32,
      hashes: fc.array(kindAndBytes, { minLength: 1, maxLength: 2 }),
      dropCount: uint64,
      packetId: uint64,
      queue: uint32,
      verdicts: fc.array(kindAndBytes, { minLength: 1, maxLength: 2 }),
      process: fc.record({ processId: uint32, threadId: uint32 }),
      options,
    }),
  )
  .map(([number, ticks, data, originalLength, rest]) => ({
    type: 'packet',
    interface: number,
    ticks,
    data,
    originalLength,
    ...rest,
  }))

const statistics: Arbitrary<InterfaceStatistics> = fc
  .tuple(
    uint32,
    uint64,
    some({
      comments,
      startTicks: uint64,
      endTicks: uint64,
      received: uint64,
      dropped: uint64,
      filterAccepted: uint64,
      droppedBySystem: uint64,
      delivered: uint64,
      options,
    }),
  )
  .map(([number, ticks, rest]) => ({ type: 'statistics', interface: number, ticks, ...rest }))

const hostNames = fc.array(
  text.filter(name => !name.includes('\0')),
  { minLength: 1, maxLength: 3 },
)
const names: Arbitrary<CaptureNames> = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('ipv4' as const), address: ipv4, names: hostNames }),
        fc.record({ kind: fc.constant('ipv6' as const), address: ipv6, names: hostNames }),
        fc.record({ kind: fc.constant('mac' as const), address: macAddress, names: hostNames }),
        fc.record({ kind: fc.constant('eui64' as const), address: euiAddress, names: hostNames }),
        fc.record({ kind: fc.integer({ min: 5, max: 0xffff }), value: fc.uint8Array({ maxLength: 9 }) }),
      ),
      { maxLength: 3 },
    ),
    some({ comments, serverName: text, serverIpv4: ipv4, serverIpv6: ipv6, options }),
  )
  .map(([records, rest]) => ({ type: 'names', records, ...rest }))

const secrets: Arbitrary<CaptureSecrets> = fc
  .tuple(uint32, fc.uint8Array({ maxLength: 20 }), some({ comments, options }))
  .map(([kind, data, rest]) => ({ type: 'secrets', kind, data, ...rest }))

const custom: Arbitrary<CustomBlock> = fc.record({
  type: fc.constant('custom' as const),
  copy: fc.boolean(),
  enterprise: uint32,
  data: words,
})

const unknown: Arbitrary<UnknownBlock> = fc.record({
  type: fc.constant('unknown' as const),
  blockType: fc.integer({ min: 11, max: 0xbac }),
  body: words,
})

/** A section and what is in it: packets and statistics name interfaces that are there. */
export const sectionContents = fc
  .tuple(
    sections,
    fc.array(interfaces, { minLength: 1, maxLength: 3 }),
    fc.array(fc.oneof({ weight: 4, arbitrary: packets }, statistics, names, secrets, custom, unknown), {
      maxLength: 8,
    }),
  )
  .map(([section, list, blocks]) => {
    const contents = blocks.map(block =>
      block.type === 'packet' || block.type === 'statistics'
        ? { ...block, interface: block.interface % list.length }
        : block,
    )
    return [section, ...list, ...contents]
  })
