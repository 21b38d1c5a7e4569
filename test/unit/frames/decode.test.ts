import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import {
  decode,
  decodeIpv4,
  decodeIpv6,
  decodeTcp,
  decodeTree,
  decodeUdp,
  describe,
  EthernetView,
  encode,
  encodeEthernet,
  encodeIpv4,
  encodeTcp,
  encodeUdp,
  FrameError,
  type FrameLayers,
  frameFlags,
  Ipv6View,
  TcpView,
  verifyChecksums,
} from '../../../src/frames/index.js'
import { packets, portPair } from '../../../src/port/index.js'
import { fixture } from '../../support/fixture.js'

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const ipv6 = { source: 'fe80::1', destination: 'fe80::2' }
const udp = { sourcePort: 1000, destinationPort: 2000 }
const payload = fixture('68656c6c6f')

t.test('all layers of a frame, and back', async t => {
  const layers: FrameLayers[] = [
    { ethernet, vlans: [{ id: 5, priority: 3 }], ipv4, udp, payload },
    { ethernet, ipv6, tcp: { ...udp, flags: { syn: true } }, payload },
    { ethernet, ipv4, icmp: { type: 8, identifier: 1, sequence: 1 }, payload },
    { ethernet, ipv6, icmpv6: { type: 128, identifier: 1, sequence: 1 }, payload },
    { ethernet, ipv6, neighborDiscovery: { type: 135, target: 'fe80::2' } },
    { ethernet, llc: { destination: 6, source: 6 }, payload },
    { ethernet: { ...ethernet, type: 0x9999 }, payload },
  ]
  for (const input of layers) {
    const frame = encode(input)
    const decoded = decode(frame)
    t.match(decoded, { ...input, issues: [] })
    t.equal(hex(encode(decoded)), hex(frame))
  }
})

t.test('padding is not payload', async t => {
  for (const layers of [
    { ethernet, ipv4, udp, payload },
    { ethernet, ipv6, udp, payload },
    { ethernet, ipv6: { ...ipv6, protocol: 59 } },
  ]) {
    const frame = encode(layers)
    const padded = new Uint8Array(80)
    padded.set(frame)
    const decoded = decode(padded)
    t.same(decoded.payload, layers.payload ?? new Uint8Array())
    t.same(decoded.issues, [])
  }
})

t.test('a later fragment has no transport header', async t => {
  const later4 = decode(encode({ ethernet, ipv4: { ...ipv4, fragmentOffset: 8 }, udp, payload }))
  t.ok(later4.ipv4)
  t.notOk(later4.udp)
  t.equal(later4.payload.length, 13)
  const extension = { type: 44, fragmentOffset: 8, moreFragments: false, identification: 1 } as const
  const later6 = decode(encode({ ethernet, ipv6: { ...ipv6, extensions: [extension] }, udp, payload }))
  t.equal(later6.ipv6?.protocol, 17)
  t.notOk(later6.udp)
  const first = decode(
    encode({
      ethernet,
      ipv6: { ...ipv6, extensions: [{ ...extension, fragmentOffset: 0, moreFragments: true }] },
      udp: { ...udp, length: 2000 },
      payload,
    }),
  )
  t.equal(first.udp?.length, 2000)
  t.same(first.issues, [])
})

t.test('only the extension headers on the list are walked', async t => {
  // 135 (mobility) has the form of one, and is none here.
  const decoded = decode(
    encode({ ethernet, ipv6: { ...ipv6, protocol: 135 }, payload: fixture('1100 0000 0000 0000') }),
  )
  t.equal(decoded.ipv6?.protocol, 135)
  t.notOk(decoded.udp)
  t.equal(decoded.payload.length, 8)
})

t.test('ICMP belongs to IPv4, ICMPv6 to IPv6', async t => {
  const message = fixture('0800 0000 00000000')
  t.notOk(decode(encode({ ethernet, ipv6: { ...ipv6, protocol: 1 }, payload: message })).icmp)
  t.notOk(decode(encode({ ethernet, ipv4: { ...ipv4, protocol: 58 }, payload: message })).icmpv6)
})

