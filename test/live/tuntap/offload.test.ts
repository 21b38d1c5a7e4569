import { spawnSync } from 'node:child_process'
import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import {
  decode,
  encode,
  encodeOffloaded,
  type FrameLayers,
  verifyChecksums,
  virtioNetFlags,
  virtioNetSegmentation,
} from '../../../src/frames/index.js'
import type { Network } from '../../../src/network/index.js'
import {
  cutFrames,
  FrameBatch,
  type FramePort,
  forward,
  frames,
  packets,
  toDuplex,
} from '../../../src/port/index.js'
import { Tap, Tun, type TuntapOptions } from '../../../src/tuntap/index.js'
import { UdpSocket } from '../../../src/udp/index.js'
import { iperf3 } from '../../support/iperf.js'
import { joinPorts } from '../../support/join-ports.js'
import { watchLeaks } from '../../support/leaks.js'
import { createNetwork, requiresNetworks } from '../../support/network.js'
import { requires } from '../../support/requires.js'

/** Packets that a network's stack refused for their checksum. */
async function badChecksums(network: Network): Promise<number> {
  const { stdout } = await network.namespace.exec('cat', ['/proc/net/snmp', '/proc/net/snmp6'])
  const lines = stdout.split('\n')
  let sum = 0
  for (let i = 0; i + 1 < lines.length; i++) {
    const [names, values] = [lines[i]!.split(/\s+/), lines[i + 1]!.split(/\s+/)]
    if (names[0] === values[0]) {
      names.forEach((name, k) => {
        if (/InCsumErrors/.test(name)) sum += Number(values[k])
      })
    }
    if (/InCsumErrors/.test(names[0]!)) sum += Number(names[1])
  }
  return sum
}

function setHeaderSize(fd: number, size: number): void {
  const program = `import fcntl, struct; fcntl.ioctl(3, 0x400454d8, struct.pack('i', ${size}))`
  const { status } = spawnSync('python3', ['-c', program], { stdio: ['ignore', 'inherit', 'inherit', fd] })
  if (status !== 0) throw new Error('python3 failed')
}

