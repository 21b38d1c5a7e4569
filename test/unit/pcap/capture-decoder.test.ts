import t from 'tap'
import {
  CaptureDecoder,
  CaptureFileError,
  type CaptureItem,
  isFileBatch,
  isFrameBatch,
  PcapngWriter,
  PcapWriter,
} from '../../../src/pcap/index.js'
import { portPair } from '../../../src/port/index.js'

const data = Uint8Array.of(1, 2, 3, 4, 5)
const frames = 10

/** A section with one interface and ten packets. */
function file(littleEndian = true): Buffer {
  const writer = new PcapngWriter()
  return Buffer.concat([
    writer.section({ littleEndian }),
    writer.interface({ linkType: 'ethernet' }),
    ...Array.from({ length: frames }, (_, i) => writer.packet({ timestamp: BigInt(i), data })),
  ])
}

function pcap(): Buffer {
  const writer = new PcapWriter({ linkType: 'ethernet' })
  return Buffer.concat([
    writer.header(),
    ...Array.from({ length: frames }, (_, i) => writer.packet({ timestamp: BigInt(i), data })),
  ])
}

const sectionLength = 28
const packetLength = 40
const interfacesLength = 32

/** All that can be read, and the error that ended it. */
function decode(
  bytes: Uint8Array,
  options?: { maxBlockLength: number },
): { items: CaptureItem[]; error?: unknown } {
  const decoder = new CaptureDecoder(options)
  const items: CaptureItem[] = []
  try {
    items.push(...decoder.push(bytes))
    items.push(...decoder.end())
  } catch (error) {
    return { items, error }
  }
  return { items }
}

const count = (items: CaptureItem[]) => items.filter(isFileBatch).reduce((sum, batch) => sum + batch.count, 0)

t.test('what comes before a fault is given first, and the fault again and again', async t => {
  for (const littleEndian of [true, false]) {
    const bytes = file(littleEndian)
    const at = sectionLength + interfacesLength + 3 * packetLength
    const set = (offset: number, value: number) => {
      const broken = Buffer.from(bytes)
      if (littleEndian) broken.writeUint32LE(value, at + offset)
      else broken.writeUint32BE(value, at + offset)
      return broken
    }
    for (const [what, offset, value, place] of [
      ['a length of 0', 4, 0, 4],
      ['a length that is no multiple of 4', 4, 41, 4],
      ['a length beyond all bounds', 4, 0xfffffffc, 4],
      ['a shorter length, whose repetition differs', 4, 36, 32],
      ['too short for a packet', 4, 12, 8],
      ['an interface that is not there', 8, 1, 8],
      ['more data than the block has', 20, 9, 20],
      ['far more data than the block has', 20, 0xffffffff, 20],
      ['another length at the end', 36, 44, 36],
    ] as const) {
      const decoder = new CaptureDecoder()
      t.equal(count(decoder.push(set(offset, value))), 3, what)
      for (const call of [() => decoder.push(data), () => decoder.end(), () => decoder.end()])
        t.throws(call, { code: 'ERR_CAPTURE_FILE_INVALID', name: 'NetloomError', offset: at + place })
    }
  }
})

