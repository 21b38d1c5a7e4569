import t, { type Test } from 'tap'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

/** A host with `eth0` to a gateway, a default route and others through it, and an empty bridge. */
async function host() {
  const here = await Network.create()
  const gateway = await Network.create()
  await here.links.create({
    kind: 'veth',
    name: 'eth0',
    up: true,
    addresses: [
      '192.0.2.5/24',
      '198.51.100.5/25',
      { address: '2001:db8::5/64', dad: 'skip', home: true, manageTemporary: true },
    ],
    peer: { name: 'eth0', in: gateway },
  })
  await gateway.links.change('eth0', { up: true })
  await gateway.addresses.create({ link: 'eth0', address: '192.0.2.1/24' })
  await gateway.addresses.create({ link: 'eth0', address: '2001:db8::1/64', dad: 'skip' })
  await here.routes.create({ destination: 'default', gateway: '192.0.2.1', metric: 100, protocol: 4 })
  await here.routes.create({
    destination: '203.0.113.0/24',
    link: 'eth0',
    preferredSource: '192.0.2.5',
    mtu: 1400,
  })
  await here.routes.create({ destination: '10.0.0.0/8', gateway: '203.0.113.9', table: 100 })
  await here.routes.create({ destination: '::/0', gateway: '2001:db8::1' })
  // A secondary address, two routes to one destination, a type of service, a permanent neighbor.
  await here.addresses.create({ link: 'eth0', address: '192.0.2.6/24' })
  await here.routes.create({ destination: '10.3.0.0/16', gateway: '192.0.2.8' })
  await here.routes.append({ destination: '10.3.0.0/16', gateway: '192.0.2.9' })
  await here.routes.create({ destination: '10.4.0.0/16', gateway: '192.0.2.8', tos: 0x10 })
  await here.neighbors.create({ link: 'eth0', address: '192.0.2.8', macAddress: '02:00:00:00:00:08' })
  const bridge = await here.links.create({ kind: 'bridge', name: 'br0' })
  return {
    here,
    gateway,
    bridge,
    async [Symbol.asyncDispose]() {
      await here.close()
      await gateway.close()
    },
  }
}

/** All of it, as iproute2 tells it, without what moves by itself. */
async function picture(network: Network): Promise<string> {
  const texts: string[] = []
  for (const command of [
    '-br link show',
    '-4 addr show',
    '-6 addr show',
    '-4 route show table all',
    '-6 route show table all',
    'neigh show nud permanent',
  ]) {
    texts.push((await network.namespace.exec('ip', command.split(' '))).stdout)
  }
  // A bridge that has lost its last port loses its carrier, a moment later, unlike one that never had any.
  return texts
    .join('')
    .replaceAll(/NO-CARRIER,|,LOWER_UP|\b(?:state )?(?:UNKNOWN|DOWN|UP)\b *| linkdown/g, '')
    .split('\n')
    .map(line => line.replaceAll(/ +/g, ' ').trim())
    .filter(line => !/fe80|multicast|ff00/.test(line))
    .sort()
    .join('\n')
}

async function reaches(t: Test, network: Network, ...addresses: string[]) {
  for (const address of addresses) {
    const { code } = await network.namespace.exec('ping', ['-c', '1', '-W', '5', address], { reject: false })
    t.equal(code, 0, `${address} answers`)
  }
}

if (requiresRoot(t) && requires(t, 'ip', 'ping')) {
  const leaks = watchLeaks()

  t.test('addresses and routes move to the bridge, and back', async t => {
    await using setup = await host()
    const { here } = setup
    await reaches(t, here, '192.0.2.1', '2001:db8::1')
    const before = await picture(here)
    const eth0 = await here.links.get('eth0')
    const join = await here.links.joinBridge('eth0', 'br0')
    t.same(await here.addresses.list({ link: 'eth0' }), [], 'the interface keeps none')
    const addresses = await here.addresses.list({ link: 'br0' })
    t.same(
      addresses
        .filter(({ scope }) => scope !== 'link')
        .map(({ address, prefixLength }) => `${address}/${prefixLength}`),
      ['192.0.2.5/24', '198.51.100.5/25', '192.0.2.6/24', '2001:db8::5/64'],
    )
    t.match(
      addresses.find(({ address }) => address === '2001:db8::5'),
      { home: true, manageTemporary: true },
    )
    const { index, macAddress, up } = await here.links.get('br0')
    t.equal(macAddress, eth0.macAddress)
    t.ok(up)
    const routes = (await here.routes.list({ table: 'all' })).filter(({ table }) => table !== 255)
    t.same(
      routes.filter(({ link }) => link === eth0.index),
      [],
    )
    t.match(
      routes.find(({ destination }) => destination === '0.0.0.0/0'),
      { link: index, gateway: '192.0.2.1', metric: 100, protocol: 4 },
    )
    t.match(
      routes.find(({ destination }) => destination === '203.0.113.0/24'),
      { link: index, preferredSource: '192.0.2.5', mtu: 1400 },
    )
    t.match(
      routes.find(({ destination }) => destination === '10.0.0.0/8'),
      { link: index, gateway: '203.0.113.9', table: 100 },
    )
    t.match(
      routes.find(({ destination }) => destination === '::/0'),
      { link: index, gateway: '2001:db8::1' },
    )
    t.equal(
      routes.filter(({ destination, link }) => destination === '10.3.0.0/16' && link === index).length,
      2,
    )
    t.match(
      routes.find(({ destination }) => destination === '10.4.0.0/16'),
      { link: index, tos: 0x10 },
    )
    t.match(await here.neighbors.list({ link: 'br0', state: 'permanent' }), [{ address: '192.0.2.8' }])
    await reaches(t, here, '192.0.2.1', '2001:db8::1')
    await join.undo()
    await join.undo()
    t.equal(await picture(here), before, 'as it was')
    await reaches(t, here, '192.0.2.1', '2001:db8::1')
  })

  t.test('if a step fails everything is as it was', async t => {
    await using setup = await host()
    const { here } = setup
    // The kernel refuses the same address twice on a link: the last of those to be moved is there already.
    await here.links.change('br0', { up: true })
    await here.addresses.create({ link: 'br0', address: '2001:db8::5/64', dad: 'skip' })
    const before = await picture(here)
    await t.rejects(here.links.joinBridge('eth0', 'br0'), { code: 'EEXIST' })
    t.equal(await picture(here), before)
    await here.addresses.delete({ link: 'br0', address: '2001:db8::5/64' })
    await reaches(t, here, '192.0.2.1', '2001:db8::1')
  })

  t.test('what cannot be moved is refused before anything is done', async t => {
    await using setup = await host()
    const { here } = setup
    const before = await picture(here)
    await t.rejects(here.links.joinBridge('eth0', 'eth0'), {
      code: 'ERR_INVALID_STATE',
      message: /no bridge/,
    })
    await t.rejects(here.links.joinBridge('br0', 'br0'), { code: 'ERR_INVALID_STATE', message: /itself/ })
    await t.rejects(here.links.joinBridge('eth1', 'br0'), { code: 'ERR_LINK_NOT_FOUND' })
    t.equal(await picture(here), before)
    await here.links.create({ kind: 'bridge', name: 'br1' })
    await here.links.change('eth0', { master: 'br1' })
    await t.rejects(here.links.joinBridge('eth0', 'br0'), {
      code: 'ERR_INVALID_STATE',
      message: /port already/,
    })
  })

  t.test('nothing is left', leaks)
}
