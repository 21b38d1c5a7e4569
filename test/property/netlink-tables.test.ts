import fc from 'fast-check'
import t from 'tap'
import {
  type Codec,
  MessageWriter,
  nest,
  Payload,
  readTable,
  type Table,
  u8,
  u16,
  u16be,
  u32,
  u32be,
  u64,
  writeTable,
} from '../../src/netlink/core/index.js'
import { readDriverInfo, readStatistics } from '../../src/netlink/generic/ethtool/driver.js'
import { featuresTable, settings, stringSetsTable } from '../../src/netlink/generic/ethtool/settings.js'
import { familyInfo, familyTable } from '../../src/netlink/generic/family-info.js'
import { GenericMessage } from '../../src/netlink/generic/generic-message.js'
import { readPolicy } from '../../src/netlink/generic/policy.js'
import { deviceTable, peerTable } from '../../src/netlink/generic/wireguard/tables.js'
import { actionKinds, actionList } from '../../src/netlink/route/traffic/actions/index.js'
import { filterKinds } from '../../src/netlink/route/traffic/filters/index.js'
import { formatHandle, parseHandle } from '../../src/netlink/route/traffic/handle.js'
import { readTraffic } from '../../src/netlink/route/traffic/message.js'
import { classKinds, qdiscKinds } from '../../src/netlink/route/traffic/qdiscs/index.js'

const runs = { numRuns: Math.min(Number(process.env.NETLOOM_FUZZ_RUNS ?? 300), 20_000) }

function written(write: (writer: MessageWriter) => void): Payload {
  const writer = new MessageWriter({ type: 1, flags: 0, header: { length: 0, write() {} }, name: 'x' })
  write(writer)
  return new Payload(writer.finish().message.slice(16))
}

/** A codec's value, through bytes. */
function through(codec: Codec<unknown>, value: unknown): unknown {
  const cursor = written(writer => codec.write(writer, 1, 'x', value)).attributes(0)
  t.ok(cursor.next())
  return codec.read(cursor)
}

const numbers = new Map<unknown, fc.Arbitrary<unknown>>([
  [u8, fc.nat(0xff)],
  [u16, fc.nat(0xffff)],
  [u16be, fc.nat(0xffff)],
  [u32, fc.nat(0xffff_ffff)],
  [u32be, fc.nat(0xffff_ffff)],
  [u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
])

const tables: Record<string, Table> = {
  featuresTable,
  stringSetsTable,
  familyTable,
  peerTable,
  deviceTable,
  ...Object.fromEntries(Object.entries(settings).map(([name, { table }]) => [name, table])),
}
const kinds: Record<string, Codec<unknown>> = Object.fromEntries(
  [qdiscKinds, classKinds, filterKinds].flatMap(all => Object.entries(all)),
) as never
for (const [name, { table }] of Object.entries(kinds)) if (table) tables[name] = table

t.test('what is set is read back', async t => {
  let tried = 0
  for (const [table, { fields }] of Object.entries(tables)) {
    for (const [name, { codec, readOnly }] of Object.entries(fields)) {
      if (readOnly) continue
      const arbitrary =
        numbers.get(codec) ?? (codec.examples?.length ? fc.constantFrom(...codec.examples) : undefined)
      if (!arbitrary) continue
      fc.assert(
        fc.property(arbitrary, value => {
          const one: Table = { prefix: '', fields: { [name]: fields[name]! } }
          const payload = written(writer => writeTable(writer, one, { [name]: value }, table))
          t.same(readTable(one, payload.attributes(0)).values, { [name]: value }, `${table}.${name}`)
        }),
        { numRuns: 10 },
      )
      tried++
    }
  }
  t.ok(tried > 130, String(tried))
  for (const [name, codec] of Object.entries(kinds)) {
    for (const example of codec.examples ?? []) t.same(through(codec, example), example, name)
  }
})

t.test('handles are read as they are written', async t => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), handle => {
      if (parseHandle('x', formatHandle(handle)!) !== handle) throw new Error(String(handle))
    }),
    runs,
  )
  for (const bad of ['', '1', ':1', '1:10000', '10000:', 'g:', '1:2:3', ' 1:', 'Root']) {
    t.throws(() => parseHandle('x', bad), { code: 'ERR_INVALID_ARG_VALUE' }, bad)
  }
})

t.test('actions survive the way through bytes', async t => {
  const actions = [
    { kind: 'gact', verdict: 'drop' },
    { kind: 'mirred', operation: 'mirror', to: 7, direction: 'ingress', verdict: 'pipe' },
    { kind: 'vlan', operation: 'push', id: 5, protocol: '802.1ad', priority: 7, verdict: 'pipe' },
    {
      kind: 'tunnel_key',
      operation: 'set',
      source: 'fd00::1',
      destination: 'fd00::2',
      id: 9,
      verdict: 'pipe',
    },
    { kind: 'police', rate: { bytesPerSecond: 1000n }, burst: 5000, mtu: 9, verdict: 'drop' },
    { kind: 'skbedit', priority: 9, mark: 1, markMask: 3, verdict: 'pass' },
  ] as const
  t.match(through(actionList as Codec<unknown>, actions), actions)
  t.same(Object.keys(actionKinds).sort(), actions.map(action => action.kind).sort(), 'all of them')
})

/** Whatever a kernel might say is read, or refused as what it is. */
function readOrRefuse(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_NETLINK_PROTOCOL') throw error
  }
}

t.test('arbitrary bytes are read, or are errors of the protocol', async t => {
  const bytes = fc.uint8Array({ maxLength: 300 })
  /** Bytes that look like attributes. */
  const attributes = fc
    .array(fc.tuple(fc.nat(20), fc.uint8Array({ maxLength: 60 })), { maxLength: 8 })
    .map(list =>
      written(writer => list.forEach(([type, value]) => void writer.bytes(type, '', value))).bytes.slice(),
    )
  const all = fc.oneof(bytes, attributes)
  fc.assert(
    fc.property(all, value => {
      for (const table of Object.values(tables)) {
        readOrRefuse(() => readTable(table, new Payload(value).attributes(0)))
        readOrRefuse(() => nest(table).read(cursorOf(value)))
      }
      for (const codec of [...Object.values(kinds), actionList])
        readOrRefuse(() => codec.read(cursorOf(value)))
      for (const { read } of Object.values(actionKinds))
        readOrRefuse(() => read(new Payload(value).attributes(0)))
      readOrRefuse(() => familyInfo(readTable(familyTable, new Payload(value).attributes(0)).values))
      const message = { type: 1, flags: 0, sequence: 0, port: 0, payload: new Payload(value) }
      readOrRefuse(() => readPolicy([new GenericMessage(message, 0)]))
      for (const each of [qdiscKinds, classKinds, filterKinds]) {
        readOrRefuse(() => readTraffic(new Payload(value), each))
      }
    }),
    runs,
  )
  t.equal(readDriverInfo(new Uint8Array(196)).driver, '')
  t.same(readStatistics(0, new Uint8Array()), {})
})

function cursorOf(value: Uint8Array) {
  const cursor = written(writer => writer.bytes(1, '', value)).attributes(0)
  cursor.next()
  return cursor
}
