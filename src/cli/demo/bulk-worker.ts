/** A sender and a receiver of bulk TCP, in a thread of their own so that the cable has its thread to itself. */
import net from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { Namespace } from '../../netns/index.js'

export interface BulkTask {
  /** Descriptors of the two namespaces, valid in the whole process. */
  server: number
  client: number
  address: string
  seconds: number
}

const { server, client, address, seconds } = workerData as BulkTask
await using red = await Namespace.open({ fd: server })
await using blue = await Namespace.open({ fd: client })

let received = 0
let began = 0
const listener = net.createServer(socket => {
  began = performance.now()
  socket.on('data', chunk => {
    received += chunk.length
  })
})
await red.listen(listener, { host: address, port: 5001 })
const socket = await blue.connect({ host: address, port: 5001 })
const chunk = Buffer.alloc(256 * 1024)
const pour = () => {
  while (socket.write(chunk));
}
socket.on('drain', pour)
pour()
setTimeout(() => {
  const gigabitsPerSecond = (received * 8) / (performance.now() - began) / 1e6
  socket.destroy()
  listener.close(() => parentPort!.postMessage(gigabitsPerSecond))
}, seconds * 1000)
