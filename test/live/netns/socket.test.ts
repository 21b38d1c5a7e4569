import dgram from 'node:dgram'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { Namespace } from '../../../src/netns/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (!requiresRoot(t) || !requires(t, 'ip')) process.exit(0)
const leaks = watchLeaks()

async function connected() {
  const [red, blue] = [await Namespace.create(), await Namespace.create()]
  // `ip` names the other side by a process that lives in it.
  const holder = blue.spawn('sleep', ['60'])
  await red.exec('ip', [
    'link',
    'add',
    'v0',
    'type',
    'veth',
    'peer',
    'name',
    'v0',
    'netns',
    String(holder.pid),
  ])
  holder.kill()
  await once(holder, 'close')
  for (const [namespace, last] of [
    [red, 1],
    [blue, 2],
  ] as const) {
    await namespace.exec('ip', ['link', 'set', 'lo', 'up'])
    await namespace.exec('ip', ['link', 'set', 'v0', 'up'])
    await namespace.exec('ip', ['addr', 'add', `10.9.0.${last}/24`, 'dev', 'v0'])
    await namespace.exec('ip', ['addr', 'add', `fd00::${last}/64`, 'dev', 'v0', 'nodad'])
  }
  return { red, blue }
}

t.test('an ordinary web server and client in two namespaces', async t => {
  const { red, blue } = await connected()
  await using _red = red
  await using _blue = blue
  const server = http.createServer((request, response) =>
    response.end(`hello ${request.socket.remoteAddress}`),
  )
  await red.listen(server, { host: '10.9.0.1', port: 80 })
  t.match(server.address(), { address: '10.9.0.1', port: 80 })
  const request = http.get({ host: '10.9.0.1', path: '/', createConnection: blue.connector() as never })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  t.equal(await text(response), 'hello 10.9.0.2')

  const agent = new http.Agent({ keepAlive: true })
  Object.assign(agent, { createConnection: blue.connector() })
  for (let i = 0; i < 3; i++) {
    const again = http.get({ host: '10.9.0.1', agent })
    const [response] = (await once(again, 'response')) as [http.IncomingMessage]
    t.equal(await text(response), 'hello 10.9.0.2')
  }
  agent.destroy()
  server.close()
  await once(server, 'close')
})

t.test('TCP over IPv6, both ends by hand', async t => {
  const { red, blue } = await connected()
  await using _red = red
  await using _blue = blue
  const server = net.createServer(socket => socket.end('bye'))
  await red.listen(server)
  const { port } = server.address() as net.AddressInfo
  for (const host of ['fd00::1', '10.9.0.1']) {
    const socket = await blue.connect({ host, port })
    t.equal(await text(socket), 'bye')
  }
  const from = await blue.connect({ host: '10.9.0.1', port, localAddress: '10.9.0.2', localPort: 4000 })
  t.equal(from.localPort, 4000)
  t.equal(await text(from), 'bye')
  server.close()
  await once(server, 'close')
})

t.test('what goes wrong', async t => {
  const { red, blue } = await connected()
  await using _red = red
  await using _blue = blue
  await t.rejects(blue.connect({ host: '10.9.0.1', port: 81 }), { code: 'ECONNREFUSED' })
  await t.rejects(blue.connect({ host: '10.8.0.1', port: 81 }), { code: 'ENETUNREACH' })
  await t.rejects(blue.connect({ host: '10.9.0.77', port: 81, signal: AbortSignal.timeout(30) }), {
    code: 'ABORT_ERR',
  })
  await t.rejects(blue.connect({ host: 'example.org', port: 81 }), { code: 'ERR_INVALID_ARG_VALUE' })
  await t.rejects(red.listen(net.createServer(), { host: '10.9.0.200' }), { code: 'EADDRNOTAVAIL' })
  const first = net.createServer()
  await red.listen(first, { host: '10.9.0.1', port: 80 })
  await t.rejects(red.listen(net.createServer(), { host: '10.9.0.1', port: 80 }), { code: 'EADDRINUSE' })
  await t.rejects(red.listen(first, { host: '10.9.0.1', port: 82 }), { code: 'ERR_SERVER_ALREADY_LISTEN' })
  first.close()
  t.throws(() => red.socket('tcp5' as never), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => red.socket('tcp4', { bind: { address: '::1' } }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => red.socket('udp4', { bind: { address: '10.9.0.1', port: 65536 } }), {
    code: 'ERR_OUT_OF_RANGE',
  })
  using socket = red.socket('udp6')
  t.ok(socket.fd >= 0)
})

t.test('datagrams', async t => {
  const { red, blue } = await connected()
  await using _red = red
  await using _blue = blue
  const [server, client] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')]
  await red.bind(server, { address: '10.9.0.1', port: 53 })
  await blue.bind(client)
  t.match(server.address(), { address: '10.9.0.1', port: 53 })
  client.send('ping', 53, '10.9.0.1')
  const [message, from] = await once(server, 'message')
  t.equal(String(message), 'ping')
  t.equal(from.address, '10.9.0.2')
  server.close()
  client.close()
})

t.test('nothing is left', leaks)
