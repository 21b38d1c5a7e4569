import t from 'tap'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks } from '../../support/networks.js'
import { requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('routes', async t => {
    await using networks = await connectedNetworks()
    const { red } = networks
    await red.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    await red.addresses.create({ link: 'v0', address: 'fd00::1/64', dad: 'skip' })
    const link = await red.links.get('v0')
    await red.routes.create({ destination: 'default', gateway: '10.0.0.254' })
    await red.routes.create({ destination: 'default', gateway: 'fd00::fe', metric: 5 })
    await red.routes.create({ destination: '10.1.0.0/16', link: 'v0', metric: 9, mtu: 1300, hopLimit: 9 })
    await red.routes.create({ destination: '10.2.0.0/16', type: 'blackhole' })
    await red.routes.create({
      destination: '10.3.0.0/16',
      gateway: '192.0.2.1',
      link,
      onlink: true,
      protocol: 4,
    })
    await red.routes.create({ destination: '10.4.0.0/16', gateway: 'fd00::fe', preferredSource: '10.0.0.1' })
    await red.routes.create({ destination: '10.5.0.0/16', link, table: 1000 })
    await red.routes.create({
      destination: '10.6.0.0/16',
      nextHops: [{ gateway: '10.0.0.2' }, { gateway: '10.0.0.3', weight: 5 }, { link: 'v0' }],
    })
    const routes = await red.routes.list()
    const find = (destination: string) => routes.find(route => route.destination === destination)
    t.match(find('0.0.0.0/0'), {
      gateway: '10.0.0.254',
      link: link.index,
      protocol: 78,
      table: 254,
      type: 'unicast',
    })
    t.match(find('::/0'), { gateway: 'fd00::fe', metric: 5, family: 6 })
    t.match(find('10.1.0.0/16'), {
      link: link.index,
      metric: 9,
      mtu: 1300,
      hopLimit: 9,
      scope: 'link',
      gateway: undefined,
    })
    t.match(find('10.2.0.0/16'), { type: 'blackhole', link: undefined })
    t.match(find('10.3.0.0/16'), { gateway: '192.0.2.1', onlink: true, protocol: 4 })
    t.match(find('10.4.0.0/16'), { gateway: 'fd00::fe', preferredSource: '10.0.0.1' })
    t.equal(find('10.5.0.0/16'), undefined)
    t.same(find('10.6.0.0/16')!.nextHops, [
      { gateway: '10.0.0.2', link: link.index, weight: 1, onlink: false },
      { gateway: '10.0.0.3', link: link.index, weight: 5, onlink: false },
      { gateway: undefined, link: link.index, weight: 1, onlink: false },
    ])
    t.match(find('10.0.0.0/24'), { protocol: 2, preferredSource: '10.0.0.1' })
    t.match(await red.routes.list({ table: 1000 }), [{ destination: '10.5.0.0/16', table: 1000 }])
    t.same(await red.routes.list({ table: 4321 }), [])
    t.ok((await red.routes.list({ table: 'all' })).some(route => route.table === 255))
    t.match(await red.routes.list({ protocol: 4 }), [{ destination: '10.3.0.0/16' }])
    t.same(await red.routes.list({ link: 'lo', family: 4 }), [])
    t.match(await red.routes.lookUp('10.1.2.3'), { destination: '10.1.2.3/32', preferredSource: '10.0.0.1' })
    t.match(await red.routes.lookUp('8.8.8.8'), { gateway: '10.0.0.254' })
    await t.rejects(red.routes.lookUp('10.2.0.1'), { code: 'EINVAL' })

    await t.rejects(red.routes.create({ destination: 'default', gateway: '10.0.0.253' }), { code: 'EEXIST' })
    await red.routes.replace({ destination: 'default', gateway: '10.0.0.253' })
    t.match(await red.routes.lookUp('8.8.8.8'), { gateway: '10.0.0.253' })
    for (const { destination } of routes.filter(route => route.protocol === 78))
      await red.routes.delete({ destination })
    t.same(await red.routes.list({ protocol: 78 }), [])
    await t.rejects(red.routes.delete({ destination: '10.1.0.0/16' }), { code: 'ESRCH' })
  })

  t.test('bad arguments', async t => {
    await using networks = await connectedNetworks()
    const { red } = networks
    const bad = [
      [{ destination: 'default' }, 'ERR_INVALID_ARG_VALUE'],
      [{ destination: '10.0.0.0/8', family: 6, link: 'v0' }, 'ERR_INVALID_ARG_VALUE'],
      [{ destination: '10.0.0.0/8', type: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ destination: '10.0.0.0/8', scope: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ destination: '10.0.0.0/8', table: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ destination: '10.0.0.0/8', gatway: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ destination: '10.0.0.0/8', nextHops: [] }, 'ERR_INVALID_ARG_TYPE'],
      [{ destination: '10.0.0.0/8', nextHops: [{ weight: 0 }] }, 'ERR_OUT_OF_RANGE'],
      [{ destination: '10.0.0.0/8', nextHops: [{ x: 0 }] }, 'ERR_INVALID_ARG_VALUE'],
      [{ destination: '10.0.0.0/8', link: 'x' }, 'ERR_LINK_NOT_FOUND'],
      [{ destination: '10.0.0.1/8', link: 'v0' }, 'EINVAL'],
      [{ destination: '10.0.0.0/8', gateway: '192.0.2.1' }, 'ENETUNREACH'],
    ] as const
    for (const [options, code] of bad) {
      await t.rejects(red.routes.create(options as never), { code }, JSON.stringify(options))
    }
    const error = await red.routes.create({ destination: '10.0.0.0/8', gateway: '192.0.2.1' }).catch(e => e)
    t.match(error.message, /create route 10.0.0.0\/8 \(Nexthop has invalid gateway/)
    t.match(error, { kernelMessage: 'Nexthop has invalid gateway' })
  })

  t.test('neighbors', async t => {
    await using networks = await connectedNetworks()
    const { red, blue } = networks
    const macAddress = '02:00:00:00:00:07'
    await red.neighbors.create({ link: 'v0', address: '10.0.0.7', macAddress })
    await red.neighbors.create({ link: 'v0', address: 'fd00::7', macAddress, state: 'stale', router: true })
    t.match(await red.neighbors.list({ link: 'v0', family: 4 }), [
      { address: '10.0.0.7', macAddress, state: 'permanent', proxy: false, router: false },
    ])
    const six = await red.neighbors.list({ link: 'v0', family: 6 })
    t.match(
      six.find(n => n.address === 'fd00::7'),
      { macAddress, state: 'stale', router: true },
    )
    await t.rejects(red.neighbors.create({ link: 'v0', address: '10.0.0.7', macAddress }), { code: 'EEXIST' })
    await red.neighbors.replace({ link: 'v0', address: '10.0.0.7', macAddress: '02:00:00:00:00:08' })
    t.match(await red.neighbors.list({ link: 'v0', family: 4 }), [{ macAddress: '02:00:00:00:00:08' }])
    await red.neighbors.delete({ link: 'v0', address: '10.0.0.7' })
    t.same(await red.neighbors.list({ link: 'v0', family: 4 }), [])
    await t.rejects(red.neighbors.delete({ link: 'v0', address: '10.0.0.7' }), { code: 'ENOENT' })

    await red.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    await blue.addresses.create({ link: 'v0', address: '10.0.0.2/24' })
    await red.namespace.exec('ping', ['-c1', '10.0.0.2'])
    const { macAddress: real } = await blue.links.get('v0')
    t.match(await red.neighbors.list({ family: 4 }), [
      { address: '10.0.0.2', macAddress: real, state: 'reachable' },
    ])
  })

  t.test('nothing is left', leaks)
}
