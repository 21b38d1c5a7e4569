import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { asOrdinaryUser } from '../../support/ordinary-user.js'
import { requires } from '../../support/requires.js'

if (requires(t, 'nsenter', 'ip', 'nft') && asOrdinaryUser(t, import.meta.url)) {
  const leaks = watchLeaks()

  t.test('an ordinary user makes networks and wires them', async t => {
    await using red = await Network.create({ userNamespace: true })
    t.match(await red.links.list(), [{ name: 'lo', up: true }])
    const watch = red.links.watch()
    await watch.next()
    await red.links.create({
      kind: 'bridge',
      name: 'br0',
      up: true,
      addresses: ['10.0.0.1/24', 'fd00::1/64'],
    })
    t.match((await watch.next()).value, { type: 'added', item: { name: 'br0' } })
    watch.close()
    await red.routes.create({ destination: 'default', gateway: '10.0.0.9' })
    t.match(await red.routes.lookUp('192.0.2.1'), { gateway: '10.0.0.9' })
    t.equal(red.links.statistics('lo').rxPackets, 0n)

    await using blue = await Network.create({ userNamespace: true })
    await red.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v0', in: blue } })
    await blue.links.change('v0', { up: true })
    await red.addresses.create({ link: 'v0', address: '10.1.0.1/24' })
    await blue.addresses.create({ link: 'v0', address: '10.1.0.2/24' })
    const { stdout } = await red.namespace.exec('ip', ['-j', 'addr', 'show', 'v0'])
    t.match(JSON.parse(stdout), [{ addr_info: [{ local: '10.1.0.1' }] }])
    const server = (await import('node:net')).createServer(socket => socket.end('hello'))
    await red.namespace.listen(server, { host: '10.1.0.1', port: 80 })
    const socket = await blue.namespace.connect({ host: '10.1.0.1', port: 80 })
    let text = ''
    for await (const chunk of socket) text += chunk
    t.equal(text, 'hello')
    server.close()
    await red.sysctl.set('net.ipv4.ip_forward', 1)
    t.equal(await red.sysctl.get('net.ipv4.ip_forward'), '1')
    await red.nat.masquerade({ source: '10.1.0.0/24' })
    t.match((await red.namespace.exec('nft', ['list', 'ruleset'])).stdout, /masquerade/)
  })

  t.test('but changes nothing outside', async t => {
    await using here = await Network.open()
    await t.rejects(here.links.create({ kind: 'bridge', name: 'nlx0' }), {
      code: 'EPERM',
      message: /CAP_NET_ADMIN/,
    })
    t.ok((await here.links.list()).length > 0, 'and may look')
  })

  t.test('nothing is left', leaks)
}
