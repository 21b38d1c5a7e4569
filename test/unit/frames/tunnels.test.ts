import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import {
  decode,
  encode,
  type FrameLayers,
  type LinkType,
  verifyChecksums,
} from '../../../src/frames/index.js'
import { fixture } from '../../support/fixture.js'

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const inside = { destination: '02:00:00:00:00:04', source: '02:00:00:00:00:03' }
const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const ipv6 = { source: 'fe80::1', destination: 'fe80::2' }
const ports = { sourcePort: 1000, destinationPort: 2000 }
const payload = fixture('68656c6c6f')
const inner: FrameLayers = { ipv4, udp: ports, payload }
const tunnel = (destinationPort: number) => ({ sourcePort: 49152, destinationPort })

t.test('what tunnels carry is inside, and comes out as it went in', async t => {
  const cases: [FrameLayers, LinkType][] = [
    [{ ethernet, ipv4, gre: { key: 5, checksum: true }, inner }, 'ethernet'],
    [{ ethernet, ipv6, gre: {}, inner: { ethernet: inside, vlans: [{ id: 7 }], ...inner } }, 'ethernet'],
    [
      { ethernet, ipv4, udp: tunnel(4789), vxlan: { vni: 9 }, inner: { ethernet: inside, ...inner } },
      'ethernet',
    ],
    [
      { ethernet, ipv6, udp: tunnel(6081), geneve: { vni: 9 }, inner: { ipv6, tcp: ports, payload } },
      'ethernet',
    ],
    [{ ipv4, inner }, 'ip'],
    [{ ipv4, inner: { ipv6, inner: { ipv6, inner } } }, 'ip'],
    [{ ethernet, mpls: [{ label: 16 }, { label: 17, ttl: 3 }], ...inner }, 'ethernet'],
    [{ ipv4, inner: { mpls: [{ label: 16 }], ...inner } }, 'ip'],
    [{ ethernet, vlans: [{ id: 1 }, { id: 2 }], pppoe: { sessionId: 5 }, ...inner }, 'ethernet'],
    [{ ethernet, pppoe: { sessionId: 0, code: 9, tags: [{ type: 0x0101, data: payload }] } }, 'ethernet'],
    [{ ethernet, llc: { snap: { organization: 0, protocol: 0x0800 } }, ...inner }, 'ethernet'],
    [{ ethernet, stp: { type: 0x80 } }, 'ethernet'],
    [{ ethernet, vlans: [{ id: 1 }], stp: { type: 0x80 } }, 'ethernet'],
    [{ linuxSll: { address: '02:00:00:00:00:01', packetType: 4 }, ...inner }, 'linux-sll'],
    [{ linuxSll2: { interfaceIndex: 3 }, ...inner }, 'linux-sll2'],
    [
      { linuxSll2: { interfaceIndex: 3 }, llc: { destination: 0x42, source: 0x42 }, stp: { type: 0x80 } },
      'linux-sll2',
    ],
    [{ loopback: { littleEndian: true }, ...inner }, 'null'],
    [{ loopback: {}, ipv6, udp: ports, payload }, 'loop'],
    [inner, 'ipv4'],
    [{ ipv6, udp: ports, payload }, 'ipv6'],
  ]
  for (const [layers, linkType] of cases) {
    const frame = encode(layers)
    const decoded = decode(frame, linkType)
    t.match(decoded, { ...layers, gre: layers.gre && {}, issues: [] } as never, Object.keys(layers).join(' '))
    t.equal(hex(encode(decoded)), hex(frame))
    t.notMatch(JSON.stringify(verifyChecksums(frame, linkType)), /bad|unverifiable/)
  }
})

t.test('what UDP carries is told by its port', async t => {
  const cases: FrameLayers[] = [
    {
      udp: { sourcePort: 68, destinationPort: 67 },
      dhcpv4: {
        operation: 1,
        transactionId: 1,
        hardwareAddress: ethernet.source,
        options: [{ kind: 'messageType', value: 1 }],
      },
    },
    { udp: { sourcePort: 546, destinationPort: 547 }, dhcpv6: { type: 1, transactionId: 5 } },
    {
      udp: tunnel(51820),
      wireguard: { type: 4, receiver: 1, counter: 2n, payload: new Uint8Array(32) },
    },
  ]
  for (const layers of cases) {
    const frame = encode({ ethernet, ipv4, ...layers })
    t.match(decode(frame), { ...layers, issues: [] } as never)
    t.equal(hex(encode(decode(frame))), hex(frame))
  }
  // Other things come to that port too.
  t.match(decode(encode({ ethernet, ipv4, udp: tunnel(51820), payload })), { payload, issues: [] })
})

