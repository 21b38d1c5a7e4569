import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { RouteConnection } from '../../../src/netlink/route/index.js'
import { Namespace } from '../../../src/netns/index.js'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('thousands of requests at once', async t => {
    await using network = await Network.create()
    const { index: link } = await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    const destinations = Array.from({ length: 5000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`)
    await Promise.all(destinations.map(destination => network.routes.create({ destination, link })))
    t.equal((await network.routes.list({ family: 4 })).length, destinations.length)
    const lists = await Promise.all([
      network.routes.list({ family: 4 }),
      network.links.list(),
      network.routes.list({ family: 4 }),
    ])
    t.same(
      lists.map(list => list.length),
      [5000, 2, 5000],
      'lists wait for each other',
    )
    const results = await Promise.allSettled(
      destinations.map((destination, i) =>
        network.routes.delete({ destination: i % 2 ? '172.16.0.0/12' : destination, link }),
      ),
    )
    t.equal(
      results.filter(result => result.status === 'rejected').length,
      2500,
      'each answer finds its request',
    )
    t.equal((await network.routes.list({ family: 4 })).length, 2500)
  })

  t.test('the event loop gets its turn between awaited requests', async t => {
    await using network = await Network.create()
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    // Without a turn for the timer this would not end.
    while (ticks < 10) await network.links.get('lo')
    clearInterval(timer)
    t.pass('it ended')
  })

  t.test('lists are whole while links come and go', async t => {
    await using network = await Network.create()
    for (let i = 0; i < 60; i++) await network.links.create({ kind: 'bridge', name: `fixed${i}` })
    let running = true
    const churn = (async () => {
      while (running) {
        await network.links.create({ kind: 'bridge', name: 'comes' })
        await network.links.delete('comes')
      }
    })()
    await using reader = RouteConnection.open(network)
    for (let i = 0; i < 50; i++) {
      const names = new Set((await reader.links.list()).map(link => link.name))
      names.delete('comes')
      if (names.size !== 61) t.equal(names.size, 61)
    }
    running = false
    await churn
    t.pass()
  })

  t.test('abort and close', async t => {
    await using network = await Network.create()
    await t.rejects(network.links.list({ signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
    const route = RouteConnection.open(network)
    const { index: link } = await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    await Promise.all(
      Array.from({ length: 20_000 }, (_, i) =>
        network.routes.create({ destination: `10.${i >> 8}.${i & 255}.0/24`, link }),
      ),
    )
    const controller = new AbortController()
    const aborted = route.routes.list({ family: 4, signal: controller.signal })
    controller.abort()
    await t.rejects(aborted, { code: 'ABORT_ERR' })
    t.equal((await route.links.list()).length, 2, 'what follows is not disturbed')
    const pending = route.routes.list({ family: 4 })
    route.close()
    await t.rejects(pending, { code: 'ERR_INVALID_STATE' })
    await t.rejects(route.links.list(), { code: 'ERR_INVALID_STATE' })
    t.throws(() => route.statistics('lo'), { code: 'ERR_INVALID_STATE' })
    route.close()
  })

  t.test('a connection is of its namespace, wherever the thread is', async t => {
    await using network = await Network.create()
    await using namespace = await Namespace.create()
    const child = namespace.spawn('sleep', ['60'])
    await using byPid = RouteConnection.open(child.pid!)
    t.equal(byPid.links.getSync('lo').up, false)
    t.equal((await network.links.get('lo')).up, true)
    child.kill()
    await new Promise(resolve => child.once('close', resolve))
    t.throws(() => RouteConnection.open(child.pid!), { code: 'ERR_NAMESPACE_NOT_FOUND' })
    const closed = await Namespace.create()
    await closed.close()
    t.throws(() => RouteConnection.open(closed), { code: 'ERR_INVALID_STATE' })
  })

  t.test('an idle connection keeps nothing alive; workers end with theirs open', async t => {
    const child = fileURLToPath(new URL('../../support/idle-connections.ts', import.meta.url))
    const result = spawnSync(process.execPath, [...process.execArgv, child], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    t.equal(result.status, 0, result.stderr)
    t.equal(result.stdout, 'main done\nworker terminated\n')
  })

  t.test('nothing is left', leaks)
}
