import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import {
  decodeIpv4,
  decodeIpv6,
  encode,
  fragmentIpv4,
  fragmentIpv6,
  Reassembler,
  verifyChecksums,
} from '../../../src/frames/index.js'
import { fixture } from '../../support/fixture.js'
import { Random } from '../../support/random.js'

const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2', identification: 7 }
const ipv6 = { source: 'fe80::1', destination: 'fe80::2' }
const udp = { sourcePort: 1000, destinationPort: 2000 }
const payload = Uint8Array.from({ length: 4000 }, (_, i) => i * 7)
const packet4 = encode({ ipv4, udp, payload })
const packet6 = encode({ ipv6, udp, payload })

t.test('fragments of IPv4 fit, say where they belong and carry the options that they should', async t => {
  // Router alert is copied, record route is not.
  const options = fixture('0707 04 00000000 94040000 00')
  const packet = encode({ ipv4: { ...ipv4, options }, udp, payload })
  const fragments = fragmentIpv4(packet, 1500)
  const records = fragments.map(fragment => decodeIpv4(fragment))
  t.equal(records.length, 3)
  t.same(
    records.map(record => [record.fragmentOffset, record.moreFragments, hex(record.options)]),
    [
      [0, true, hex(options)],
      [1464, true, '94040000'],
      [2936, false, '94040000'],
    ],
  )
  for (const fragment of fragments) {
    t.ok(fragment.length <= 1500)
    t.equal(verifyChecksums(fragment, 'ip').ipv4, 'ok')
  }
  t.equal(hex(fragmentIpv4(packet, 5000)[0]!), hex(packet))
  // Cut again, they are the same as if cut to that size at once, in as far as both can be.
  const again = fragments.flatMap(fragment => fragmentIpv4(fragment, 576))
  const reassembler = new Reassembler()
  t.same(again.map(fragment => reassembler.add(fragment, 0)).filter(Boolean), [packet])
})