t.test('faults of other blocks', async t => {
  const writer = new PcapngWriter()
  const start = [writer.section(), writer.interface({ linkType: 'ethernet' })]
  const first = sectionLength + interfacesLength
  const packet = writer.packet({ timestamp: 0n, data, flags: 1, comments: ['x'] })
  const flags = first + 36
  for (const [what, block, patch, place] of [
    ['an option that leads out', packet, [38, 200], flags],
    ['version 2', start[0]!, [12, 2], first + 12],
    ['no byte-order magic', start[0]!, [8, 0], first + 8],
    ['a resolution of two bytes', start[1]!, [18, 2], first + 16],
    [
      'statistics of no interface',
      writer.block({ type: 'statistics', interface: 0, ticks: 0n }),
      [8, 1],
      first + 8,
    ],
    [
      'names that lead out',
      writer.block({ type: 'names', records: [{ kind: 'ipv4', address: '1.2.3.4', names: ['a'] }] }),
      [10, 99],
      first + 8,
    ],
    ['secrets that lead out', writer.block({ type: 'secrets', kind: 1, data }), [12, 99], first + 12],
  ] as const) {
    const broken = Uint8Array.from(block)
    broken[patch[0]] = patch[1]
    const { items, error } = decode(Buffer.concat([...start, broken]))
    t.equal(items.length, 2, what)
    t.match(error, { code: 'ERR_CAPTURE_FILE_INVALID', offset: place }, what)
    t.ok(error instanceof CaptureFileError)
  }
  const spb = Uint8Array.from(writer.packet({ data }))
  const [header] = start
  t.match(
    decode(Buffer.concat([header!, spb])).error,
    { offset: sectionLength },
    'a simple packet without interface',
  )
  spb[8] = 9
  t.match(
    decode(Buffer.concat([...start, spb])).error,
    { offset: first + 8 },
    'a simple packet that leads out',
  )
  const names = decode(Buffer.concat([header!, Uint8Array.of(4, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0)]))
  t.match(names.items[1], { type: 'names', records: [] }, 'but a block may be empty')
  for (const type of [1, 5, 10, 0xbad])
    t.match(
      decode(Buffer.concat([...start, Uint8Array.of(type & 255, type >> 8, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0)]))
        .error,
      { offset: first + 4 },
      `not one of type ${type}`,
    )
})

t.test('options of packets that the batch did not look at are checked by the record', async t => {
  const writer = new PcapngWriter()
  const start = [writer.section(), writer.interface({ linkType: 'ethernet' })]
  const packet = writer.packet({ timestamp: 0n, data, flags: 1, comments: ['x'] })
  packet[46] = 200
  const { items } = decode(Buffer.concat([...start, packet]))
  const [batch] = items.filter(isFileBatch)
  t.throws(() => batch!.packet(0), { code: 'ERR_CAPTURE_FILE_INVALID', offset: 60 + 44 })
})

t.test(
  'text that is no UTF-8, options of other lengths, and those that are there twice, are kept as they are',
  async t => {
    const writer = new PcapngWriter()
    const bytes = writer.section({
      application: 'xy',
      options: [
        { code: 3, value: Uint8Array.of(97) },
        { code: 3, value: Uint8Array.of(98) },
      ],
    })
    const at = Buffer.from(bytes).indexOf('xy')
    bytes[at] = 0xff
    const { items } = decode(bytes)
    const [section] = items
    t.match(section, {
      operatingSystem: 'a',
      options: [
        { code: 4, value: [0xff, 0x79] },
        { code: 3, value: [98] },
      ],
    })
    t.notMatch(section, { application: String })
    const odd = [
      { code: 6, value: Uint8Array.of(1) },
      { code: 2, value: Uint8Array.of(0x61) },
    ]
    const more = Buffer.concat([
      writer.interface({ linkType: 'ip', options: odd }),
      writer.packet({ timestamp: 0n, data, options: [{ code: 2, value: data }] }),
    ])
    const [, one, batch] = decode(Buffer.concat([bytes, more])).items
    t.match(one, { name: 'a', options: [odd[0]] })
    t.ok(isFileBatch(batch) && batch.flags![0] === 0)
    t.match(isFileBatch(batch) && batch.packet(0), {
      flags: undefined,
      options: [{ code: 2, value: data }],
    })
  },
)

t.test('a file that ends too early', async t => {
  for (const [name, bytes, header, packet] of [
    ['pcapng', file(), sectionLength, packetLength],
    ['pcap', pcap(), 24, 16 + data.length],
  ] as const) {
    for (let length = 0; length < bytes.length; length++) {
      const { items, error } = decode(bytes.subarray(0, length))
      if (length < header) {
        t.match(error, { code: 'ERR_CAPTURE_FILE_INVALID', offset: 0 })
        continue
      }
      const before = name === 'pcap' ? header : header + interfacesLength
      const whole = Math.max(0, Math.floor((length - before) / packet))
      const rest = length < before ? length - header : (length - before) % packet
      const cut = items.at(-1)
      const right =
        error === undefined &&
        count(items) === whole &&
        (rest === 0
          ? cut?.type !== 'cut'
          : cut?.type === 'cut' && cut.length === rest && cut.offset === length - rest)
      if (!right) return void t.fail(`${name} of ${length} bytes: ${error ?? JSON.stringify(cut)}`)
    }
    t.pass(name)
  }
})