t.test('ICMP errors quote a packet that is cut by right', async t => {
  const whole = encode(inner)
  const quoted = decode(encode({ ethernet, ipv4, icmp: { type: 11 }, payload: whole.subarray(0, 28) }))
  t.match(quoted, { issues: [], inner: { ipv4, udp: ports, issues: [] } })
  t.same(quoted.inner?.payload.length, 0)
  const short = decode(encode({ ethernet, ipv4, icmp: { type: 3 }, payload: whole.subarray(0, 24) }))
  t.match(short.inner, { ipv4, issues: [{ layer: 'udp', code: 'ERR_FRAME_TRUNCATED' }] })
  t.match(
    decode(encode({ ipv6, icmpv6: { type: 2, mtu: 1280 }, payload: encode({ ipv6, tcp: ports }) }), 'ip'),
    {
      inner: { ipv6, tcp: ports },
    },
  )
  t.notOk(
    decode(encode({ ethernet, ipv4, icmp: { type: 8 }, payload: whole })).inner,
    'an echo quotes nothing',
  )
  // RFC 4884: the quote takes 9 words, extensions follow.
  const extended = encode({ ethernet, ipv4, icmp: { type: 11, rest: 9 << 16 }, payload: new Uint8Array(100) })
  t.equal(decode(extended).inner?.payload.length, 36)
  t.match(verifyChecksums(encode({ ethernet, ipv4, icmp: { type: 3 }, payload: whole.subarray(0, 28) })), {
    ipv4: 'ok',
    icmp: 'ok',
  })
  t.notOk(verifyChecksums(encode({ ethernet, ipv4, icmp: { type: 3 }, payload: whole })).inner)
})

t.test('nesting ends', async t => {
  let layers: FrameLayers = inner
  for (let i = 0; i < 100; i++) layers = { ipv4, inner: layers }
  let depth = 0
  let level = decode(encode(layers), 'ip')
  for (; level.inner; level = level.inner) depth++
  t.equal(depth, 31)
  t.match(level.issues, [{ layer: 'link', code: 'ERR_FRAME_MALFORMED' }])
})

t.test('lengths bound what follows; the rest is padding', async t => {
  const padded = (layers: FrameLayers) => Uint8Array.of(...encode(layers), 0xee, 0xee, 0xee)
  for (const layers of [
    { ethernet, llc: { destination: 6, source: 6 }, payload },
    { ethernet, vlans: [{ id: 1 }], llc: { destination: 6, source: 6 }, payload },
    { ethernet, pppoe: { sessionId: 1, protocol: 0xc021 }, payload },
    { ethernet, ipv4: { ...ipv4, protocol: 89 }, payload },
  ])
    t.match(decode(padded(layers)), { payload, issues: [] })
  t.match(
    decode(encode({ ethernet, pppoe: { sessionId: 1, protocol: 0xc021, length: 50 }, payload })).issues,
    [{ layer: 'pppoe', code: 'ERR_FRAME_TRUNCATED' }],
  )
  t.match(decode(encode({ ethernet, vlans: [{ id: 1, type: 100 }], payload })).issues, [{ layer: 'vlan' }])
})

t.test('frames of which less was captured', async t => {
  const frame = encode({
    ethernet,
    ipv4,
    udp: tunnel(4789),
    vxlan: { vni: 9 },
    inner: { ethernet: inside, ...inner },
  })
  const cut = decode(frame.subarray(0, 70), 'ethernet', { originalLength: frame.length })
  t.same(
    cut.issues.map(({ layer }) => layer),
    ['link', 'ipv4'],
  )
  t.match(cut.inner, { ethernet: inside, issues: [{ layer: 'ipv4' }] })
  t.same(decode(frame, 'ethernet', { originalLength: frame.length }).issues, [])
  t.throws(() => decode(frame, 'ethernet', { originalLength: -1 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => decode(frame, 'ethernet', { length: 1 } as never), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('checksums through tunnels', async t => {
  const frame = encode({
    ethernet,
    ipv6,
    udp: { ...tunnel(4789), checksum: 0 },
    vxlan: { vni: 9 },
    inner: { ethernet: inside, ipv4, gre: { checksum: true }, inner },
  })
  t.strictSame(verifyChecksums(frame), {
    udp: 'absent',
    inner: { ipv4: 'ok', gre: 'ok', inner: { ipv4: 'ok', udp: 'ok' } },
  })
  frame[frame.length - 1]! ^= 1
  t.strictSame(verifyChecksums(frame).inner, { ipv4: 'ok', gre: 'bad', inner: { ipv4: 'ok', udp: 'bad' } })
  t.strictSame(verifyChecksums(encode({ ethernet, ipv4, igmp: { type: 0x16, group: '239.1.1.1' } })), {
    ipv4: 'ok',
    igmp: 'ok',
  })
  t.strictSame(verifyChecksums(encode({ ethernet, ipv4, gre: {}, inner: { ethernet: inside } })), {
    ipv4: 'ok',
    gre: 'absent',
  })
})

t.test('encoders refuse what does not fit together', async t => {
  t.throws(() => encode({ ipv4, gre: {}, payload }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => encode({ ethernet, llc: { destination: 0xaa, source: 0xaa }, payload }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
  t.throws(() => encode({ ethernet, pppoe: { sessionId: 1 }, payload }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => encode({ ethernet, stp: { type: 1 } }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => encode({ ethernet, lldp: { elements: [{ kind: 'x' } as never] } }), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
  t.throws(() => encode({ ethernet, ipv4, udp: tunnel(6081), geneve: { vni: 1 << 24, protocol: 1 } }), {
    code: 'ERR_OUT_OF_RANGE',
  })
  const option = (kind: string, value: unknown) => () =>
    encode({
      ipv4,
      udp: ports,
      dhcpv4: { operation: 1, transactionId: 1, hardwareAddress: '', options: [{ kind, value } as never] },
    })
  t.throws(option('nonsense', 1), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(option('routers', []), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(option('hostName', 'x'.repeat(256)), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(option('rapidCommit', false), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(option('classlessRoutes', [{ destination: 'fe80::/8', gateway: '10.0.0.1' }]), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
})
