/** Leaves connections and watches open, in the main thread and in workers, and must end all the same. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { Network } from '../../src/network/index.js'

const network = await Network.create()
const watch = network.links.watch()
await watch.next()
void watch.next()
void network.links.list()
if (isMainThread) {
  watch.unref()
  console.log('main done')
  const worker = new Worker(new URL(import.meta.url), { execArgv: process.execArgv })
  await new Promise(resolve => worker.once('message', resolve))
  await worker.terminate()
  console.log('worker terminated')
} else {
  parentPort!.postMessage('ready')
}
