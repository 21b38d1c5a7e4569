import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import { Network } from '../../../src/network/index.js'
import { type ForwardOptions, forward } from '../../../src/port/index.js'
import { Tap } from '../../../src/tuntap/index.js'
import { messageOf, runChild, startWorker } from '../../support/child.js'
import { descriptors, watchLeaks } from '../../support/leaks.js'
import { connectedNetworks, wiredNetwork } from '../../support/networks.js'
import { requires, requiresRoot } from '../../support/requires.js'

/** Two devices in networks of their own, joined, with traffic both ways. */
async function busy(options?: ForwardOptions) {
  const red = await Network.create()
  const blue = await Network.create()
  const a = await Tap.create({ in: red, name: 'a0', addresses: ['10.7.0.1/24'], txQueueLength: 2000 })
  const b = await Tap.create({ in: blue, name: 'b0', addresses: ['10.7.0.2/24'], txQueueLength: 2000 })
  const joined = forward(a, b, options)
  const floods = [red.namespace.spawn('ping', ['-f', '-q', '10.7.0.2'], { stdio: 'ignore' })]
  if (!options?.paused) while (joined.counters().bToA.frames < 20n) await delay(5)
  return {
    red,
    blue,
    a,
    b,
    joined,
    async [Symbol.asyncDispose]() {
      await joined.close()
      for (const flood of floods) {
        flood.kill('SIGKILL')
        if (flood.exitCode === null && flood.signalCode === null) await once(flood, 'exit')
      }
      await Promise.all([a.close(), b.close()])
      await Promise.all([red.close(), blue.close()])
    },
  }
}

/** In a process or worker of its own: two devices, joined, and traffic. */
const inChild = `
  const red = await Network.create()
  const blue = await Network.create()
  const a = await Tap.create({ in: red, addresses: ['10.7.0.1/24'] })
  const b = await Tap.create({ in: blue, addresses: ['10.7.0.2/24'] })
  const joined = forward(a, b)
  const ping = red.namespace.spawn('setpriv', ['--pdeathsig', 'KILL', 'ping', '-f', '-q', '10.7.0.2'], { stdio: 'ignore' })
  while (joined.counters().bToA.frames < 20n) await new Promise(resolve => setTimeout(resolve, 1))
`

function threads(): number {
  return readdirSync('/proc/self/task').length
}