t.test('what is no capture file', async t => {
  const decoder = new CaptureDecoder()
  t.throws(() => decoder.end(), { code: 'ERR_CAPTURE_FILE_INVALID', message: /empty/ })
  for (const [bytes, message] of [
    ['hello, world', /neither pcap nor pcapng/],
    ['\x1f\x8b\x08\x00', /compressed with gzip/],
    ['\x28\xb5\x2f\xfd', /compressed with zstd/],
    ['\x04\x22\x4d\x18', /compressed with lz4/],
    ['BZh9', /compressed with bzip2/],
    ['\xfd7zXZ', /compressed with xz/],
    ['abc', /no capture file/],
    ['\xd4\xc3\xb2\xa1\x03\x00\x04\x00'.padEnd(24, '\0'), /version 3.4 of pcap/],
  ] as const)
    t.match(decode(Buffer.from(bytes, 'latin1')).error, { code: 'ERR_CAPTURE_FILE_INVALID', message })
  t.throws(() => new CaptureDecoder({ maxBlockLength: 1 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => new CaptureDecoder({ most: 1 } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => new CaptureDecoder().push('x' as never), { code: 'ERR_INVALID_ARG_TYPE' })
  const ended = new CaptureDecoder()
  ended.push(file())
  t.same(ended.end(), [])
  t.same(ended.end(), [])
  t.throws(() => ended.push(data), { code: 'ERR_INVALID_STATE' })
})

t.test('limits', async t => {
  for (const bytes of [file(), pcap()]) {
    t.equal(decode(bytes, { maxBlockLength: 64 }).error, undefined)
    const writer = new PcapngWriter()
    const long = new Uint8Array(100)
    const more = Buffer.concat([
      ...(bytes[0] === 0x0a ? [file(), writer.section(), writer.interface({ linkType: 'ip' })] : [bytes]),
      bytes[0] === 0x0a
        ? writer.packet({ timestamp: 0n, data: long })
        : new PcapWriter({ linkType: 'ip' }).packet({ timestamp: 0n, data: long }),
    ])
    t.equal(decode(more).error, undefined)
    t.match(decode(more, { maxBlockLength: 64 }).error, { message: /too long/ })
  }
  const writer = new PcapngWriter()
  const one = writer.section() && writer.interface({ linkType: 'ip' })
  const many = Buffer.concat([writer.section(), ...Array(65537).fill(one)])
  t.match(decode(many).error, { message: /more than 65536 interfaces/ })
  const decoder = new CaptureDecoder()
  decoder.push(writer.section())
  const large = writer.interface({ linkType: 'ip', comments: Array(250).fill('x'.repeat(65535)) })
  t.throws(
    () => {
      for (let i = 0; i < 5; i++) decoder.push(large)
    },
    { message: /interfaces described in more than/ },
  )
})

t.test('a batch owns its memory as far as it was given', async t => {
  const bytes = file()
  const { items } = decode(bytes)
  const [batch] = items.filter(isFileBatch)
  t.equal(batch!.slab.buffer, bytes.buffer, 'no copy')
  t.not(batch!.copy(0).buffer, bytes.buffer)
  t.equal(batch!.keep(), batch)
  batch!.release()
  t.same(batch!.frame(9), data, 'nothing is taken back')
  t.ok(isFrameBatch(batch!))
  t.same(batch!.bytes, bytes.subarray(60))
})

t.test('a batch of a link type that is known goes wherever batches go', async t => {
  const [batch] = decode(file()).items.filter(isFileBatch)
  const [a, b] = portPair('ethernet')
  // The comparison is what tells TypeScript.
  if (batch?.linkType === 'ethernet') t.match(await a.send(batch), { sent: frames })
  t.same([...b.tryReceive()!], Array(frames).fill(data))
})
