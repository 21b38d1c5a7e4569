import t, { type Test } from 'tap'
import { watchLeaks } from '../../support/leaks.js'
import { wiredNetwork } from '../../support/networks.js'
import { requires, requiresRoot } from '../../support/requires.js'

interface Ensured<O> {
  create(options: O): Promise<unknown>
  ensure(options: O): Promise<unknown>
  list(): Promise<readonly unknown[]>
}

/** Twice the same is one; what is not as asked is refused and stays as it was. */
async function check<O extends object>(t: Test, collection: Ensured<O>, options: O, other: Partial<O>) {
  const before = (await collection.list()).length
  await collection.ensure(options)
  t.equal((await collection.list()).length, before + 1, 'it was made')
  await collection.ensure(options)
  t.equal((await collection.list()).length, before + 1, 'and accepted')
  await t.rejects(collection.create(options), { code: 'EEXIST' })
  const there = JSON.stringify(await collection.list(), withoutTimes)
  await t.rejects(collection.ensure({ ...options, ...other }), { code: 'ERR_OBJECT_MISMATCH' })
  t.equal(JSON.stringify(await collection.list(), withoutTimes), there, 'nothing was changed')
}

function withoutTimes(name: string, value: unknown): unknown {
  if (name === 'statistics' || name === 'usedMs' || name === 'updatedMs') return undefined
  return typeof value === 'bigint' ? `${value}` : value
}

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('routes', async t => {
    await using network = await wiredNetwork()
    const routes = { ...bound(network.routes), list: () => network.routes.list({ protocol: 78 }) }
    await check(t, routes, { destination: '10.0.0.0/8', gateway: '192.0.2.9' }, { gateway: '192.0.2.8' })
    await check(t, routes, { destination: '10.1.0.0/16', gateway: '192.0.2.9', mtu: 1400 }, { mtu: 1300 })
    await check(
      t,
      routes,
      {
        destination: '10.2.0.0/16',
        nextHops: [{ gateway: '192.0.2.9', weight: 2 }, { gateway: '192.0.2.8' }],
      },
      { nextHops: [{ gateway: '192.0.2.9' }, { gateway: '192.0.2.8' }] },
    )
    await check(t, routes, { destination: 'fd00:1::/64', link: 'v0', metric: 5 }, { mtu: 1300 })
    await check(t, routes, { destination: '10.3.0.0/16', type: 'blackhole' }, { type: 'prohibit' })
    await network.namespace.exec('ip', ['route', 'add', '10.9.0.0/16', 'via', '192.0.2.9'])
    await network.routes.ensure({ destination: '10.9.0.0/16', gateway: '192.0.2.9' })
    await t.rejects(network.routes.ensure({ destination: '10.9.0.0/16', gateway: '192.0.2.7' }), {
      code: 'ERR_OBJECT_MISMATCH',
      message: /10\.9\.0\.0\/16 is there, but its gateway is 192\.0\.2\.9, not 192\.0\.2\.7/,
    })
  })

  t.test('addresses', async t => {
    await using network = await wiredNetwork()
    const list = () => network.addresses.list({ link: 'v1' })
    const addresses = { ...bound(network.addresses), list }
    const link = 'v1'
    await check(t, addresses, { link, address: '10.0.0.1/24', label: 'v1:1', metric: 7 }, { label: 'v1:2' })
    await check(t, addresses, { link, address: '10.0.0.2/24', noPrefixRoute: true }, { noPrefixRoute: false })
    await check(t, addresses, { link, address: '10.2.0.1/30', peer: '10.2.0.9' }, { peer: '10.2.0.10' })
    await check(t, addresses, { link, address: 'fd00::1/64', dad: 'skip' }, { metric: 9 })
    await check(t, addresses, { link, address: 'fd00::2/64', dad: 'skip' }, { address: 'FD00::2/128' })
    await t.rejects(network.addresses.ensure({ link, address: 'fd00::2/48' }), {
      code: 'ERR_OBJECT_MISMATCH',
      message: 'the address fd00::2/48 on v1 is there, but its prefixLength is 64, not 48',
    })
    await network.addresses.create({ link, address: '10.3.0.1/24', validSeconds: 500 })
    t.ok(
      (await network.addresses.ensure({ link, address: '10.3.0.1/24', validSeconds: 900 })).validSeconds! <=
        500,
    )
    await t.rejects(network.addresses.ensure({ link, address: '10.3.0.1/24', lable: 'x' } as never), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })

  t.test('neighbors', async t => {
    await using network = await wiredNetwork()
    const neighbors = {
      ...bound(network.neighbors),
      list: () => network.neighbors.list({ link: 'v0', state: 'permanent' }),
    }
    const macAddress = '02:00:00:00:00:09'
    await check(
      t,
      neighbors,
      { link: 'v0', address: '192.0.2.9', macAddress },
      { macAddress: '02:00:00:00:00:08' },
    )
    await check(t, neighbors, { link: 'v0', address: 'fd00::9', macAddress }, { router: true })
    // What the kernel has learned is nobody's wish.
    await network.neighbors.create({ link: 'v0', address: '192.0.2.7', macAddress, state: 'stale' })
    await network.neighbors.ensure({ link: 'v0', address: '192.0.2.7', macAddress: '02:00:00:00:00:07' })
    t.match(await network.neighbors.get({ link: 'v0', address: '192.0.2.7' }), {
      macAddress: '02:00:00:00:00:07',
      state: 'permanent',
    })
    await network.neighbors.ensure({ link: 'v0', address: '192.0.2.6', proxy: true })
    await network.neighbors.ensure({ link: 'v0', address: '192.0.2.6', proxy: true })
  })

  t.test('forwarding databases', async t => {
    await using network = await wiredNetwork()
    await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    await network.links.change('v0', { master: 'br0' })
    const macAddress = '02:00:00:00:00:09'
    await check(
      t,
      { ...bound(network.fdb), list: () => network.fdb.list({ bridge: 'br0', macAddress }) },
      { link: 'v0', macAddress },
      { state: 'permanent' },
    )
    await network.links.create({
      kind: 'vxlan',
      name: 'vx',
      vxlan: { id: 7, local: '192.0.2.1', port: 4789 },
    })
    const fdb = { ...bound(network.fdb), list: () => network.fdb.list({ link: 'vx' }) }
    await check(t, fdb, { link: 'vx', macAddress, destination: '192.0.2.5' }, { destination: '192.0.2.6' })
    const many = { link: 'vx', macAddress: '00:00:00:00:00:00' }
    await network.fdb.append({ ...many, destination: '192.0.2.5' })
    await network.fdb.append({ ...many, destination: '192.0.2.6' })
    await network.fdb.ensure({ ...many, destination: '192.0.2.6' })
  })

  t.test('nexthops', async t => {
    await using network = await wiredNetwork()
    const nexthops = { ...bound(network.nexthops), list: () => network.nexthops.list() }
    await check(t, nexthops, { id: 1, gateway: '192.0.2.9', link: 'v0' }, { gateway: '192.0.2.8' })
    await check(t, nexthops, { id: 2, blackhole: true, family: 4 }, { blackhole: false, link: 'v0' })
    await check(t, nexthops, { id: 3, group: [1] }, { group: [{ id: 1, weight: 2 }] })
  })

  t.test('traffic control', async t => {
    await using network = await wiredNetwork()
    const htb = { link: 'v0', kind: 'htb', handle: '1:', htb: { defaultClass: 0x10 } } as const
    await network.qdiscs.ensure(htb)
    await network.qdiscs.ensure(htb)
    await t.rejects(network.qdiscs.ensure({ ...htb, htb: { defaultClass: 0x20 } }), {
      code: 'ERR_OBJECT_MISMATCH',
      message: /htb\.defaultClass/,
    })
    await t.rejects(network.qdiscs.ensure({ link: 'v0', kind: 'pfifo' }), { code: 'ERR_OBJECT_MISMATCH' })
    await network.qdiscs.ensure({ link: 'v1', kind: 'clsact' })
    await network.qdiscs.ensure({ link: 'v1', kind: 'clsact' })
    t.equal((await network.qdiscs.list({ link: 'v1' })).filter(({ kind }) => kind === 'clsact').length, 1)

    const classes = { ...bound(network.classes), list: () => network.classes.list({ link: 'v0' }) }
    const rate = { bitsPerSecond: 1_000_000 }
    await check(
      t,
      classes,
      { link: 'v0', handle: '1:10', kind: 'htb', htb: { rate } },
      { htb: { rate: { bitsPerSecond: 2_000_000 } } },
    )

    const filter = {
      link: 'v1',
      kind: 'u32',
      parent: 'ingress',
      protocol: 'ip',
      priority: 7,
      u32: { matches: [{ offset: 12, value: 0x0a000000, mask: 0xff000000 }] },
    } as const
    const filters = () => network.filters.list({ link: 'v1', parent: 'ingress' })
    await network.filters.ensure(filter)
    const made = (await filters()).length
    await network.filters.ensure(filter)
    t.equal((await filters()).length, made)
    await network.filters.ensure({ ...filter, u32: { matches: [{ offset: 16, value: 1, mask: 255 }] } })
    t.equal((await filters()).length, made + 1, 'of several at a place each is its own')
  })

  t.test('nothing is left', leaks)
}

function bound<O, C, E>(collection: { create(options: O): C; ensure(options: O): E }) {
  return {
    create: (options: O) => collection.create(options),
    ensure: (options: O) => collection.ensure(options),
  }
}
