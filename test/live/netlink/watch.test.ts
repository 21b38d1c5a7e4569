import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Objects, Watch, WatchEvent } from '../../../src/netlink/route/index.js'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

/** Commands for `ip -batch` inside, while the event loop goes on. */
async function ip(network: Network, commands: string): Promise<void> {
  const child = network.namespace.spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin!.end(commands)
  const [status] = await once(child, 'exit')
  if (status !== 0) throw new Error(`ip -batch ended with ${status}`)
}

/** The same while nobody reads: `ip -batch` tells more than 4 MiB hold. */
function ipBlocking(network: Network, commands: string): void {
  const home = `--net=/proc/${process.pid}/fd/${network.namespace.fd}`
  const { status } = spawnSync('nsenter', [home, 'ip', '-batch', '-'], { input: commands })
  if (status !== 0) throw new Error(`ip -batch ended with ${status}`)
}

type Items = { [K in keyof Objects]?: Map<string, unknown> }

/** Keeps what the events say is there, and compares it with what a list says. */
function follow<N extends keyof Objects>(watch: Watch<N>) {
  const state: Items = {}
  const seen: WatchEvent<N>[] = []
  const follower = {
    seen,
    resyncs: 0,
    /** Waits until what the events said is what the kernel has; a difference that stays runs into the test's timeout. */
    async agrees(t: Test, network: Network, what: string) {
      for (;;) {
        const differences: string[] = []
        for (const [name, items] of Object.entries(state) as [keyof Objects, Map<string, unknown>][]) {
          const list = await network[name].list()
          const there = list.filter(item => (item as { state?: string }).state !== 'noarp').map(text)
          const told = [...items.keys()]
          const missing = there.filter(each => !items.has(each))
          if (missing.length > 0 || told.length !== there.length) differences.push(name)
        }
        if (differences.length === 0 && Object.keys(state).length > 0) return t.pass(what)
        await setImmediate()
      }
    },
    async [Symbol.asyncDispose]() {
      watch.close()
      await done
    },
  }
  const done = (async () => {
    for await (const event of watch) {
      if (event.type === 'state' || event.type === 'resync') {
        if (event.type === 'resync') follower.resyncs++
        else seen.push(event)
        for (const [name, items] of Object.entries(event.state) as [keyof Objects, unknown[]][]) {
          state[name] = new Map(items.map(item => [text(item), item]))
        }
        continue
      }
      if (seen.length < 1000) seen.push(event)
      const items = state[event.object]!
      if (event.type === 'changed') items.delete(text(event.previous))
      if (event.type === 'removed') items.delete(text(event.item))
      else items.set(text(event.item), event.item)
    }
  })()
  return follower
}

function text(item: unknown): string {
  return JSON.stringify(item, (key, value) => {
    if (volatile.has(key) || /timerMs$/i.test(key)) return undefined
    return typeof value === 'bigint' ? `${value}n` : value
  })
}

