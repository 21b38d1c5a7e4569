import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { FrameBatch, type FramePort, type PortEvent } from '../../../src/port/index.js'
import { Tun } from '../../../src/tuntap/index.js'
import { UdpSocket } from '../../../src/udp/index.js'
import { Host } from '../../support/busy-host.js'
import { childCommand, messageOf, plainEnvironment, startWorker } from '../../support/child.js'
import { idles } from '../../support/idle.js'
import { watchLeaks } from '../../support/leaks.js'
import { requiresRoot } from '../../support/requires.js'

const left = '10.0.0.1'
const right = '10.0.0.2'
const options = { ipv6LinkLocal: 'none', txQueueLength: 100 } as const

/** One direction, until either port ends. */
async function pass(from: FramePort<'ip'>, to: FramePort<'ip'>): Promise<void> {
  try {
    for await (const batch of from.batches()) await to.send(batch)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_PORT_CLOSED') throw error
  }
}

/** Two hosts, a device each, and this process between them: frames flow both ways. */
async function loaded() {
  const red = await Network.create()
  const blue = await Network.create()
  const a = await Tun.create({ ...options, name: 'a', in: red, addresses: [`${left}/24`] })
  const b = await Tun.create({ ...options, name: 'b', in: blue, addresses: [`${right}/24`] })
  const events: PortEvent[] = []
  const watching = a.events()
  events.push((await watching.next()).value)
  const watched = (async () => {
    for await (const event of watching) events.push(event)
  })()
  const passed = [pass(a, b), pass(b, a)]
  const hosts = [await Host.start(red, left, right), await Host.start(blue, right, left)] as const
  for (const host of hosts) await host.hears()
  return {
    red,
    blue,
    a,
    b,
    hosts,
    /** Of `a`, until now. */
    events,
    /** The events of `a` have ended. */
    watched,
    passed,
    async flows() {
      for (const host of hosts) await host.hears()
    },
    /** Waits for so many of these events of `a`. */
    async event(type: PortEvent['type'], count = 1) {
      while (events.filter(event => event.type === type).length < count) await turn()
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts) await host[Symbol.asyncDispose]()
      await Promise.all([a.close(), b.close(), ...passed, watched])
      await red.close()
      await blue.close()
    },
  }
}

/** The kernel tells of a carrier when it gets to it. */
const types = (events: PortEvent[]) => events.map(event => event.type).filter(type => type !== 'carrier')

