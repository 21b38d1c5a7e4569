import { setImmediate as nextTurn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Capture } from '../../../src/capture/index.js'
import { compileFilter } from '../../../src/filter/index.js'
import { frameFlags, verifyChecksums } from '../../../src/frames/index.js'
import { Network } from '../../../src/network/index.js'
import { cutFrames, type Forward, filter, forward, portPair } from '../../../src/port/index.js'
import { Tap, Tun } from '../../../src/tuntap/index.js'
import { iperf3 } from '../../support/iperf.js'
import { watchLeaks } from '../../support/leaks.js'
import { isMarked, markedFrame, sequenceOf } from '../../support/marked-frames.js'
import { requires, requiresRoot } from '../../support/requires.js'

/** Two networks with a device in each, and a forward between them. */
async function tunnel(kind: 'tun' | 'tap', whole = false) {
  const red = await Network.create()
  const blue = await Network.create()
  const more = whole ? ({ offload: 'whole' } as const) : {}
  const open = (network: Network, host: number) => {
    const addresses = [`10.7.0.${host}/24`, `fd07::${host}/64`]
    const options = { in: network, name: 'vpn0', addresses, ...more }
    return kind === 'tun' ? Tun.create(options) : Tap.create(options)
  }
  const a = (await open(red, 1)) as Tap
  const b = (await open(blue, 2)) as Tap
  const joined = forward(a, b)
  return {
    red,
    blue,
    a,
    b,
    joined,
    async [Symbol.asyncDispose]() {
      await joined.close()
      await a.close()
      await b.close()
      await red.close()
      await blue.close()
    },
  }
}

async function pings(t: Test, network: Network, host = 2): Promise<void> {
  for (const address of [`10.7.0.${host}`, `fd07::${host}`]) {
    const arguments_ = ['-c', '5', '-i', '0.02', '-W', '5', address]
    const { stdout } = await network.namespace.exec('ping', arguments_)
    t.match(stdout, /5 received, 0% packet loss/, `ping ${address}`)
  }
}

/** The kernel's counters of a link, which it counts from its own side. */
async function kernelCounts(network: Network, name: string) {
  const { rxPackets, rxBytes, txPackets, txBytes } = await network.links.statistics(name)
  return { rxPackets, rxBytes, txPackets, txBytes }
}

