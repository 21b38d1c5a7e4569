// A machine behind a router of this machine's kernel: forwarding and address translation in two calls, and an eye on
// what changes meanwhile. Needs no root where ordinary users may create user namespaces.
//
//   node examples/router.mjs
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { Network } from 'netloom'

const router = await Network.create({ userNamespace: true })
const inside = await Network.create({ userNamespace: router })
const outside = await Network.create({ userNamespace: router })

const sides = [
  { name: 'lan', network: inside, address: '10.0.0.1/24', other: '10.0.0.2/24' },
  { name: 'wan', network: outside, address: '192.0.2.1/24', other: '192.0.2.2/24' },
]
for (const { name, network, address, other } of sides) {
  const peer = { name: 'eth0', in: network }
  await router.links.create({ kind: 'veth', name, up: true, addresses: [address], peer })
  await network.links.change('eth0', { up: true })
  await network.addresses.create({ link: 'eth0', address: other })
}

const watch = inside.watch({ routes: { family: 4 } })
await watch.next() // what is there
await inside.routes.create({ destination: 'default', gateway: '10.0.0.1' })
const { value: change } = await watch.next()
console.log(`${change.type}: ${change.item.destination} via ${change.item.gateway}`)
watch.close()

await router.sysctl.set('net.ipv4.ip_forward', 1)
await router.nat.masquerade({ source: '10.0.0.0/24', out: 'wan' })

const server = http.createServer((request, response) => {
  response.setHeader('connection', 'close').end(`Hello, ${request.socket.remoteAddress}!\n`)
})
await outside.namespace.listen(server, { host: '192.0.2.2', port: 80 })

http.get('http://192.0.2.2/', { createConnection: inside.namespace.connector() }, async response => {
  process.stdout.write(await text(response)) // Hello, 192.0.2.1! That is the router.
  server.close()
  await Promise.all([inside.close(), outside.close(), router.close()])
})
