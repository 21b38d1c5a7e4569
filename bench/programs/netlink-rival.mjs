// netlink-rival.mjs FOLDER: lists by the npm package `netlink`, which is installed there.
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

serve({
  list: () => measured(() => socket.getRoutes({ family: 2 })),
  links: () => measured(() => socket.getLinks()),
})
