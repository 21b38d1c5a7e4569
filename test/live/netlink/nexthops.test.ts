import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  async function withLink(): Promise<Network> {
    const network = await Network.create()
    await network.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1' } })
    await network.links.change('v1', { up: true })
    await network.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    return network
  }

  async function ip(network: Network, ...args: string[]): Promise<Record<string, unknown>[]> {
    return JSON.parse((await network.namespace.exec('ip', ['-j', '-d', ...args])).stdout)
  }

  t.test('nexthops, both ways', async t => {
    await using network = await withLink()
    const { nexthops } = network
    const { index } = await network.links.get('v0')
    t.match(await nexthops.create({ id: 1, gateway: '10.0.0.2', link: 'v0' }), {
      id: 1,
      family: 4,
      gateway: '10.0.0.2',
      link: index,
      scope: 'link',
      protocol: 78,
      group: [],
      raw: [],
    })
    await nexthops.create({ id: 2, gateway: '192.0.2.1', link: index, onlink: true, protocol: 4 })
    await nexthops.create({ id: 3, blackhole: true, family: 6 })
    await nexthops.create({ id: 4, group: [1, { id: 2, weight: 6 }] })
    const resilient = { buckets: 8, idleTimerMs: 5000, unbalancedTimerMs: 7000 }
    t.match(await nexthops.create({ id: 5, group: [1, 2], resilient }), { groupType: 'resilient', resilient })
    await nexthops.create({ id: 6, gateway: '10.9.9.9', fdb: true })
    await nexthops.create({ id: 7, link: 'v0', family: 4 })
    const { id } = await nexthops.create({ gateway: '10.0.0.7', link: 'v0' })
    t.ok(id > 7)
    t.match(await ip(network, 'nexthop'), [
      { id: 1, gateway: '10.0.0.2', dev: 'v0', protocol: '78' },
      { id: 2, gateway: '192.0.2.1', flags: ['onlink'], protocol: 'static' },
      { id: 3, blackhole: null },
      { id: 4, group: [{ id: 1 }, { id: 2, weight: 6 }] },
      {
        id: 5,
        type: 'resilient',
        resilient_args: { buckets: 8, idle_timer: 5, unbalanced_timer: 7 },
      },
      { id: 6, gateway: '10.9.9.9', fdb: null },
      { id: 7, dev: 'v0' },
      { id },
    ])
    const run = (line: string) => network.namespace.exec('ip', line.split(' '))
    await run('nexthop add id 20 via 10.0.0.9 dev v0 onlink proto 9')
    await run('nexthop add id 21 group 20,5/1,3 type resilient buckets 16 idle_timer 9')
    t.match(await nexthops.get(20), { gateway: '10.0.0.9', onlink: true, protocol: 9 })
    t.match(await nexthops.get(21), {
      family: undefined,
      group: [
        { id: 20, weight: 5 },
        { id: 1, weight: 3 },
      ],
      groupType: 'resilient',
      resilient: { buckets: 16, idleTimerMs: 9000 },
    })
    t.same(
      (await nexthops.list()).map(n => n.id),
      (await ip(network, 'nexthop')).map(n => n.id),
    )
    t.same(
      (await nexthops.list({ groups: true })).map(n => n.id),
      [4, 5, 21],
    )
    t.same(
      (await nexthops.list({ groups: false, protocol: 4 })).map(n => n.id),
      [2],
    )
    t.same(
      (await nexthops.list({ fdb: true })).map(n => n.id),
      [6],
    )
    t.ok((await nexthops.list({ link: 'v0' })).every(n => n.link === index))

    await t.rejects(nexthops.create({ id: 1, gateway: '10.0.0.2', link: 'v0' }), { code: 'EEXIST' })
    t.match(await nexthops.replace({ id: 1, gateway: '10.0.0.3', link: 'v0' }), { gateway: '10.0.0.3' })
    await nexthops.delete(1)
    await t.rejects(nexthops.delete(1), { code: 'ENOENT' })
    await t.rejects(nexthops.get(1), { code: 'ENOENT' })
    t.match(await nexthops.get(4), { group: [{ id: 2 }] })
  })

  t.test('bad arguments', async t => {
    await using network = await withLink()
    for (const options of [
      {},
      { id: 0, gateway: '10.0.0.2', link: 'v0' },
      { link: 'v0' },
      { link: 'v0', family: 6, gateway: '10.0.0.2' },
      { group: [] },
      { group: [1], gateway: '10.0.0.2' },
      { group: [{ id: 1, weight: 0 }] },
      { gateway: '10.0.0.2', resilient: {} },
      { gateway: '10.0.0.2', link: 'v0', encapsulation: {} },
      { gateway: '10.0.0.2', link: 'v0', x: 1 },
    ]) {
      await t.rejects(network.nexthops.create(options as never), { code: /^ERR_/ }, JSON.stringify(options))
    }
  })

  t.test('nothing is left', leaks)
}
