import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { NETLINK, NetlinkConnection } from '../../../src/netlink/core/index.js'
import { Addresses } from '../../../src/netlink/route/addresses.js'
import { Fdb } from '../../../src/netlink/route/fdb.js'
import { RouteConnection } from '../../../src/netlink/route/index.js'
import { Links } from '../../../src/netlink/route/links.js'
import { Neighbors } from '../../../src/netlink/route/neighbors.js'
import { Routes } from '../../../src/netlink/route/routes.js'
import { Rules } from '../../../src/netlink/route/rules.js'
import { Network } from '../../../src/network/index.js'
import { messageOf, runChild, startWorker } from '../../support/child.js'
import { uniqueName, watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

/** Collections that ask by a socket whose buffer holds a few answers, and which thinks that it holds many. */
function forgetful(network: Network) {
  const connection = new NetlinkConnection({
    in: network,
    protocol: NETLINK.ROUTE,
    receiveBuffer: 48 * 1024,
    budget: 256 * 1024,
  })
  const links = new Links(connection)
  return {
    links,
    addresses: new Addresses(connection, links),
    neighbors: new Neighbors(connection, links),
    routes: new Routes(connection, links),
    rules: new Rules(connection, links),
    fdb: new Fdb(connection, links),
    [Symbol.dispose]: () => connection.close(),
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('lists are whole while veths come and go, from elsewhere', async t => {
    await using network = await Network.create()
    const fixed = numbers(80).map(i => `fixed${i}`)
    await Promise.all(fixed.map(name => network.links.create({ kind: 'bridge', name })))
    const lines = numbers(300).map(i => `link add a${i} type veth peer name b${i}\nlink del a${i}\n`)
    const child = network.namespace.spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] })
    const ended = once(child, 'exit')
    child.stdin!.end(lines.join(''))
    let lists = 0
    await using second = RouteConnection.open(network)
    while (child.exitCode === null && child.signalCode === null) {
      const found = await Promise.all([network.links.list(), second.links.list(), second.links.list()])
      for (const links of found) {
        const names = links.map(({ name }) => name)
        const indices = links.map(({ index }) => index)
        lists++
        if (new Set(indices).size !== indices.length) t.fail(`twice: ${names}`)
        const missing = fixed.filter(name => !names.includes(name))
        if (missing.length > 0) t.fail(`lost: ${missing}`)
      }
    }
    t.same(await ended, [0, null])
    t.ok(lists > 0, `${lists} lists`)
    t.equal((await network.links.list()).length, 81)
  })

  t.test('thousands of requests of all kinds in flight, beside lists', async t => {
    await using network = await Network.create()
    const { index: link } = await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    const names = numbers(1000)
    const results = await Promise.allSettled([
      ...names.map(i => network.routes.create({ destination: `10.${i >> 8}.${i & 255}.0/24`, link })),
      ...names.map(i => network.links.get(i % 2 ? 'br0' : `none${i}`)),
      ...names.map(i => network.neighbors.delete({ link, address: `192.0.2.${i % 250}` })),
      ...names.map(() => network.links.list()),
      ...names.map(i => network.links.change(i % 2 ? link : 9999, { mtu: 1400 + (i % 2) })),
    ])
    t.equal(results.length, 5000)
    const outcome = (from: number) =>
      results
        .slice(from, from + 1000)
        .map(result => (result.status === 'fulfilled' ? 'ok' : result.reason.code))
    const both = (odd: string, even: string) => names.map(i => (i % 2 ? odd : even))
    t.same(outcome(0), both('ok', 'ok'))
    t.same(outcome(1000), both('ok', 'ERR_LINK_NOT_FOUND'))
    t.same(outcome(2000), both('ENOENT', 'ENOENT'))
    t.same(outcome(3000), both('ok', 'ok'))
    t.same(outcome(4000), both('ok', 'ERR_LINK_NOT_FOUND'))
    t.equal((await network.routes.list({ family: 4 })).length, 1000)
  })

  t.test('an abort in every state; a late answer is nobody’s', async t => {
    await using network = await Network.create()
    await using route = RouteConnection.open(network)
    const { index: link } = await route.links.create({ kind: 'bridge', name: 'br0', up: true })
    await Promise.all(
      numbers(3000).map(i => route.routes.create({ destination: `10.${i >> 8}.${i & 255}.0/24`, link })),
    )
    // Queued: the abort comes before the turn in which it would be sent.
    const questions: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal: AbortSignal) => route.links.get('br0', { signal }),
      (signal: AbortSignal) => route.routes.list({ family: 4, signal }),
      (signal: AbortSignal) => route.routes.create({ destination: '11.0.0.0/24', link, signal }),
    ]
    for (const ask of questions) {
      await t.rejects(ask(AbortSignal.abort()), { code: 'ABORT_ERR' })
      for (let delay = 0; delay < 12; delay++) {
        const controller = new AbortController()
        const asked = ask(controller.signal).then(
          () => 'done',
          error => error.code,
        )
        // Turn by turn later: queued, sent, in the middle of a list, or over.
        for (let i = 0; i < delay; i++) await (delay % 2 ? Promise.resolve() : new Promise(setImmediate))
        controller.abort()
        const [outcome, lo, all] = await Promise.all([
          asked,
          route.links.get('lo'),
          route.routes.list({ family: 4 }),
        ])
        if (outcome !== 'done' && outcome !== 'ABORT_ERR' && outcome !== 'EEXIST') t.fail(outcome)
        if (lo.name !== 'lo') t.equal(lo.name, 'lo')
        const ten = all.filter(({ destination }) => destination.startsWith('10.'))
        if (ten.length !== 3000) t.equal(ten.length, 3000)
      }
    }
    t.pass('all that was asked beside it had its own answer')
  })

  t.test('two thousand notifications while the event loop is blocked', async t => {
    await using network = await Network.create()
    const { index: link } = await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    const watch = network.watch({ routes: true }, { limit: 100_000 })
    await watch.next()
    const lines = numbers(2000).map(i => `route add 10.${i >> 8}.${i & 255}.0/24 dev br0\n`)
    const home = `--net=/proc/${process.pid}/fd/${network.namespace.fd}`
    const { status } = spawnSync('nsenter', [home, 'ip', '-batch', '-'], { input: lines.join('') })
    t.equal(status, 0)
    const seen = new Set<string>()
    for await (const event of watch) {
      if (event.type === 'resync') for (const { destination } of event.state.routes) seen.add(destination)
      else if (event.type === 'added' && event.item.link === link) seen.add(event.item.destination)
      if ([...seen].filter(destination => destination.startsWith('10.')).length === 2000) break
    }
    t.pass('all of them')
  })

  t.test('answers that are lost: what became of it is found out', async t => {
    await using network = await Network.create()
    using collections = forgetful(network)
    const { links, addresses, neighbors, routes, rules, fdb } = collections
    const many = numbers(250)
    const settled = (all: Promise<unknown>[]) =>
      Promise.allSettled(all).then(results =>
        results.map(result => (result.status === 'fulfilled' ? 'ok' : result.reason.code)),
      )
    const all = (code: string) => many.map(() => code)
    /** The first half is there already, or not as asked: the kernel refuses it, which takes room. */
    const name = (i: number) => `br${i}`
    t.same(await settled(many.map(i => links.create({ kind: 'bridge', name: name(i), up: true }))), all('ok'))
    t.equal((await links.list()).length, 251)
    t.same(await settled(many.map(i => links.get(name(i)))), all('ok'))
    t.same(await settled(many.map(i => links.get(`none${i}`))), all('ERR_LINK_NOT_FOUND'))
    t.same(await settled(many.map(i => links.change(name(i), { mtu: 1400 }))), all('ok'))

    using second = forgetful(network)
    const link = (await links.get('br0')).index
    const address = (i: number) => `10.1.${i}.1/24`
    t.same(await settled(many.map(i => second.addresses.create({ link, address: address(i) }))), all('ok'))
    t.equal((await addresses.list({ link, family: 4 })).length, 250)
    using third = forgetful(network)
    t.same(await settled(many.map(i => third.addresses.delete({ link, address: address(i) }))), all('ok'))
    t.equal((await addresses.list({ link, family: 4 })).length, 0)

    using fourth = forgetful(network)
    const macAddress = '02:00:00:00:00:01'
    const neighbor = (i: number) => ({ link, address: `10.2.0.${i + 1}`, macAddress })
    t.same(await settled(many.map(i => fourth.neighbors.create(neighbor(i)))), all('ok'))
    t.equal((await neighbors.list({ link, family: 4 })).length, 250)
    using fifth = forgetful(network)
    const route = (i: number) => ({ destination: `10.3.${i}.0/24`, link })
    // Every other one cannot be made.
    const half = await settled(
      many.map(i =>
        fifth.routes.create(i % 2 ? route(i) : { destination: `10.3.${i}.0/24`, gateway: '192.0.2.1' }),
      ),
    )
    t.same(
      half,
      many.map(i => (i % 2 ? 'ok' : 'ENETUNREACH')),
    )
    t.equal((await routes.list({ family: 4 })).length, 125)
    using sixth = forgetful(network)
    const gone = await settled(many.map(i => sixth.routes.delete(route(i))))
    t.equal((await routes.list({ family: 4 })).length, 0)
    for (const code of gone) t.ok(['ok', 'ESRCH'].includes(code), code)
    using seventh = forgetful(network)
    t.same(
      await settled(many.map(i => seventh.rules.create({ priority: 100 + i, table: 7, from: '10.0.0.0/8' }))),
      all('ok'),
    )
    t.equal((await rules.list({ family: 4, table: 7 })).length, 250)
    using eighth = forgetful(network)
    const mac = (i: number) => `02:00:00:00:01:${i.toString(16).padStart(2, '0')}`
    const entry = (i: number) => ({ link, macAddress: mac(i), state: 'permanent' as const })
    t.same(await settled(many.map(i => eighth.fdb.create(entry(i)))), all('ok'))
    t.equal(
      (await fdb.list({ bridge: link })).filter(each => each.macAddress.startsWith('02:00:00:00:01')).length,
      250,
    )
  })

  t.test('a namespace whose name is taken away lives on for who is in it', async t => {
    const name = uniqueName()
    const network = await Network.create({ name })
    const watch = network.watch({ links: true })
    await watch.next()
    t.equal(spawnSync('ip', ['netns', 'delete', name]).status, 0)
    await network.links.create({ kind: 'bridge', name: 'br0' })
    const { value } = await watch.next()
    t.match(value, { type: 'added', item: { name: 'br0' } })
    const next = watch.next()
    await network.close()
    t.match(await next, { done: true })
    await t.rejects(network.links.list(), { code: 'ERR_INVALID_STATE' })
  })

  t.test('a close under requests ends them all', async t => {
    await using network = await Network.create()
    const route = RouteConnection.open(network)
    const asked = [
      ...numbers(500).map(() => route.links.get('lo')),
      ...numbers(20).map(() => route.links.list()),
      ...numbers(20).map(i => route.links.create({ kind: 'bridge', name: `br${i}` })),
    ]
    const results = Promise.allSettled(asked)
    await Promise.resolve()
    route.close()
    for (const result of await results) {
      if (result.status === 'rejected' && result.reason.code !== 'ERR_INVALID_STATE') t.fail(result.reason)
    }
    t.equal((await results).length, 540)
  })

  t.test('a socket that is broken under requests fails them, and nothing else', async t => {
    const { stdout, stderr, code, signal } = await runChild(`
      const { closeSync, openSync, readdirSync, readlinkSync } = await import('node:fs')
      const sockets = () => readdirSync('/proc/self/fd').filter(fd => {
        try { return readlinkSync('/proc/self/fd/' + fd).startsWith('socket:') } catch { return false }
      })
      const before = new Set(sockets())
      const network = await Network.create()
      const [socket] = sockets().filter(fd => !before.has(fd))
      const asked = [network.links.list(), network.links.get('lo'), network.links.create({ kind: 'bridge', name: 'br0' })]
      closeSync(Number(socket))
      const codes = (await Promise.allSettled(asked)).map(({ reason }) => reason?.code)
      const later = await network.links.list().catch(error => error.code)
      console.log(codes.join(), later)
      await network.close()
      await network.close()
      console.log('closed')
    `)
    t.same(
      { stdout, code, signal },
      { stdout: 'EBADF,EBADF,EBADF EBADF\nclosed\n', code: 0, signal: null },
      stderr,
    )
  })

  t.test('workers that are ended in the middle of lists and watches', async t => {
    await using network = await Network.create({ name: uniqueName() })
    const { index: link } = await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    await Promise.all(
      numbers(2000).map(i => network.routes.create({ destination: `10.${i >> 8}.${i & 255}.0/24`, link })),
    )
    for (const work of [
      `const list = () => network.routes.list({ family: 4 }).then(list)
       list(); list()
       setImmediate(() => parentPort.postMessage('busy'))`,
      `const watch = network.watch({ links: true, routes: true })
       await watch.next()
       setImmediate(() => parentPort.postMessage('busy'))
       for await (const event of watch) {}`,
    ]) {
      const worker = startWorker(
        `const network = await Network.open(workerData)\n${work}`,
        network.namespace.name,
      )
      t.equal(await messageOf(worker), 'busy')
      const churn = numbers(200).map(i => network.routes.create({ destination: `11.0.${i}.0/24`, link }))
      await Promise.all([worker.terminate(), ...churn])
      await Promise.all(numbers(200).map(i => network.routes.delete({ destination: `11.0.${i}.0/24`, link })))
    }
    t.equal((await network.routes.list({ family: 4 })).length, 2000)
    await network.delete()
  })

  t.test('nothing is left', leaks)
}
