import t from 'tap'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks, wiredNetwork } from '../../support/networks.js'
import { requires, requiresRoot } from '../../support/requires.js'

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
      { gateway: '10.0.0.2', link: link.index, weight: 1, onlink: false, encapsulation: undefined },
      { gateway: '10.0.0.3', link: link.index, weight: 5, onlink: false, encapsulation: undefined },
      { gateway: undefined, link: link.index, weight: 1, onlink: false, encapsulation: undefined },
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

  t.test('whatever a route can have, as iproute2 sees it', async t => {
    if (!requires(t, 'ip')) return
    await using networks = await connectedNetworks()
    const { red } = networks
    const ip = async (...args: string[]) =>
      JSON.parse((await red.namespace.exec('ip', ['-j', '-d', ...args])).stdout) as Record<string, unknown>[]
    const run = (line: string) => red.namespace.exec('ip', line.split(' '))
    await red.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    await red.addresses.create({ link: 'v0', address: 'fd00::1/64', dad: 'skip' })
    const { index } = await red.links.get('v0')
    const metrics = {
      mtu: 1300,
      window: 5000,
      rtt: 800,
      rttVariation: 400,
      slowStartThreshold: 7,
      congestionWindow: 8,
      advertisedMss: 900,
      reordering: 9,
      hopLimit: 10,
      initialWindow: 11,
      minimumRtoMs: 120,
      initialReceiveWindow: 12,
      quickAck: 1,
      fastOpenNoCookie: 1,
      features: 1,
      locked: 1 << 2,
      congestionControl: 'cubic',
    }
    await red.routes.create({ destination: '10.1.0.0/16', gateway: '10.0.0.2', ...metrics })
    const [their] = await ip('route', 'show', '10.1.0.0/16')
    t.match(JSON.stringify(their), /"mtu":1300/)
    const told = Object.assign({}, ...((their!.metrics ?? []) as object[]))
    t.match(told, {
      mtu: 1300,
      window: 5000,
      rtt: 100,
      rttvar: 100,
      ssthresh: 7,
      advmss: 900,
      reordering: 9,
      hoplimit: 10,
      initcwnd: 11,
      rto_min: 120,
      initrwnd: 12,
      quickack: 1,
      congestion: 'cubic',
    })
    const find = async (destination: string) =>
      (await red.routes.list({ table: 'all' })).find(route => route.destination === destination)
    t.match(await find('10.1.0.0/16'), metrics)
    await run('route add 10.2.0.0/16 via 10.0.0.2 mtu lock 1200 initrwnd 9 rto_min 90ms quickack 1 realm 1/2')
    t.match(await find('10.2.0.0/16'), {
      mtu: 1200,
      // iproute2 locks the timeout too.
      locked: (1 << 2) | (1 << 13),
      initialReceiveWindow: 9,
      minimumRtoMs: 90,
      quickAck: 1,
      realms: 0x10002,
    })
    await red.routes.create({
      destination: 'fd01::/64',
      gateway: 'fd00::2',
      preference: 'high',
      expiresSeconds: 500,
    })
    t.match(await ip('-6', 'route', 'show', 'fd01::/64'), [{ gateway: 'fd00::2', pref: 'high' }])
    const six = await find('fd01::/64')
    t.equal(six!.preference, 'high')
    t.ok(six!.expiresSeconds! > 400 && six!.expiresSeconds! <= 500)

    await red.nexthops.create({ id: 9, gateway: '10.0.0.9', link: index })
    await red.routes.create({ destination: '10.3.0.0/16', nextHopId: 9 })
    t.match(await ip('route', 'show', '10.3.0.0/16'), [{ nhid: 9, gateway: '10.0.0.9' }])
    t.match(await find('10.3.0.0/16'), { nextHopId: 9, gateway: '10.0.0.9', link: index })
    await t.rejects(red.routes.create({ destination: '10.4.0.0/16', nextHopId: 9, link: 'v0' }), {
      code: 'ERR_INVALID_ARG_VALUE',
    })

    // Not every kernel has light-weight tunnels.
    const ours = { ip: { id: 7n, destination: '192.0.2.1', source: '192.0.2.2', ttl: 9, tos: 4 } }
    const made = await red.routes
      .create({ destination: '10.5.0.0/16', link: 'v0', encapsulation: ours })
      .then(() => true)
      .catch(error => {
        if (error.code !== 'ENOTSUP') throw error
        return false
      })
    if (made) {
      t.match(await ip('route', 'show', '10.5.0.0/16'), [
        { encap: 'ip', id: 7, src: '192.0.2.2', ttl: 9, tos: 4, dev: 'v0' },
      ])
      t.match((await find('10.5.0.0/16'))!.encapsulation, ours)
      await run('route add 10.6.0.0/16 encap ip6 id 5 dst fd00::5 src fd00::6 hoplimit 7 dev v0')
      t.match((await find('10.6.0.0/16'))!.encapsulation, {
        ip6: { id: 5n, destination: 'fd00::5', source: 'fd00::6', hopLimit: 7 },
      })
    } else t.comment('this kernel has no light-weight tunnels')
    for (const mode of ['encap', 'inline'] as const) {
      const destination = mode === 'encap' ? 'fd02::/64' : 'fd03::/64'
      const routing = { mode, segments: ['fd00::5', 'fd00::6', 'fd00::7'] }
      try {
        await red.routes.create({ destination, link: 'v0', encapsulation: { seg6: { routing } } })
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOTSUP') throw error
        t.comment('this kernel has no segment routing')
        break
      }
      t.match(await ip('-6', 'route', 'show', destination), [{ encap: 'seg6', mode, segs: routing.segments }])
      t.same((await find(destination))!.encapsulation, { seg6: { routing } })
    }
  })

  t.test('what a packet would get, and the order of routes', async t => {
    await using networks = await connectedNetworks()
    const { red } = networks
    await red.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    await red.addresses.create({ link: 'v0', address: 'fd00::1/64', dad: 'skip' })
    const { index } = await red.links.get('v0')
    const destination = '10.1.0.0/16'
    await red.routes.create({ destination, gateway: '10.0.0.2' })
    await red.routes.create({ destination, gateway: '10.0.0.3', table: 100 })
    await red.rules.create({ family: 4, mark: 5, table: 100 })
    await red.routes.create({ destination, gateway: '10.0.0.4', table: 101 })
    await red.rules.create({ family: 4, ipProtocol: 17, destinationPorts: 53, table: 101 })
    await red.routes.create({ destination, gateway: '10.0.0.5', table: 102 })
    await red.rules.create({ family: 4, uids: 1234, table: 102 })
    const gateway = async (query: object) => (await red.routes.get('10.1.2.3', query)).gateway
    t.equal(await gateway({}), '10.0.0.2')
    t.equal(await gateway({ mark: 5 }), '10.0.0.3')
    t.equal(await gateway({ ipProtocol: 17, sourcePort: 9, destinationPort: 53 }), '10.0.0.4')
    t.equal(await gateway({ uid: 1234 }), '10.0.0.5')
    t.match(await red.routes.get('10.1.2.3', { fibMatch: true }), { destination, protocol: 78 })
    t.match(await red.routes.get('10.0.0.9', { from: '10.0.0.1', outputLink: 'v0' }), { link: index })
    await t.rejects(red.routes.get('10.1.2.3', { from: 'fd00::1' }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(red.routes.get('10.1.2.3', { x: 1 } as never), { code: 'ERR_INVALID_ARG_VALUE' })

    const gateways = async (family: 4 | 6) =>
      (await red.routes.list({ family, table: 200 })).map(route =>
        route.nextHops.length > 0 ? route.nextHops.map(hop => hop.gateway) : route.gateway,
      )
    const table = 200
    await red.routes.append({ destination, table, gateway: '10.0.0.2' })
    await red.routes.append({ destination, table, gateway: '10.0.0.3' })
    await red.routes.prepend({ destination, table, gateway: '10.0.0.4' })
    t.same(await gateways(4), ['10.0.0.4', '10.0.0.2', '10.0.0.3'])
    await red.routes.change({ destination, table, gateway: '10.0.0.5' })
    t.same(await gateways(4), ['10.0.0.5', '10.0.0.2', '10.0.0.3'])
    await t.rejects(red.routes.change({ destination: '10.9.0.0/16', table, gateway: '10.0.0.5' }), {
      code: 'ENOENT',
    })
    const six = { destination: 'fd01::/64', table }
    await red.routes.create({ ...six, gateway: 'fd00::2' })
    await red.routes.append({ ...six, gateway: 'fd00::3' })
    t.same(await gateways(6), [['fd00::2', 'fd00::3']], 'IPv6 merges')
    await red.routes.replace({ ...six, gateway: 'fd00::4' })
    t.same(await gateways(6), ['fd00::4'], 'and replaces all')
  })

  t.test('flush', async t => {
    await using network = await wiredNetwork()
    const { routes } = network
    await network.addresses.create({ link: 'v0', address: 'fd00::1/64', dad: 'skip' })
    const make = async () => {
      const results = await network.batch(batch => {
        for (let i = 0; i < 1000; i++) {
          const destination = `10.${i >> 8}.${i & 255}.0/24`
          batch.routes.create({ destination, gateway: '192.0.2.9', table: 100, metric: i % 3 })
          batch.routes.create({ destination: `fd01:${i.toString(16)}::/64`, gateway: 'fd00::9', table: 100 })
        }
        const nextHops = [{ gateway: '192.0.2.9' }, { gateway: '192.0.2.8', weight: 3 }]
        batch.routes.create({ destination: '10.200.0.0/16', nextHops, table: 100 })
        batch.routes.create({ destination: '10.201.0.0/16', type: 'blackhole', table: 100 })
        batch.routes.create({
          destination: '10.202.0.0/16',
          gateway: '192.0.2.9',
          table: 100,
          protocol: 99,
          mtu: 1400,
        })
        batch.routes.create({ destination: '10.203.0.0/16', gateway: '192.0.2.9', protocol: 99, tos: 4 })
      })
      t.same(results.filter(Boolean), [])
    }
    await make()
    const main = (await routes.list()).length
    await routes.flush({ table: 100, protocol: 99 })
    t.equal((await routes.list({ table: 100 })).length, 2002)
    await routes.flush({ table: 100, family: 6 })
    t.equal((await routes.list({ table: 100 })).length, 1002)
    await routes.flush({ table: 100 })
    t.same(await routes.list({ table: 100 }), [])
    t.equal((await routes.list()).length, main, 'other tables stay')
    await routes.flush({ protocol: 99 })
    t.equal((await routes.list()).length, main - 1)
    await routes.flush({ table: 100 })
    await t.rejects(routes.flush({ family: 4 }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(routes.flush(undefined as never), { code: 'ERR_INVALID_ARG_TYPE' })
    const { stdout } = await network.namespace.exec('ip', ['route', 'show', 'table', 'all', 'proto', '78'])
    t.equal(stdout, '', 'iproute2 sees none either')
  })

  t.test('bad arguments', async t => {
    await using networks = await connectedNetworks()
    const { red } = networks
    const bad = [
      [{ destination: '10.9.0.0/16' }, 'ERR_INVALID_ARG_VALUE'],
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
