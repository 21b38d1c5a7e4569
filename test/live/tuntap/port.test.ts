import t from 'tap'
import { type FrameBatch, type FramePort, NativeBatch, portPair } from '../../../src/port/index.js'
import { Tap, Tun } from '../../../src/tuntap/index.js'
import { runChild } from '../../support/child.js'
import { watchLeaks } from '../../support/leaks.js'
import { isMarked, markedBatch, readMarked, sequenceOf } from '../../support/marked-frames.js'
import { createNetwork, requiresNetworks } from '../../support/network.js'
import { portConformance } from '../../support/port-conformance.js'
import { requires } from '../../support/requires.js'

if (requiresNetworks(t)) {
  const leaks = watchLeaks()
  const network = await createNetwork()
  await network.links.create({ kind: 'bridge', name: 'br0', up: true, ipv6LinkLocal: 'none' })

  const onBridge = { in: network, master: 'br0', ipv6LinkLocal: 'none' } as const
  const pair = async (options: object = {}): Promise<[Tap, Tap]> => [
    await Tap.create({ ...onBridge, ...options }),
    await Tap.create({ ...onBridge, ...options }),
  ]

  portConformance(t, 'Tap', () => pair() as Promise<[FramePort<'ethernet'>, FramePort<'ethernet'>]>)
  t.test('with headers on the descriptor', async t => {
    portConformance(t, 'packet information', () => pair({ packetInformation: true }))
    portConformance(t, 'virtio-net header', () => pair({ vnetHeaderSize: 12 }))
    portConformance(t, 'super-frames whole', () => pair({ offload: 'whole' }))
    portConformance(t, 'super-frames cut, with room around frames', () =>
      pair({ offload: 'split', headroom: 33, tailroom: 16 }),
    )
    portConformance(t, 'both', () => pair({ packetInformation: true, vnetHeaderSize: 10, napi: true }))
  })

  t.test('stale views of released memory have length 0, and never show other frames', async t => {
    const [a, b] = await pair()
    const stale: Uint8Array[] = []
    for (let i = 0; i < 40; i++) {
      await a.send(markedBatch(i * 100, 100, 1400))
      for await (const batch of b.batches()) {
        const view = batch.frame(0)
        if (isMarked(view)) stale.push(view)
        break
      }
      for (let batch = b.tryReceive(); batch; batch = b.tryReceive()) batch.release()
    }
    const first = stale[0]!
    t.equal(first.length, 0, 'memory that was filled anew is detached')
    for (const view of stale) t.ok(view.length === 0 || isMarked(view))
    await Promise.all([a.close(), b.close()])
  })

  t.test('memory that is owned stays', async t => {
    const [a, b] = await pair()
    const kept: Uint8Array[] = []
    const batches = b.batches({ lifetime: 'owned' })
    for (let i = 0; i < 20; i++) {
      await a.send(markedBatch(i * 50, 50, 1400))
      while (kept.length < (i + 1) * 50) {
        const step = await batches.next()
        for (const frame of step.value!) if (isMarked(frame)) kept.push(frame)
      }
    }
    await batches.return!()
    t.same(
      kept.map(sequenceOf),
      Array.from({ length: 1000 }, (_, i) => i),
    )
    await Promise.all([a.close(), b.close()])
  })

  t.test('a kept batch outlives the memory around it', async t => {
    const [a, b] = await pair()
    await a.send(markedBatch(1, 8, 1400))
    const kept = (await firstBatch(b)).keep()
    const before = kept.copy(0)
    for (let i = 0; i < 20; i++) {
      await a.send(markedBatch(100, 200, 1400))
      for (let batch = b.tryReceive(); batch; batch = b.tryReceive()) batch.release()
    }
    t.same(kept.copy(0), before)
    kept.release()
    t.throws(() => kept.slab, { code: 'ERR_BATCH_RELEASED' })
    t.throws(() => kept.offsets, { code: 'ERR_BATCH_RELEASED' })
    await Promise.all([a.close(), b.close()])
  })

  t.test('a received batch is sent on, whole or in part, also through memory', async t => {
    const [a, b] = await pair()
    const other = await createNetwork(network)
    await other.links.create({ kind: 'bridge', name: 'br0', up: true, ipv6LinkLocal: 'none' })
    const e = await Tap.create({ in: other, master: 'br0', ipv6LinkLocal: 'none' })
    const f = await Tap.create({ in: other, master: 'br0', ipv6LinkLocal: 'none' })
    await a.send(markedBatch(1, 5))
    const batch = await firstBatch(b)
    t.ok(batch instanceof NativeBatch)
    const marked = [...batch].filter(isMarked).length
    const reading = readMarked(f, marked)
    const result = await e.send(batch)
    t.equal(result.sent, batch.count)
    t.equal((await reading).length, marked)
    const [m, n] = portPair('ethernet')
    t.equal(m.trySend(batch).sent, batch.count)
    t.same(n.tryReceive()!.copy(0), batch.copy(0))
    // Its columns are the user's to spoil: what lies outside is refused, frame by frame.
    batch.lengths[0] = 0xffffffff
    t.match(e.trySend(batch), {
      dropped: 1,
      sent: batch.count - 1,
      failure: { index: 0, error: { code: 'ERR_OUT_OF_RANGE' } },
    })
    batch.release()
    t.throws(() => e.trySend(batch), { code: 'ERR_BATCH_RELEASED' })
    const tun = await Tun.create({ in: other })
    t.throws(() => tun.trySend(markedBatch(1, 1) as never), { code: 'ERR_INVALID_ARG_VALUE' })
    await Promise.all([a, b, e, f, tun].map(port => port.close()))
    await other.close()
  })

  t.test('a queue that overflows shows in the counters', async t => {
    const [a, b] = await pair({ txQueueLength: 4 })
    for (let i = 0; i < 10; i++) await a.send(markedBatch(i, 10))
    t.ok(b.counters().receivedDropped > 0n, 'counted by the kernel')
    const dropped = b.counters().receivedDropped
    await Promise.all([a.close(), b.close()])
    t.equal(b.counters().receivedDropped, dropped, 'and known after the end')
  })

  t.test('a send buffer that is full makes send() wait', async t => {
    if (!requires(t, 'tc')) return
    // Two bridges, and between them a line so slow that frames pile up in front of it, charged to the sender.
    await network.links.create({ kind: 'bridge', name: 'br1', up: true, ipv6LinkLocal: 'none' })
    const peer = { name: 'slow1', mtu: 1500 }
    await network.links.create({
      kind: 'veth',
      name: 'slow0',
      master: 'br0',
      up: true,
      ipv6LinkLocal: 'none',
      peer,
    })
    await network.links.change('slow1', { master: 'br1', up: true, ipv6LinkLocal: 'none' })
    const shape = [
      'qdisc',
      'add',
      'dev',
      'slow0',
      'root',
      'tbf',
      'rate',
      '4mbit',
      'burst',
      '4kb',
      'limit',
      '1mb',
    ]
    await network.namespace.exec('tc', shape)
    const a = await Tap.create({ ...onBridge, sendBuffer: 8192 })
    const b = await Tap.create({ ...onBridge, master: 'br1' })
    t.equal(a.sendBuffer, 8192)
    // To nobody in particular: a broadcast would go to the bridge itself, and copies of it are charged to nobody.
    const unicast = (first: number) => {
      const batch = markedBatch(first, 64, 1000)
      for (const frame of batch) frame[0] = 0x02
      return batch
    }
    const stopped = a.trySend(unicast(0))
    t.ok(stopped.next < 64 && stopped.dropped === 0, `stopped at ${stopped.next}`)
    const reading = readMarked(b, stopped.sent + 64)
    t.match(await a.send(unicast(stopped.sent)), { sent: 64, dropped: 0, next: 64 })
    t.same(
      (await reading).map(sequenceOf),
      Array.from({ length: stopped.sent + 64 }, (_, i) => i),
      'nothing was lost, nothing overtook',
    )
    await Promise.all([a.close(), b.close()])
    const child = await runChild(`
      const network = await Network.create({ userNamespace: process.getuid() !== 0 })
      await network.links.create({ kind: 'bridge', name: 'br0', up: true })
      await network.links.create({ kind: 'veth', name: 'v0', master: 'br0', up: true, peer: { name: 'v1' } })
      await network.links.change('v1', { up: true })
      const shape = ['qdisc', 'add', 'dev', 'v0', 'root', 'tbf', 'rate', '1kbit', 'burst', '2kb', 'limit', '1mb']
      await network.namespace.exec('tc', shape)
      const tap = await Tap.create({ in: network, master: 'br0', sendBuffer: 8192 })
      const frame = new Uint8Array(1000)
      frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5])
      while (tap.trySend(frame).sent);
      const abort = new AbortController()
      setTimeout(() => abort.abort(), 50)
      const first = tap.send(frame, { signal: abort.signal }).catch(error => error.code)
      const second = tap.send(frame, { signal: abort.signal }).catch(error => error.code)
      console.log(await first, await second)
      setTimeout(() => { console.log('held'); process.exit(3) }, 3000).unref()
    `)
    t.match(child, { code: 0, stdout: 'ABORT_ERR ABORT_ERR\n' }, 'who gave up holds no process')
  })

  t.test('TUN carries packets of both versions, with and without packet information', async t => {
    for (const packetInformation of [false, true]) {
      await using tun = await Tun.create({
        in: network,
        packetInformation,
        addresses: ['10.1.0.1/24', 'fd01::1/64'],
      })
      await network.namespace.exec('ping', ['-c1', '-W1', '10.1.0.2'], { reject: false })
      await network.namespace.exec('ping', ['-6', '-c1', '-W1', 'fd01::2'], { reject: false })
      const versions = new Set<number>()
      for await (const batch of tun.batches()) {
        for (const packet of batch) versions.add(packet[0]! >> 4)
        if (versions.size === 2) break
      }
      t.same([...versions].sort(), [4, 6])
    }
  })

  t.test('closed', async t => {
    await network.close()
    await leaks(t)
  })
}

async function firstBatch(port: Tap): Promise<FrameBatch<'ethernet'>> {
  for await (const batch of port.batches()) if ([...batch].some(isMarked)) return batch.keep()
  throw new Error('the port ended')
}
