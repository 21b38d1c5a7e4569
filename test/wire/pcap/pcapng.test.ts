import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import { CaptureDecoder, type CaptureItem, isFileBatch, PcapngWriter } from '../../../src/pcap/index.js'
import { fixture } from '../../support/fixture.js'

/** One little-endian section with everything, then a big-endian one. */
const file = fixture(`
  0a0d0d0a 38000000 4d3c2b1a 0100 0000 ffffffffffffffff   # section header, 56 bytes
    0400 0300 746f6f 00                                   # application "too"
    0100 0200 6869 0000                                   # comment "hi"
    ac0b 0200 abcd 0000                                   # option 2988, unknown here
    00000000 38000000
  01000000 50000000 0100 0000 00010000                    # interface 0: Ethernet, snapshot length 256, 80 bytes
    0200 0200 6130 0000                                   # name "a0"
    0400 0800 c0000201 ffffff00                           # IPv4 address
    0800 0800 00ca9a3b00000000                            # speed, 10^9
    0900 0100 09 000000                                   # 10^-9 s
    0b00 0400 00 746370                                   # filter, text "tcp"
    0d00 0100 04 000000                                   # 4 bytes of FCS
    00000000 50000000
  01000000 2c000000 6500 0000 00000000                    # interface 1: raw IP, no limit, 44 bytes
    0900 0100 94 000000                                   # 2^-20 s
    0e00 0800 ffffffffffffffff                            # offset -1 s
    00000000 2c000000
  06000000 44000000 00000000 04030201 08070605 03000000 3c000000   # packet of interface 0, 68 bytes
    aabbcc 00
    0200 0400 02000000                                    # flags: outbound
    0400 0800 0500000000000000                            # 5 were lost
    0100 0200 6f6b 0000                                   # comment "ok"
    00000000 44000000
  03000000 14000000 02000000 dead 0000 14000000           # simple packet
  06000000 24000000 01000000 00000000 00003000 01000000 01000000 45000000 24000000 # interface 1, 3 s
  02000000 24000000 0100 0700 00000000 01003000 01000000 01000000 60000000 24000000 # obsolete packet, 7 lost
  05000000 28000000 00000000 04030201 08070605            # statistics of interface 0
    0500 0800 0200000000000000                            # 2 were lost
    00000000 28000000
  04000000 28000000                                       # names
    0100 0900 c0000201 686f737400 000000                  # 192.0.2.1 is "host"
    0500 0100 ff 000000                                   # a record of an unknown kind
    00000000 28000000
  0a000000 18000000 4b534c54 03000000 616263 00 18000000  # a TLS key log
  ad0b0000 18000000 2a7f0000 01020304 05060708 18000000   # custom block
  09000000 10000000 6a000000 10000000                     # a block of an unknown type
  0a0d0d0a 0000001c 1a2b3c4d 0001 0000 0000000000000048 0000001c    # big-endian section of 72 bytes
  00000001 00000014 0113 0000 0000ffff 00000014           # interface 0: link type 275, not known
  00000006 00000024 00000000 00000000 000f4240 00000001 00000001 ff000000 00000024 # 1 s
  00000006 00000028 00000000                              # and a cut packet
`)

function decode(bytes: Uint8Array, size = bytes.length): CaptureItem[] {
  const decoder = new CaptureDecoder()
  const items: CaptureItem[] = []
  for (let at = 0; at < bytes.length; at += size) items.push(...decoder.push(bytes.slice(at, at + size)))
  return [...items, ...decoder.end()]
}

/** The items with batches as the packets in them. */
const plain = (items: CaptureItem[]) =>
  items.flatMap((item): object[] =>
    isFileBatch(item) ? Array.from({ length: item.count }, (_, i) => item.packet(i)) : [item],
  )