t.test('issues name the layer; what came before is there', async t => {
  const frame = encode({ ethernet, ipv4, tcp: udp, payload })
  const cut = decode(frame.subarray(0, 44))
  t.same(
    cut.issues.map(({ layer, code }) => [layer, code]),
    [
      ['ipv4', 'ERR_FRAME_TRUNCATED'],
      ['tcp', 'ERR_FRAME_TRUNCATED'],
    ],
  )
  t.equal(cut.ipv4?.source, '10.0.0.1')
  t.equal(cut.payload.length, 10, 'what could not be decoded')

  const version = decode(Uint8Array.of(...frame.subarray(0, 14), 0x75, ...frame.subarray(15)))
  t.match(version.issues, [{ layer: 'ipv4', code: 'ERR_FRAME_MALFORMED', message: 'ipv4: the version is 7' }])
  t.ok(version.ethernet)

  t.match(decode(new Uint8Array()).issues, [{ layer: 'ethernet' }])
  t.match(decode(fixture('00000009'), 'null'), { loopback: { family: 9 }, issues: [] })
  t.match(decode(fixture('5000'), 'ip').issues, [{ layer: 'link', code: 'ERR_FRAME_MALFORMED' }])
  t.match(decode(new Uint8Array(15), 'linux-sll').issues, [
    { layer: 'linux-sll', code: 'ERR_FRAME_TRUNCATED' },
  ])
  t.match(decode(encode({ ethernet: { ...ethernet, length: 100 }, payload })).issues, [{ layer: 'ethernet' }])
  t.match(decode(encode({ ethernet: { ...ethernet, type: 0x8100 }, payload: fixture('00') })).issues, [
    { layer: 'vlan' },
  ])
  t.match(decode(encode({ ipv4, udp: { ...udp, length: 100 }, payload }), 'ip').issues, [{ layer: 'udp' }])
  t.throws(() => decode([] as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => decode(frame, 'x' as never), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('strict decoders throw typed errors', async t => {
  const packet = encodeIpv4({ ...ipv4, protocol: 17, payload })
  const cases: [() => unknown, string][] = [
    [() => decodeIpv4(packet.subarray(0, 24)), 'ERR_FRAME_TRUNCATED'],
    [() => decodeIpv4(fixture('44').map(b => b)), 'ERR_FRAME_TRUNCATED'],
    [() => decodeIpv4(Uint8Array.of(0x44, ...packet.subarray(1))), 'ERR_FRAME_MALFORMED'],
    [() => decodeIpv4(Uint8Array.of(0x45, 0, 0, 19, ...packet.subarray(4))), 'ERR_FRAME_MALFORMED'],
    [() => decodeIpv6(new Uint8Array(40)), 'ERR_FRAME_MALFORMED'],
    [
      () => decodeIpv6(fixture(`60000000 0008 00 40 ${'00'.repeat(32)} 3b02 000000000000`)),
      'ERR_FRAME_MALFORMED',
    ],
    [
      () => decodeIpv6(fixture(`60000000 0018 00 40 ${'00'.repeat(32)} 3b02 000000000000`)),
      'ERR_FRAME_TRUNCATED',
    ],
    [() => decodeUdp(fixture('0001 0002 0007 0000')), 'ERR_FRAME_MALFORMED'],
    [() => decodeUdp(fixture('0001 0002 0009 0000')), 'ERR_FRAME_TRUNCATED'],
    [() => decodeTcp(fixture(`${'00'.repeat(12)}6000${'00'.repeat(6)} 0201 0000`)), 'ERR_FRAME_MALFORMED'],
    [() => decodeTcp(fixture(`${'00'.repeat(12)}6000${'00'.repeat(6)}`)), 'ERR_FRAME_TRUNCATED'],
  ]
  for (const [run, code] of cases) t.throws(run, { name: 'NetloomError', code })
  try {
    decodeIpv4(new Uint8Array())
  } catch (error) {
    t.ok(error instanceof FrameError)
    t.equal((error as FrameError).layer, 'ipv4')
  }
})

t.test('encoders refuse fields that do not fit', async t => {
  t.throws(() => encodeIpv4({ ...ipv4, protocol: 256, payload }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => encodeIpv4({ ...ipv4, protocol: 6, payload, options: new Uint8Array(3) }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
  t.throws(() => encodeIpv4({ ...ipv4, protocol: 6, payload, fragmentOffset: 4 }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
  t.throws(() => encodeIpv4({ ...ipv4, protocol: 6, payload: new Uint8Array(65536) }), {
    code: 'ERR_OUT_OF_RANGE',
  })
  t.throws(() => encodeIpv4({ ...ipv4, source: 'fe80::1', protocol: 6, payload }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
  t.throws(() => encodeEthernet({ ...ethernet, payload: new Uint8Array(1501) }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => encodeEthernet({ ...ethernet, type: 1500, payload }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => encodeUdp({ ...udp, payload: 'x' as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => encodeUdp({ ...udp, payload }), { code: 'ERR_INVALID_ARG_VALUE', message: /checksum/ })
  t.throws(() => encodeUdp({ ...udp, payload }, { source: '10.0.0.1', destination: '::' }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
  t.throws(() => encodeTcp({ ...udp, payload, checksum: 0, options: [{ kind: 'x' } as never] }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
  t.throws(() => encodeTcp({ ...udp, payload, checksum: 0, options: Array(41).fill({ kind: 'nop' }) }), {
    code: 'ERR_OUT_OF_RANGE',
  })
})

t.test('frames of a link type for private use are payload', async t => {
  t.strictSame(decode(payload, 'user0'), { vlans: [], payload, issues: [] })
  t.equal(describe(payload, 'user0'), 'length 5')
  t.strictSame(verifyChecksums(payload, 'user0'), {})
  t.match(decodeTree(payload, 'user0'), { children: [{ name: 'payload', length: 5 }] })
})

t.test('checksums', async t => {
  const frame = encode({ ethernet, ipv4, udp, payload })
  t.strictSame(verifyChecksums(frame), { ipv4: 'ok', udp: 'ok' })
  frame[frame.length - 1]! ^= 1
  frame[22]! ^= 1
  t.strictSame(verifyChecksums(frame), { ipv4: 'bad', udp: 'bad' })
  t.strictSame(verifyChecksums(frame.subarray(0, 44)), { ipv4: 'bad', udp: 'unverifiable' })
  const none = { ...udp, checksum: 0 }
  t.strictSame(verifyChecksums(encode({ ethernet, ipv4, udp: none })), { ipv4: 'ok', udp: 'absent' })
  t.strictSame(verifyChecksums(encode({ ethernet, ipv6, udp: none })), { udp: 'bad' })
  t.strictSame(verifyChecksums(encode({ ethernet, ipv6, tcp: udp, payload })), { tcp: 'ok' })
  t.strictSame(verifyChecksums(encode({ ethernet, ipv6, icmpv6: { type: 128 }, payload })), { icmpv6: 'ok' })
  t.strictSame(verifyChecksums(encode({ ipv4, icmp: { type: 8 }, payload }), 'ip'), {
    ipv4: 'ok',
    icmp: 'ok',
  })
  const fragment = { ...ipv4, moreFragments: true }
  t.strictSame(verifyChecksums(encode({ ethernet, ipv4: fragment, udp })), {
    ipv4: 'ok',
    udp: 'unverifiable',
  })
  const routed = { ...ipv6, extensions: [{ type: 43 as const, body: fixture('0401 00000000') }] }
  t.strictSame(verifyChecksums(encode({ ethernet, ipv6: routed, udp })), { udp: 'unverifiable' })
  t.strictSame(verifyChecksums(new Uint8Array(5)), {})

  // A sum that comes out as 0 is sent as all ones.
  const sum = (source: number) =>
    encodeUdp({ sourcePort: source, destinationPort: 0, payload: new Uint8Array() }, ipv4)
  const first = sum(0)
  t.equal(hex(sum((first[6]! << 8) | first[7]!).subarray(6)), 'ffff')
})

t.test('packets that offload has still to cut have length 0', async t => {
  const frame = encode({ ethernet, ipv4: { ...ipv4, totalLength: 0 }, udp: { ...udp, length: 0 }, payload })
  t.same(decode(frame).payload, payload)
  t.same(decode(frame).issues, [])
  const frame6 = encode({ ethernet, ipv6: { ...ipv6, length: 0 }, tcp: udp, payload })
  t.same(decode(frame6).payload, payload)
})

t.test('views read at an offset and check their bounds', async t => {
  const frame = encode({
    ethernet,
    ipv6,
    tcp: { ...udp, flags: { syn: true, ack: true }, sequence: 0xfffffff0 },
  })
  const slab = new Uint8Array(200)
  slab.set(frame, 50)
  const link = new EthernetView(slab, 50, 50 + frame.length)
  const ip = new Ipv6View(slab, link.payloadOffset, link.payloadEnd)
  const tcp = new TcpView(slab, ip.payloadOffset, ip.payloadEnd)
  t.equal(ip.source, 'fe80::1')
  t.equal(tcp.sequence, 0xfffffff0)
  t.equal(tcp.flagBits, 0x12)
  t.equal(tcp.payload().length, 0)
  t.notOk(link.isMulticast)
  t.throws(() => new EthernetView(slab, 195), { code: 'ERR_FRAME_TRUNCATED' })
  t.throws(() => new EthernetView(slab, 0, 201), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => new EthernetView(slab, -1), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => new EthernetView({ length: 99 } as never), { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('packets say themselves what they begin with, and what is known of them', async t => {
  const bytes = encode({ ipv4, udp, payload })
  const packet = { data: bytes, linkType: 'ip', timestamp: 1n } as const
  t.equal(describe(packet), describe(bytes, 'ip'))
  t.strictSame(decode(packet), decode(bytes, 'ip'))
  t.strictSame(decodeTree(packet), decodeTree(bytes, 'ip'))
  t.strictSame(verifyChecksums(packet), verifyChecksums(bytes, 'ip'))
  const [port, other] = portPair('ethernet')
  const read = packets(port)
  await other.send(encode({ ethernet, ipv4, udp }))
  const { value } = await read.next()
  t.equal(describe(value, { link: true }), describe(value.data, 'ethernet', { link: true }))
  await Promise.all([port.close(), other.close()])
  const originalLength = 2000
  t.strictSame(decode({ ...packet, originalLength }), decode(bytes, 'ip', { originalLength }))
  t.match(decode({ ...packet, originalLength }).issues, [{ layer: 'link' }])
  t.same(decode({ ...packet, originalLength }, { originalLength: bytes.length }).issues, [])
  const wrong = Uint8Array.from(bytes)
  wrong[26]! ^= 1
  const flags = frameFlags.checksumNotReady
  t.match(verifyChecksums({ data: wrong, linkType: 'ip', flags }), { udp: 'offloaded' })
  t.throws(() => describe({ data: bytes, linkType: 'none' as never }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => describe(packet, 'ip' as never), { code: 'ERR_INVALID_ARG_TYPE' })
  for (const none of [undefined, null, 'frame', {}, { data: 'frame', linkType: 'ip' }]) {
    for (const read of [describe, decode, decodeTree, verifyChecksums])
      t.throws(() => read(none as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})

t.test('what would be left out of a frame is refused', async t => {
  const tcp = udp
  const wrong: [layers: unknown, message: RegExp][] = [
    [null, /"layers"/],
    [undefined, /"layers"/],
    [5, /"layers"/],
    [{ ethernet, ipv4: { ...ipv4, tll: 3 }, udp }, /"layers\.ipv4\.tll"/],
    [{ ethernet, ipv4, udpp: udp }, /"layers\.udpp"/],
    [{ ethernet, ipv4, constructor: udp }, /"layers\.constructor"/],
    [{ ethernet, ipv4, tcp, udp }, /does not go with/],
    [{ ethernet, ipv4, ipv6, udp }, /does not go with/],
    [{ ethernet, loopback: {}, ipv4, udp }, /does not go with/],
    [{ ipv6, mld: { type: 131, group: 'ff02::1' }, neighborDiscovery: { type: 133 } }, /does not go with/],
    [{ ethernet, ipv6, icmpv6: { type: 135, target: '::1' } }, /"layers\.icmpv6\.target"/],
    [{ ethernet, lldp: {} }, /"elements"/],
    [{ ethernet, lldp: 5 }, /"layers\.lldp"/],
    [{ ethernet, tcp }, /"layers\.tcp" needs ipv4 or ipv6/],
    [{ ethernet, ipv4, vxlan: { vni: 1 } }, /"layers\.vxlan" needs udp/],
    [{ ethernet, vlans: { id: 1 }, ipv4 }, /"layers\.vlans"/],
    [{ ethernet, vlans: [{ idd: 1 }], ipv4 }, /"layers\.vlans\.idd"/],
    [{ ethernet, ipv4, tcp: { ...tcp, flags: { sin: true } } }, /"flags\.sin"/],
    [{ ipv4, gre: {}, inner: { ipv4: { ...ipv4, tll: 3 } } }, /"layers\.inner\.ipv4\.tll"/],
    [{ ipv4, udp, payload: 'hello' }, /"payload"/],
  ]
  for (const [layers, message] of wrong) {
    t.throws(
      () => encode(layers as FrameLayers),
      { code: /^ERR_INVALID_ARG_/, message },
      JSON.stringify(layers),
    )
  }
  const long = { ethernet, ipv4, udp, payload: new Uint8Array(70000) }
  t.throws(() => encode(long), { code: 'ERR_OUT_OF_RANGE' })
})
