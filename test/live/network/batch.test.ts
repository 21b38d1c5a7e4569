import t from 'tap'
import type { Batch } from '../../../src/netlink/index.js'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { wiredNetwork } from '../../support/networks.js'
import { requires, requiresRoot } from '../../support/requires.js'

const destinations = (count: number) =>
  Array.from({ length: count }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`)

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('many changes, with a result for each', async t => {
    await using network = await wiredNetwork()
    const all = destinations(20_000)
    const results = await network.batch(batch => {
      for (const destination of all) batch.routes.create({ destination, gateway: '192.0.2.9', link: 'v0' })
      // One that is there already, and one that cannot be.
      batch.routes.create({ destination: all[7]!, gateway: '192.0.2.9' })
      batch.routes.create({ destination: '10.255.0.0/16', gateway: '198.51.100.1' })
      batch.routes.create({ destination: '10.254.0.0/16', gateway: '192.0.2.8' })
      batch.addresses.create({ link: 'v0', address: '192.0.2.2/24' })
      t.equal(batch.length, 20_004)
    })
    t.equal(results.length, 20_004)
    t.equal(results.filter(Boolean).length, 2)
    t.match(results[20_000], { code: 'EEXIST', message: /create route 10\.0\.0\.7\/32/ })
    t.match(results[20_001], { code: 'ENETUNREACH' })
    const { stdout } = await network.namespace.exec('ip', ['-4', 'route', 'show', 'proto', '78'])
    t.equal(stdout.trim().split('\n').length, 20_001, 'iproute2 sees them')
    t.match(await network.addresses.list({ family: 4, link: 'v0' }), [
      { address: '192.0.2.1' },
      { address: '192.0.2.2' },
    ])
    const gone = await network.batch(batch => {
      for (const destination of all) batch.routes.delete({ destination })
      batch.addresses.delete({ link: 'v0', address: '192.0.2.2/24' })
    })
    t.same(gone.filter(Boolean), [])
    t.equal((await network.routes.list({ family: 4 })).length, 2)
  })

  t.test('neighbors, forwarding databases and rules', async t => {
    await using network = await wiredNetwork()
    await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    await network.links.change('v1', { master: 'br0' })
    const { index } = await network.links.get('v0')
    const macs = Array.from(
      { length: 500 },
      (_, i) => `02:00:00:00:0${i >> 8}:${(i & 255).toString(16).padStart(2, '0')}`,
    )
    const results = await network.batch(batch => {
      macs.forEach((macAddress, i) => {
        const address = `192.0.2.${10 + (i % 200)}`
        batch.neighbors.replace({ link: 'v0', address, macAddress })
        batch.fdb.create({ link: 'v1', macAddress })
        batch.rules.create({ from: `10.${i >> 8}.${i & 255}.0/24`, table: 100, priority: 1000 + i })
      })
      batch.rules.create({ family: 4, inputLink: index, table: 101, priority: 2000 })
      batch.fdb.create({ link: 'v1', macAddress: macs[3]! })
      batch.neighbors.delete({ link: 'v0', address: '192.0.2.250' })
      t.throws(() => batch.fdb.create({ link: 'nope', macAddress: macs[0]! }), { code: 'ERR_LINK_NOT_FOUND' })
      t.throws(() => batch.rules.delete({}), TypeError)
      t.throws(() => batch.neighbors.create({ link: 'v0', address: '192.0.2.300' }), TypeError)
    })
    t.equal(results.length, 3 * 500 + 3)
    t.match(results.slice(-3), [undefined, { code: 'EEXIST' }, { code: 'ENOENT' }])
    t.equal(results.filter(Boolean).length, 2)
    const ip = async (...args: string[]) =>
      (await network.namespace.exec('ip', args)).stdout.trim().split('\n')
    t.equal((await ip('neigh', 'show', 'nud', 'permanent')).length, 200)
    t.equal((await ip('rule', 'show', 'table', '100')).length, 500)
    t.match((await ip('rule', 'show', 'table', '101'))[0], /from all iif v0 lookup 101/)
    const { stdout } = await network.namespace.exec('bridge', ['fdb', 'show', 'dev', 'v1'])
    t.equal(stdout.match(/^02:00:00:00:.* master br0 static$/gm)?.length, 500)
    const gone = await network.batch(batch => {
      macs.forEach((macAddress, i) => {
        batch.fdb.delete({ link: 'v1', macAddress })
        batch.rules.delete({ family: 4, priority: 1000 + i })
      })
    })
    t.same(gone.filter(Boolean), [])
    t.equal((await network.rules.list({ table: 100 })).length, 0)
  })

  t.test('their order is kept', async t => {
    await using network = await wiredNetwork()
    const results = await network.batch(batch => {
      for (let i = 0; i < 2000; i++) {
        batch.routes.create({ destination: '10.0.0.0/8', gateway: '192.0.2.9' })
        batch.routes.delete({ destination: '10.0.0.0/8' })
      }
    })
    t.same(results.filter(Boolean), [])
  })

  t.test('awaited side by side they go together too', async t => {
    await using network = await wiredNetwork()
    const results = await Promise.allSettled(
      destinations(5000).map((destination, i) =>
        network.routes.create({ destination, gateway: i % 1000 === 0 ? '198.51.100.1' : '192.0.2.9' }),
      ),
    )
    const failed = results.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))
    t.same(failed, [0, 1000, 2000, 3000, 4000])
  })

  t.test('bad input is refused when it is added, and nothing is sent', async t => {
    await using network = await wiredNetwork()
    await t.rejects(
      network.batch(batch => {
        batch.routes.create({ destination: '10.0.0.0/8', gateway: '192.0.2.9' })
        batch.routes.create({ destination: 'somewhere', gateway: '192.0.2.9' })
      }),
      { code: 'ERR_INVALID_ARG_VALUE' },
    )
    await t.rejects(
      network.batch(batch => batch.routes.create({ destination: '10.0.0.0/8', link: 'v9' })),
      { code: 'ERR_LINK_NOT_FOUND' },
    )
    await t.rejects(
      network.batch(batch =>
        batch.addresses.create({ link: 'v0', address: '10.0.0.1/8', dad: 'wait' as 'skip' }),
      ),
      { code: 'ERR_INVALID_ARG_VALUE' },
    )
    t.equal((await network.routes.list({ family: 4 })).length, 1)
    t.same(await network.batch(() => {}), [])
    await t.rejects(
      network.batch(async () => {}),
      { code: 'ERR_INVALID_ARG_VALUE' },
    )
    await t.rejects(network.batch(undefined as never), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(network.routes.create({ destination: '10.0.0.0/8', link: 'v0', onlink: 'no' as never }), {
      code: 'ERR_INVALID_ARG_TYPE',
    })
    await t.rejects(network.links.create({ kind: 'bridge', name: 'v0', up: 'no' as never }), {
      code: 'ERR_INVALID_ARG_TYPE',
    })
  })

  t.test('one that was sent takes no more', async t => {
    await using network = await wiredNetwork()
    let kept: Batch | undefined
    const sent = network.batch(batch => {
      kept = batch
      batch.routes.create({ destination: '10.0.0.0/8', link: 'v0' })
    })
    t.throws(() => kept!.routes.create({ destination: '11.0.0.0/8', link: 'v0' }), {
      code: 'ERR_INVALID_STATE',
    })
    t.same(await sent, [undefined])
  })

  t.test('a close stops what was not sent, and says what was', async t => {
    await using network = await wiredNetwork()
    const again = await Network.open(network.namespace)
    const all = destinations(50_000)
    const sent = again.batch(batch => {
      for (const destination of all) batch.routes.create({ destination, link: 'v0' })
    })
    setImmediate(() => again.close())
    const results = await sent
    const done = results.filter(result => result === undefined).length
    t.ok(done < all.length, 'not all were sent')
    t.match(results.at(-1), { code: 'ERR_INVALID_STATE' })
    const there = new Set((await network.routes.list({ family: 4 })).map(route => route.destination))
    t.ok(there.size < all.length, 'nothing was sent afterwards')
    t.same(
      all.filter((destination, i) => results[i] === undefined && !there.has(destination)),
      [],
      'those without an error are there',
    )
  })

  t.test('an abort stops what was not sent', async t => {
    await using network = await wiredNetwork()
    await t.rejects(
      network.batch(() => t.fail('not called'), { signal: AbortSignal.abort() }),
      { code: 'ABORT_ERR' },
    )
    const controller = new AbortController()
    const all = destinations(50_000)
    const sent = network.batch(
      batch => {
        for (const destination of all) batch.routes.create({ destination, link: 'v0' })
      },
      { signal: controller.signal },
    )
    setImmediate(() => controller.abort())
    const results = await sent
    const done = results.filter(result => result === undefined).length
    t.ok(done < all.length, 'not all were sent')
    t.match(results.at(-1), { code: 'ABORT_ERR' })
    t.equal((await network.routes.list({ family: 4 })).length, done + 1, 'those without an error are there')
  })

  t.test('nothing is left', leaks)
}
