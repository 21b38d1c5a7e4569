// udp.mjs ours|dgram PORT: what udp_floor.c does, by Netloom or by node:dgram.
import dgram from 'node:dgram'
import { once } from 'node:events'
import { FrameBatch } from '../../lib/frames/index.js'
import { Endpoint, UdpSocket } from '../../lib/udp/index.js'
import { meter, serve } from '../harness/serve.mjs'

const [which, port] = process.argv.slice(2)
const quietMs = 300

async function measured(work) {
  const cost = meter()
  const frames = await work()
  return { frames, ...cost() }
}

const batches = new Map()

/** Made once: it is not what is measured, and neither is what becomes of its garbage. */
function batchOf(size) {
  let batch = batches.get(size)
  if (!batch) {
    batch = FrameBatch.allocate({ linkType: 'user0', frames: 256, bytes: 256 * size })
    const datagram = new Uint8Array(size)
    while (batch.append(datagram));
    batches.set(size, batch)
  }
  return batch
}

async function ours() {
  const open = join =>
    UdpSocket.open({
      address: '0.0.0.0',
      port: Number(port),
      receiveBuffer: 64 << 20,
      sendBuffer: 64 << 20,
      coalesce: join,
      segment: join,
    })
  let socket = await open(true)
  let joined = true
  const use = async join => {
    if (join === joined) return
    await socket.close()
    socket = await open(join)
    joined = join
  }
  /** Many small batches, so that what is called for each batch is compiled before it is measured. */
  const warmUps = 10_000
  serve({
    use: async join => {
      await use(join === '1')
      return {}
    },
    warm: async (address, to) => {
      const datagram = FrameBatch.from('user0', [new Uint8Array(64)])
      const endpoint = { to: new Endpoint({ address, port: Number(to) }) }
      for (let i = 0; i < warmUps; i++) await socket.send(datagram, endpoint)
      let got = 0
      for await (const batch of socket.batches({ frames: 1 })) {
        got += batch.count
        if (got >= warmUps) break
      }
      return {}
    },
    send: async (count, size, address, to) => {
      const batch = batchOf(Number(size))
      const endpoint = { to: new Endpoint({ address, port: Number(to) }) }
      return measured(async () => {
        let sent = 0
        while (sent < Number(count)) sent += (await socket.send(batch, endpoint)).next
        return sent
      })
    },
    receive: count =>
      measured(async () => {
        const quiet = new AbortController()
        let timer = setTimeout(() => quiet.abort(), 5000)
        let got = 0
        try {
          for await (const batch of socket.batches({ frames: 1024, bytes: 1 << 20, signal: quiet.signal })) {
            got += batch.count
            if (got >= Number(count)) break
            timer.refresh()
          }
        } catch (error) {
          if (error.name !== 'AbortError') throw error
        } finally {
          clearTimeout(timer)
          timer = undefined
        }
        return got
      }),
  })
}

async function theirs() {
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 8 << 20, sendBufferSize: 8 << 20 })
  socket.bind(Number(port))
  await once(socket, 'listening')
  serve({
    use: () => ({}),
    send: (count, size, address, to) =>
      measured(async () => {
        const bytes = new Uint8Array(Number(size))
        // As many at once as keep the socket busy.
        for (let sent = 0; sent < Number(count); sent += 64) {
          await new Promise(resolve => {
            let left = 64
            for (let i = 0; i < 64; i++)
              socket.send(bytes, Number(to), address, () => --left === 0 && resolve())
          })
        }
        return Number(count)
      }),
    receive: count =>
      measured(
        () =>
          new Promise(resolve => {
            let got = 0
            const end = () => {
              socket.removeAllListeners('message')
              resolve(got)
            }
            const timer = setTimeout(end, quietMs)
            socket.on('message', () => {
              if ((++got & 255) === 0) timer.refresh()
              if (got >= Number(count)) end()
            })
          }),
      ),
  })
}

await (which === 'ours' ? ours() : theirs())
