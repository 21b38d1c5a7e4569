import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { wiredNetwork } from '../../support/networks.js'
import { requires, requiresRoot } from '../../support/requires.js'

/** Everything that a scope can make, as iproute2 and nft tell it. */
async function picture(network: Network): Promise<string> {
  const texts: string[] = []
  for (const command of ['link', '-4 addr', '-6 addr', '-4 route', '-6 route', 'rule', 'neigh', 'nexthop']) {
    texts.push((await network.namespace.exec('ip', ['-o', ...command.split(' ')])).stdout)
  }
  texts.push((await network.namespace.exec('bridge', ['fdb'])).stdout)
  texts.push((await network.namespace.exec('tc', ['qdisc'])).stdout.replaceAll(/ \d+p$| refcnt \d+/gm, ''))
  const { stdout } = await network.namespace.exec('nft', ['list', 'ruleset'])
  texts.push(stdout.replaceAll(/netloom-\d+/g, 'netloom'), await network.sysctl.get('net.ipv4.ip_forward'))
  return texts
    .join('\n')
    .split('\n')
    .filter(line => !/fe80|ff0|LOWERLAYER/.test(line))
    .join('\n')
    .replaceAll(/state \w+ |,LOWER_UP|NO-CARRIER,|qdisc \w+ /g, '')
}

if (requiresRoot(t) && requires(t, 'ip', 'bridge', 'nft', 'tc')) {
  const leaks = watchLeaks()

  t.test('what was made is undone, in reverse', async t => {
    await using network = await wiredNetwork()
    // The table of rules stays until the network is closed.
    await (await network.nat.masquerade()).delete()
    const before = await picture(network)
    const scope = network.scope()
    await scope.sysctl.set('net.ipv4.ip_forward', 1)
    const bridge = await scope.links.create({
      kind: 'bridge',
      name: 'br0',
      up: true,
      addresses: ['198.51.100.1/24'],
    })
    await scope.addresses.create({ link: 'v0', address: '192.0.2.2/24' })
    await scope.routes.create({ destination: '10.0.0.0/8', gateway: '198.51.100.9' })
    await scope.routes.create({ destination: '10.1.0.0/16', gateway: '192.0.2.9' })
    await scope.neighbors.create({ link: 'v0', address: '192.0.2.9', macAddress: '02:00:00:00:00:09' })
    await scope.fdb.create({ link: bridge, macAddress: '02:00:00:00:00:08', state: 'permanent' })
    await scope.rules.create({ from: '10.0.0.0/8', table: 100 })
    await scope.qdiscs.create({ link: 'v0', kind: 'htb', handle: '1:' })
    await scope.classes.create({
      link: 'v0',
      handle: '1:10',
      kind: 'htb',
      htb: { rate: { bitsPerSecond: 1e6 } },
    })
    await scope.qdiscs.create({ link: 'v0', parent: '1:10', kind: 'pfifo' })
    await scope.qdiscs.create({ link: 'v1', kind: 'clsact' })
    await scope.filters.create({
      link: 'v1',
      parent: 'ingress',
      kind: 'u32',
      protocol: 'ip',
      priority: 7,
      u32: { matches: [{ offset: 12, value: 0x0a000000, mask: 0xff000000 }] },
    })
    await t.rejects(scope.filters.create({ link: 'v1', parent: 'ingress', kind: 'matchall' }), TypeError)
    await scope.nexthops.create({ gateway: '192.0.2.9', link: 'v0' })
    await scope.nat.masquerade({ source: '10.0.0.0/8' })
    await scope.nat.portForward({ protocol: 'udp', port: 53, in: 'v0', to: '10.0.0.3' })
    await scope.links.joinBridge('v1', 'br0')
    t.not(await picture(network), before)
    await scope.close()
    await scope.close()
    t.equal(await picture(network), before)
    await t.rejects(scope.links.create({ kind: 'bridge', name: 'br1' }), { code: 'ERR_INVALID_STATE' })
    t.equal(await network.links.find('br1'), undefined)
  })

  t.test('after an exception, too, and what is gone already is passed over', async t => {
    await using network = await Network.create()
    const work = async () => {
      await using scope = network.scope()
      await scope.links.create({ kind: 'bridge', name: 'br0', up: true })
      await scope.addresses.create({ link: 'br0', address: '10.0.0.1/24' })
      await scope.links.create({ kind: 'bridge', name: 'br1' })
      await network.links.delete('br0')
      throw new Error('halfway')
    }
    await t.rejects(work(), { message: 'halfway' })
    t.same(
      (await network.links.list()).map(({ name }) => name),
      ['lo'],
    )
  })

  t.test('what did not succeed leaves nothing to undo', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0' })
    {
      await using scope = network.scope()
      await t.rejects(scope.links.create({ kind: 'bridge', name: 'br0' }), { code: 'EEXIST' })
      await t.rejects(scope.links.create({ kind: 'bridge', name: 'br1', in: network }), {
        code: 'ERR_INVALID_STATE',
      })
    }
    t.ok(await network.links.find('br0'), 'which was there before')
  })

  t.test('nothing is left', leaks)
}
