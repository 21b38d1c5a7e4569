import t from 'tap'
import { hex, internetChecksum } from '../../../src/bytes/index.js'
import {
  encode,
  encodeOffloaded,
  FrameEditor,
  type FrameLayers,
  frameFlags,
  updateChecksum,
  verifyChecksums,
} from '../../../src/frames/index.js'
import { Random } from '../../support/random.js'

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const ipv6 = { source: 'fe80::1', destination: 'fe80::2' }
const ports = { sourcePort: 1000, destinationPort: 2000 }
const payload = Uint8Array.of(1, 2, 3)

t.test('an updated checksum is that of the changed bytes', async t => {
  const random = new Random(1)
  const bytes = new Uint8Array(40)
  for (let i = 0; i < 2000; i++) {
    random.fill(bytes, 40)
    const before = internetChecksum(bytes)
    const at = 2 * random.below(20)
    const from = (bytes[at]! << 8) | bytes[at + 1]!
    random.fill(bytes.subarray(at), 2)
    const to = (bytes[at]! << 8) | bytes[at + 1]!
    if (updateChecksum(before, from, to) !== internetChecksum(bytes)) return void t.fail(hex(bytes))
  }
  // The example of RFC 1624 section 4.
  t.equal(updateChecksum(0xdd2f, 0x5555, 0x3285), 0)
  t.throws(() => updateChecksum(0x10000, 0, 0), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => updateChecksum(0, 0, -1), { code: 'ERR_OUT_OF_RANGE' })
})

t.test('what is edited is what would have been encoded', async t => {
  const editor = new FrameEditor()
  const to4 = { source: '192.0.2.77', destination: '198.51.100.5', ttl: 3, dscp: 46 }
  const to6 = { source: '2001:db8::77', destination: '2001:db8::5', hopLimit: 3, dscp: 46 }
  const toPorts = { sourcePort: 40001, destinationPort: 53 }
  const cases: [FrameLayers, FrameLayers][] = [
    [
      { ethernet, ipv4, udp: ports, payload },
      { ethernet, ipv4: to4, udp: toPorts, payload },
    ],
    [
      { ethernet, ipv4, tcp: ports, payload },
      { ethernet, ipv4: to4, tcp: toPorts, payload },
    ],
    [
      { ethernet, ipv6, udp: ports, payload },
      { ethernet, ipv6: to6, udp: toPorts, payload },
    ],
    [
      { ethernet, ipv6, tcp: ports, payload },
      { ethernet, ipv6: to6, tcp: toPorts, payload },
    ],
    [
      { ethernet, ipv6, icmpv6: { type: 128 }, payload },
      { ethernet, ipv6: to6, icmpv6: { type: 128 }, payload },
    ],
    [
      { ethernet, ipv4, icmp: { type: 8 }, payload },
      { ethernet, ipv4: to4, icmp: { type: 8 }, payload },
    ],
    [
      { ethernet, ipv4, udp: { ...ports, checksum: 0 }, payload },
      { ethernet, ipv4: to4, udp: { ...toPorts, checksum: 0 }, payload },
    ],
    [
      { ethernet, vlans: [{ id: 1 }], ipv4: { ...ipv4, fragmentOffset: 8, protocol: 17 }, payload },
      { ethernet, vlans: [{ id: 1 }], ipv4: { ...to4, fragmentOffset: 8, protocol: 17 }, payload },
    ],
  ]
  for (const [before, after] of cases) {
    const frame = encode(before)
    editor.open(frame)
    editor.source = (after.ipv4 ?? after.ipv6)!.source
    editor.destination = (after.ipv4 ?? after.ipv6)!.destination
    editor.ttl = 3
    editor.dscp = 46
    if (before.udp ?? before.tcp) {
      editor.sourcePort = toPorts.sourcePort
      editor.destinationPort = toPorts.destinationPort
      t.same([editor.sourcePort, editor.destinationPort], Object.values(toPorts))
    }
    t.equal(hex(frame), hex(encode(after)))
    t.same([editor.source, editor.ttl, editor.dscp], [(after.ipv4 ?? after.ipv6)!.source, 3, 46])
  }
})

t.test('a checksum that a device completes', async t => {
  const flags = frameFlags.checksumNotReady
  for (const [before, after] of [
    [
      { ethernet, ipv4, udp: ports, payload },
      { ethernet, ipv4: { ...ipv4, source: '192.0.2.1' }, udp: { ...ports, sourcePort: 7 }, payload },
    ],
    [
      { ipv6, tcp: ports, payload },
      { ipv6: { ...ipv6, source: '2001:db8::1' }, tcp: { ...ports, sourcePort: 7 }, payload },
    ],
  ] satisfies [FrameLayers, FrameLayers][]) {
    const { frame, checksumStart, checksumOffset } = encodeOffloaded(before)
    const linkType = before.ethernet ? 'ethernet' : 'ip'
    t.match(verifyChecksums(frame, linkType, { flags }), { [before.udp ? 'udp' : 'tcp']: 'offloaded' })
    t.match(verifyChecksums(frame, linkType), { [before.udp ? 'udp' : 'tcp']: 'bad' })
    // What the device does: the sum from there to the end, complemented.
    const done = frame.slice()
    const sum = internetChecksum(done.subarray(checksumStart))
    done.set([sum >> 8, sum & 0xff], checksumStart + checksumOffset)
    t.equal(hex(done), hex(encode(before)))

    const editor = new FrameEditor().open(frame, linkType, { flags })
    editor.source = (after.ipv4 ?? after.ipv6)!.source
    editor.sourcePort = 7
    t.equal(hex(frame), hex(encodeOffloaded(after).frame))
  }
  t.throws(() => encodeOffloaded({ ipv4, icmp: { type: 8 } }), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('of a tunnel, the innermost is left to the device', async t => {
  const layers = {
    ethernet,
    ipv4,
    udp: { sourcePort: 5, destinationPort: 4789 },
    vxlan: { vni: 1 },
    inner: { ethernet, ipv4, tcp: ports, payload },
  }
  const { frame, checksumStart, checksumOffset } = encodeOffloaded(layers)
  const whole = encode(layers)
  t.equal(checksumStart, 14 + 20 + 8 + 8 + 14 + 20)
  const at = checksumStart + checksumOffset
  t.same(
    [...frame.keys()].filter(i => frame[i] !== whole[i]),
    [at, at + 1],
  )
})

t.test('what is not there, and what does not fit', async t => {
  const editor = new FrameEditor().open(encode({ ethernet, arp: undefined as never, payload }))
  t.throws(() => editor.source, { code: 'ERR_INVALID_STATE' })
  t.throws(
    () => {
      editor.ttl = 1
    },
    { code: 'ERR_INVALID_STATE' },
  )
  editor.open(encode({ ipv4, icmp: { type: 8 } }), 'ip')
  t.throws(() => editor.sourcePort, { code: 'ERR_INVALID_STATE' })
  t.throws(
    () => {
      editor.source = 'fe80::1'
    },
    { code: 'ERR_INVALID_ARG_VALUE' },
  )
  t.throws(
    () => {
      editor.ttl = 256
    },
    { code: 'ERR_OUT_OF_RANGE' },
  )
  t.throws(() => editor.open('x' as never), { code: 'ERR_INVALID_ARG_TYPE' })
})