if (requiresRoot(t) && requires(t, 'ping')) {
  const leaks = watchLeaks()

  t.test('a device is deleted', async t => {
    for (const paused of [false, true]) {
      for (const side of ['a', 'b'] as const) {
        await using all = await busy({ paused })
        const network = side === 'a' ? all.red : all.blue
        const observed = all.joined.observe()
        await network.links.delete(`${side}0`)
        t.same(await all.joined.closed, { type: 'port', port: side, reason: { type: 'removed' } })
        t.same(await all[side].closed, { type: 'removed' })
        const other = side === 'a' ? all.b : all.a
        t.equal(other.owner, 'none')
        other.tryReceive()?.release()
        for await (const batch of observed) batch.release()
      }
    }
  })

  t.test('the network around a device is given up, or the device moves to another', async t => {
    await using all = await busy()
    // The descriptor keeps the namespace.
    await all.blue.close()
    await using other = await Network.create()
    await all.red.links.move('a0', other)
    await other.links.change('a0', { up: true })
    await other.addresses.create({ link: 'a0', address: '10.7.0.1/24' })
    await other.namespace.exec('ping', ['-c', '3', '-i', '0.02', '-W', '5', '10.7.0.2'])
    t.equal(all.a.owner, 'forward')
  })

  t.test('a device goes down and comes up again', async t => {
    await using all = await busy()
    const { blue, joined } = all
    await blue.links.change('b0', { up: false })
    while (joined.counters().aToB.dropped === 0n) await delay(5)
    await blue.links.change('b0', { up: true })
    const { frames } = joined.counters().bToA
    while (joined.counters().bToA.frames < frames + 20n) await delay(5)
    t.pass('it goes on')
  })

  t.test('a cable goes down, comes up again, and is removed', async t => {
    for (const latency of ['low', 'batched'] as const) {
      await using cable = await connectedNetworks()
      const { red, blue } = cable
      await using network = await Network.create()
      await using tap = await Tap.create({ in: network, name: 'a0', addresses: ['10.7.0.1/24'] })
      await blue.addresses.create({ link: 'v0', address: '10.7.0.2/24' })
      await using capture = await Capture.open({
        in: red,
        interface: 'v0',
        linkType: 'ethernet',
        latency,
        timeoutMs: 1,
      })
      const joined = forward(tap, capture)
      const ping = () => network.namespace.exec('ping', ['-c', '3', '-i', '0.02', '-W', '5', '10.7.0.2'])
      await ping()
      await red.links.change('v0', { up: false })
      // Its frames are refused one by one; an error that stays must not keep the thread busy.
      await network.namespace.exec('ping', ['-c', '1', '-W', '1', '10.7.0.2'], { reject: false })
      const before = process.cpuUsage()
      await delay(400)
      const { user, system } = process.cpuUsage(before)
      t.ok(user + system < 200_000, `${user + system} us while nothing happens`)
      await red.links.change('v0', { up: true })
      await ping()
      await red.links.delete('v0')
      t.same(await joined.closed, { type: 'port', port: 'b', reason: { type: 'removed' } })
      t.equal(tap.owner, 'none')
    }
  })

  t.test('ended in every order', async t => {
    const orders = permutations(['joined', 'a', 'b'] as const)
    for (const order of orders) {
      for (const thread of ['shared', 'own'] as const) {
        await using all = await busy({ thread })
        await Promise.all(order.map(name => all[name].close()))
        const [first] = order
        const expected =
          first === 'joined' ? { type: 'closed' } : { type: 'port', port: first, reason: { type: 'closed' } }
        t.same(await all.joined.closed, expected, order.join(', '))
        await all.joined.close()
        all.joined.pause()
        all.joined.ref().unref()
        t.type(all.joined.counters().aToB.frames, 'bigint')
      }
    }
  })

  t.test('a signal, and descriptors that are given away', async t => {
    {
      const controller = new AbortController()
      await using all = await busy({ signal: controller.signal })
      controller.abort()
      t.same(await all.joined.closed, { type: 'closed' })
    }
    await using all = await busy()
    using taken = all.a.takeDescriptor()
    t.ok(taken.fd > 0)
    t.same(await all.joined.closed, { type: 'port', port: 'a', reason: { type: 'detached' } })
    await using aborted = await busy()
    await aborted.joined.close()
    const never = forward(aborted.a, aborted.b, { signal: AbortSignal.abort() })
    t.same(await never.closed, { type: 'closed' })
    t.equal(aborted.a.owner, 'none')
  })

  t.test('forwards that share a thread do not disturb one another', async t => {
    await using steady = await busy()
    for (let i = 0; i < 10; i++) {
      await using other = await busy()
      if (i % 2) await other.a.close()
      else await other.red.links.delete('a0')
      await other.joined.closed
      const { frames } = steady.joined.counters().bToA
      while (steady.joined.counters().bToA.frames === frames) await delay(1)
    }
    t.equal(steady.a.owner, 'forward')
  })

  t.test('a thousand of them leave nothing', async t => {
    await using network = await Network.create()
    const taps = await Promise.all(Array.from({ length: 8 }, () => Tap.create({ in: network })))
    const before = { threads: threads(), descriptors: descriptors() }
    let memory = 0
    for (let i = 0; i < 1000; i += 4) {
      const thread = i % 8 ? 'own' : 'shared'
      const pairs = [0, 2, 4, 6].map(at => forward(taps[at]!, taps[at + 1]!, { thread }))
      const observers = pairs.map(each => each.observe({ limit: 1 }))
      if (i % 3) for (const each of pairs.reverse()) await each.close()
      else await Promise.all(pairs.map(each => each.close()))
      for (const each of observers) await each.return()
      // What was closed is freed in a turn of the loop.
      await nextTurn()
      if (i === 200) memory = process.memoryUsage.rss()
    }
    // The address sanitizer keeps what was freed for a while.
    const most = process.env.ASAN_OPTIONS ? 1024 : 64
    t.ok(process.memoryUsage.rss() - memory < most << 20, 'memory')
    t.equal(threads(), before.threads)
    t.same(descriptors(), before.descriptors)
    for (const tap of taps) await tap.close()
  })

  t.test('a worker is terminated in the middle', async t => {
    const before = threads()
    const sources = [
      'await joined.close; parentPort.postMessage("on")',
      'for await (const batch of joined.observe()) parentPort.postMessage(batch.count)',
      'const other = forward(await Tap.create({ in: red }), await Tap.create({ in: red }), { thread: "own" }); parentPort.postMessage("on")',
    ]
    for (let i = 0; i < 12; i++) {
      const worker = startWorker(`${inChild}\n${sources[i % sources.length]}`)
      await messageOf(worker)
      if (i % 4) await delay(i)
      await worker.terminate()
    }
    t.equal(threads(), before)
  })

  t.test('a process exits, is killed, and ends by itself', async t => {
    const exiting = await runChild(`${inChild}
      setTimeout(() => process.exit(7), 50)
    `)
    t.equal(exiting.code, 7, exiting.stderr)
    const staying = await runChild(`${inChild}
      ping.kill('SIGKILL')
      setTimeout(() => { console.log('still here'); process.exit(3) }, 300).unref()
    `)
    t.match(staying, { code: 3, stdout: /still here/ }, staying.stderr)
    const leaving = await runChild(`${inChild}
      ping.kill('SIGKILL')
      ping.unref()
      joined.unref()
      process.on('exit', () => console.log('no reason to stay'))
    `)
    t.match(leaving, { code: 0, stdout: /no reason to stay/ }, leaving.stderr)
    const killed = await runChild(`${inChild}
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50)
    `)
    t.equal(killed.signal, 'SIGKILL', killed.stderr)
  })

  t.test('what is in the ring for another filter is not forwarded', async t => {
    await using network = await wiredNetwork()
    await using tap = await Tap.create({ in: network, name: 'a0' })
    await using sender = await Capture.open({ in: network, interface: 'v1', linkType: 'ethernet' })
    await using capture = await Capture.open({
      in: network,
      interface: 'v0',
      linkType: 'ethernet',
      direction: 'in',
      latency: 'low',
      filter: 'ether proto 0x88b5',
    })
    const frame = (type: number) => {
      const bytes = new Uint8Array(60).fill(0xff, 0, 6)
      bytes.set([0x88, type], 12)
      return bytes
    }
    for (let i = 0; i < 5; i++) await sender.send(frame(0xb5))
    while (capture.stats().received < 5n) await delay(1)
    capture.setFilter('ether proto 0x88b6')
    await using joined = forward(capture, tap)
    const observed = joined.observe({ direction: 'aToB' })
    await sender.send(frame(0xb6))
    const { value } = await observed.next()
    t.equal(value?.count, 1)
    t.equal(value?.frame(0)[13], 0xb6)
    t.equal(joined.counters().aToB.frames, 1n)
  })

  t.test('nothing is left', leaks)
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]]
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map(rest => [item, ...rest]))
}