function alternates(events: PortEvent[]): boolean {
  const carriers = events.filter(event => event.type === 'carrier').map(event => event.carrier)
  return carriers.every((carrier, i) => i === 0 || carrier !== carriers[i - 1])
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('the link goes down and up', async t => {
    await using load = await loaded()
    const { red, a, b, hosts } = load
    for (let i = 0; i < 3; i++) {
      await red.links.change('a', { up: false })
      const { sentDropped } = a.counters()
      // What comes for it from the other side is refused, and counted.
      while (a.counters().sentDropped === sentDropped) await turn()
      await red.links.change('a', { up: true })
      await load.flows()
    }
    for (const host of hosts) await host[Symbol.asyncDispose]()
    await load.event('up', 3)
    t.same(types(load.events), ['state', 'down', 'up', 'down', 'up', 'down', 'up'])
    t.ok(alternates(load.events), 'of the carrier nothing is told twice')
    await red.links.change('a', { up: false })
    await idles(t)
    t.equal(a.owner, 'reader')
    t.equal(b.counters().sentDropped, 0n)
  })

  t.test('sends on a link that is down end, however many', async t => {
    await using network = await Network.create()
    await using tun = await Tun.create({ ...options, in: network, up: false })
    const packet = new Uint8Array(100).fill(0x45, 0, 1)
    let dropped = 0
    while (dropped < 5000) dropped += (await tun.send(packet)).dropped
    const batch = FrameBatch.from('ip', Array(1000).fill(packet))
    for (let i = 0; i < 5; i++) t.match(await tun.send(batch), { sent: 0, dropped: 1000, next: 1000 })
  })

  t.test('renames, other MTUs and queue lengths', async t => {
    await using load = await loaded()
    const { red, a } = load
    for (const [name, mtu] of [
      ['c', 1280],
      ['d', 9000],
      ['a', 1500],
    ] as const) {
      await red.links.change(a.name, { name })
      t.equal(a.name, name)
      await red.links.change(name, { mtu })
      await red.links.change(name, { txQueueLength: mtu })
      await load.flows()
    }
    t.same(load.events.slice(1), [
      { type: 'rename', name: 'c', previous: 'a' },
      { type: 'mtu', mtu: 1280, previous: 1500 },
      { type: 'rename', name: 'd', previous: 'c' },
      { type: 'mtu', mtu: 9000, previous: 1280 },
      { type: 'rename', name: 'a', previous: 'd' },
      { type: 'mtu', mtu: 1500, previous: 9000 },
    ])
    for (const host of load.hosts) await host[Symbol.asyncDispose]()
    await idles(t)
  })

  t.test('the device moves to another network', async t => {
    await using load = await loaded()
    await using green = await Network.create()
    await load.red.links.move('a', green)
    await load.event('namespace')
    await green.links.change('a', { up: true })
    await green.addresses.create({ link: 'a', address: `${left}/24`, dad: 'skip' })
    const host = await Host.start(green, left, right)
    await host.hears()
    await load.hosts[1].hears()
    await host[Symbol.asyncDispose]()
    await load.event('up')
    t.same(types(load.events).slice(-3), ['namespace', 'state', 'up'])
    for (const each of load.hosts) await each[Symbol.asyncDispose]()
    await idles(t)
  })

  t.test('the device is deleted', async t => {
    await using load = await loaded()
    await load.red.links.delete('a')
    t.same(await load.a.closed, { type: 'removed' })
    await load.watched
    t.same(load.events.at(-1), { type: 'removed' })
    t.equal(types(load.events).filter(type => type === 'removed').length, 1)
    await Promise.all(load.passed)
    t.equal(load.b.owner, 'none', 'the other port is free again')
    t.throws(() => load.a.trySend(new Uint8Array(20)), { code: 'ERR_PORT_CLOSED' })
    const { receivedDropped } = load.b.counters()
    while (load.b.counters().receivedDropped === receivedDropped) await turn()
    for (const host of load.hosts) await host[Symbol.asyncDispose]()
    // Its queue is full, and nobody reads it.
    await idles(t)
  })

  t.test('a process that has a queue is killed', async t => {
    await using network = await Network.create()
    await using tun = await Tun.create({
      ...options,
      in: network,
      multiQueue: true,
      addresses: [`${left}/24`],
    })
    const seen = new Set<number>()
    const reading = (async () => {
      for await (const batch of tun.batches()) for (const packet of batch) seen.add(packet[21]!)
    })()
    const remote = { address: right, port: 9 }
    const sockets = await Promise.all(
      Array.from({ length: 16 }, (_, i) => UdpSocket.open({ in: network, port: 0x1000 + i, remote })),
    )
    let going = true
    const sending = (async () => {
      for (; going; await turn()) for (const socket of sockets) socket.trySend(new Uint8Array(1000))
    })()
    for (let i = 0; i < 3; i++) {
      const child = network.namespace.spawn(
        ...childCommand(`
          const tun = await Tun.open({ name: '${tun.name}', multiQueue: true })
          for await (const batch of tun.batches()) console.log(batch.count)`),
        { env: plainEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] },
      )
      await once(child.stdout!, 'data')
      t.match(await network.links.get(tun.name), { tun: { queues: 2 } })
      child.kill('SIGKILL')
      await once(child, 'exit')
      t.match(await network.links.get(tun.name), { tun: { queues: 1 } })
      seen.clear()
      while (seen.size < sockets.length) await turn()
    }
    going = false
    await sending
    for (const socket of sockets) await socket.close()
    await idles(t)
    await tun.close()
    await reading
  })

  t.test('the worker that forwards is terminated, and another takes over', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    for (let i = 0; i < 3; i++) {
      const a = await Tun.create({ ...options, name: 'a', in: red, addresses: [`${left}/24`] })
      const b = await Tun.create({ ...options, name: 'b', in: blue, addresses: [`${right}/24`] })
      const worker = startWorker(
        `
        const [a, b] = await Promise.all(workerData.map(token => Tun.adopt(token)))
        const pass = async (from, to) => { for await (const batch of from.batches()) await to.send(batch) }
        a.events().next()
        parentPort.postMessage('ready')
        await Promise.all([pass(a, b), pass(b, a)])
        `,
        [a.detach(), b.detach()],
      )
      await messageOf(worker)
      const hosts = [await Host.start(red, left, right), await Host.start(blue, right, left)]
      for (const host of hosts) await host.hears()
      await worker.terminate()
      for (const network of [red, blue])
        t.same(
          (await network.links.list()).map(link => link.name),
          ['lo'],
        )
      for (const host of hosts) await host[Symbol.asyncDispose]()
    }
    await idles(t)
  })

  t.test('nothing is left', leaks)
}
