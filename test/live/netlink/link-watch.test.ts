import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { LinkEvent } from '../../../src/netlink/route/index.js'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('what is there, then what happens', async t => {
    await using network = await Network.create()
    const watch = network.links.watch()
    const next = async () => (await watch.next()).value as LinkEvent
    t.match(await next(), { type: 'state', links: [{ name: 'lo', up: true }] })
    const { index } = await network.links.create({ kind: 'bridge', name: 'br0' })
    t.match(await next(), { type: 'added', link: { index, name: 'br0', up: false } })
    await network.links.change('br0', { mtu: 1400 })
    t.match(await next(), { type: 'changed', link: { mtu: 1400 }, previous: { mtu: 1500 } })
    await network.links.change('br0', { up: true })
    const up = await next()
    t.match(up, { type: 'changed', link: { up: true }, previous: { up: false } })
    await network.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    await network.links.change('v0', { master: 'br0' })
    await network.links.change('v0', { master: null })
    await network.links.delete('v0')
    await network.links.change('br0', { name: 'br1' })
    await network.links.delete('br1')
    const events: LinkEvent[] = []
    for await (const event of watch) {
      events.push(event)
      if (event.type === 'removed' && event.link.index === index) break
    }
    const removed = events.flatMap(event => (event.type === 'removed' ? [event.link.name] : []))
    t.same(removed.sort(), ['br1', 'v0', 'v1'], 'leaving a bridge is no removal')
    t.ok(
      events.some(
        event => event.type === 'changed' && event.link.name === 'br1' && event.previous.name === 'br0',
      ),
    )
  })

  t.test('one link; a move is told from a removal', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    const { index } = await red.links.create({ kind: 'bridge', name: 'br0' })
    await red.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    const v0 = await red.links.get('v0')
    const one = red.links.watch({ index })
    const two = red.links.watch({ index: v0.index })
    t.match((await one.next()).value, { type: 'state', links: [{ index }] })
    t.match((await two.next()).value, { type: 'state', links: [{ name: 'v0' }] })
    await red.links.move('v0', blue)
    await red.links.delete('br0')
    t.match((await one.next()).value, { type: 'removed', moved: false })
    for await (const event of two) {
      if (event.type !== 'removed') continue
      t.match(event, { moved: true, link: { name: 'v0' } })
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
      const event = (await watch.next()).value as LinkEvent
      if (event.type === 'resync') {
        resynced = true
        known.clear()
        for (const link of event.links) known.add(link.name)
      } else if (event.type === 'added') {
        known.add(event.link.name)
      }
    }
    t.ok(resynced)
    watch.close()
  })

  t.test('the kernel dropping messages is told too', async t => {
    await using network = await Network.create()
    const watch = network.links.watch()
    t.match((await watch.next()).value, { type: 'state' })
    // Synchronously, so that nobody reads meanwhile: `ip -batch` floods faster than 4 MiB hold.
    const { spawnSync } = await import('node:child_process')
    const lines: string[] = ['link add f0 type bridge']
    for (let i = 0; i < 6000; i++) lines.push(`link set f0 mtu ${1300 + (i % 2)}`)
    const home = network.namespace.fd
    const result = spawnSync('nsenter', [`--net=/proc/${process.pid}/fd/${home}`, 'ip', '-batch', '-'], {
      input: lines.join('\n'),
    })
    t.equal(result.status, 0)
    let events = 0
    for await (const event of watch) {
      events++
      if (event.type === 'resync') {
        t.same(event.links.map(link => link.name).sort(), ['f0', 'lo'])
        break
      }
      if (events > 5000) break
    }
    t.ok(events < 5000, 'a resync came')
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
