import t from 'tap'
import { encode, encodeOffloaded, type FrameLayers } from '../../../src/frames/index.js'
import { cutFrames, FrameBatch } from '../../../src/port/index.js'
import { Tap } from '../../../src/tuntap/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { createNetwork, requiresNetworks } from '../../support/network.js'

// The kernel as the other opinion: what is sent into a bridge comes out of one TAP as the kernel cuts it, and out of two
// others as this library does, on arrival and on demand. test/native has many more shapes.

const destination = '02:00:00:00:00:99'
const ethernet = { source: '02:00:00:00:00:01', destination }
const [ipv4, ipv6] = [
  { source: '10.0.0.9', destination: '10.0.0.1', ttl: 9 },
  { source: 'fd00::9', destination: 'fd00::1' },
]
const tcp = {
  sourcePort: 1000,
  destinationPort: 2000,
  sequence: 2 ** 32 - 2000,
  acknowledgment: 7,
  flags: { ack: true },
}
const udp = { sourcePort: 1000, destinationPort: 2000 }
const size = 1200
const payload = Uint8Array.from({ length: 3 * size + 77 }, (_, i) => (i * i) >> 3)
const timestamps = [{ kind: 'timestamps', value: 5, echo: 6 }] as const

const shapes: Record<string, FrameLayers> = {
  'TCP over IPv4': { ethernet, ipv4, tcp },
  'TCP over IPv6': { ethernet, ipv6, tcp },
  'UDP over IPv4': { ethernet, ipv4, udp },
  'UDP over IPv6': { ethernet, ipv6, udp },
  'options of TCP': { ethernet, ipv4, tcp: { ...tcp, options: [...timestamps] } },
  'options of IPv4': { ethernet, ipv4: { ...ipv4, options: new Uint8Array(8).fill(1) }, tcp },
  'an identification that goes around': { ethernet, ipv4: { ...ipv4, identification: 65534 }, udp },
  'no fragments': { ethernet, ipv4: { ...ipv4, dontFragment: true, identification: 0 }, tcp },
  'FIN, PSH and CWR': {
    ethernet,
    ipv6,
    tcp: { ...tcp, flags: { ack: true, fin: true, psh: true, cwr: true, ece: true } },
  },
  'congestion experienced': { ethernet, ipv4: { ...ipv4, ecn: 3 }, tcp },
  'a VLAN': { ethernet, vlans: [{ id: 5, priority: 3 }], ipv6, udp },
  'an extension header': {
    ethernet,
    ipv6: { ...ipv6, extensions: [{ type: 60, body: Uint8Array.from([1, 4, 0, 0, 0, 0]) }] },
    tcp,
  },
}

if (requiresNetworks(t)) {
  const leaks = watchLeaks()
  const network = await createNetwork()
  await network.links.create({ kind: 'bridge', name: 'br0', up: true, ipv6LinkLocal: 'none' })
  const onBridge = { in: network, master: 'br0', ipv6LinkLocal: 'none' } as const
  const sender = await Tap.create({ ...onBridge, offload: 'whole', vnetHeaderSize: 24 })
  const [kernel, split, whole] = [
    await Tap.create(onBridge),
    await Tap.create({ ...onBridge, offload: 'split', headroom: 40 }),
    await Tap.create({ ...onBridge, offload: 'whole' }),
  ]

  /** The next frames that were sent here, and how many super-frames they came in. */
  const receive = async (port: Tap, count: number) => {
    const frames: string[] = []
    let superFrames = 0
    for await (const batch of port.batches()) {
      for (let i = 0; i < batch.count; i++) if (batch.gso?.isSuperFrame(i)) superFrames++
      for (const frame of batch.gso ? cutFrames(batch) : batch) {
        const hex = Buffer.from(frame).toString('hex')
        if (hex.startsWith(destination.replaceAll(':', ''))) frames.push(hex)
      }
      if (frames.length >= count) break
    }
    return { frames, superFrames }
  }

  /** 6.2 and later have UDP's. */
  const taken = (layers: FrameLayers) => layers.tcp || sender.accepts.has('uso4')

  for (const [name, layers] of Object.entries(shapes)) {
    const { frame, checksumStart, checksumOffset } = encodeOffloaded({ ...layers, payload })
    t.test(`${name}: cut to the kernel's bytes`, async t => {
      if (!taken(layers)) return t.plan(0, 'needs a kernel with USO')
      const batch = FrameBatch.allocate({ linkType: 'ethernet', frames: 1, bytes: frame.length, gso: true })
      batch.append(frame)
      const segmentation = layers.udp ? 5 : (layers.ipv4 ? 1 : 4) | (layers.tcp!.flags!.cwr ? 0x80 : 0)
      batch.gso!.set(0, { flags: 1, segmentation, segmentSize: size, checksumStart, checksumOffset })
      t.match(await sender.send(batch), { sent: 1, dropped: 0 })
      const theirs = await receive(kernel, 4)
      t.equal(theirs.frames.length, 4)
      t.same((await receive(split, 4)).frames, theirs.frames)
      t.same(await receive(whole, 4), { frames: theirs.frames, superFrames: 1 })
      t.same(
        Array.from(cutFrames(batch), one => Buffer.from(one).toString('hex')),
        theirs.frames,
      )
    })
  }

  for (const [name, layers] of Object.entries(shapes)) {
    const alone = name === 'options of IPv4' || name === 'an extension header'
    t.test(`${name}: ${alone ? 'never joined' : 'joined, and cut again by the kernel'}`, async t => {
      if (!taken(layers)) return t.plan(0, 'needs a kernel with USO')
      const frames = Array.from({ length: 4 }, (_, i) => {
        const one: FrameLayers = { ...layers, payload: payload.subarray(i * size, (i + 1) * size) }
        if (layers.ipv4) {
          const first = layers.ipv4.identification ?? 0
          one.ipv4 = { ...layers.ipv4, identification: (first + i) & 0xffff }
        }
        if (layers.tcp) {
          const { cwr = false, fin = false, psh = false, ...flags } = layers.tcp.flags!
          one.tcp = {
            ...layers.tcp,
            sequence: (tcp.sequence + i * size) >>> 0,
            flags: { ...flags, cwr: cwr && i === 0, fin: fin && i === 3, psh: psh && i === 3 },
          }
        }
        return encode(one)
      })
      t.match(await sender.send(FrameBatch.from('ethernet', frames)), { sent: 4, dropped: 0 })
      const expected = frames.map(frame => Buffer.from(frame).toString('hex'))
      t.same((await receive(kernel, 4)).frames, expected)
      t.same((await receive(split, 4)).frames, expected)
      t.same(await receive(whole, 4), { frames: expected, superFrames: alone ? 0 : 1 })
    })
  }

  t.test('nothing is left', async t => {
    await Promise.all([sender, kernel, split, whole].map(port => port.close()))
    await network.close()
    await leaks(t)
  })
}