const volatile = new Set([
  'learnedAddresses',
  'carrierUpCount',
  'carrierDownCount',
  'usedMs',
  'updatedMs',
  'statistics',
  'raw',
  'carrierChanges',
  'validSeconds',
  'preferredSeconds',
])

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('what is there, then what happens', async t => {
    await using network = await Network.create()
    const watch = network.links.watch()
    const next = async () => (await watch.next()).value as WatchEvent<'links'>
    t.match(await next(), { type: 'state', state: { links: [{ name: 'lo', up: true }] } })
    const { index } = await network.links.create({ kind: 'bridge', name: 'br0' })
    t.match(await next(), { type: 'added', item: { index, name: 'br0', up: false } })
    await network.links.change('br0', { mtu: 1400 })
    t.match(await next(), { type: 'changed', item: { mtu: 1400 }, previous: { mtu: 1500 } })
    await network.links.change('br0', { up: true })
    const up = await next()
    t.match(up, { type: 'changed', item: { up: true }, previous: { up: false } })
    await network.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    await network.links.change('v0', { master: 'br0' })
    await network.links.change('v0', { master: null })
    await network.links.delete('v0')
    await network.links.change('br0', { name: 'br1' })
    await network.links.delete('br1')
    const events: WatchEvent<'links'>[] = []
    for await (const event of watch) {
      events.push(event)
      if (event.type === 'removed' && event.item.index === index) break
    }
    const removed = events.flatMap(event => (event.type === 'removed' ? [event.item.name] : []))
    t.same(removed.sort(), ['br1', 'v0', 'v1'], 'leaving a bridge is no removal')
    t.ok(
      events.some(
        event => event.type === 'changed' && event.item.name === 'br1' && event.previous.name === 'br0',
      ),
    )
  })

  t.test('one link; a move is told from a removal', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    const { index } = await red.links.create({ kind: 'bridge', name: 'br0' })
    await red.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    const v0 = await red.links.get('v0')
    const one = red.links.watch({ link: index })
    const two = red.links.watch({ link: v0.index })
    t.match((await one.next()).value, { type: 'state', state: { links: [{ index }] } })
    t.match((await two.next()).value, { type: 'state', state: { links: [{ name: 'v0' }] } })
    await red.links.move('v0', blue)
    await red.links.delete('br0')
    t.match((await one.next()).value, { type: 'removed', moved: false })
    for await (const event of two) {
      if (event.type !== 'removed') continue
      t.match(event, { moved: true, item: { name: 'v0' } })
      break
    }
    one.close()
  })

  t.test('overflow is told, with what is there now', async t => {
    await using network = await Network.create()
    const watch = network.links.watch({ limit: 8 })
    t.match((await watch.next()).value, { type: 'state' })
    for (let i = 0; i < 20; i++) await network.links.create({ kind: 'bridge', name: `b${i}` })
    await sleep(50)
    const known = new Set<string>()
    let resynced = false
    while (known.size < 21) {
      const event = (await watch.next()).value as WatchEvent<'links'>
      if (event.type === 'resync') {
        resynced = true
        known.clear()
        for (const link of event.state.links) known.add(link.name)
      } else if (event.type === 'added') {
        known.add(event.item.name)
      }
    }
    t.ok(resynced)
    watch.close()
  })

  t.test('the kernel dropping messages is told too', async t => {
    await using network = await Network.create()
    const watch = network.links.watch()
    t.match((await watch.next()).value, { type: 'state' })
    const lines: string[] = ['link add f0 type bridge']
    for (let i = 0; i < 6000; i++) lines.push(`link set f0 mtu ${1300 + (i % 2)}`)
    ipBlocking(network, lines.join('\n'))
    let events = 0
    for await (const event of watch) {
      events++
      if (event.type === 'resync') {
        t.same(event.state.links.map(link => link.name).sort(), ['f0', 'lo'])
        break
      }
      if (events > 5000) break
    }
    t.ok(events < 5000, 'a resync came')
  })

  t.test('addresses, routes and neighbors beside links', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1' } })
    await network.links.change('v1', { up: true })
    await using follower = follow(
      network.watch({ links: true, addresses: true, routes: true, neighbors: true }),
    )
    await network.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    await network.addresses.create({ link: 'v0', address: 'fd00::1/64', dad: 'skip' })
    await network.routes.create({ destination: '10.9.0.0/16', gateway: '10.0.0.9' })
    await network.neighbors.create({ link: 'v0', address: '10.0.0.9', macAddress: '02:00:00:00:00:09' })
    await network.routes.replace({ destination: '10.9.0.0/16', gateway: '10.0.0.8' })
    await follower.agrees(t, network, 'made and replaced')
    await network.routes.create({ destination: 'fd01::/64', gateway: 'fd00::9' })
    await ip(network, 'route append fd01::/64 via fd00::8')
    await follower.agrees(t, network, 'an IPv6 route that another joined')
    await ip(network, 'route del fd01::/64 via fd00::9')
    await follower.agrees(t, network, 'and left')
    await network.links.change('v0', { up: false })
    await follower.agrees(t, network, 'IPv4 routes that went with their link, unannounced')
    await network.links.change('v0', { up: true })
    await network.routes.create({ destination: '10.9.0.0/16', gateway: '10.0.0.9' })
    await network.addresses.delete({ link: 'v0', address: '10.0.0.1/24' })
    await follower.agrees(t, network, 'with the network of their gateway')
    await network.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    await network.routes.create({ destination: '10.9.0.0/16', gateway: '10.0.0.9' })
    await network.links.delete('v0')
    await follower.agrees(t, network, 'with the link itself')
    t.ok(follower.seen.some(event => event.type === 'changed' && event.object === 'links'))
    t.ok(follower.seen.every(event => event.type !== 'resync'))
  })

  t.test('rules, forwarding databases, nexthop objects and qdiscs', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1' } })
    await network.links.change('v1', { up: true })
    await using follower = follow(network.watch({ rules: true, fdb: true, nexthops: true, qdiscs: true }))
    await network.rules.create({ from: '10.0.0.0/8', table: 100 })
    const bridge = await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    await network.links.change('v0', { master: bridge })
    await network.fdb.create({ link: 'v0', macAddress: '02:00:00:00:00:09', state: 'static' })
    const { id } = await network.nexthops.create({ link: 'v1', gateway: 'fe80::9' })
    await ip(network, 'nexthop add id 77 via fe80::8 dev v1')
    await network.qdiscs.create({
      link: 'v1',
      kind: 'tbf',
      tbf: { rate: { bitsPerSecond: 1_000_000 }, burst: 10_000, limit: 20_000 },
    })
    await follower.agrees(t, network, 'made')
    await network.rules.delete({ from: '10.0.0.0/8', table: 100 })
    await network.fdb.delete({ link: 'v0', macAddress: '02:00:00:00:00:09' })
    await network.nexthops.delete(id)
    await follower.agrees(t, network, 'deleted')
    await network.links.delete('br0')
    await network.links.delete('v0')
    await follower.agrees(t, network, 'what goes with a link, unannounced')
    t.ok(follower.seen.every(event => event.type !== 'resync'))
  })

  t.test('everything at once; what moves, and what loses a setting', async t => {
    await using network = await Network.create()
    await network.links.create({
      kind: 'veth',
      name: 'v0',
      up: true,
      addresses: ['10.0.0.1/24'],
      peer: { name: 'v1' },
    })
    await network.links.change('v1', { up: true })
    await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    for (const name of ['p0', 'p1']) {
      await network.links.create({ kind: 'veth', name, up: true, master: 'br0', peer: { name: `${name}x` } })
    }
    const all = {
      links: true,
      addresses: true,
      routes: true,
      neighbors: true,
      rules: true,
      fdb: true,
    } as const
    await using follower = follow(network.watch({ ...all, nexthops: true, qdiscs: true }))
    const macAddress = '02:00:00:00:00:09'
    await network.fdb.replace({ link: 'p0', macAddress, state: 'static' })
    await follower.agrees(t, network, 'an address behind a port')
    await network.fdb.replace({ link: 'p1', macAddress, state: 'static' })
    await follower.agrees(t, network, 'and behind another')
    await network.routes.create({ destination: '10.9.0.0/16', gateway: '10.0.0.9', mtu: 1400 })
    await network.routes.replace({ destination: '10.9.0.0/16', gateway: '10.0.0.9' })
    await network.routes.create({ destination: '10.9.0.0/16', gateway: '10.0.0.9', tos: 0x10 })
    await follower.agrees(t, network, 'a route without its setting, and one beside it')
    await network.routes.delete({ destination: '10.9.0.0/16', tos: 0x10 })
    await follower.agrees(t, network, 'of which one goes')
    t.throws(() => network.watch({}), { code: 'ERR_INVALID_ARG_VALUE' })
  })

  t.test('a million changes of routes, more than any buffer holds', { timeout: 300_000 }, async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1' } })
    await network.links.change('v1', { up: true })
    const known = new Set<string>()
    let resyncs = 0
    const watch = network.watch({ routes: { family: 4 } })
    const followed = (async () => {
      for await (const event of watch) {
        if (event.type === 'state' || event.type === 'resync') {
          if (event.type === 'resync') resyncs++
          known.clear()
          for (const { destination } of event.state.routes) known.add(destination)
        } else if (event.type === 'removed') known.delete(event.item.destination)
        else known.add(event.item.destination)
      }
    })()
    const routes = Array.from(
      { length: 25_000 },
      (_, i) => `10.${i >> 14}.${(i >> 6) & 255}.${(i & 63) << 2}/30 dev v0`,
    )
    const additions = routes.map(route => `route add ${route}`)
    const removals = routes.map(route => `route del ${route}`)
    for (let round = 0; round < 20; round++) {
      if (round === 19) removals.splice(0, 100)
      const commands = [...additions, ...removals].join('\n')
      if (round === 10) ipBlocking(network, commands)
      else await ip(network, commands)
    }
    const left = (await network.routes.list({ family: 4 })).map(route => route.destination)
    t.equal(left.length, 100)
    while (known.size !== 100 || !left.every(destination => known.has(destination))) await sleep(20)
    t.ok(resyncs > 0, `${resyncs} resyncs`)
    watch.close()
    await followed
  })

  t.test('an abort ends it at once, and so does closing the network', async t => {
    await using network = await Network.create()
    const controller = new AbortController()
    const watch = network.links.watch({ signal: controller.signal })
    await watch.next()
    const waiting = watch.next()
    controller.abort()
    await t.rejects(waiting, { code: 'ABORT_ERR' })
    t.same(await watch.next(), { done: true, value: undefined })
    t.throws(() => network.links.watch({ signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
    const other = network.links.watch()
    await other.next()
    const end = other.next()
    await network.close()
    t.same(await end, { done: true, value: undefined })
    t.throws(() => network.links.watch(), { code: 'ERR_INVALID_STATE' })
  })

  t.test('nothing is left', leaks)
}
