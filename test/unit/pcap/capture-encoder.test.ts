import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { FrameBatch, type FrameColumns, frameFlags, type LinkType } from '../../../src/frames/index.js'
import {
  CaptureEncoder,
  type CaptureFileOptions,
  type CaptureInput,
  type CaptureItem,
  type CapturePacket,
  captureBytes,
  isFileBatch,
  microseconds,
  PcapngWriter,
  PcapWriter,
  readCapture,
  toCaptureFile,
} from '../../../src/pcap/index.js'
import { fixture } from '../../support/fixture.js'

const now = 1_700_000_000_123_456_789n

/** A batch as a capture delivers it. */
function batchOf<L extends LinkType>(
  linkType: L,
  frames: Uint8Array[],
  columns: FrameColumns,
): FrameBatch<L> {
  return Object.assign(FrameBatch.from(linkType, frames), columns)
}

const frame = (length: number, first = 0) => new Uint8Array(length).map((_, i) => (first + i) & 0xff)

async function items(source: Iterable<CaptureInput>, options?: CaptureFileOptions): Promise<CaptureItem[]> {
  const list: CaptureItem[] = []
  const bytes = await buffer(Readable.from(captureBytes(source, options)))
  for await (const item of readCapture(bytes).items()) list.push(item)
  return list
}

const packetsOf = (list: CaptureItem[]): CapturePacket[] =>
  list.filter(isFileBatch).flatMap(batch => Array.from({ length: batch.count }, (_, i) => batch.packet(i)))

t.test('columns of batches become options, interfaces describe themselves', async t => {
  const frames = [frame(60), frame(61), frame(62)]
  const live = batchOf('ethernet', frames, {
    timestamps: BigInt64Array.of(now, now + 1n, now + 2n),
    originalLengths: Uint32Array.of(60, 1500, 62),
    flags: Uint32Array.of(frameFlags.inbound, 0, frameFlags.outbound | frameFlags.checksumNotReady),
    interfaces: Uint32Array.of(7, 3, 7),
  })
  const other = batchOf('ip', [frame(20, 0x45)], {
    timestamps: BigInt64Array.of(now + 3n),
    interfaces: Uint32Array.of(7),
  })
  const asked: unknown[] = []
  const list = await items([live, other, live], {
    section: { application: 'test' },
    describe(column, linkType) {
      asked.push([column, linkType])
      return { name: `if${column}` }
    },
  })
  t.same(asked, [
    [7, 'ethernet'],
    [3, 'ethernet'],
    [7, 'ip'],
  ])
  const [section, ...rest] = list
  t.match(section, { application: 'test', interfaces: { length: 3 } })
  const resolution = { base: 10, exponent: 9 }
  t.match(
    rest.filter(item => item.type === 'interface'),
    [
      { linkType: 'ethernet', name: 'if7', snapLength: 262144, timestampResolution: resolution },
      { linkType: 'ethernet', name: 'if3' },
      { linkType: 'ip', name: 'if7' },
    ],
  )
  const first = [
    { interface: 0, timestamp: now, originalLength: 60, flags: 1 },
    { interface: 1, timestamp: now + 1n, originalLength: 1500, flags: undefined },
    { interface: 0, timestamp: now + 2n, originalLength: 62, flags: 0x202 },
  ]
  t.match(packetsOf(list), [...first, { interface: 2, timestamp: now + 3n }, ...first])
  t.same(
    packetsOf(list)
      .slice(0, 3)
      .map(packet => packet.data),
    frames,
  )
})

