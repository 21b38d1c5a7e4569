import t from 'tap'
import { netloomAlias } from '../../../src/netlink/index.js'
import { Network } from '../../../src/network/index.js'
import { netloom } from '../../support/cli.js'
import { uniqueName, watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('what carries our mark goes when --yes is given, and nothing else', async t => {
    const name = uniqueName()
    const network = await Network.create({ name })
    const ip = async (...args: string[]) => (await network.namespace.exec('ip', args)).stdout
    try {
      await network.links.create({
        kind: 'ifb',
        name: 'theirs0',
        alias: 'theirs',
        up: true,
        addresses: ['10.7.0.1/24'],
      })
      const before = async () => [
        await ip('-br', 'link'),
        await ip('route', 'show', 'table', 'all'),
        await ip('-6', 'rule'),
        await ip('rule'),
        await ip('nexthop'),
      ]
      await ip('route', 'add', '10.1.0.0/16', 'via', '10.7.0.2')
      await ip('rule', 'add', 'from', '10.1.0.0/16', 'table', '7')
      const theirs = await before()

      const link = { kind: 'veth', alias: netloomAlias } as const
      await network.links.create({ ...link, name: 'ours0', peer: { name: 'ours1' } })
      await network.links.change('ours1', { alias: netloomAlias })
      await ip('tuntap', 'add', 'ours2', 'mode', 'tap')
      await network.links.change('ours2', { alias: netloomAlias })
      await network.routes.create({ destination: '10.2.0.0/16', gateway: '10.7.0.2' })
      await network.routes.create({ destination: '10.3.0.0/16', type: 'blackhole', table: 9, metric: 5 })
      await network.routes.create({ destination: 'fd03::/64', type: 'unreachable' })
      await network.nexthops.create({ id: 5, gateway: '10.7.0.2', link: 'theirs0' })
      await network.routes.create({ destination: '10.4.0.0/16', nextHopId: 5 })
      await network.routes.create({
        destination: '10.5.0.0/16',
        nextHops: [
          { gateway: '10.7.0.2', weight: 2 },
          { gateway: '10.7.0.3', weight: 1 },
        ],
      })
      await network.rules.create({ from: '10.2.0.0/16', table: 9, priority: 100 })
      await network.rules.create({ family: 6, not: true, mark: 5, action: 'prohibit', priority: 101 })
      await network.rules.create({ family: 4, l3mdev: true, priority: 102 })
      await network.rules.create({
        family: 4,
        target: 30_000,
        priority: 103,
        destinationPorts: { low: 1, high: 9 },
        ipProtocol: 6,
      })
      const all = await before()

      for (const args of [[], ['--dry-run'], ['--dry-run', '--yes']]) {
        const { status, stdout } = netloom('clean', '--in', name, ...args)
        t.equal(status, 0)
        t.match(stdout, /^would remove link ours0/m)
        t.match(stdout, /^would remove route 10\.2\.0\.0\/16 via 10\.7\.0\.2 dev theirs0/m)
        t.match(stdout, /^would remove rule IPv4 100: from 10\.2\.0\.0\/16 lookup 9/m)
        t.match(stdout, /^would remove nexthop id 5$/m)
        t.notMatch(stdout, 'removed link')
        t.same(await before(), all, 'and nothing happened')
      }

      const { status, stdout, stderr } = netloom('clean', '--in', name, '--yes')
      t.equal(status, 0, stderr)
      const removed = stdout.trimEnd().split('\n')
      t.equal(removed.length, 13)
      t.ok(removed.every(line => /^(removed|gone) /.test(line)))
      t.match(stdout, /^removed link ours2/m)
      t.same(await before(), theirs)
      t.equal(netloom('clean', '--in', name, '--yes').stdout, '')
    } finally {
      await network.delete()
    }
  })

  t.test('nothing is left', leaks)
}
