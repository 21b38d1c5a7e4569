import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import {
  CaptureDecoder,
  CaptureEncoder,
  type CaptureItem,
  isFileBatch,
  microseconds,
  PcapWriter,
} from '../../../src/pcap/index.js'
import { fixture } from '../../support/fixture.js'

const file = fixture(`
  d4c3b2a1 0200 0400 00000000 00000000   # little-endian, microseconds, version 2.4
  60000000 01000024                      # snapshot length 96; Ethernet with 4 bytes of FCS
  00f15365 40e20100 03000000 40000000    # 1700000000.123456 s, 3 of 64 bytes
  aabbcc
  ffffffff 3f420f00 01000000 01000000    # the last microsecond that a file can say
  dd
`)

const swapped = fixture(`
  a1b23c4d 0002 0002 00000000 00000000   # big-endian, nanoseconds, version 2.2: lengths are swapped
  00000000 00000113                      # no snapshot length; a link type that is not known
  00000001 3b9ac9ff 00000040 00000003
  aabbcc
`)

function decode(bytes: Uint8Array, size = bytes.length): CaptureItem[] {
  const decoder = new CaptureDecoder()
  const items: CaptureItem[] = []
  for (let at = 0; at < bytes.length; at += size) items.push(...decoder.push(bytes.slice(at, at + size)))
  return [...items, ...decoder.end()]
}

const packets = (items: CaptureItem[]) =>
  items.filter(isFileBatch).flatMap(batch => Array.from({ length: batch.count }, (_, i) => batch.packet(i)))

t.test('microseconds, frame check sequences', async t => {
  const [section, one, batch] = decode(file)
  const description = {
    type: 'interface',
    linkType: 'ethernet',
    snapLength: 96,
    timestampResolution: microseconds,
    fcsLength: 4,
  }
  t.strictSame(section, {
    type: 'section',
    format: 'pcap',
    littleEndian: true,
    version: [2, 4],
    variant: 'standard',
    interfaces: [description],
  })
  t.strictSame(one, description)
  for (const size of [1, 5, 16, 24, 25, 40, 64])
    t.strictSame(
      packets(decode(file, size)),
      [
        {
          type: 'packet',
          interface: 0,
          data: fixture('aabbcc'),
          originalLength: 64,
          timestamp: 1_700_000_000_123_456_000n,
        },
        {
          type: 'packet',
          interface: 0,
          data: fixture('dd'),
          originalLength: 1,
          timestamp: 4_294_967_295_999_999_000n,
        },
      ],
      `chunks of ${size} bytes`,
    )
  t.ok(isFileBatch(batch!) && batch.count === 2)
  if (!isFileBatch(batch!)) return
  t.same(batch.timestamps, [1_700_000_000_123_456_000n, 4_294_967_295_999_999_000n])
  t.equal(batch.flags, undefined, 'pcap has no directions')
  t.same(batch.interfaces, [0, 0])
})

t.test('big-endian, nanoseconds, lengths swapped', async t => {
  const [section, one] = decode(swapped)
  t.match(section, { littleEndian: false, version: [2, 2] })
  t.match(one, { linkType: 275, snapLength: 0, timestampResolution: { base: 10, exponent: 9 } })
  t.strictSame(packets(decode(swapped)), [
    { type: 'packet', interface: 0, data: fixture('aabbcc'), originalLength: 64, timestamp: 1_999_999_999n },
  ])
})

t.test('variants with longer headers, as they were written once', async t => {
  const time = '00f15365 40e20100'
  const header = (magic: string) => `${magic} 0200 0400 00000000 00000000 ffff0000 01000000`
  for (const [variant, magic, more] of [
    ['modified', '34cdb2a1', '02000000 0800 00 00'],
    ['red-hat-6.1', 'd4c3b2a1', '02000000 0800 00 00'],
    ['suse-6.3', '34cdb2a1', '02000000 0800 00 00 00000000'],
    ['nokia', 'd4c3b2a1', '00000000'],
  ] as const) {
    const packet = `${time} 04000000 40000000 ${more} 45000001`
    const items = decode(fixture(header(magic) + packet + packet + packet))
    t.match(items[0], { variant })
    t.same(
      packets(items).map(({ data, timestamp }) => [hex(data), timestamp]),
      Array(3).fill(['45000001', 1_700_000_000_123_456_000n]),
      variant,
    )
  }
})

t.test('written again it is the same file', async t => {
  for (const bytes of [file, swapped]) {
    const encoder = new CaptureEncoder({ format: 'pcap' })
    const parts = [...decode(bytes).flatMap(item => encoder.encode(item)), ...encoder.end()]
    const again = Buffer.concat(parts)
    if (bytes === file) t.equal(hex(again), hex(bytes))
    else t.strictSame(packets(decode(again)), packets(decode(bytes)), 'in version 2.4')
  }
  const empty = file.subarray(0, 24)
  const encoder = new CaptureEncoder({ format: 'pcap' })
  const parts = [...decode(empty).flatMap(item => encoder.encode(item)), ...encoder.end()]
  t.equal(hex(Buffer.concat(parts)), hex(empty), 'also without packets')
})

t.test('packets one by one', async t => {
  const writer = new PcapWriter({
    linkType: 'ethernet',
    snapLength: 96,
    timestampResolution: microseconds,
    fcsLength: 4,
  })
  const parts = packets(decode(file)).map(({ timestamp, data, originalLength }) =>
    writer.packet({ timestamp: timestamp!, data, originalLength }),
  )
  t.equal(hex(Buffer.concat([writer.header(), ...parts])), hex(file))
})