t.test('tags beside the frames are put into them', async t => {
  const columns = { timestamps: BigInt64Array.of(now), vlans: Uint32Array.of(0x88a8_2064) }
  const ethernet = fixture('020000000001 020000000002 0800 45aa')
  const sll = fixture('0000 0001 0006 020000000001 0000 0800 45aa')
  const sll2 = fixture('0800 0000 00000002 0001 00 06 0200000000010000 45aa')
  const cases = [
    ['ethernet', ethernet, '020000000001 020000000002 88a8 2064 0800 45aa'],
    ['linux-sll', sll, '0000 0001 0006 020000000001 0000 88a8 2064 0800 45aa'],
    ['linux-sll2', sll2, '88a8 0000 00000002 0001 00 06 0200000000010000 2064 0800 45aa'],
    ['ip', fixture('45aa'), '45aa'],
    ['ethernet', fixture('0200'), '0200'],
  ] as const
  for (const [linkType, bytes, tagged] of cases) {
    const batch = batchOf(linkType, [bytes], columns)
    for (const format of ['pcap', 'pcapng'] as const) {
      const [packet] = packetsOf(await items([batch], { format }))
      t.same(packet!.data, fixture(tagged), `${linkType} in ${format}`)
      t.equal(packet!.originalLength, bytes.length + 4)
    }
  }
  const batch = batchOf('ethernet', [ethernet], columns)
  const [packet] = packetsOf(await items([batch], { snapLength: 15 }))
  t.same(packet!.data, fixture('020000000001 020000000002 88a8 20'), 'and cut after that')
  t.equal(packet!.originalLength, 20)
})

t.test('frames without a time get the present, and are cut to the snapshot length', async t => {
  const batch = FrameBatch.from('ip', [frame(100), frame(10)])
  for (const format of ['pcap', 'pcapng'] as const) {
    const before = BigInt(Date.now()) * 1_000_000n
    const list = await items([batch], { format, snapLength: 50 })
    t.match(list.find(item => item.type === 'interface')!, { snapLength: 50 })
    const packets = packetsOf(list)
    t.same(
      packets.map(({ data, originalLength }) => [data.length, originalLength]),
      [
        [50, 100],
        [10, 10],
      ],
    )
    for (const { timestamp } of packets)
      t.ok(timestamp! >= before && timestamp! <= BigInt(Date.now()) * 1_000_000n)
    t.same(packetsOf(await items([batch], { format, snapLength: 0 }))[0]!.data, batch.frame(0))
  }
  const pcap = new PcapWriter({ linkType: 'ip', timestampResolution: microseconds })
  t.equal(pcap.batch(batch, { timestamp: 1_234_567_890n }).length, 16 * 2 + 110)
})

t.test('coarser time stamps are rounded down', async t => {
  const batch = batchOf('ip', [frame(1)], { timestamps: BigInt64Array.of(now) })
  for (const format of ['pcap', 'pcapng'] as const) {
    const [packet] = packetsOf(await items([batch], { format, timestampResolution: microseconds }))
    t.equal(packet!.timestamp, (now / 1000n) * 1000n, format)
  }
  const ancient = batchOf('ip', [frame(1)], { timestamps: BigInt64Array.of(-1n) })
  for (const format of ['pcap', 'pcapng'] as const)
    await t.rejects(items([ancient], { format }), { code: 'ERR_OUT_OF_RANGE' }, 'before 1970')
  const late = batchOf('ip', [frame(1)], { timestamps: BigInt64Array.of(1n << 62n) })
  await t.rejects(items([late], { format: 'pcap' }), { code: 'ERR_OUT_OF_RANGE' }, 'after 2106')
  t.equal(packetsOf(await items([late]))[0]!.timestamp, 1n << 62n)
})