t.test('what may not be cut', async t => {
  t.throws(() => fragmentIpv4(encode({ ipv4: { ...ipv4, dontFragment: true }, udp, payload }), 1500), {
    code: 'ERR_FRAME_TOO_LONG',
  })
  t.throws(() => fragmentIpv4(packet4, 67), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => fragmentIpv4(packet6, 1500), { code: 'ERR_FRAME_MALFORMED' })
  t.throws(() => fragmentIpv4(packet4.subarray(0, 1600), 1500), { code: 'ERR_FRAME_TRUNCATED' })
  t.throws(() => fragmentIpv6(packet6, 1279), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => fragmentIpv6(packet6.subarray(0, 1600), 1500), { code: 'ERR_FRAME_TRUNCATED' })
  const extension = { type: 44, fragmentOffset: 0, moreFragments: false, identification: 1 } as const
  t.throws(() => fragmentIpv6(encode({ ipv6: { ...ipv6, extensions: [extension] }, udp, payload }), 1500), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
})

t.test('fragments of IPv6 keep what routers read before their header', async t => {
  const body = fixture('0104 00000000')
  const extensions = [
    { type: 0 as const, body },
    { type: 43 as const, body: fixture('0400 00000000') },
    { type: 60 as const, body },
  ]
  const packet = encode({ ipv6: { ...ipv6, extensions }, udp, payload })
  const fragments = fragmentIpv6(packet, 1500, { identification: 9 })
  const records = fragments.map(fragment => decodeIpv6(fragment))
  t.equal(records.length, 3)
  t.same(
    records.map(record => record.extensions.map(({ type }) => type)),
    [
      [0, 43, 44, 60],
      [0, 43, 44],
      [0, 43, 44],
    ],
  )
  t.same(records[2]?.extensions[2], {
    type: 44,
    fragmentOffset: 2864,
    moreFragments: false,
    identification: 9,
  })
  const reassembler = new Reassembler()
  t.same(fragments.map(fragment => reassembler.add(fragment, 0)).filter(Boolean), [packet])
  t.equal(fragmentIpv6(packet6, 65535).length, 1)
})

t.test('fragments come together in any order, twice, and among others', async t => {
  const random = new Random(3)
  const other = encode({ ipv4: { ...ipv4, identification: 8 }, udp, payload: payload.map(b => ~b) })
  const fragments = [
    ...fragmentIpv4(packet4, 576),
    ...fragmentIpv4(other, 576),
    ...fragmentIpv6(packet6, 1280, { identification: 1 }),
  ]
  for (let round = 0; round < 20; round++) {
    const reassembler = new Reassembler()
    const whole = new Set<string>()
    const shuffled = [...fragments, ...fragments]
      .map(fragment => [random.below(1 << 20), fragment] as const)
      .sort((a, b) => a[0] - b[0])
    for (const [, fragment] of shuffled) {
      const packet = reassembler.add(fragment, 0)
      if (packet) whole.add(hex(packet))
    }
    t.same([...whole].sort(), [packet4, other, packet6].map(packet => hex(packet)).sort())
  }
})

t.test('overlapping fragments are given up, with those that come later', async t => {
  for (const fragments of [fragmentIpv4(packet4, 1500), fragmentIpv6(packet6, 1500, { identification: 1 })]) {
    const reassembler = new Reassembler()
    const [first, second, last] = fragments as [Uint8Array, Uint8Array, Uint8Array]
    const forged = second.slice()
    forged[forged.length - 1]! ^= 1
    for (const fragment of [first, second, forged, last]) t.equal(reassembler.add(fragment, 0), undefined)
    t.match(reassembler.counters, { overlapping: 1, reassembled: 0 })
    t.equal(reassembler.bytes, 0)
    // When their time is over, the number may be used again.
    t.same(
      fragments.map(fragment => reassembler.add(fragment, 30_000)).at(-1)?.length,
      4028 + (first[0] === 0x45 ? 0 : 20),
    )
  }
  // A second end that disagrees with the first.
  const reassembler = new Reassembler()
  const [first, , last] = fragmentIpv4(packet4, 1500) as [Uint8Array, Uint8Array, Uint8Array]
  reassembler.add(last, 0)
  const shorter = first.slice()
  shorter[6] = 0
  shorter[7] = 1
  reassembler.add(shorter, 0)
  t.match(reassembler.counters, { overlapping: 1 })
})

t.test('limits of time and memory', async t => {
  const fragment = (identification: number) =>
    encode({
      ipv4: { ...ipv4, identification, moreFragments: true, protocol: 17 },
      payload: payload.subarray(0, 800),
    })
  const timed = new Reassembler({ timeoutMs: 100 })
  timed.add(fragment(1), 0)
  timed.add(fragment(2), 50)
  timed.add(packet4, 100)
  t.same([timed.pending, timed.counters.timedOut], [1, 1])
  timed.clear()
  t.same([timed.pending, timed.bytes], [0, 0])

  const small = new Reassembler({ maxBytes: 65536 })
  for (let i = 0; i < 1000; i++) small.add(fragment(i), 0)
  t.ok(small.bytes <= 65536 && small.bytes > 60000)
  t.equal(small.counters.evicted, 1000 - small.pending)
  const few = new Reassembler({ maxPackets: 3 })
  for (let i = 0; i < 10; i++) few.add(fragment(i), 0)
  t.equal(few.pending, 3)
  t.throws(() => new Reassembler({ maxBytes: 1 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => new Reassembler({ wrong: 1 } as never), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('what is no fragment passes; what is a broken one does not', async t => {
  const reassembler = new Reassembler()
  const junk = fixture('00010203')
  for (const packet of [packet4, packet6, junk, new Uint8Array()]) t.equal(reassembler.add(packet, 0), packet)
  const atomic = { type: 44, fragmentOffset: 0, moreFragments: false, identification: 1 } as const
  const single = encode({ ipv6: { ...ipv6, extensions: [atomic] }, udp, payload })
  t.equal(hex(reassembler.add(single, 0)!), hex(packet6))
  const [first] = fragmentIpv4(packet4, 1500)
  t.equal(reassembler.add(first!.subarray(0, 200), 0), undefined, 'cut')
  const odd = encode({
    ipv4: { ...ipv4, moreFragments: true, protocol: 17 },
    payload: payload.subarray(0, 9),
  })
  t.equal(reassembler.add(odd, 0), undefined)
  const far = encode({
    ipv4: { ...ipv4, fragmentOffset: 65528, protocol: 17 },
    payload: payload.subarray(0, 100),
  })
  t.equal(reassembler.add(far, 0), undefined)
  t.equal(reassembler.counters.malformed, 3)
})

t.test('a fragment that met congestion marks the whole', async t => {
  const reassembler = new Reassembler()
  const fragments = fragmentIpv4(encode({ ipv4: { ...ipv4, ecn: 2 }, udp, payload }), 1500)
  fragments[1]![1]! |= 3
  const whole = fragments.map(fragment => reassembler.add(fragment, 0)).at(-1)
  t.equal(decodeIpv4(whole!).ecn, 3)
  t.equal(verifyChecksums(whole!, 'ip').ipv4, 'ok')
})
