// netlink-rival.mjs FOLDER: lists and routes by the npm package `netlink`, which is installed there.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { meter, serve } from '../harness/serve.mjs'

const { createRtNetlink } = createRequire(join(process.argv[2], 'package.json'))('netlink')
const socket = createRtNetlink({ ref: true })

async function measured(work) {
  const cost = meter()
  const items = await work()
  return { items: items.length, ...cost() }
}

// NLM_F_EXCL | NLM_F_CREATE; more than some hundreds at once overflow its socket.
const create = { flags: 0x600 }
const side = 100

serve({
  add: async (count, name) => {
    const { data } = (await socket.getLinks()).find(({ attrs }) => attrs.ifname === name)
    const route = { family: 2, dstLen: 32, table: 254, protocol: 4, scope: 253, type: 1 }
    return measured(async () => {
      const done = []
      for (let from = 0; from < count; from += side) {
        const some = Array.from({ length: side }, (_, i) => from + i)
        const dst = i => Buffer.from([10, (i >> 16) & 255, (i >> 8) & 255, i & 255])
        const all = some.map(i => socket.newRoute(route, { dst: dst(i), oif: data.index }, create))
        done.push(...(await Promise.all(all)))
      }
      return done
    })
  },
  list: () => measured(() => socket.getRoutes({ family: 2 })),
  links: () => measured(() => socket.getLinks()),
})