t.test('from one format to the other', async t => {
  const writer = new PcapngWriter()
  const source = Buffer.concat([
    writer.section({ littleEndian: false }),
    writer.interface({ linkType: 'ip', name: 'a', timestampResolution: microseconds }),
    writer.interface({ linkType: 'ip', name: 'b', timestampResolution: { base: 10, exponent: 12 } }),
    writer.packet({ timestamp: now, data: frame(4), comments: ['lost in pcap'], flags: 1 }),
    writer.packet({ interface: 1, ticks: 3_000_001n, data: frame(3), originalLength: 9 }),
    writer.section(),
    writer.interface({ linkType: 'ip', name: 'c' }),
    writer.packet({ timestamp: now, data: frame(2) }),
  ])
  const all: CaptureItem[] = []
  const batches: CaptureItem[] = []
  for await (const item of readCapture(source).items()) {
    all.push(item)
    if (isFileBatch(item)) batches.push(item)
  }
  t.same(await buffer(Readable.from(captureBytes(all))), source, 'all items: the same file')

  const merged = await items(batches)
  t.match(
    merged.map(item => item.type),
    ['section', 'interface', 'interface', 'packets', 'interface', 'packets'],
  )
  t.match(merged[0], { littleEndian: true, interfaces: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] })
  const expected = [
    { timestamp: (now / 1000n) * 1000n, data: frame(4), originalLength: 4 },
    { timestamp: 3000n, data: frame(3), originalLength: 9 },
    { timestamp: now, data: frame(2), originalLength: 2 },
  ]
  t.match(packetsOf(merged), expected, 'batches alone: one section')
  t.match(packetsOf(merged), [{ comments: ['lost in pcap'], flags: 1 }, { ticks: 3_000_001n }, {}])

  for (const input of [all, batches]) {
    const pcap = await items(input, { format: 'pcap', timestampResolution: { base: 10, exponent: 9 } })
    t.match(pcap[0], { format: 'pcap', interfaces: [{ linkType: 'ip' }] })
    t.match(packetsOf(pcap), expected)
    const back = await items(pcap)
    t.match(back[0], { format: 'pcapng', interfaces: [{ linkType: 'ip' }] })
    t.match(packetsOf(back), expected)
    t.same(
      await buffer(Readable.from(captureBytes(back, { format: 'pcap' }))),
      await buffer(Readable.from(captureBytes(pcap, { format: 'pcap' }))),
    )
  }
})

t.test('interfaces of a copied section, and batches of others among them', async t => {
  const writer = new PcapngWriter()
  const source = Buffer.concat([
    writer.section(),
    writer.interface({ linkType: 'ethernet', name: 'a' }),
    writer.packet({ timestamp: 1n, data: frame(4) }),
  ])
  const mixed: CaptureInput[] = []
  for await (const item of readCapture(source).items()) mixed.push(item)
  mixed.push(batchOf('ethernet', [frame(5)], { timestamps: BigInt64Array.of(2n) }), mixed.at(-1)!)
  mixed.push({ type: 'statistics', interface: 1, ticks: 3n, received: 5n })
  const list = await items(mixed, { describe: () => ({ name: 'live' }) })
  t.match(list[0], { interfaces: [{ name: 'a' }, { name: 'live' }] })
  t.same(
    packetsOf(list).map(packet => [packet.interface, packet.timestamp]),
    [
      [0, 1n],
      [1, 2n],
      [0, 1n],
    ],
  )
  t.match(list.at(-1), { type: 'statistics', interface: 1, received: 5n })
})

t.test('some packets of a file, as records', async t => {
  const writer = new PcapngWriter()
  const source = Buffer.concat([
    writer.section({ comments: ['kept'] }),
    writer.interface({ linkType: 'ip', name: 'a' }),
    writer.interface({ linkType: 'ethernet', name: 'b' }),
    ...[0, 1, 2, 3].map(i =>
      writer.packet({ timestamp: BigInt(i), data: frame(4, i), comments: [`${i}`], interface: i >> 1 }),
    ),
  ])
  const some = (await collect(source)).flatMap((item): CaptureInput[] =>
    isFileBatch(item) ? packetsOf([item]).filter(packet => packet.timestamp! % 2n === 1n) : [item],
  )
  const list = await items(some)
  t.match(list[0], { comments: ['kept'], interfaces: [{ name: 'a' }, { name: 'b' }] })
  t.match(packetsOf(list), [{ comments: ['1'] }, { comments: ['3'], interface: 1 }])
  const pcap = packetsOf(await items(some.slice(0, -1), { format: 'pcap' }))
  t.match(pcap, [{ timestamp: 1n, data: frame(4, 1) }])
  await t.rejects(items(some, { format: 'pcap' }), { code: 'ERR_INVALID_ARG_VALUE' }, 'of two link types')
  for (const format of ['pcap', 'pcapng'] as const)
    await t.rejects(items(some.slice(-1), { format }), { name: /Error/ }, 'of no interface')
})

