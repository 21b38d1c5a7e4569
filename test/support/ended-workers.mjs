// For scripts/test-asan.mjs: workers that are terminated with everything open. The main thread loads no addon, so that
// all memory of the addon's must be free in the end.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

const library = new URL('../../lib/index.js', import.meta.url).href

function work(library, parentPort) {
  import(library).then(async ({ forward, Network, Tap }) => {
    const network = await Network.create()
    const [first, second, third] = [
      await Tap.create({ in: network }),
      await Tap.create({ in: network }),
      await Tap.create({ in: network }),
    ]
    const events = first.events()
    await events.next()
    events.next()
    first.batches().next()
    second.tryReceive()?.slab
    second.takeDescriptor()
    await third.close()
    await first.trySend(new Uint8Array(60))
    const joined = forward(await Tap.create({ in: network }), await Tap.create({ in: network }))
    joined.observe().next()
    parentPort.postMessage('open')
  })
}

for (let i = 0; i < 4; i++) {
  const source = `(${work})(${JSON.stringify(library)}, require('node:worker_threads').parentPort)`
  const worker = new Worker(source, { eval: true })
  await once(worker, 'message')
  await worker.terminate()
}