if (requiresNetworks(t)) {
  const leaks = watchLeaks()
  const red = await createNetwork()
  const blue = await createNetwork()

  const tuns = async (mtu: number, ours: TuntapOptions, theirs: TuntapOptions) => {
    const common = { name: 't0', mtu, ipv6LinkLocal: 'none' } as const
    return [
      await Tun.create({ ...common, in: red, addresses: ['10.0.0.1/24', 'fd00::1/64'], ...ours }),
      await Tun.create({ ...common, in: blue, addresses: ['10.0.0.2/24', 'fd00::2/64'], ...theirs }),
    ] as const
  }

  for (const [ours, theirs] of [
    ['whole', 'whole'],
    ['split', 'split'],
    ['whole', 'off'],
    ['off', 'whole'],
    ['split', 'off'],
  ] as const) {
    t.test(`TCP, UDP and ping between TUNs with offload ${ours} and ${theirs}`, async t => {
      if (!requires(t, 'iperf3', 'ping')) return
      for (const mtu of ours === theirs ? [1280, 1500, 9000, 65520] : [1500]) {
        const [a, b] = await tuns(mtu, { offload: ours }, { offload: theirs })
        const passing = joinPorts(a, b)
        for (const address of ['10.0.0.2', 'fd00::2']) {
          const tcp = await iperf3(red, blue, address, '-n', '30M')
          t.ok(tcp.sum_received.bytes > 25e6, `TCP to ${address}, MTU ${mtu}`)
          if (ours === 'whole' && theirs === 'whole') t.equal(tcp.sum_sent.retransmits, 0)
          const back = await iperf3(red, blue, address, '-n', '10M', '-R')
          t.ok(back.sum_received.bytes > 8e6, 'and back')
          const udp = await iperf3(red, blue, address, '-u', '-b', '200M', '-n', '10M')
          t.ok(udp.sum.packets > udp.sum.lost_packets, `UDP to ${address}`)
          const ping = await red.namespace.exec('ping', ['-c', '20', '-i', '0.01', '-s', '3000', address])
          t.match(ping.stdout, / 0% packet loss/)
        }
        if (ours !== 'off') t.ok(a.counters().receivedFrames > 100n)
        await Promise.all([a.close(), b.close()])
        await passing
      }
      t.same([await badChecksums(red), await badChecksums(blue)], [0, 0])
    })
  }

  t.test('a TAP and a cable exchange super-frames and unfinished checksums', async t => {
    if (!requires(t, 'iperf3')) return
    await using middle = await createNetwork()
    for (const [tapOffload, cableOffload] of [
      ['whole', 'whole'],
      ['split', 'split'],
      ['off', 'whole'],
      ['off', 'split'],
      ['whole', 'split'],
    ] as const) {
      await using tap = await Tap.create({
        in: red,
        name: 'e0',
        addresses: ['10.1.0.1/24'],
        offload: tapOffload,
      })
      await middle.links.create({
        kind: 'veth',
        name: 'v0',
        up: true,
        ipv6LinkLocal: 'none',
        peer: { name: 'e0', in: blue },
      })
      await blue.links.change('e0', { up: true })
      await blue.addresses.create({ link: 'e0', address: '10.1.0.2/24' })
      const cable = await Capture.open({
        in: middle,
        interface: 'v0',
        linkType: 'ethernet',
        direction: 'in',
        latency: 'low',
        offload: cableOffload,
      })
      const passing = joinPorts<'ethernet'>(tap, cable)
      for (const reverse of [[], ['-R']]) {
        const { sum_received } = await iperf3(red, blue, '10.1.0.2', '-n', '20M', ...reverse)
        t.ok(sum_received.bytes > 16e6, `TAP ${tapOffload}, cable ${cableOffload} ${reverse}`)
      }
      await Promise.all([tap.close(), cable.close()])
      await passing
      await middle.links.delete('v0')
    }
    t.same([await badChecksums(red), await badChecksums(blue)], [0, 0])
  })

  const payload = Uint8Array.from({ length: 1000 }, (_, i) => i)
  /** Packets of one TCP connection, to an address that is nobody's. */
  const flow = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      encode({
        ipv4: { source: '10.0.0.9', destination: '10.0.0.1', identification: 100 + i },
        tcp: {
          sourcePort: 1000,
          destinationPort: 2000,
          sequence: 5000 + 1000 * i,
          acknowledgment: 1,
          flags: { ack: true },
        },
        payload,
      }),
    )

  t.test('super-frames have their metadata, and are cut when it is wanted', async t => {
    const [a, b] = await tuns(1500, { offload: 'whole' }, { offload: 'off' })
    t.match(a, { offload: 'whole', vnetHeaderBytes: 10 })
    t.ok(a.accepts.has('tso4') && b.accepts.size === 0)
    const passing = joinPorts(a, b)
    const seen: { whole: Uint8Array; gso: object; frames: Uint8Array[] }[] = []
    const connected = iperf3(red, blue, '10.0.0.2', '-n', '3M')
    // Both look at what passes.
    const send = b.send.bind(b)
    b.send = async batch => {
      const one = batch as FrameBatch<'ip'>
      for (let i = 0; i < one.count; i++) {
        if (!one.gso!.isSuperFrame(i) || seen.length > 20) continue
        const single = FrameBatch.allocate({ linkType: 'ip', frames: 1, bytes: 70_000, gso: true })
        single.append(one.frame(i))
        single.gso!.set(0, one.gso!.get(i))
        const cut = cutFrames(single, { headroom: 32, tailroom: 16 })
        const frames = Array.from({ length: cut.count }, (_, k) => cut.copy(k))
        seen.push({ whole: one.copy(i), gso: one.gso!.get(i), frames })
      }
      return send(batch)
    }
    await connected
    t.ok(seen.length > 5)
    for (const { whole, gso, frames } of seen) {
      t.match(gso, { flags: 1, segmentation: 1, checksumStart: 20, checksumOffset: 16 })
      const layers = frames.map(frame => decode(frame, 'ip'))
      for (const frame of frames) t.match(verifyChecksums(frame, 'ip'), { ipv4: 'ok', tcp: 'ok' })
      const joined = Buffer.concat(layers.map(({ payload }) => payload!))
      const { payload, tcp } = decode(whole, 'ip')
      t.ok(joined.equals(payload!))
      t.equal(layers[1]!.tcp!.sequence - tcp!.sequence, layers[0]!.payload!.length)
    }
    await Promise.all([a.close(), b.close()])
    await passing
  })

  t.test('a batch that was built by hand can leave work to the kernel, or to the port', async t => {
    const batch = FrameBatch.allocate({ linkType: 'ip', frames: 2, bytes: 10_000, gso: true })
    const [first] = flow(1)
    const long = new Uint8Array(40 + 5000)
    long.set(first!.subarray(0, 40))
    long.fill(7, 40)
    // With IPv4's total length and checksum.
    const header = encode({
      ipv4: { source: '10.0.0.9', destination: '10.0.0.1', protocol: 6 },
      payload: long.subarray(20),
    } as FrameLayers)
    batch.append(header)
    batch.gso!.set(0, { segmentation: 1, flags: 1, segmentSize: 1000, checksumStart: 20, checksumOffset: 16 })
    t.equal(cutFrames(batch).count, 5)
    t.throws(() => batch.gso!.set(0, { segmentSize: 65536 }), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => batch.gso!.get(1), { code: 'ERR_OUT_OF_RANGE' })
    const before = batch.gso!.get(0)
    for (const bad of [null, undefined, 1])
      t.throws(() => batch.gso!.set(0, bad as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => batch.gso!.set(0, { foo: 1 } as never), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /gso\.foo/,
    })
    t.throws(() => batch.gso!.set(0, { flags: 1, segmentSize: -1 }), { code: 'ERR_OUT_OF_RANGE' })
    t.same(batch.gso!.get(0), before, 'what is refused changes nothing')
    batch.gso!.set(0, { segmentation: 4, flags: 1, segmentSize: 1000, checksumStart: 20, checksumOffset: 16 })
    t.throws(() => cutFrames(batch), { code: 'ERR_FRAME_MALFORMED', message: /gso\[0\]/ })
    const [a, b] = await tuns(1500, { offload: 'off' }, { offload: 'whole' })
    for (const port of [a, b]) {
      const result = await port.send(batch)
      t.match(result, { sent: 0, dropped: 1, failure: { error: { code: 'EINVAL' } } })
    }
    await Promise.all([a.close(), b.close()])
  })

  t.test('frames have the room that was asked for', async t => {
    for (const offload of ['off', 'whole', 'split'] as const) {
      const [a, b] = await tuns(1500, { offload, headroom: 60, tailroom: 20 }, {})
      t.match(a, { headroom: 60, tailroom: 20 })
      await red.namespace.exec('ping', ['-c3', '-W1', '-i', '0.01', '10.0.0.7'], { reject: false })
      const batch = a.tryReceive()!
      t.ok(batch.count >= 3)
      let end = 0
      for (let i = 0; i < batch.count; i++) {
        t.ok(batch.offsets[i]! - end >= 60)
        end = batch.offsets[i]! + batch.lengths[i]! + 20
        t.ok(end <= batch.slab.length)
      }
      // A header is put before a packet where it lies, and the packet sent on with it.
      for (const offset of batch.offsets.subarray(0, batch.count)) batch.slab.fill(0xee, offset - 60, offset)
      // A connection of before may send something, too.
      const pings = [...batch].filter(frame => decode(frame, 'ip').ipv4?.destination === '10.0.0.7')
      t.equal(pings.length, 3)
      batch.release()
      await Promise.all([a.close(), b.close()])
    }
  })

  t.test('what the kernel refuses is sent one by one from then on, and said', async t => {
    const [a, b] = await tuns(1500, { offload: 'whole', multiQueue: true }, {})
    await using queue = await a.openQueue()
    t.equal(queue.offload, 'whole')
    const events = queue.events()
    await events.next()
    t.throws(() => queue.setVnetHeaderSize(12), { code: 'ERR_INVALID_STATE' })
    // The header grows behind the port's back (TUNSETVNETHDRSZ): the kernel takes nothing that it sends.
    setHeaderSize(queue.fd, 12)
    const result = await queue.send(FrameBatch.from('ip', flow(10)))
    t.match(result, { sent: 0, dropped: 10, failure: { error: { code: 'EINVAL' } } })
    t.same((await events.next()).value, { type: 'offload-disabled', offload: 'tso4' })
    setHeaderSize(queue.fd, 10)
    t.match(await queue.send(FrameBatch.from('ip', flow(10))), { sent: 10, dropped: 0 })
    const late = queue.events()
    t.match((await late.next()).value, { type: 'state' })
    t.same((await late.next()).value, { type: 'offload-disabled', offload: 'tso4' })
    await Promise.all([a.close(), b.close()])
  })

  /** A super-frame of datagrams, 1000 bytes in all. */
  const datagrams = <L extends 'ip' | 'ethernet'>(linkType: L, segmentSize: number) => {
    const station = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
    const { frame, checksumStart, checksumOffset } = encodeOffloaded({
      ...(linkType === 'ethernet' ? { ethernet: station } : {}),
      ipv4: { source: '10.0.0.2', destination: '10.0.0.1' },
      udp: { sourcePort: 7000, destinationPort: 7000 },
      payload: new Uint8Array(1000),
    })
    const batch = FrameBatch.allocate({ linkType, frames: 1, bytes: frame.length, gso: true })
    batch.append(frame)
    const { needsChecksum: flags } = virtioNetFlags
    const { udpL4: segmentation } = virtioNetSegmentation
    batch.gso!.set(0, { flags, segmentation, segmentSize, checksumStart, checksumOffset })
    return batch
  }

  /** GSO_BY_FRAGS of include/linux/skbuff.h, which means something else within the kernel. */
  const refusedSize = 65535

  t.test('super-frames that the kernel refuses are cut from then on, which is said', async t => {
    await using network = await createNetwork()
    const cable = { kind: 'veth', name: 'v0', up: true, peer: { name: 'v1' } } as const
    await network.links.create(cable)
    await network.links.change('v1', { up: true })
    const ports = {
      ip: () => Tun.create({ in: network, addresses: ['10.0.0.1/24'], offload: 'whole' }),
      ethernet: () => Capture.open({ in: network, interface: 'v0', linkType: 'ethernet', offload: 'whole' }),
    }
    for (const linkType of ['ip', 'ethernet'] as const) {
      const port = (await ports[linkType]()) as FramePort<'ip' | 'ethernet'>
      const events = port.events()
      t.match((await events.next()).value, { type: 'state' })
      t.match(await port.send(datagrams(linkType, 100)), { sent: 1, dropped: 0 })
      t.match(await port.send(datagrams(linkType, refusedSize)), { sent: 1, dropped: 0 }, 'one is cut')
      await port.close()
      const said = []
      for await (const { type } of events) said.push(type)
      t.notOk(said.includes('offload-disabled'), 'the kind is not to blame: one was taken')

      const other = (await ports[linkType]()) as FramePort<'ip' | 'ethernet'>
      const early = other.events()
      for (let i = 0; i < 2; i++)
        t.match(await other.send(datagrams(linkType, refusedSize)), { sent: 1, dropped: 0 })
      for (const each of [early, other.events()]) {
        const disabled: string[] = []
        for await (const event of each) {
          if (event.type === 'offload-disabled') disabled.push(event.offload)
          if (disabled.length === 2) break
        }
        t.same(disabled, ['uso4', 'uso6'])
      }
      await other.close()
    }
  })

  /** So many packets wait in a TUN as one super-frame, of 1000 bytes each. */
  const waiting = async (offload: 'whole' | 'split', options: TuntapOptions = {}) => {
    const tun = await Tun.create({
      in: red,
      addresses: ['10.2.0.1/24'],
      ipv6LinkLocal: 'none',
      offload,
      ...options,
    })
    const socket = await UdpSocket.open({ in: red, address: '10.2.0.1' })
    const datagrams = FrameBatch.from('user0', Array(10).fill(payload))
    await socket.send(datagrams, { to: { address: '10.2.0.2', port: 7000 } })
    await socket.close()
    return tun
  }

  t.test('what takes frame by frame gets the frames that super-frames stand for', async t => {
    for (const read of [
      (tun: Tun) => frames(tun),
      async function* (tun: Tun) {
        for await (const { data } of packets(tun)) yield data
      },
      (tun: Tun): AsyncIterable<Uint8Array> => toDuplex(tun),
    ]) {
      await using tun = await waiting('whole')
      let seen = 0
      for await (const frame of read(tun)) {
        t.equal(frame.length, 1028)
        t.same(verifyChecksums(frame, 'ip'), { ipv4: 'ok', udp: 'ok' })
        if (++seen === 10) break
      }
    }
    await using tun = await waiting('whole')
    await using socket = await UdpSocket.open({ in: red, address: '10.2.0.1' })
    const batch = tun.tryReceive()!
    t.equal(batch.count, 1)
    const to = { address: '10.2.0.2', port: 7001 }
    await t.rejects(socket.send(batch, { to }), { code: 'ERR_INVALID_ARG_VALUE', message: /cutFrames/ })
    t.match(await socket.send(cutFrames(batch), { to }), { sent: 10 })
  })

  t.test('bytes of room around frames are not counted as theirs', async t => {
    for (const offload of ['whole', 'split'] as const) {
      await using tun = await waiting(offload, { headroom: 40, tailroom: 30 })
      const batch = tun.tryReceive()!
      const bytes = batch.lengths.reduce((sum, length) => sum + length, 0)
      t.equal(tun.counters().receivedBytes, BigInt(bytes))
    }
  })

  t.test('the rest of a super-frame is not delivered after a forward', async t => {
    await using tun = await waiting('split')
    await using other = await Tun.create({ in: blue })
    t.equal(tun.tryReceive({ frames: 3 })!.count, 3)
    await forward(tun, other).close()
    t.equal(tun.tryReceive(), undefined)
    t.ok(tun.counters().receivedDropped >= 7n, 'it is counted')
  })

  t.test('a budget that is used up ends a batch with its super-frame', async t => {
    await using tun = await waiting('split')
    const sender = await UdpSocket.open({ in: red, address: '10.2.0.1' })
    const datagrams = FrameBatch.from('user0', Array(50).fill(payload))
    const to = { address: '10.2.0.2', port: 7000 }
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    let seen = 0
    for await (const batch of tun.batches({ frames: 7 })) {
      seen += batch.count
      // More comes than is read, and no batch ends where a super-frame does.
      sender.trySend(datagrams, { to })
      const until = performance.now() + 0.2
      while (performance.now() < until);
      if (ticks >= 5 || seen > 1_000_000) break
    }
    clearInterval(timer)
    await sender.close()
    t.ok(ticks >= 5, 'timers had their turn')
  })

  t.test('a port goes on elsewhere with all its settings', async t => {
    const [a, b] = await tuns(1500, { offload: 'split', headroom: 8, coalesce: false }, {})
    await using again = await Tun.adopt(a.detach())
    t.match(again, { offload: 'split', headroom: 8, tailroom: 0, vnetHeaderBytes: 10 })
    const taken = again.takeDescriptor()
    await using mine = await Tun.fromDescriptor(taken, { offload: 'whole', tailroom: 4 })
    t.match(mine, { offload: 'whole', headroom: 0, tailroom: 4 })
    t.ok(mine.accepts.has('tso6'))
    await b.close()
  })

  t.test('nothing is left', async t => {
    await Promise.all([red.close(), blue.close()])
    await leaks(t)
  })
}