function total({ joined }: { joined: Forward<'ethernet'> }) {
  const { aToB, bToA } = joined.counters()
  return { frames: aToB.frames + bToA.frames, dropped: aToB.dropped + bToA.dropped }
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('ping, TCP and UDP between two devices', async t => {
    if (!requires(t, 'ping', 'iperf3')) return
    for (const kind of ['tun', 'tap'] as const) {
      for (const whole of [false, true]) {
        await using both = await tunnel(kind, whole)
        const { red, blue, a, b, joined } = both
        t.equal(a.owner, 'forward')
        await pings(t, red)
        const tcp = await iperf3(red, blue, '10.7.0.2', '-n', '64M')
        t.ok(tcp.sum_received.bytes >= 16 << 20, 'TCP')
        const back = await iperf3(red, blue, '10.7.0.2', '-n', '16M', '-R')
        t.ok(back.sum_received.bytes >= 1 << 20, 'TCP, the other way')
        const udp = await iperf3(red, blue, '10.7.0.2', '-n', '50K', '-u', '-b', '50M', '-l', '1200')
        t.equal(udp.sum.lost_packets, 0, 'UDP')
        const frames = total(both)
        t.equal(frames.dropped, 0n)
        t.ok(
          whole ? frames.frames < 30_000n : frames.frames > 50_000n,
          `${frames.frames} frames, whole: ${whole}`,
        )
        // What the kernel received from us we sent, and what it sent we received.
        joined.pause()
        const here = await kernelCounts(red, a.name)
        const there = await kernelCounts(blue, b.name)
        const { aToB, bToA } = joined.counters()
        t.same([there.rxPackets, there.rxBytes], [aToB.frames, aToB.bytes])
        t.same([here.rxPackets, here.rxBytes], [bToA.frames, bToA.bytes])
        t.match(a.counters(), {
          sentFrames: bToA.frames,
          sentBytes: bToA.bytes,
          sentDropped: 0n,
          receivedFrames: aToB.frames,
          receivedBytes: aToB.bytes,
        })
        await joined.close()
        t.equal(a.owner, 'none')
        t.equal(a.counters().sentFrames, bToA.frames, 'they stay')
      }
    }
  })

  t.test('devices that differ in what they take', async t => {
    if (!requires(t, 'ping', 'iperf3')) return
    const ways = ['off', 'split', 'whole'] as const
    for (const kind of [Tun, Tap]) {
      for (const [here, there] of ways.flatMap(each => ways.map(other => [each, other] as const))) {
        if (here === there && here !== 'split') continue
        await using red = await Network.create()
        await using blue = await Network.create()
        const open = (network: Network, host: number, offload: (typeof ways)[number]) =>
          kind.create({ in: network, offload, addresses: [`10.7.0.${host}/24`, `fd07::${host}/64`] })
        await using a = (await open(red, 1, here)) as Tap
        await using b = (await open(blue, 2, there)) as Tap
        await using joined = forward(a, b, { thread: 'own' })
        await pings(t, red)
        const back = await iperf3(red, blue, '10.7.0.2', '-n', '8M', '-R')
        t.ok(back.sum_received.bytes >= 1 << 20, `${kind.name} ${here} to ${there}`)
        t.ok((await iperf3(red, blue, '10.7.0.2', '-n', '8M')).sum_received.bytes >= 1 << 20)
        const { aToB, bToA } = joined.counters()
        t.same([aToB.dropped, bToA.dropped], [0n, 0n])
        const udp = await iperf3(red, blue, '10.7.0.2', '-n', '50K', '-u', '-b', '50M', '-l', '1200')
        t.equal(udp.sum.lost_packets, 0)
      }
    }
  })

  t.test('ping and TCP between a device and a cable', async t => {
    if (!requires(t, 'ping', 'iperf3')) return
    for (const whole of [false, true]) {
      for (const latency of ['low', 'batched'] as const) {
        await using red = await Network.create()
        await using middle = await Network.create()
        await using blue = await Network.create()
        await middle.links.create({
          kind: 'veth',
          name: 'v1',
          up: true,
          ipv6LinkLocal: 'none',
          peer: { name: 'v0', in: blue },
        })
        await blue.links.change('v0', { up: true })
        // Without virtio-net headers nobody tells us what checksum is still to be made.
        if (!whole) await blue.ethtool.features.set('v0', { tx: false, tso: false, gso: false })
        for (const address of ['10.7.0.2/24', 'fd07::2/64'])
          await blue.addresses.create({ link: 'v0', address, dad: 'skip' })
        const more = whole ? ({ offload: 'whole' } as const) : {}
        await using tap = await Tap.create({
          in: red,
          addresses: ['10.7.0.1/24', 'fd07::1/64'],
          ...more,
        })
        await using capture = await Capture.open({
          in: middle,
          interface: 'v1',
          linkType: 'ethernet',
          latency,
          timeoutMs: 1,
          offload: whole ? 'whole' : 'off',
        })
        await using joined = forward(tap, capture)
        await pings(t, red)
        const tcp = await iperf3(red, blue, '10.7.0.2', '-n', '16M')
        t.ok(tcp.sum_received.bytes >= 1 << 20)
        t.ok((await iperf3(red, blue, '10.7.0.2', '-n', '16M', '-R')).sum_received.bytes >= 1 << 20)
        const { aToB, bToA } = joined.counters()
        t.same([aToB.dropped, bToA.dropped], [0n, 0n])
        joined.pause()
        t.equal((await kernelCounts(blue, 'v0')).rxPackets, joined.counters().aToB.frames)
        t.equal(capture.counters().sentFrames, joined.counters().aToB.frames)
        t.equal(capture.counters().receivedFrames, joined.counters().bToA.frames)
      }
    }
  })

  t.test('a filter for each direction, in each of its forms', async t => {
    if (!requires(t, 'ping')) return
    const icmp = compileFilter('icmp', { linkType: 'ip' })
    for (const each of ['icmp', icmp, icmp.bytes()]) {
      await using red = await Network.create()
      await using blue = await Network.create()
      await using a = await Tun.create({ in: red, addresses: ['10.7.0.1/24', 'fd07::1/64'] })
      await using b = await Tun.create({ in: blue, addresses: ['10.7.0.2/24', 'fd07::2/64'] })
      await using joined = forward(a, b, { aToB: { filter: each } })
      await red.namespace.exec('ping', ['-c', '2', '-i', '0.02', '10.7.0.2'])
      const { code } = await red.namespace.exec('ping', ['-c', '1', '-W', '1', 'fd07::2'], { reject: false })
      t.not(code, 0, 'what the filter refuses does not pass')
      const { aToB, bToA } = joined.counters()
      t.ok(aToB.frames >= 2n && aToB.filtered >= 1n)
      t.equal(bToA.filtered, 0n)
    }
  })

  t.test('a rate', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    await using a = await Tap.create({ in: red, txQueueLength: 2000, ipv6LinkLocal: 'none' })
    await using b = await Tap.create({ in: blue, ipv6LinkLocal: 'none' })
    await using sender = await Capture.open({
      in: red,
      interface: a.name,
      linkType: 'ethernet',
      direction: 'in',
    })
    const began = process.hrtime.bigint()
    const rate = { bitsPerSecond: 4_000_000, burstBytes: 3000 }
    await using joined = forward(a, b, { aToB: { rate } })
    for (let i = 0; i < 500; i++) await sender.send(markedFrame(i, 1000))
    const seen = joined.observe()
    let count = 0
    while (joined.counters().aToB.bytes < 250_000n) {
      const { value } = await seen.next()
      count += value?.count ?? 0
      const { bytes } = joined.counters().aToB
      const nanoseconds = process.hrtime.bigint() - began
      // However late this is looked at: never more than the rate lets through in that time, the burst and a frame.
      t.ok(bytes <= (nanoseconds * 500_000n) / 1_000_000_000n + 4000n, `${bytes} bytes in ${nanoseconds} ns`)
    }
    t.ok(count > 0)
    t.equal(joined.counters().aToB.dropped, 0n, 'what does not pass waits')
  })

  t.test('pause and resume', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    await using a = await Tap.create({ in: red, ipv6LinkLocal: 'none' })
    await using b = await Tap.create({ in: blue, ipv6LinkLocal: 'none' })
    await using sender = await Capture.open({
      in: red,
      interface: a.name,
      linkType: 'ethernet',
      direction: 'in',
    })
    await using receiver = await Capture.open({ in: blue, interface: b.name, linkType: 'ethernet' })
    const arriving = receiver.batches()
    const next = async () => {
      for (;;) {
        const { value } = await arriving.next()
        const found = value ? [...value].find(isMarked) : undefined
        if (found) return sequenceOf(found)
      }
    }
    await using joined = forward(a, b, { paused: true, thread: 'own' })
    t.equal(joined.paused, true)
    await sender.send(markedFrame(1))
    t.equal(joined.counters().aToB.frames, 0n)
    joined.resume()
    t.equal(await next(), 1)
    joined.pause()
    const before = joined.counters().aToB.frames
    await sender.send(markedFrame(2))
    joined.pause()
    t.equal(joined.counters().aToB.frames, before)
    // What JavaScript sends by a port that is forwarded goes out beside it.
    await b.send(markedFrame(3))
    t.equal(await next(), 3)
    joined.resume()
    t.equal(await next(), 2)
    await arriving.return?.()
    await joined.close()
    joined.pause()
    t.equal(joined.paused, false, 'after the end nothing changes')
  })

  t.test('observers', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    await using a = await Tap.create({ in: red, ipv6LinkLocal: 'none' })
    await using b = await Tap.create({ in: blue, ipv6LinkLocal: 'none' })
    const only = { linkType: 'ethernet', direction: 'in' } as const
    await using first = await Capture.open({ in: red, interface: a.name, ...only })
    await using second = await Capture.open({ in: blue, interface: b.name, ...only })
    const joined = forward(a, b)
    const all = joined.observe()
    const few = joined.observe({ direction: 'bToA', snapLength: 20, limit: 2 })
    for (let i = 0; i < 5; i++) {
      await first.send(markedFrame(i))
      await second.send(markedFrame(100 + i))
    }
    const seen: { sequence: number; from: number }[] = []
    for await (const batch of all) {
      for (let i = 0; i < batch.count; i++) {
        t.equal(batch.originalLengths![i], 60)
        t.ok(batch.timestamps![i]! > 0n)
        seen.push({ sequence: sequenceOf(batch.frame(i)), from: batch.interfaces![i]! })
      }
      if (seen.length === 10) break
    }
    const from = (port: number) => seen.filter(each => each.from === port).map(({ sequence }) => sequence)
    t.same(from(0), [0, 1, 2, 3, 4])
    t.same(from(1), [100, 101, 102, 103, 104])
    t.equal(all.dropped, 0n)
    t.equal(few.dropped, 3n)
    await joined.close()
    const rest: number[] = []
    for await (const batch of few) for (const frame of batch) rest.push(frame.length)
    t.same(rest, [20, 20], 'what was there when the forward ended is still read')
    t.equal(few.dropped, 3n)
    t.same(await joined.observe().next(), { done: true, value: undefined })
    const aborted = AbortSignal.abort()
    await t.rejects(joined.observe({ signal: aborted }).next(), { name: 'AbortError' })
  })

  t.test('observers see super-frames whole, with what is left undone in them', async t => {
    if (!requires(t, 'iperf3')) return
    await using both = await tunnel('tap', true)
    const { red, blue, joined } = both
    const all = joined.observe({ direction: 'aToB', limit: 65536 })
    const heads = joined.observe({ direction: 'aToB', snapLength: 200, limit: 65536 })
    await iperf3(red, blue, '10.7.0.2', '-n', '3M')
    await joined.close()
    const { checksumNotReady, segmentationOffloaded } = frameFlags
    let whole = 0
    let plain = 0
    for await (const batch of all) {
      let expected = 0
      for (let i = 0; i < batch.count; i++) {
        const isSuper = batch.gso!.isSuperFrame(i)
        t.equal((batch.flags![i]! & segmentationOffloaded) !== 0, isSuper)
        t.equal((batch.flags![i]! & checksumNotReady) !== 0, batch.gso!.needsChecksum(i))
        if (!isSuper) t.ok(batch.lengths[i]! <= 1514)
        const headers = batch.gso!.get(i).headersLength
        const { segmentSize } = batch.gso!.get(i)
        expected += isSuper ? Math.ceil((batch.lengths[i]! - headers) / segmentSize) : 1
        whole += isSuper ? 1 : 0
      }
      const cut = cutFrames(batch)
      t.equal(cut.count, expected)
      for (const frame of cut) {
        t.ok(frame.length <= 1514)
        const { ipv4, tcp } = verifyChecksums(frame, 'ethernet')
        t.ok((ipv4 ?? 'ok') === 'ok' && (tcp ?? 'ok') === 'ok')
      }
      plain += cut.count
    }
    t.ok(whole > 10 && plain > whole * 2, `${whole} super-frames of ${plain} frames`)
    for await (const batch of heads) {
      // What was cut off is no super-frame that could be cut: it is copied as it is.
      const cut = cutFrames(batch)
      t.ok(cut.count >= batch.count && cut.lengths.every(length => length <= 200))
    }
  })

  t.test('what is lost is counted by its reason, and at the port where it was', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    await using wide = await Tap.create({ in: red, mtu: 9000, ipv6LinkLocal: 'none' })
    const pair = { name: 'v1', mtu: 9000 }
    await red.links.create({
      kind: 'veth',
      name: 'v0',
      mtu: 9000,
      up: true,
      ipv6LinkLocal: 'none',
      peer: pair,
    })
    const narrow = { name: 'n1' }
    await blue.links.create({ kind: 'veth', name: 'n0', up: true, ipv6LinkLocal: 'none', peer: narrow })
    await red.links.change('v1', { up: true, ipv6LinkLocal: 'none' })
    await blue.links.change('n1', { up: true, ipv6LinkLocal: 'none' })
    const inward = { linkType: 'ethernet', direction: 'in' } as const
    await using sender = await Capture.open({ ...inward, in: red, interface: wide.name })
    await using cable = await Capture.open({ ...inward, in: blue, interface: 'n0' })
    const none = { filtered: 0n, tooLong: 0n, refused: 0n, incomplete: 0n, leftOver: 0n }
    {
      await using joined = forward(wide, cable, { aToB: { filter: 'ether[12:2] = 0x88b5' } })
      const seen = joined.observe()
      await sender.send(markedFrame(1, 5000))
      await sender.send(markedFrame(2, 1000))
      await seen.next()
      while (joined.counters().aToB.frames < 1n) await seen.next()
      t.match(joined.counters().aToB, { ...none, frames: 1n, bytes: 1000n, dropped: 1n, tooLong: 1n })
      t.match(cable.counters(), { sentFrames: 1n, sentDropped: 1n })
      t.match(wide.counters(), { receivedFrames: 2n, receivedDropped: 0n, sentDropped: 0n })
      await blue.links.change('n0', { up: false })
      await sender.send(markedFrame(3, 1000))
      while (joined.counters().aToB.dropped < 2n) await nextTurn()
      t.match(joined.counters().aToB, { ...none, frames: 1n, dropped: 2n, tooLong: 1n, refused: 1n })
      t.match(cable.counters(), { sentFrames: 1n, sentDropped: 2n })
    }
    t.match(cable.counters(), { sentFrames: 1n, sentDropped: 2n })
    // A capture that keeps 100 bytes of each frame has none of those that are longer.
    await using cut = await Capture.open({ ...inward, in: red, interface: 'v0', snapLength: 100 })
    await using other = await Capture.open({ ...inward, in: red, interface: 'v1' })
    await using joined = forward(cut, wide, { aToB: { filter: 'ether[12:2] = 0x88b5' } })
    await other.send(markedFrame(4, 1000))
    await other.send(markedFrame(5, 60))
    while (joined.counters().aToB.frames < 1n) await nextTurn()
    t.match(joined.counters().aToB, { ...none, frames: 1n, dropped: 1n, incomplete: 1n })
    t.match(wide.counters(), { sentFrames: 1n, sentDropped: 0n })
    t.equal(cut.counters().receivedFrames, 1n)
    t.equal(cut.counters().receivedDropped, 1n)
  })

  t.test('what is refused', async t => {
    await using network = await Network.create()
    await using a = await Tap.create({ in: network })
    await using b = await Tap.create({ in: network })
    await using tun = await Tun.create({ in: network })
    const [memory] = portPair('ethernet')
    t.throws(() => forward(a, memory), { code: 'ERR_NOT_NATIVE_PORT' })
    t.throws(() => forward(filter(a, 'ip'), b), { code: 'ERR_NOT_NATIVE_PORT' })
    t.throws(() => forward(a, {} as Tap), { code: 'ERR_NOT_NATIVE_PORT' })
    t.throws(() => forward(a, undefined as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => forward(a, a), { code: 'ERR_INVALID_ARG_VALUE' })
    // @ts-expect-error: of another link type
    t.throws(() => forward(a, tun), { code: 'ERR_INVALID_ARG_VALUE' })
    for (const [options, code] of [
      [{ other: 1 }, 'ERR_INVALID_ARG_VALUE'],
      [{ thread: 'mine' }, 'ERR_INVALID_ARG_VALUE'],
      [{ paused: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ aToB: { filter: 'no such word' } }, 'ERR_FILTER_INVALID'],
      [{ aToB: { filter: 1 } }, 'ERR_INVALID_ARG_TYPE'],
      [{ aToB: { filter: new Uint8Array(9) } }, 'ERR_INVALID_ARG_VALUE'],
      [{ aToB: { filter: new Uint8Array(8) } }, 'ERR_FILTER_INVALID'],
      [{ bToA: { rate: { bitsPerSecond: 0 } } }, 'ERR_OUT_OF_RANGE'],
      [{ bToA: { rate: { bitsPerSecond: '1' } } }, 'ERR_INVALID_ARG_TYPE'],
      [{ bToA: { rate: { bitsPerSecond: 8, burstBytes: 0.5 } } }, 'ERR_OUT_OF_RANGE'],
    ] as const) {
      t.throws(() => forward(a, b, options as never), { code }, code)
    }
    const reader = a.batches()
    t.throws(() => forward(a, b), { code: 'ERR_PORT_LOCKED' })
    t.throws(() => forward(b, a), { code: 'ERR_PORT_LOCKED' })
    await reader.return?.()
    t.same([a.owner, b.owner], ['none', 'none'], 'a refusal leaves nothing behind')
    await using joined = forward(a, b)
    t.throws(() => a.batches(), { code: 'ERR_PORT_LOCKED' })
    t.throws(() => a.tryReceive(), { code: 'ERR_PORT_LOCKED' })
    t.throws(() => forward(a, b), { code: 'ERR_PORT_LOCKED' })
    t.throws(() => joined.observe({ limit: 0 }), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => joined.observe({ direction: 'up' as never }), { code: 'ERR_INVALID_ARG_VALUE' })
    t.throws(() => a.setSendBuffer(1 << 20), { code: 'ERR_INVALID_STATE' })
    await joined.close()
    a.tryReceive()?.release()
    await b.close()
    t.throws(() => forward(a, b), { code: 'ERR_PORT_CLOSED' })
  })

  t.test('captures that cannot be forwarded', async t => {
    await using network = await Network.create()
    await using tap = await Tap.create({ in: network })
    const options = { in: network, interface: tap.name, linkType: 'ethernet' } as const
    await using metadata = await Capture.open({ ...options, vlan: 'metadata' })
    t.throws(() => forward(tap, metadata), { code: 'ERR_UNSUPPORTED' })
    await using any = await Capture.openAny({ in: network })
    await using other = await Capture.openAny({ in: network })
    t.throws(() => forward(any, other), { code: 'ERR_UNSUPPORTED' })
    t.same([tap.owner, any.owner], ['none', 'none'])
    await using capture = await Capture.open(options)
    await using second = await Tap.create({ in: network })
    const joined = forward(second, capture)
    t.throws(() => capture.setFilter('ip'), { code: 'ERR_INVALID_STATE' })
    await t.rejects(capture.toFile('/dev/null'), { code: 'ERR_PORT_LOCKED' })
    await joined.close()
    capture.setFilter('ip')
  })

  t.test('nothing is left', leaks)
}
