// Two networks of this machine's kernel, joined by a veth cable: a web server in the one, a client in the other.
// Needs no root where ordinary users may create user namespaces.
//
//   node examples/two-networks.mjs
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { Network } from 'netloom'

const red = await Network.create({ userNamespace: true })
const blue = await Network.create({ userNamespace: red })
await red.links.create({
  kind: 'veth',
  name: 'eth0',
  up: true,
  addresses: ['10.0.0.1/24'],
  peer: { name: 'eth0', in: blue },
})
await blue.addresses.create({ link: 'eth0', address: '10.0.0.2/24' })
await blue.links.change('eth0', { up: true })

const server = http.createServer((request, response) => {
  response.setHeader('connection', 'close').end(`Hello, ${request.socket.remoteAddress}!\n`)
})
await red.namespace.listen(server, { host: '10.0.0.1', port: 80 })

http.get('http://10.0.0.1/', { createConnection: blue.namespace.connector() }, async response => {
  process.stdout.write(await text(response))
  server.close()
  await Promise.all([red.close(), blue.close()])
})