t.test('files without packets', async t => {
  t.match(await items([]), [{ type: 'section', format: 'pcapng' }])
  t.match(await items([], { format: 'pcap', linkType: 'linux-sll2' }), [
    { type: 'section', format: 'pcap' },
    { linkType: 'linux-sll2', snapLength: 262144 },
  ])
})

t.test('a Web stream, which releases batches', async t => {
  const chunks: Uint8Array[] = []
  let closed = 0
  const sink = () =>
    new WritableStream<Uint8Array>({
      write: chunk => void chunks.push(chunk),
      close: () => void closed++,
      abort: reason => void chunks.push(reason),
    })
  const batch = FrameBatch.from('ip', [frame(20)])
  let released = 0
  batch.release = () => void released++
  const writer = toCaptureFile(sink()).getWriter()
  await writer.write(batch)
  t.equal(released, 1)
  await writer.close()
  t.equal(closed, 1)
  t.equal(packetsOf(await collect(Buffer.concat(chunks))).length, 1)
  for await (const _ of captureBytes([batch]));
  t.equal(released, 2)

  const other = toCaptureFile(sink()).getWriter()
  await other.abort('a reason')
  t.equal(chunks.at(-1), 'a reason')
  const failing = toCaptureFile(sink(), { format: 'pcap' }).getWriter()
  await failing.write(batch)
  await t.rejects(failing.write(FrameBatch.from('ethernet', [frame(20)])), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('what is refused', async t => {
  for (const [options, code] of [
    [{ format: 'pcapNG' }, 'ERR_INVALID_ARG_VALUE'],
    [{ formats: 'pcap' }, 'ERR_INVALID_ARG_VALUE'],
    [{ format: 'pcap', snapLength: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ format: 'pcap', linkType: 'token-ring' }, 'ERR_INVALID_ARG_VALUE'],
    [{ format: 'pcap', timestampResolution: { base: 2, exponent: 9 } }, 'ERR_INVALID_ARG_VALUE'],
    [{ section: { hardware: 1 } }, 'ERR_INVALID_ARG_TYPE'],
  ] as const)
    t.throws(() => new CaptureEncoder(options as never), { code }, JSON.stringify(options))
  const encoder = new CaptureEncoder()
  for (const input of [5, null, 'x', {}, [frame(2)], { type: 'packets' }])
    t.throws(() => encoder.encode(input as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => encoder.encode({ type: 'statistics', interface: 0, ticks: 0n }), {
    code: 'ERR_OUT_OF_RANGE',
  })
  for (const [options, code] of [
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [{ linkType: 'ip', fcsLength: 3 }, 'ERR_OUT_OF_RANGE'],
    [{ linkType: 'ip', littleEndian: 1 }, 'ERR_INVALID_ARG_TYPE'],
  ] as const)
    t.throws(() => new PcapWriter(options as never), { code })
  const pcap = new PcapWriter({ linkType: 'ip' })
  for (const [packet, code] of [
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [{ timestamp: 1n }, 'ERR_INVALID_ARG_TYPE'],
    [{ timestamp: 1, data: frame(1) }, 'ERR_INVALID_ARG_TYPE'],
    [{ timestamp: -1n, data: frame(1) }, 'ERR_OUT_OF_RANGE'],
    [{ timestamp: 1n << 63n, data: frame(1) }, 'ERR_OUT_OF_RANGE'],
    [{ timestamp: 1n, data: frame(1), originalLength: 2 ** 32 }, 'ERR_OUT_OF_RANGE'],
  ] as const)
    t.throws(() => pcap.packet(packet as never), { code })
})

async function collect(bytes: Uint8Array): Promise<CaptureItem[]> {
  const list: CaptureItem[] = []
  for await (const item of readCapture(bytes).items()) list.push(item)
  return list
}
