import { readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { Capture, type CaptureOptions } from '../../../src/capture/index.js'
import { Network } from '../../../src/network/index.js'
import type { PortEvent } from '../../../src/port/index.js'
import { captured } from '../../support/captured.js'
import { descriptors, watchLeaks } from '../../support/leaks.js'
import { markedBatch, markedFrame, sequenceOf } from '../../support/marked-frames.js'
import { connectedNetworks, wiredNetwork } from '../../support/networks.js'
import { requiresRoot } from '../../support/requires.js'

const latencies = ['batched', 'low'] as const

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('an interface that goes down and comes up again', async t => {
    for (const latency of latencies) {
      await using cable = await connectedNetworks()
      const { red, blue } = cable
      await using sender = await Capture.open({ in: red, interface: 'v0', linkType: 'ethernet' })
      await using capture = await Capture.open({ in: blue, interface: 'v0', latency, filter: 'len = 60' })
      const events = capture.events()
      t.match((await events.next()).value, { type: 'state', state: { name: 'v0', up: true } })
      const reading = captured(capture, 2)
      await sender.send(markedFrame(1))
      await blue.links.change('v0', { up: false })
      await until(events, 'down')
      await blue.links.change('v0', { up: true })
      await until(events, 'up')
      // A frame is lost until both ends have carrier again.
      while (capture.stats().received < 2n) {
        await sender.send(markedFrame(2))
        await nextTurn()
      }
      t.same(
        (await reading).map(({ data }) => sequenceOf(data)),
        [1, 2],
        'the reader waits on',
      )
    }
  })

  t.test('an interface that is down when the capture is opened', async t => {
    await using network = await wiredNetwork()
    await network.links.change('v0', { up: false })
    await using capture = await Capture.open({ in: network, interface: 'v0' })
    const refused = capture.trySend(markedFrame(1))
    t.match(refused, { sent: 0, dropped: 1, failure: { error: { code: 'ENETDOWN' } } })
    const events = collect(capture.events())
    await network.links.delete('v0')
    t.match((await events).at(-1), { type: 'removed' })
    t.same(await capture.closed, { type: 'removed' })
  })

  t.test('an interface that is removed, or moved, up or down, read or not', async t => {
    for (const latency of latencies) {
      for (const down of [false, true]) {
        for (const moved of [false, true]) {
          await using network = await wiredNetwork()
          await using other = await Network.create()
          await using capture = await Capture.open({ in: network, interface: 'v0', latency })
          await using unread = await Capture.open({ in: network, interface: 'v0', latency })
          const events = collect(capture.events())
          const reading = drain(capture.batches())
          if (down) await network.links.change('v0', { up: false })
          if (moved) await network.links.move('v0', other)
          else await network.links.delete('v0')
          t.same(await capture.closed, { type: 'removed' }, `down: ${down}, moved: ${moved}`)
          t.same(await unread.closed, { type: 'removed' })
          await reading
          t.match((await events).at(-1), { type: 'removed' })
          t.throws(() => capture.trySend(markedFrame(1)), { code: 'ERR_PORT_CLOSED' })
          t.throws(() => capture.setFilter('ip'), { code: 'ERR_PORT_CLOSED' })
          t.type(capture.stats().received, 'bigint')
        }
      }
    }
  })

  t.test('closes at once on a silent link, whoever waits', async t => {
    await using network = await wiredNetwork()
    for (const latency of latencies) {
      const capture = await Capture.open({ in: network, interface: 'v0', latency, filter: 'ether proto 1' })
      const waiting = capture.batches().next()
      await nextTurn()
      await capture.close()
      t.match(await waiting, { done: true })
      t.same(await capture.closed, { type: 'closed' })
      const any = await Capture.openAny({ in: network, latency, filter: 'ether proto 1' })
      const controller = new AbortController()
      const aborted = any.batches({ signal: controller.signal }).next()
      controller.abort()
      await t.rejects(aborted, { name: 'AbortError' })
      await any.close()
    }
  })

  t.test('a signal ends the opening, and the capture', async t => {
    await using network = await wiredNetwork()
    const options = { in: network, interface: 'v0' }
    await t.rejects(Capture.open({ ...options, signal: AbortSignal.abort() }), { name: 'AbortError' })
    const early = new AbortController()
    const opening = Capture.open({ ...options, signal: early.signal })
    early.abort()
    await t.rejects(opening, { name: 'AbortError' })
    const late = new AbortController()
    const capture = await Capture.open({ ...options, signal: late.signal })
    const reading = drain(capture.batches())
    late.abort()
    await reading
    t.same(await capture.closed, { type: 'closed' })
  })

  t.test('a slow reader loses frames, and hears how many', async t => {
    for (const latency of latencies) {
      await using cable = await connectedNetworks()
      await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
      const small = { blockSize: 4096, blockCount: 4, snapLength: 1514 }
      await using capture = await Capture.open({ in: cable.blue, interface: 'v0', latency, ...small })
      const events = capture.events()
      await events.next()
      const total = 500
      for (let i = 0; i < total; i += 10) await sender.send(markedBatch(i, 10, 1000))
      const stats = capture.stats()
      t.equal(stats.received, BigInt(total))
      t.ok(stats.dropped > 0n)
      t.same(capture.stats(), stats, 'reading takes nothing away')
      let frames = 0
      let dropped = 0
      const batches = capture.batches()
      while (frames + dropped < total) {
        const { value } = await batches.next()
        frames += value.count
        dropped += value.dropped
        // The kernel tells of the last drops with a frame after them.
        if (frames + dropped < total) await sender.send(markedFrame(0, 1000))
        if (frames + dropped > total) break
      }
      t.ok(frames + dropped >= total)
      t.ok(dropped >= Number(stats.dropped), 'the batches tell of all')
      t.equal(capture.counters().receivedDropped, capture.stats().dropped)
      t.match(await until(events, 'dropped'), { frames: Number })
    }
  })

  t.test('the last drops of a burst are told without another frame', async t => {
    for (const { latency, read } of [
      { latency: 'low', read: (capture: Capture) => capture.batches() },
      { latency: 'batched', read: (capture: Capture) => capture.batches() },
      { latency: 'batched', read: (capture: Capture) => capture.blocks() },
    ] as const) {
      await using cable = await connectedNetworks()
      await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
      const small = { blockSize: 4096, blockCount: 4, snapLength: 1514 }
      await using capture = await Capture.open({ in: cable.blue, interface: 'v0', latency, ...small })
      const events = capture.events()
      const total = 500
      for (let i = 0; i < total; i += 10) await sender.send(markedBatch(i, 10, 1000))
      let frames = 0
      const reading = (async () => {
        for await (const batch of read(capture)) frames += batch.count
      })()
      let told = 0
      const listening = (async () => {
        for await (const event of events) if (event.type === 'dropped') told += event.frames
      })()
      // Far longer than it takes. stats() is not asked, which would count for the reader.
      const hung = AbortSignal.timeout(10_000)
      while (frames + told < total && !hung.aborted) await nextTurn()
      t.ok(told > 0)
      t.equal(frames + told, total)
      await capture.close()
      await Promise.all([reading, listening])
    }
  })

  t.test('many captures leave no descriptor and no mapping', async t => {
    await using network = await wiredNetwork()
    const small = { in: network, blockSize: 524288, blockCount: 2 }
    const before = { descriptors: descriptors(), mappings: mappings() }
    // Each takes the kernel some tens of milliseconds to close.
    const openAndClose = async (i: number) => {
      const latency = latencies[i % 2]!
      await using one = await Capture.open({ ...small, interface: 'v0', latency })
      await using all = await Capture.openAny({ ...small, latency })
      if (i % 3 === 0) void one.batches().next()
      if (i % 3 === 1) void all.events().next()
    }
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 10 }, (_, i) => openAndClose(i)))
    }
    t.same(descriptors(), before.descriptors)
    t.equal(mappings(), before.mappings)
  })

  t.test('what is wrong is refused before anything is done', async t => {
    await using network = await wiredNetwork()
    const before = descriptors()
    const open = (options: object) =>
      Capture.open({ in: network, interface: 'v0', ...options } as CaptureOptions)
    const cases: [object, string][] = [
      [{ interface: undefined }, 'ERR_INVALID_ARG_TYPE'],
      [{ interface: 'a/b' }, 'ERR_INVALID_ARG_VALUE'],
      [{ interface: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ interface: 'none0' }, 'ERR_LINK_NOT_FOUND'],
      [{ interface: 999999 }, 'ERR_LINK_NOT_FOUND'],
      [{ in: 'no-such-network' }, 'ERR_NAMESPACE_NOT_FOUND'],
      [{ device: 'v0' }, 'ERR_INVALID_ARG_VALUE'],
      [{ filter: 7 }, 'ERR_INVALID_ARG_TYPE'],
      [{ filter: 'tcp port' }, 'ERR_FILTER_INVALID'],
      [{ filter: '1\n6 0 0' }, 'ERR_FILTER_INVALID'],
      [{ filter: 'host example.net' }, 'ERR_FILTER_INVALID'],
      [{ latency: 'none' }, 'ERR_INVALID_ARG_VALUE'],
      [{ timeoutMs: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ blockSize: 5000 }, 'ERR_OUT_OF_RANGE'],
      [{ blockSize: 262144 }, 'ERR_OUT_OF_RANGE'],
      [{ blockCount: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ blockCount: 2049 }, 'ERR_OUT_OF_RANGE'],
      [{ blockSize: 2 ** 26, blockCount: 17 }, 'ERR_OUT_OF_RANGE'],
      [{ snapLength: 63 }, 'ERR_OUT_OF_RANGE'],
      [{ snapLength: 262145 }, 'ERR_OUT_OF_RANGE'],
      [{ direction: 'up' }, 'ERR_INVALID_ARG_VALUE'],
      [{ direction: 'out', ignoreOutgoing: true }, 'ERR_INVALID_ARG_VALUE'],
      [{ protocol: 65536 }, 'ERR_OUT_OF_RANGE'],
      [{ vlan: 'gone' }, 'ERR_INVALID_ARG_VALUE'],
      [{ promiscuous: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
      [{ multicast: 'some' }, 'ERR_INVALID_ARG_TYPE'],
      [{ multicast: ['01:00'] }, 'ERR_INVALID_ARG_VALUE'],
      [{ timestamps: 'exact' }, 'ERR_INVALID_ARG_VALUE'],
      [{ fanout: { mode: 'fair' } }, 'ERR_INVALID_ARG_VALUE'],
      [{ fanout: { mode: 'program' } }, 'ERR_INVALID_ARG_VALUE'],
      [{ fanout: { mode: 'hash', group: 65536 } }, 'ERR_OUT_OF_RANGE'],
      [{ linkType: 'ip' }, 'ERR_LINK_MISMATCH'],
      [{ linkType: 'null' }, 'ERR_INVALID_ARG_VALUE'],
      [{ linkType: 'linux-sll2', offload: 'whole' }, 'ERR_INVALID_ARG_VALUE'],
      [{ timestamps: 'hardware' }, 'ENOTSUP'],
    ]
    for (const [options, code] of cases) {
      await t.rejects(open(options), { code }, JSON.stringify(options))
    }
    await t.rejects(Capture.openAny({ in: network, promiscuous: true } as object), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
    t.same(descriptors(), before)
  })

  t.test('the interface is promiscuous, and hears groups, while the capture is open', async t => {
    await using network = await wiredNetwork()
    const state = async () => {
      const { stdout } = await network.namespace.exec('ip', ['-j', '-d', 'link', 'show', 'v0'])
      const { promiscuity, allmulti } = JSON.parse(stdout)[0]
      return { promiscuity, allmulti }
    }
    const groups = async () => (await network.namespace.exec('ip', ['maddress', 'show', 'v0'])).stdout
    t.same(await state(), { promiscuity: 0, allmulti: 0 })
    const one = await Capture.open({ in: network, interface: 'v0', multicast: 'all' })
    t.same(await state(), { promiscuity: 1, allmulti: 1 })
    const two = await Capture.open({
      in: network,
      interface: 'v0',
      promiscuous: false,
      multicast: ['01:00:5e:7f:00:01'],
    })
    t.same(await state(), { promiscuity: 1, allmulti: 1 })
    t.match(await groups(), /01:00:5e:7f:00:01/)
    await Promise.all([one.close(), two.close()])
    t.same(await state(), { promiscuity: 0, allmulti: 0 })
    t.notMatch(await groups(), /01:00:5e:7f:00:01/)
  })

  t.test('nothing is left', leaks)
}

async function until(events: AsyncIterableIterator<PortEvent>, type: PortEvent['type']): Promise<PortEvent> {
  for (;;) {
    const { value } = await events.next()
    if (value.type === type) return value
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

async function drain(batches: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of batches);
}

/** Rings of packet sockets that this process has mapped. */
function mappings(): number {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter(line => line.includes('socket:')).length
}
