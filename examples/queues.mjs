// One TUN device with several queues, and a worker for each. The kernel spreads flows over the queues and keeps each flow on
// its queue; whoever reads it answers. Says how many flows and frames every queue had.
//
//   sudo node examples/queues.mjs [queues] [seconds]
import { once } from 'node:events'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { FrameBatch, Network, Tun } from 'netloom'
import { UdpSocket } from 'netloom/udp'

const flows = 32
const inFlight = 8 // datagrams of each flow

async function main(queues = '2', seconds = '1') {
  const network = await Network.create()
  const tun = await Tun.create({
    in: network,
    multiQueue: true,
    addresses: ['192.0.2.1/24'],
    ipv6LinkLocal: 'none',
    txQueueLength: 1000,
  })
  const all = [tun]
  while (all.length < Number(queues)) all.push(await tun.openQueue())
  const tokens = all.map(queue => queue.detach())
  const workers = tokens.map(token => new Worker(new URL(import.meta.url), { workerData: token }))
  await Promise.all(workers.map(worker => once(worker, 'message')))

  const remote = { address: '192.0.2.2', port: 7 }
  const sockets = []
  while (sockets.length < flows) sockets.push(await UdpSocket.open({ in: network, remote }))
  const signal = AbortSignal.timeout(Number(seconds) * 1000)
  await Promise.all(sockets.map(socket => play(socket, signal)))

  for (const [i, worker] of workers.entries()) {
    worker.postMessage('end')
    const [{ flows, frames }] = await once(worker, 'message')
    console.log(`queue ${i}: ${flows} flows, ${frames} frames`)
  }
  for (const socket of sockets) await socket.close()
  await network.delete()
}

/**
 * A few datagrams, sent again each time they come back.
 * @param {UdpSocket} socket
 * @param {AbortSignal} signal
 */
async function play(socket, signal) {
  const datagrams = Array.from({ length: inFlight }, () => new Uint8Array(1000))
  try {
    await socket.send(FrameBatch.from('user0', datagrams))
    for await (const batch of socket.batches({ signal })) await socket.send(batch)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/**
 * In a worker: a queue, on a loop of its own.
 * @param {string} token
 * @param {import('node:worker_threads').MessagePort} parent
 */
async function answer(token, parent) {
  const queue = await Tun.adopt(token)
  const batches = queue.batches()
  parent.once('message', () => batches.return?.())
  parent.postMessage('ready')
  const ports = new Set()
  let frames = 0
  for await (const batch of batches) {
    for (const packet of batch) {
      ports.add(new DataView(packet.buffer, packet.byteOffset).getUint16(20))
      const [source, port] = [packet.slice(12, 16), packet.slice(20, 22)]
      packet.copyWithin(12, 16, 20) // addresses of IPv4
      packet.set(source, 16)
      packet.copyWithin(20, 22, 24) // ports of UDP; no checksum minds
      packet.set(port, 22)
    }
    frames += batch.count
    await queue.send(batch)
  }
  await queue.close()
  parent.postMessage({ flows: ports.size, frames })
}

if (parentPort) await answer(workerData, parentPort)
else await main(...process.argv.slice(2))
