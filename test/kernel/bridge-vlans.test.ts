import t, { type Test } from 'tap'
import { Network } from '../../src/network/index.js'
import { watchLeaks } from '../support/leaks.js'
import { requires, requiresRoot } from '../support/requires.js'

if (requiresRoot(t) && requires(t, 'bridge')) {
  const leaks = watchLeaks()

  /** A bridge that filters by VLAN, with one port; `undefined` where the kernel cannot. */
  async function filteringBridge(t: Test): Promise<Network | undefined> {
    const network = await Network.create()
    try {
      await network.links.create({ kind: 'bridge', name: 'br0', up: true, bridge: { vlanFiltering: true } })
    } catch (error) {
      await network.close()
      if ((error as { code?: string }).code !== 'ENOTSUP') throw error
      t.plan(0, 'needs a kernel whose bridges filter by VLAN')
      return undefined
    }
    await network.links.create({ kind: 'veth', name: 'v0', master: 'br0', up: true, peer: { name: 'v1' } })
    return network
  }

  interface Port {
    ifname: string
    vlans: { vlan: number; vlanEnd?: number; flags?: string[] }[]
  }

  async function bridge(network: Network, ...args: string[]): Promise<Port[]> {
    return JSON.parse((await network.namespace.exec('bridge', ['-j', '-compressvlans', ...args])).stdout)
  }

  t.test('VLANs of ports and of the bridge, both ways', async t => {
    await using network = await filteringBridge(t)
    if (!network) return
    const vlans = network.bridgeVlans
    const names = new Map((await network.links.list()).map(link => [link.index, link.name]))
    await vlans.create({ link: 'v0', vlan: 10, pvid: true, untagged: true })
    await vlans.create({ link: 'v0', vlan: { first: 20, last: 30 } })
    await vlans.create({ link: 'br0', vlan: { first: 20, last: 21 }, untagged: true })
    await network.namespace.exec('bridge', ['vlan', 'add', 'dev', 'v0', 'vid', '40-45', 'untagged'])
    await network.namespace.exec('bridge', ['vlan', 'add', 'dev', 'br0', 'vid', '50', 'pvid', 'self'])
    const ours = (await vlans.list()).map(vlan => ({ ...vlan, link: names.get(vlan.link) }))
    const theirs = (await bridge(network, 'vlan')).flatMap(port =>
      port.vlans.map(({ vlan, vlanEnd, flags = [] }) => ({
        link: port.ifname,
        first: vlan,
        last: vlanEnd ?? vlan,
        pvid: flags.includes('PVID'),
        untagged: flags.includes('Egress Untagged'),
        tunnelId: undefined,
      })),
    )
    t.same(ours, theirs)
    const on = (link: string, first: number) => ours.find(vlan => vlan.link === link && vlan.first === first)
    t.match(on('v0', 10), { last: 10, pvid: true, untagged: true })
    t.match(on('v0', 20), { last: 30, pvid: false, untagged: false })
    t.match(on('v0', 40), { last: 45, untagged: true })
    t.match(on('br0', 20), { last: 21, untagged: true })
    t.match(on('br0', 50), { pvid: true })
    await vlans.delete({ link: 'v0', vlan: { first: 22, last: 45 } })
    await vlans.delete({ link: 'br0', vlan: 50 })
    t.same(
      (await vlans.list({ link: 'v0' })).map(({ first, last }) => [first, last]),
      [
        [1, 1],
        [10, 10],
        [20, 21],
      ],
    )
    t.notOk((await vlans.list({ link: 'br0' })).some(vlan => vlan.first === 50))
  })

  t.test('ids in tunnels, both ways', async t => {
    await using network = await filteringBridge(t)
    if (!network) return
    const vlans = network.bridgeVlans
    await network.links.change('v0', { bridgePort: { vlanTunnel: true } })
    await vlans.create({ link: 'v0', vlan: { first: 20, last: 30 } })
    await vlans.create({ link: 'v0', vlan: { first: 22, last: 24 }, tunnelId: 1022 })
    await network.namespace.exec('bridge', [
      'vlan',
      'add',
      'dev',
      'v0',
      'vid',
      '28',
      'tunnel_info',
      'id',
      '2028',
    ])
    t.same(
      (await vlans.list({ link: 'v0' })).map(({ first, last, tunnelId }) => [first, last, tunnelId]),
      [
        [1, 1, undefined],
        [20, 21, undefined],
        [22, 24, 1022],
        [25, 27, undefined],
        [28, 28, 2028],
        [29, 30, undefined],
      ],
    )
    const { stdout } = await network.namespace.exec('bridge', ['vlan', 'tunnelshow', 'dev', 'v0'])
    t.match(stdout, /22-24\s+1022-1024/)
    await vlans.delete({ link: 'v0', vlan: { first: 22, last: 24 }, tunnelId: 1022 })
    t.same(
      (await vlans.list({ link: 'v0' })).filter(vlan => vlan.tunnelId !== undefined).map(vlan => vlan.first),
      [28],
    )
  })

  t.test('bad arguments', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0' })
    t.same(await network.bridgeVlans.list({ link: 'lo' }), [])
    for (const options of [
      { link: 'br0' },
      { link: 'br0', vlan: 0 },
      { link: 'br0', vlan: 4095 },
      { link: 'br0', vlan: { first: 5, last: 4 } },
      { link: 'br0', vlan: { first: 5, last: 6 }, pvid: true },
      { link: 'br0', vlan: 5, untagged: 1 },
      { link: 'br0', vlan: 5, tunnelId: 1 << 24 },
      { link: 'br0', vlan: 5, x: 1 },
      { link: 'nope', vlan: 5 },
    ]) {
      await t.rejects(
        network.bridgeVlans.create(options as never),
        { code: /^ERR_/ },
        JSON.stringify(options),
      )
    }
  })

  t.test('nothing is left', leaks)
}
