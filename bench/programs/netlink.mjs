// netlink.mjs: what netlink_floor.c does, by Netloom.
import { Network } from '../../lib/network/index.js'
import { meter, serve } from '../harness/serve.mjs'

const network = await Network.open()

async function measured(work) {
  const cost = meter()
  const items = await work()
  return { items, ...cost() }
}

const destination = i => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}/32`

function changed(results) {
  return results.every(result => result === undefined) ? results.length : 0
}

serve({
  list: () => measured(async () => (await network.routes.list({ family: 4 })).length),
  stream: () =>
    measured(async () => {
      let count = 0
      for await (const _ of network.routes.stream({ family: 4 })) count++
      return count
    }),
  walk: () =>
    measured(() => {
      let sum = 0
      return network.routes.walk(route => (sum += route.link), { family: 4 })
    }),
  links: () => measured(async () => (await network.links.list()).length),
  add: (count, link) =>
    measured(async () =>
      changed(
        await network.batch(batch => {
          for (let i = 0; i < count; i++) batch.routes.create({ destination: destination(i), link })
        }),
      ),
    ),
  side: async (count, name) => {
    const link = await network.links.get(name)
    return measured(async () => {
      const all = []
      for (let i = 0; i < count; i++) all.push(network.routes.create({ destination: destination(i), link }))
      return (await Promise.all(all)).length
    })
  },
  del: (count, link) =>
    measured(async () =>
      changed(
        await network.batch(batch => {
          for (let i = 0; i < count; i++) batch.routes.delete({ destination: destination(i), link })
        }),
      ),
    ),
  count: milliseconds =>
    measured(async () => {
      const watch = network.watch({ routes: { family: 4 } }, { limit: 1_000_000 })
      setTimeout(() => watch.close(), Number(milliseconds))
      let count = 0
      for await (const event of watch) if (event.type === 'added' || event.type === 'removed') count++
      return count
    }),
})
