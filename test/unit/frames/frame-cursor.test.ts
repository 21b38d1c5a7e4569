import t from 'tap'
import { encode, FrameBatch, FrameCursor, type FrameLayers } from '../../../src/frames/index.js'

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const ipv6 = { source: 'fe80::1', destination: 'fe80::2' }
const ports = { sourcePort: 1000, destinationPort: 53 }
const payload = Uint8Array.of(1, 2, 3)

/** What a cursor says of a frame, the addresses as text. */
const show = (cursor: FrameCursor) => ({
  etherType: cursor.etherType,
  vlanId: cursor.vlanId,
  ipVersion: cursor.ipVersion,
  protocol: cursor.protocol,
  source: cursor.source,
  destination: cursor.destination,
  sourcePort: cursor.sourcePort,
  destinationPort: cursor.destinationPort,
  payload: cursor.payloadEnd - cursor.payloadOffset,
})
const nothing = {
  etherType: -1,
  vlanId: -1,
  ipVersion: -1,
  protocol: -1,
  source: undefined,
  destination: undefined,
  sourcePort: -1,
  destinationPort: -1,
}

t.test('the headers of one frame after the other', async t => {
  const udp4 = { ...nothing, etherType: 0x0800, ipVersion: 4, protocol: 17, ...ipv4, ...ports, payload: 3 }
  const cases: [FrameLayers, object][] = [
    [{ ethernet, ipv4, udp: ports, payload }, udp4],
    [
      { ethernet, ipv6, tcp: ports, payload },
      { ...udp4, etherType: 0x86dd, ipVersion: 6, protocol: 6, ...ipv6 },
    ],
    [
      { ethernet, vlans: [{ id: 5 }, { id: 6 }], ipv4, udp: ports, payload },
      { ...udp4, vlanId: 5 },
    ],
    [
      { ethernet, mpls: [{ label: 16 }], pppoe: { sessionId: 1 }, ipv4 },
      { ...nothing, etherType: 0x8847, payload: 28 },
    ],
    [
      { ethernet, pppoe: { sessionId: 1 }, ipv4, udp: ports, payload },
      { ...udp4, etherType: 0x8864 },
    ],
    [
      { ethernet, ipv4: { ...ipv4, fragmentOffset: 8 }, udp: ports, payload },
      { ...udp4, sourcePort: -1, destinationPort: -1, payload: 11 },
    ],
    [
      { ethernet, ipv4, icmp: { type: 8 }, payload },
      { ...udp4, protocol: 1, sourcePort: -1, destinationPort: -1 },
    ],
    [
      { ethernet, ipv4, gre: {}, inner: { ipv6, udp: ports, payload } },
      { ...udp4, protocol: 47, sourcePort: -1, destinationPort: -1, payload: 51 },
    ],
    [
      {
        ethernet,
        ipv4,
        udp: { sourcePort: 1, destinationPort: 4789 },
        vxlan: { vni: 1 },
        inner: { ethernet },
      },
      { ...udp4, sourcePort: 1, destinationPort: 4789, payload: 22 },
    ],
    [
      { ethernet: { ...ethernet, type: 0x9999 }, payload },
      { ...nothing, etherType: 0x9999, payload: 3 },
    ],
  ]
  const frames = cases.map(([layers]) => encode(layers))
  const batch = FrameBatch.from('ethernet', frames)
  const cursor = new FrameCursor().open(batch)
  t.equal(cursor.index, -1)
  cases.forEach(([, expected], i) => {
    t.ok(cursor.next())
    t.equal(cursor.index, i)
    t.same(show(cursor), expected, `frame ${i}`)
  })
  t.notOk(cursor.next())
  cases.forEach(([, expected], i) => {
    t.same(show(cursor.set(frames[i]!)), expected)
    t.same(show(cursor.open(batch).move(i)), expected)
  })
  t.equal(cursor.move(0).sourceMacAddress, ethernet.source)
  t.equal(cursor.destinationMacAddress, ethernet.destination)
  t.throws(() => cursor.move(cases.length), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => cursor.move(-1), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => cursor.set([] as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => cursor.set(frames[0]!, 'x' as never), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('addresses as numbers, flows', async t => {
  const cursor = new FrameCursor()
  const flow = (layers: FrameLayers) => {
    cursor.set(encode(layers), 'ip')
    return [cursor.flowHash, cursor.flowKey()] as const
  }
  const base = flow({ ipv4, udp: ports })
  t.equal(cursor.sourceIpv4, 0x0a000001)
  t.equal(cursor.destinationIpv4, 0x0a000002)
  t.equal(base[1].length, 13)
  t.same(flow({ ipv4: { ...ipv4, ttl: 3 }, udp: ports, payload }), base)
  for (const other of [
    { ipv4: { ...ipv4, source: '10.0.0.3' }, udp: ports },
    { ipv4: { ...ipv4, destination: '10.0.0.3' }, udp: ports },
    { ipv4, tcp: ports },
    { ipv4, udp: { ...ports, sourcePort: 1001 } },
    { ipv4, udp: { ...ports, destinationPort: 54 } },
  ]) {
    const [hash, key] = flow(other)
    t.not(hash, base[0])
    t.not(key, base[1])
  }
  t.equal(flow({ ipv6, udp: ports })[1].length, 37)
  t.equal(cursor.sourceIpv4, -1)
  cursor.set(new Uint8Array(60))
  t.same([cursor.flowHash, cursor.flowKey(), cursor.isIp], [0, '', false])
})

t.test('tags beside the frame; memory that is gone', async t => {
  const batch = FrameBatch.from('ethernet', [encode({ ethernet, ipv4, udp: ports })])
  const { slab, offsets, lengths, count, linkType } = batch
  const tagged = { slab, offsets, lengths, count, linkType, vlans: Uint32Array.of(0x81000064) }
  const cursor = new FrameCursor().open(tagged as never)
  t.ok(cursor.next())
  t.equal(cursor.vlanId, 100)
  cursor.open({ ...tagged, slab: new Uint8Array() } as never)
  t.ok(cursor.next())
  t.equal(cursor.etherType, -1)
})
