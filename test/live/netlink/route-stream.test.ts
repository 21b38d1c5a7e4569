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

  t.test('nothing is left', leaks)
}