const bytes = (text: string) => fixture(text)
const expected = () => {
  const a = {
    type: 'interface',
    linkType: 'ethernet',
    snapLength: 256,
    name: 'a0',
    ipv4Addresses: ['192.0.2.1/255.255.255.0'],
    speedBitsPerSecond: 1_000_000_000n,
    timestampResolution: { base: 10, exponent: 9 },
    filter: { kind: 0, value: bytes('746370') },
    fcsLength: 4,
  }
  const b = {
    type: 'interface',
    linkType: 'ip',
    snapLength: 0,
    timestampResolution: { base: 2, exponent: 20 },
    timestampOffsetSeconds: -1n,
  }
  const c = { type: 'interface', linkType: 275, snapLength: 65535 }
  return [
    {
      type: 'section',
      format: 'pcapng',
      littleEndian: true,
      version: [1, 0],
      length: undefined,
      interfaces: [a, b],
      application: 'too',
      comments: ['hi'],
      options: [{ code: 2988, value: bytes('abcd') }],
    },
    a,
    b,
    {
      type: 'packet',
      interface: 0,
      data: bytes('aabbcc'),
      originalLength: 60,
      timestamp: 0x0102030405060708n,
      flags: 2,
      dropCount: 5n,
      comments: ['ok'],
    },
    { type: 'packet', interface: 0, data: bytes('dead'), originalLength: 2 },
    { type: 'packet', interface: 1, data: bytes('45'), originalLength: 1, timestamp: 2_000_000_000n },
    {
      type: 'packet',
      interface: 1,
      data: bytes('60'),
      originalLength: 1,
      // 2^-20 s are 953.67 ns: more than nanoseconds can say.
      timestamp: 2_000_000_953n,
      ticks: 0x300001n,
      dropCount: 7n,
    },
    { type: 'statistics', interface: 0, ticks: 0x0102030405060708n, dropped: 2n },
    {
      type: 'names',
      records: [
        { kind: 'ipv4', address: '192.0.2.1', names: ['host'] },
        { kind: 5, value: bytes('ff') },
      ],
    },
    { type: 'secrets', kind: 0x544c534b, data: bytes('616263') },
    { type: 'custom', copy: true, enterprise: 32554, data: bytes('0102030405060708') },
    { type: 'unknown', blockType: 9, body: bytes('6a000000') },
    {
      type: 'section',
      format: 'pcapng',
      littleEndian: false,
      version: [1, 0],
      length: 72n,
      interfaces: [c],
    },
    c,
    { type: 'packet', interface: 0, data: bytes('ff'), originalLength: 1, timestamp: 1_000_000_000n },
    { type: 'cut', offset: file.length - 12, length: 12 },
  ]
}

t.test('every kind of block', async t => {
  t.strictSame(plain(decode(file)), expected())
})

t.test('whatever the chunks are', async t => {
  for (const size of [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 28, 60, 61, 100, 200, 400])
    t.strictSame(plain(decode(file, size)), expected(), `chunks of ${size} bytes`)
})

t.test('batches are runs of one link type, with columns', async t => {
  const batches = decode(file).filter(isFileBatch)
  t.same(
    batches.map(batch => [batch.linkType, batch.count, batch.timestamps !== undefined]),
    [
      ['ethernet', 1, true],
      ['ethernet', 1, false],
      ['ip', 2, true],
      [275, 1, true],
    ],
  )
  const [first, simple, packets, other] = batches
  t.same(first!.timestamps, [0x0102030405060708n])
  t.same(first!.flags, [2])
  t.same(first!.originalLengths, [60])
  t.same(first!.copy(0), [0xaa, 0xbb, 0xcc])
  t.same(simple!.originalLengths, [2])
  t.same(packets!.interfaces, [1, 1])
  t.same(packets!.timestamps, [2_000_000_000n, 2_000_000_953n])
  t.same(packets!.flags, [0, 0])
  t.same(
    [...packets!],
    [[0x45], [0x60]].map(frame => Uint8Array.from(frame)),
  )
  t.equal(other!.section.interfaces.length, 1)
  t.equal(other!.fileOffset, file.length - 12 - 36)
  t.throws(() => first!.frame(1), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => first!.packet(-1), { code: 'ERR_OUT_OF_RANGE' })
})

t.test('written again it is the same file', async t => {
  const writer = new PcapngWriter()
  const whole = Buffer.concat(decode(file).map(item => writer.item(item)))
  t.equal(hex(whole), hex(file.subarray(0, -12)), 'but for the cut packet')
})

t.test('blocks made anew are the same', async t => {
  const writer = new PcapngWriter()
  const parts = decode(file).map(item =>
    isFileBatch(item)
      ? Buffer.concat(Array.from({ length: item.count }, (_, i) => writer.packet(item.packet(i))))
      : writer.item(item),
  )
  const again = Buffer.concat(parts)
  // The obsolete packet has become one of today, whose drop count is an option.
  const [begin, end] = ['02000000 24000000 0100 0700', '60000000 24000000'].map(text => bytes(text))
  const at = Buffer.from(file).indexOf(begin!)
  t.equal(hex(again.subarray(0, at)), hex(file.subarray(0, at)))
  const rest = Buffer.from(file).indexOf(end!, at) + end!.length
  t.equal(
    hex(again.subarray(at)),
    hex(
      Buffer.concat([
        bytes(`06000000 34000000 01000000 00000000 01003000 01000000 01000000 60000000
          0400 0800 0700000000000000 00000000 34000000`),
        file.subarray(rest, -12),
      ]),
    ),
  )
})
