import t, { type Test } from 'tap'
import type { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks } from '../../support/networks.js'
import { requires, requiresRoot } from '../../support/requires.js'

type Entry = Record<string, unknown> & { dst: string; state?: string[] }

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()
  const mac = (last: number) => `02:00:00:00:00:0${last}`

  async function ip(network: Network, ...args: string[]): Promise<Entry[]> {
    const { stdout } = await network.namespace.exec('ip', ['-j', '-d', ...args])
    return stdout.trim() === '' ? [] : JSON.parse(stdout)
  }

  const theirState = (state: string) => (state === 'none' ? [] : [state.toUpperCase()])

  async function compare(t: Test, network: Network): Promise<void> {
    const names = new Map((await network.links.list()).map(link => [link.index, link.name]))
    const ours = (await network.neighbors.list())
      .filter(({ state }) => state !== 'noarp' && state !== 'none')
      .map(each => ({
        dst: each.address,
        dev: names.get(each.link),
        lladdr: each.macAddress,
        router: each.router,
        extern_learn: each.externallyLearned,
        managed: each.managed,
        state: theirState(each.state),
        protocol: each.protocol,
      }))
    const theirs = (await ip(network, '-N', 'neigh')).map(each => ({
      dst: each.dst,
      dev: each.dev,
      lladdr: each.lladdr,
      router: 'router' in each,
      extern_learn: 'extern_learn' in each,
      managed: 'managed' in each,
      state: each.state ?? [],
      protocol: Number(each.protocol ?? 0),
    }))
    const sorted = (all: { dst: string }[]) => all.sort((a, b) => (a.dst < b.dst ? -1 : 1))
    t.same(sorted(ours), sorted(theirs))
  }

  t.test('entries of all sorts, both ways', async t => {
    await using networks = await connectedNetworks()
    const { red } = networks
    const { neighbors } = red
    await red.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    await neighbors.create({ link: 'v0', address: '10.0.0.2', macAddress: mac(2) })
    await neighbors.create({ link: 'v0', address: '10.0.0.3', macAddress: mac(3), state: 'reachable' })
    await neighbors.create({
      link: 'v0',
      address: 'fd00::4',
      macAddress: mac(4),
      state: 'stale',
      router: true,
    })
    await neighbors.create({
      link: 'v0',
      address: '10.0.0.5',
      macAddress: mac(5),
      externallyLearned: true,
      state: 'reachable',
    })
    await neighbors.create({ link: 'v0', address: '10.0.0.6', macAddress: mac(6), protocol: 4 })
    const run = (line: string) => red.namespace.exec('ip', line.split(' '))
    await run(`neigh add 10.0.0.7 dev v0 lladdr ${mac(7)} nud permanent protocol 186`)
    await run(`neigh add fd00::8 dev v0 lladdr ${mac(8)} router extern_learn nud stale`)
    await compare(t, red)
    const { index: link } = await red.links.get('v0')
    t.match(await neighbors.get({ link: 'v0', address: 'fd00::4' }), {
      link,
      address: 'fd00::4',
      macAddress: mac(4),
      state: 'stale',
      router: true,
      protocol: 78,
    })
    t.match(await neighbors.get({ link, address: '10.0.0.7' }), { state: 'permanent', protocol: 186 })
    t.same(
      (await neighbors.list({ protocol: 78, state: 'permanent' })).map(({ address }) => address),
      ['10.0.0.2'],
    )
    await neighbors.replace({ link, address: '10.0.0.2', macAddress: mac(9) })
    t.match(await neighbors.get({ link, address: '10.0.0.2' }), { macAddress: mac(9) })
    await t.rejects(neighbors.create({ link, address: '10.0.0.2', macAddress: mac(9) }), { code: 'EEXIST' })
    await t.rejects(neighbors.get({ link, address: '10.0.0.99' }), { name: 'NetlinkError', code: 'ENOENT' })
    await neighbors.flush({ family: 4 })
    t.same(
      (await neighbors.list({ family: 4 }))
        .filter(({ state }) => state !== 'noarp')
        .map(({ address }) => address)
        .sort(),
      ['10.0.0.2', '10.0.0.6', '10.0.0.7'],
    )
    await neighbors.flush({ link, state: 'permanent' })
    t.same(await neighbors.list({ family: 4, state: 'permanent' }), [])
    t.match(await neighbors.get({ link, address: 'fd00::8' }), { externallyLearned: true }, 'others stay')
    await compare(t, red)
  })

  t.test('what the kernel finds out by itself', async t => {
    await using networks = await connectedNetworks('10.0.0.1/24', '10.0.0.2/24')
    const { red, blue } = networks
    await blue.addresses.create({ link: 'v0', address: '10.0.0.3/24' })
    const { macAddress } = await blue.links.get('v0')
    await red.neighbors.create({ link: 'v0', address: '10.0.0.2', use: true })
    await red.neighbors.create({ link: 'v0', address: '10.0.0.3', managed: true })
    for (const address of ['10.0.0.2', '10.0.0.3']) {
      // Its neighbor answers; until then the entry is incomplete, and the test's time bounds the wait.
      let found = await red.neighbors.get({ link: 'v0', address })
      while (found.macAddress === undefined) found = await red.neighbors.get({ link: 'v0', address })
      t.equal(found.macAddress, macAddress)
      t.equal(found.managed, address === '10.0.0.3')
    }
  })

  t.test('addresses that this host answers for', async t => {
    await using networks = await connectedNetworks()
    const { red } = networks
    const { index: link } = await red.links.get('v0')
    await red.neighbors.create({ link: 'v0', address: '10.0.0.9', proxy: true })
    await red.namespace.exec('ip', ['neigh', 'add', 'proxy', 'fd00::9', 'dev', 'v0'])
    t.match(
      (await red.neighbors.list({ proxy: true })).sort((a, b) => a.family - b.family),
      [
        { address: '10.0.0.9', link, proxy: true },
        { address: 'fd00::9', link, proxy: true },
      ],
    )
    t.same(
      (await red.neighbors.list()).filter(({ proxy }) => proxy),
      [],
    )
    t.same((await ip(red, 'neigh', 'show', 'proxy')).map(({ dst }) => dst).sort(), ['10.0.0.9', 'fd00::9'])
    t.match(await red.neighbors.get({ link, address: '10.0.0.9', proxy: true }), { proxy: true })
    await red.neighbors.delete({ link, address: '10.0.0.9', proxy: true })
    await red.neighbors.flush({ proxy: true })
    t.same(await red.neighbors.list({ proxy: true }), [])
  })

  t.test('bad arguments', async t => {
    await using networks = await connectedNetworks()
    const { neighbors } = networks.red
    for (const options of [
      { link: 'v0' },
      { link: 'v0', address: 'x' },
      { link: 'v0', address: '10.0.0.1', macAddress: 'x' },
      { link: 'v0', address: '10.0.0.1', state: 'x' },
      { link: 'v0', address: '10.0.0.1', proxy: 1 },
      { link: 'v0', address: '10.0.0.1', use: 'yes' },
      { link: 'v0', address: '10.0.0.1', protocol: 256 },
      { link: 'v0', address: '10.0.0.1', x: 1 },
      { link: 'nope', address: '10.0.0.1' },
    ]) {
      await t.rejects(neighbors.create(options as never), { code: /^ERR_/ }, JSON.stringify(options))
    }
    await t.rejects(neighbors.list({ family: 5 as never }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(neighbors.flush({ state: 'x' as never }), { code: 'ERR_INVALID_ARG_VALUE' })
  })

  t.test('nothing is left', leaks)
}
