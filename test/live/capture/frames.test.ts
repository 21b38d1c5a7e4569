import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import {
  decode,
  encode,
  FrameBatch,
  frameFlags,
  verifyChecksums,
  virtioNetSegmentation,
} from '../../../src/frames/index.js'
import { Network } from '../../../src/network/index.js'
import { forward } from '../../../src/port/index.js'
import { Tun } from '../../../src/tuntap/index.js'
import { captured, tagged } from '../../support/captured.js'
import { iperf3 } from '../../support/iperf.js'
import { watchLeaks } from '../../support/leaks.js'
import { markedBatch, markedFrame, sequenceOf } from '../../support/marked-frames.js'
import { connectedNetworks } from '../../support/networks.js'
import { requires, requiresRoot } from '../../support/requires.js'
import { startTcpdump } from '../../support/tcpdump.js'

const { inbound, outbound, directionMask, receptionMask } = frameFlags
const latencies = ['batched', 'low'] as const

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('sees what tcpdump sees', async t => {
    if (!requires(t, 'tcpdump')) return
    for (const latency of latencies) {
      await using cable = await connectedNetworks()
      const { red, blue } = cable
      await using sender = await Capture.open({ in: red, interface: 'v0', linkType: 'ethernet' })
      await using here = await Capture.open({ in: blue, interface: 'v0', latency })
      const theirs = await startTcpdump(blue, 'v0', 60, '--time-stamp-precision=nano')
      const sizes = [60, 61, 64, 127, 128, 1000, 1513, 1514]
      const sent = Array.from({ length: 60 }, (_, i) => markedFrame(i, sizes[i % sizes.length]!))
      for (let i = 0; i < 60; i += 3) {
        await sender.send(FrameBatch.from('ethernet', sent.slice(i, i + 2)))
        await sender.send(sent[i + 2]!)
      }
      const ours = await captured(here, 60)
      const { packets } = await theirs()
      t.same(
        ours.map(packet => packet.data),
        sent,
      )
      t.same(
        ours.map(({ data, timestamp, originalLength }) => ({ data, timestamp, originalLength })),
        packets,
        'bytes, times and lengths',
      )
      t.ok(ours.every(packet => (packet.flags! & directionMask) === inbound))
      t.ok(ours.every(packet => (packet.flags! & receptionMask) === frameFlags.broadcast))
      t.equal(sender.stats().received, 0n, 'what a capture sends it does not see')
      t.equal(here.stats().received, 60n)
      t.equal(here.clock, 'system')
    }
  })

  t.test('puts VLAN tags back, or tells of them', async t => {
    await using cable = await connectedNetworks()
    const plain = markedFrame(7, 100)
    const frames = [
      plain,
      tagged(plain, 100),
      tagged(plain, 0x6064),
      tagged(tagged(plain, 200), 100, 0x88a8),
      tagged(tagged(plain, 3), 4),
    ]
    for (const latency of latencies) {
      await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
      await using leaving = await Capture.open({ in: cable.red, interface: 'v0', latency })
      await using inline = await Capture.open({ in: cable.blue, interface: 'v0', latency })
      await using beside = await Capture.open({ in: cable.blue, interface: 'v0', latency, vlan: 'metadata' })
      await using chosen = await Capture.open({
        in: cable.blue,
        interface: 'v0',
        latency,
        filter: 'vlan 100 and vlan 200',
      })
      for (const frame of frames) await sender.send(frame)
      const got = await captured(inline, frames.length)
      t.same(
        got.map(packet => packet.data),
        frames,
        'inline, with their own protocol',
      )
      t.same(
        got.map(packet => packet.originalLength),
        frames.map(frame => frame.length),
      )
      t.ok(got.every(packet => packet.vlan === undefined))
      t.same(
        (await captured(leaving, frames.length)).map(packet => packet.data),
        frames,
        'as they leave',
      )
      t.same(
        (await captured(beside, frames.length)).map(({ vlan, data }) => [vlan, data]),
        [
          [undefined, plain],
          [0x81000064, plain],
          [0x81006064, plain],
          [0x88a80064, tagged(plain, 200)],
          [0x81000004, tagged(plain, 3)],
        ],
      )
      t.same((await captured(chosen, 1))[0]!.data, frames[3], 'the filter knows where the tag is')
      t.equal(chosen.stats().received, 1n)
    }
  })

  t.test('keeps the beginning of a frame only, if asked', async t => {
    await using cable = await connectedNetworks()
    for (const latency of latencies) {
      await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
      await using capture = await Capture.open({
        in: cable.blue,
        interface: 'v0',
        latency,
        snapLength: 70,
        blockSize: 4096,
        blockCount: 8,
      })
      await sender.send(markedFrame(1, 64))
      await sender.send(markedFrame(2, 500))
      await sender.send(tagged(markedFrame(3, 500), 9))
      const got = await captured(capture, 3)
      t.same(
        got.map(({ data, originalLength }) => [data.length, originalLength]),
        [
          [64, 64],
          [70, 500],
          [70, 504],
        ],
      )
      t.same(got[2]!.data, tagged(markedFrame(3, 500), 9).subarray(0, 70))
    }
  })

  t.test('super-frames, unfinished checksums, fragments', async t => {
    await using cable = await connectedNetworks()
    const { red, blue } = cable
    for (const latency of latencies) {
      await using capture = await Capture.open({ in: blue, interface: 'v0', latency })
      let longest = 0
      let flags = 0
      const verdicts = new Set<string>()
      await sendBulk(cable)
      for (let batch = capture.tryReceive(); batch; batch = capture.tryReceive()) {
        for (let i = 0; i < batch.count; i++) {
          longest = Math.max(longest, batch.lengths[i]!)
          t.equal(batch.lengths[i], batch.originalLengths[i])
          if ((batch.flags[i]! & directionMask) === inbound) flags |= batch.flags[i]!
          verdicts.add(verifyChecksums(batch.frame(i)).tcp ?? '')
        }
        batch.release()
      }
      t.ok(longest > 20_000, `the longest has ${longest} bytes, all there`)
      t.ok(flags & frameFlags.segmentationOffloaded)
      t.ok(flags & frameFlags.checksumNotReady)
      await red.namespace.exec('ping', ['-c1', '-W5', '-s4000', '192.0.2.2'])
      const fragments = await captured(capture, 6, ({ data }) => decode(data).ipv4?.protocol === 1)
      t.same(
        fragments.map(({ flags }) => flags! & directionMask),
        [inbound, inbound, inbound, outbound, outbound, outbound],
      )
    }
  })

  t.test('a TUN carries packets; other kinds of links get a header', async t => {
    await using network = await Network.create()
    await using tun = await Tun.create({ in: network, name: 'tun0', addresses: ['10.0.0.1/24'] })
    await using capture = await Capture.open({ in: network, interface: 'tun0', filter: 'icmp' })
    await using cooked = await Capture.open({
      in: network,
      interface: 'tun0',
      linkType: 'linux-sll2',
      filter: 'icmp and outbound',
    })
    t.equal(capture.linkType, 'ip')
    t.equal(cooked.linkType, 'linux-sll2')
    await network.namespace.exec('ping', ['-c1', '-W1', '10.0.0.9'], { reject: false })
    const [packet] = await captured(capture, 1)
    t.equal(decode(packet!.data, 'ip').ipv4?.destination, '10.0.0.9')
    const [same] = await captured(cooked, 1)
    t.same(same!.data.subarray(20), packet!.data)
    t.same([...same!.data.subarray(0, 12)], [8, 0, 0, 0, 0, 0, 0, packet!.interface!, 0xff, 0xfe, 4, 0])
    // And back: what is sent on the port is what the TUN's reader gets.
    const reading = tun.batches()
    t.match(await capture.send(packet!.data), { sent: 1, dropped: 0 })
    for await (const batch of reading) {
      const answers = [...batch].filter(bytes => Buffer.compare(bytes, packet!.data) === 0).length
      if (answers > 0) break
    }
    t.throws(() => cooked.trySend(same!.data), { code: 'ERR_UNSUPPORTED' })
    await t.rejects(cooked.send(same!.data), { code: 'ERR_UNSUPPORTED' })
    await t.rejects(Capture.open({ in: network, interface: 'tun0', linkType: 'ethernet' }), {
      code: 'ERR_LINK_MISMATCH',
    })
  })

  t.test('the loopback interface shows a frame once', async t => {
    await using network = await Network.create()
    const ping = () => network.namespace.exec('ping', ['-c1', '127.0.0.1'])
    for (const [direction, expected] of [
      ['both', inbound],
      ['in', inbound],
      ['out', outbound],
    ] as const) {
      await using capture = await Capture.open({ in: network, interface: 'lo', direction })
      await using any = await Capture.openAny({ in: network, direction })
      await ping()
      for (const port of [capture, any]) {
        const got = await captured(port, 2)
        t.ok(got.every(packet => (packet.flags! & directionMask) === expected))
        t.same(
          got.map(({ data, linkType }) => decode(data, linkType).icmp?.type),
          [8, 0],
        )
        t.equal(port.stats().received, 2n, direction)
      }
    }
  })

  t.test('all interfaces of a namespace, with the one of each packet', async t => {
    await using cable = await connectedNetworks()
    const { red, blue } = cable
    for (const latency of latencies) {
      await using sender = await Capture.open({ in: red, interface: 'v0', linkType: 'ethernet' })
      await using any = await Capture.openAny({ in: blue, latency, filter: 'ether proto 0x88b5' })
      await using same = await Capture.openAny({ in: blue, latency, vlan: 'metadata' })
      t.equal(any.name, 'any')
      const { index } = await blue.links.get('v0')
      const frame = markedFrame(5, 80)
      await sender.send(frame)
      await sender.send(tagged(frame, 0x123, 0x88a8))
      const [packet] = await captured(any, 1)
      t.equal(packet!.interface, index)
      t.same(packet!.data.subarray(20), frame.subarray(14))
      t.equal(packet!.originalLength, packet!.data.length)
      const other = (await captured(same, 2))[1]!
      t.equal(other.vlan, 0x88a80123)
      t.same(other.data.subarray(20), frame.subarray(14))
      t.throws(() => any.trySend(frame), { code: 'ERR_UNSUPPORTED' })
      const { value } = await any.events().next()
      t.match(value, { type: 'state', state: { name: 'any', index: 0 } })
    }
  })

  t.test('directions, protocols, and frames for others', async t => {
    await using cable = await connectedNetworks()
    const { red, blue } = cable
    const open = (options: object) => Capture.open({ in: blue, interface: 'v0', ...options })
    await using there = await Capture.open({ in: red, interface: 'v0', linkType: 'ethernet' })
    await using back = await Capture.open({ in: blue, interface: 'v0', linkType: 'ethernet' })
    await using incoming = await open({ direction: 'in' })
    await using ignoring = await open({ ignoreOutgoing: true })
    await using outgoing = await open({ direction: 'out' })
    await using filtered = await open({ direction: 'out', filter: 'len > 80', snapLength: 64 })
    await using protocol = await open({ protocol: 0x88b5 })
    const stranger = markedFrame(3, 70)
    stranger[0] = 2
    await there.send(stranger)
    await back.send(markedBatch(1, 1, 80))
    await back.send(markedBatch(2, 1, 90))
    t.match((await captured(incoming, 1))[0], {
      data: stranger,
      flags: inbound | frameFlags.promiscuous,
    })
    t.same((await captured(ignoring, 1))[0]!.data, stranger)
    t.same(
      (await captured(outgoing, 2)).map(({ data }) => sequenceOf(data)),
      [1, 2],
    )
    t.same((await captured(filtered, 1))[0]!.data, markedFrame(2, 90).subarray(0, 64))
    t.same((await captured(protocol, 1))[0]!.data, stranger)
    t.same(
      [incoming, ignoring, outgoing, filtered, protocol].map(capture => capture.stats().received),
      [1n, 1n, 2n, 1n, 1n],
    )
  })

  t.test('a virtio-net header goes with super-frames, both ways', async t => {
    await using cable = await connectedNetworks()
    await using other = await connectedNetworks()
    const open = (network: Network, offload: 'off' | 'whole') =>
      Capture.open({ in: network, interface: 'v0', linkType: 'ethernet', offload, filter: 'tcp' })
    await using source = await open(cable.blue, 'whole')
    await using forward = await open(other.red, 'whole')
    await using plain = await open(other.red, 'off')
    await using target = await open(other.blue, 'whole')
    await sendBulk(cable)
    let checked = 0
    for await (const batch of source.batches()) {
      const at = Array.from(batch.lengths).findIndex(length => length > 3000)
      if (at < 0) continue
      t.equal(batch.gso!.get(at).segmentation & 0x7f, virtioNetSegmentation.tcp4)
      t.match(await forward.send(batch), { sent: batch.count, dropped: 0 })
      const copies = (await target.batches().next()).value!
      t.same(copies.copy(at), batch.copy(at))
      t.same(copies.gso!.get(at), batch.gso!.get(at))
      t.match(await plain.send(batch), { sent: batch.count, dropped: 0 }, 'cut on the way')
      checked++
      break
    }
    t.equal(checked, 1)
  })

  t.test('a new filter is for frames, too, that are still to be cut', async t => {
    await using cable = await connectedNetworks()
    const options = { in: cable.blue, interface: 'v0', linkType: 'ethernet', offload: 'split' } as const
    await using capture = await Capture.open({ ...options, latency: 'low', filter: 'tcp' })
    await sendBulk(cable)
    t.ok(capture.stats().received > 5n)
    // In the middle of what may be a super-frame.
    const batch = capture.tryReceive({ frames: 3 })!
    for (const frame of batch) t.match(verifyChecksums(frame, 'ethernet'), { tcp: 'ok' })
    batch.release()
    capture.setFilter('udp port 7')
    for (let i = 0; i < 1000; i++) t.equal(capture.tryReceive()?.count, undefined)
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    const frame = encode({
      ethernet: { destination: 'ff:ff:ff:ff:ff:ff', source: '02:00:00:00:00:01' },
      ipv4: { source: '192.0.2.1', destination: '192.0.2.2' },
      udp: { sourcePort: 7, destinationPort: 7 },
    })
    await sender.send(frame)
    t.same((await captured(capture, 1))[0]!.data, frame)
  })

  t.test('jumbograms are left out where super-frames are cut, and counted', async t => {
    if (!requires(t, 'iperf3')) return
    await using cable = await connectedNetworks()
    for (const [host, network] of [cable.red, cable.blue].entries()) {
      await network.links.change('v0', { gsoMaxSize: 150_000 })
      await network.addresses.create({ link: 'v0', address: `fd00::${host + 1}/64`, dad: 'skip' })
    }
    const options = { in: cable.red, interface: 'v0', linkType: 'ethernet', direction: 'out' } as const
    await using whole = await Capture.open({ ...options, offload: 'whole', blockSize: 1 << 20 })
    await using split = await Capture.open({ ...options, offload: 'split', blockSize: 1 << 20 })
    await iperf3(cable.red, cable.blue, 'fd00::2', '-n', '20M')
    let jumbograms = 0
    for (let batch = whole.tryReceive(); batch; batch = whole.tryReceive()) {
      for (const length of batch.lengths) if (length > 65_600) jumbograms++
      batch.release()
    }
    t.ok(jumbograms > 0, 'the kernel makes them')
    for (let batch = split.tryReceive(); batch; batch = split.tryReceive()) {
      for (const frame of batch) {
        // RFC 2675: the header of a jumbogram says that it has no payload.
        const { ethernet, ipv6 } = decode(frame)
        if (frame.length > 1514 || ipv6?.length === 0) t.fail(`${frame.length} bytes, ${ethernet?.source}`)
      }
      batch.release()
    }
    const { dropped } = split.stats()
    t.ok(split.counters().receivedDropped - dropped > 0n)
  })

  t.test('a forward that does not begin changes nothing of what a filter lets through', async t => {
    await using cable = await connectedNetworks()
    await using capture = await Capture.open({ in: cable.blue, interface: 'v0', linkType: 'ethernet' })
    await using other = await Capture.open({ in: cable.blue, interface: 'v0', linkType: 'ethernet' })
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    await sender.send(FrameBatch.from('ethernet', [markedFrame(1), markedFrame(2)]))
    t.equal((await captured(other, 2)).length, 2)
    capture.setFilter('tcp')
    const reading = other.batches()
    t.throws(() => forward(capture, other), { code: 'ERR_PORT_LOCKED' })
    t.equal(capture.owner, 'none')
    t.equal(capture.tryReceive(), undefined)
    await reading.return!()
  })

  t.test('nothing is left', leaks)
}

/** Three megabytes by TCP, from red to blue. */
async function sendBulk({ red, blue }: { red: Network; blue: Network }): Promise<void> {
  await red.addresses.ensure({ link: 'v0', address: '192.0.2.1/24' })
  await blue.addresses.ensure({ link: 'v0', address: '192.0.2.2/24' })
  const server = createServer()
  const received = new Promise<void>(resolve => {
    server.on('connection', socket => socket.resume().on('end', resolve))
  })
  const place = blue.namespace.socket('tcp4', { bind: { address: '192.0.2.2', port: 7000 } })
  server.listen({ fd: place.take() })
  await once(server, 'listening')
  const program = `import socket
s = socket.create_connection(('192.0.2.2', 7000))
s.sendall(bytes(3000000))
s.close()`
  await red.namespace.exec('python3', ['-c', program])
  await received
  await new Promise(resolve => server.close(resolve))
}
