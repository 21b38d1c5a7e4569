// A TAP device and a cable of the kernel (veth), joined by native code: frames pass on a thread of their own, super-frames
// whole. JavaScript gets counters, and copies of the frames that it wants to look at; a filter lets no UDP pass one way.
//
//   sudo node examples/forward.mjs
import dgram from 'node:dgram'
import { once } from 'node:events'
import http from 'node:http'
import { Capture, describe, forward, Network, Tap } from 'netloom'

// red has the TAP device, blue one end of the cable, and a network between the two has the other.
const [red, between, blue] = await Promise.all([Network.create(), Network.create(), Network.create()])
const tap = await Tap.create({ in: red, addresses: ['10.0.0.1/24'], offload: 'whole' })
await between.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'eth0', in: blue } })
await blue.addresses.create({ link: 'eth0', address: '10.0.0.2/24' })
await blue.links.change('eth0', { up: true })
const cable = await Capture.open({
  in: between,
  interface: 'v0',
  linkType: 'ethernet',
  direction: 'in',
  latency: 'low',
  offload: 'whole',
})

const joined = forward(tap, cable, { aToB: { filter: 'not udp' } })
const looking = lookOn()
await red.namespace.exec('ping', ['-c', '1', '10.0.0.2'])
await looking
await sendDatagrams()
await download()
for (const [way, { frames, bytes, filtered }] of Object.entries(joined.counters())) {
  console.log(`${way}: ${bytes} bytes in ${frames} frames, ${filtered} were filtered out`)
}
await joined.close() // the ports stay open, and may be read now
await Promise.all([tap.close(), cable.close()])
await Promise.all([red.close(), between.close(), blue.close()])

/** The first four frames of interest: a question for an address, a ping, and the answers. */
async function lookOn() {
  const found = []
  for await (const batch of joined.observe()) {
    for (const [i, frame] of [...batch].entries()) {
      const line = describe(frame)
      if (/ARP|echo/.test(line)) found.push(`${batch.interfaces?.[i] === 0 ? 'tap' : 'cable'}: ${line}`)
    }
    if (found.length >= 4) break
  }
  console.log(found.slice(0, 4).join('\n'))
}

async function sendDatagrams() {
  const socket = dgram.createSocket('udp4')
  await red.namespace.bind(socket)
  for (let i = 0; i < 3; i++) await new Promise(done => socket.send('hello', 9, '10.0.0.2', done))
  socket.close()
}

async function download() {
  const server = http.createServer((_, response) =>
    response.setHeader('connection', 'close').end(Buffer.alloc(32 << 20)),
  )
  await blue.namespace.listen(server, { host: '10.0.0.2', port: 80 })
  const createConnection = red.namespace.connector()
  const [response] = await once(http.get('http://10.0.0.2/', { createConnection }), 'response')
  await once(response.resume(), 'end')
  await new Promise(done => server.close(done))
}
