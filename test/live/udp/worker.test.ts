import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { UdpSocket } from '../../../src/udp/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requiresRoot } from '../../support/requires.js'

/** Answers every datagram until it is terminated. */
const echo = `
import { parentPort, workerData } from 'node:worker_threads'
const { UdpSocket } = await import(workerData.room)
const socket = await UdpSocket.open({ in: { fd: workerData.fd, id: '' }, port: 5000, reusePort: true })
socket.events()
parentPort.postMessage('ready')
for await (const batch of socket.batches()) await socket.send(batch, { to: 'senders' })
`

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('a worker that is terminated amid datagrams leaves nothing', async t => {
    await using network = await Network.create()
    await using socket = await UdpSocket.open({ in: network })
    const to = { address: '127.0.0.1', port: 5000 }
    const room = new URL('../../../lib/udp/index.js', import.meta.url).href
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(echo, {
        eval: true,
        workerData: { room, fd: network.namespace.fd },
        execArgv: ['--input-type=module'],
      })
      await once(worker, 'message')
      let answers = 0
      const sending = setInterval(() => {
        for (let i = 0; i < 20; i++) socket.trySend(new Uint8Array(1000), { to })
      }, 1)
      for await (const batch of socket.batches()) {
        answers += batch.count
        if (answers > 500) break
      }
      await worker.terminate()
      clearInterval(sending)
      t.ok(answers > 500)
    }
    // Its port is free again.
    await using again = await UdpSocket.open({ in: network, port: 5000 })
    t.equal(again.address.port, 5000)
  })

  t.test('nothing is left', leaks)
}
