import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { Route } from '../../../src/netlink/route/index.js'
import type { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { wiredNetwork } from '../../support/networks.js'
import { requiresRoot } from '../../support/requires.js'

const count = 30_000

async function filled(): Promise<Network> {
  const network = await wiredNetwork()
  await network.batch(batch => {
    for (let i = 0; i < count; i++) {
      const destination = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`
      batch.routes.create({ destination, link: 'v0', ...(i % 2 && { table: 100, metric: i }) })
    }
    batch.routes.create({ destination: '::/0', link: 'v0' })
  })
  return network
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('a stream gives what a list gives', async t => {
    await using network = await filled()
    for (const filter of [
      undefined,
      { table: 'all', family: 4 },
      { table: 100 },
      { family: 4, link: 'v0' },
      { family: 6 },
    ] as const) {
      const streamed: Route[] = []
      for await (const route of network.routes.stream(filter)) streamed.push(route)
      t.same(streamed, await network.routes.list(filter), JSON.stringify(filter))
      let walked = 0
      const visited: string[] = []
      const total = await network.routes.walk(view => {
        if (walked++ % 1000 === 0)
          visited.push(
            `${view.destination} ${view.table} ${view.link} ${view.metric} ${view.gateway} ${view.type}`,
          )
      }, filter)
      t.equal(total, streamed.length)
      t.same(
        visited,
        streamed
          .filter((_, i) => i % 1000 === 0)
          .map(
            ({ destination, table, link, metric, gateway, type }) =>
              `${destination} ${table} ${link} ${metric} ${gateway} ${type}`,
          ),
      )
    }
    t.equal(await network.routes.walk(() => t.fail('a table without routes'), { table: 77 }), 0)
  })

  t.test('other requests go on meanwhile, and whoever leaves early leaves nothing behind', async t => {
    await using network = await filled()
    let seen = 0
    for await (const route of network.routes.stream({ table: 'all', family: 4 })) {
      if (seen++ === 100) t.equal((await network.links.get('v0')).index, route.link ?? 0)
      if (seen === 10_000) break
    }
    t.equal(seen, 10_000)
    await t.rejects(
      network.routes.walk(() => {
        throw new Error('enough')
      }),
      { message: 'enough' },
    )
    const controller = new AbortController()
    const stream = network.routes.stream({ signal: controller.signal })
    await stream.next()
    controller.abort()
    await t.rejects(
      (async () => {
        for await (const _ of stream);
      })(),
      { code: 'ABORT_ERR' },
    )
    await t.rejects(network.routes.stream({ family: 5 as 4 }).next(), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(network.routes.stream({ link: 'v9' }).next(), { code: 'ERR_LINK_NOT_FOUND' })
  })

  t.test('a stream holds a piece of the list, not the list', async t => {
    await using network = await filled()
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const heap = () => {
      collect()
      return process.memoryUsage().heapUsed
    }
    const rest = heap()
    let seen = 0
    let most = 0
    for await (const _ of network.routes.stream({ table: 'all', family: 4 })) {
      if (++seen % 1000 === 0) most = Math.max(most, heap() - rest)
    }
    const listed = await network.routes.list({ table: 'all', family: 4 })
    const whole = heap() - rest
    t.equal(listed.length, seen)
    t.ok(most < whole / 2, `${most} bytes, of ${whole} for the list`)
  })

  t.test('what else can be listed can be streamed', async t => {
    await using network = await wiredNetwork()
    const { links, addresses, neighbors, fdb, rules, qdiscs } = network
    for (let i = 0; i < 60; i++) await links.create({ kind: 'veth', name: `a${i}`, peer: { name: `b${i}` } })
    await links.create({ kind: 'bridge', name: 'br0' })
    await links.change('v1', { master: 'br0' })
    await qdiscs.create({ link: 'v0', parent: 'root', handle: '1:', kind: 'htb' })
    const problems = await network.batch(batch => {
      for (let i = 0; i < 1000; i++) {
        const [a, b] = [i >> 8, i & 255]
        const macAddress = `02:00:00:00:0${a}:${b.toString(16).padStart(2, '0')}`
        batch.addresses.create({ link: 'v0', address: `10.7.${a}.${b}/32` })
        batch.neighbors.create({ link: 'v0', address: `10.8.${a}.${b}`, macAddress })
        batch.fdb.create({ link: 'v1', macAddress })
      }
      for (let i = 0; i < 100; i++) batch.rules.create({ family: 4, priority: 100 + i, table: 100 })
    })
    t.same(problems.filter(Boolean), [])
    const ages = { usedMs: 0, updatedMs: 0, confirmedMs: 0 }
    const same = async <T>(stream: AsyncIterable<T>, listed: Promise<T[]>, least: number, what: string) => {
      const streamed: T[] = []
      for await (const object of stream) streamed.push(object)
      const list = await listed
      const ageless = (objects: T[]) => objects.map(object => ({ ...object, ...ages }))
      t.same(ageless(streamed), ageless(list), what)
      t.ok(list.length >= least, `${list.length} ${what}`)
    }
    await same(links.stream(), links.list(), 120, 'links')
    await same(links.stream({ kind: 'veth' }), links.list({ kind: 'veth' }), 120, 'of a kind')
    await same(links.stream({ master: 'br0' }), links.list({ master: 'br0' }), 1, 'ports')
    await same(addresses.stream(), addresses.list(), 1000, 'addresses')
    await same(addresses.stream({ link: 'v0' }), addresses.list({ link: 'v0' }), 1000, 'of a link')
    await same(neighbors.stream(), neighbors.list(), 1000, 'neighbors')
    await same(fdb.stream({ bridge: 'br0' }), fdb.list({ bridge: 'br0' }), 1000, 'entries of a bridge')
    await same(rules.stream(), rules.list(), 100, 'rules')
    await same(qdiscs.stream({ link: 'v0' }), qdiscs.list({ link: 'v0' }), 1, 'qdiscs')
    const classes = network.classes
    await classes.create({
      link: 'v0',
      parent: '1:',
      handle: '1:10',
      kind: 'htb',
      htb: { rate: { bitsPerSecond: 1_000_000 } },
    })
    await same(classes.stream({ link: 'v0' }), classes.list({ link: 'v0' }), 1, 'classes')
    await same(network.mdb.stream(), network.mdb.list(), 0, 'mdb')
    await same(network.bridgeVlans.stream(), network.bridgeVlans.list(), 0, 'bridge vlans')
    for await (const { address } of addresses.stream({ link: 'v0' })) {
      t.ok(address)
      break
    }
    await t.rejects(addresses.stream({ link: 'v9' }).next(), { code: 'ERR_LINK_NOT_FOUND' })
    // Also in the middle of the last piece.
    const controller = new AbortController()
    const stream = rules.stream({ family: 4, signal: controller.signal })
    await stream.next()
    controller.abort()
    await t.rejects(stream.next(), { code: 'ABORT_ERR' })
  })

  t.test('nothing is left', leaks)
}
