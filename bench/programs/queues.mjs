// queues.mjs IF QUEUES: a worker for each queue of a TUN; each frame costs three microseconds more. On "drain" the workers
// read what lies in their queues, all at once, and say how many frames that were.
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { Tun } from '../../lib/tuntap/index.js'
import { meter, serve } from '../harness/serve.mjs'

const workNs = 3000n

if (parentPort) await work(await Tun.adopt(workerData))
else await main(process.argv[2], Number(process.argv[3]))

async function main(name, count) {
  const queues = [await Tun.create({ name, multiQueue: true, up: false })]
  while (queues.length < count) queues.push(await queues[0].openQueue())
  const workers = queues.map(queue => new Worker(new URL(import.meta.url), { workerData: queue.detach() }))
  const answer = worker => new Promise(resolve => worker.once('message', resolve))
  await Promise.all(workers.map(answer))
  serve({
    async drain() {
      const cost = meter()
      const answers = workers.map(answer)
      for (const worker of workers) worker.postMessage('drain')
      const frames = await Promise.all(answers)
      return { frames: frames.reduce((sum, each) => sum + each), ...cost() }
    },
  })
}

async function work(queue) {
  parentPort.on('message', () => {
    let frames = 0
    for (let batch = queue.tryReceive(); batch; batch = queue.tryReceive()) {
      for (let i = 0; i < batch.count; i++) {
        const until = process.hrtime.bigint() + workNs
        while (process.hrtime.bigint() < until);
      }
      frames += batch.count
      batch.release()
    }
    parentPort.postMessage(frames)
  })
  parentPort.postMessage('ready')
}
