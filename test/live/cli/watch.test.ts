import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { startNetloom } from '../../support/cli.js'
import { uniqueName, watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()
  const withNetwork = async (use: (network: Network, name: string) => Promise<void>) => {
    const name = uniqueName()
    const network = await Network.create({ name })
    try {
      await use(network, name)
    } finally {
      await network.delete()
    }
  }
  const ip = (network: Network, command: string) => network.namespace.exec('ip', command.split(' '))

  t.test('a line for each event, until it is interrupted', async t =>
    withNetwork(async (network, name) => {
      const running = startNetloom('watch', '--in', name, '--state')
      await running.line(/^= link lo UP/)
      // Of what is there the neighbors come last; links are told at once.
      await ip(network, 'link add d0 type ifb')
      await running.line(/^\+ link d0 DOWN ifb [0-9a-f:]{17} mtu 1500$/)
      await ip(network, 'link set d0 mtu 1400')
      await running.line(/^~ link d0 DOWN ifb [0-9a-f:]{17} mtu 1400 \(mtu 1500 → 1400\)$/)
      await ip(network, 'link set d0 up')
      await running.line(/^~ link d0 UP .*up false → true/)
      await ip(network, 'addr add 10.7.0.1/24 dev d0')
      await running.line(/^\+ address d0 10\.7\.0\.1\/24 global$/)
      await ip(network, 'route add 10.6.0.0/16 via 10.7.0.2')
      await running.line(/^\+ route 10\.6\.0\.0\/16 via 10\.7\.0\.2 dev d0 proto boot$/)
      await ip(network, 'neigh add 10.7.0.2 lladdr 02:00:00:00:00:05 dev d0')
      await running.line(/^\+ neighbor 10\.7\.0\.2 dev d0 02:00:00:00:00:05 permanent$/)
      await ip(network, 'link del d0')
      await running.line(/^- link d0 /)
      t.equal(await running.stop('SIGINT'), 0)
    }),
  )

  t.test('some objects, of one link, as JSON', async t =>
    withNetwork(async (network, name) => {
      await ip(network, 'link add d0 up type ifb')
      await ip(network, 'link add d1 up type ifb')
      const running = startNetloom(
        'watch',
        'addresses',
        '--in',
        name,
        '--link',
        'd1',
        '--json',
        '--family',
        '4',
      )
      t.same(JSON.parse(await running.line(/./)), { type: 'state', state: { addresses: [] } })
      await ip(network, 'addr add 10.7.0.1/24 dev d0')
      await ip(network, 'addr add 10.7.1.1/24 dev d1')
      t.match(JSON.parse(await running.line(/./)), {
        type: 'added',
        object: 'addresses',
        item: { address: '10.7.1.1', linkName: 'd1' },
      })
      await ip(network, 'addr del 10.7.1.1/24 dev d1')
      t.match(JSON.parse(await running.line(/./)), { type: 'removed', item: { address: '10.7.1.1' } })
      t.equal(await running.stop('SIGTERM'), 0)
    }),
  )

  t.test('nothing is left', leaks)
}
