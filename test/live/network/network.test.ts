import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { uniqueName, watchLeaks } from '../../support/leaks.js'
import { requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('a new network has a loopback that is up', async t => {
    await using network = await Network.create()
    const links = await network.links.list()
    t.match(links, [{ name: 'lo', up: true, loopback: true, mtu: 65536 }])
    t.match(await network.addresses.list({ family: 4 }), [{ address: '127.0.0.1', prefixLength: 8 }])
    t.match(await network.addresses.list({ family: 6 }), [{ address: '::1', prefixLength: 128 }])
  })

  t.test('named networks are opened, closed and deleted', async t => {
    const name = uniqueName()
    const made = await Network.create({ name })
    await t.rejects(Network.create({ name }), { code: 'ERR_NAMESPACE_EXISTS' })
    await made.links.create({ kind: 'bridge', name: 'br0' })
    await made.close()
    await made.close()
    await using opened = await Network.open(name)
    t.match(await opened.links.get('br0'), { kind: 'bridge', up: false })
    await using again = await Network.open(opened)
    t.equal(again.namespace.id, opened.namespace.id)
    await opened.delete()
    await t.rejects(Network.open(name), { code: 'ERR_NAMESPACE_NOT_FOUND' })
    t.equal((await again.links.list()).length, 2, 'another handle keeps it alive')
    await t.rejects(opened.links.list(), { code: 'ERR_INVALID_STATE' })
  })

  t.test('a bridge with everything in one call', async t => {
    await using network = await Network.create()
    const bridge = await network.links.create({
      kind: 'bridge',
      name: 'br0',
      up: true,
      mtu: 1400,
      macAddress: '02:00:00:00:00:01',
      txQueueLength: 77,
      ipv6LinkLocal: 'none',
      alias: 'the bridge',
      bridge: { ageingTimeMs: 10_000, forwardDelayMs: 2_000, stpState: 0 },
      addresses: ['10.0.0.1/24', { address: 'fd00::1/64', dad: 'skip' }],
    })
    t.match(bridge, {
      kind: 'bridge',
      name: 'br0',
      up: true,
      mtu: 1400,
      macAddress: '02:00:00:00:00:01',
      txQueueLength: 77,
      ipv6LinkLocal: 'none',
      alias: 'the bridge',
      bridge: { ageingTimeMs: 10_000, forwardDelayMs: 2_000 },
    })
    const addresses = await network.addresses.list({ link: 'br0' })
    t.same(
      addresses.map(a => `${a.address}/${a.prefixLength}`),
      ['10.0.0.1/24', 'fd00::1/64'],
      'and no link-local address',
    )
    const port = await network.links.create({
      kind: 'veth',
      name: 'v0',
      up: true,
      master: 'br0',
      peer: { name: 'v1' },
    })
    t.equal(port.master, bridge.index)
    t.equal((await network.links.get('br0')).mtu, 1400, 'a port of 1500 does not change it')
    t.same(
      (await network.links.list({ master: 'br0' })).map(l => l.name),
      ['v0'],
    )
    t.same((await network.links.list({ kind: 'veth' })).map(l => l.name).sort(), ['v0', 'v1'])
  })

  t.test('nothing is left of what could not be made', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'taken' })
    const bad = [
      [{ kind: 'bridge', name: 'x', nmae: 1 }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', bridge: { ageing: 1 } }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', bridge: { ageingTimeMs: 1 } }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', bridge: { rootPort: 1 } }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', mtu: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ kind: 'bridge', name: 'x', up: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ kind: 'bridge', name: 'x', macAddress: 'nonsense' }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', ipv6LinkLocal: 'nonsense' }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', addresses: ['nonsense'] }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', addresses: [{ address: '10.0.0.1', x: 1 }] }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', addresses: '10.0.0.1' }, 'ERR_INVALID_ARG_TYPE'],
      [{ kind: 'veth', name: 'x', bridge: {} }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', peer: {} }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'a name' }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'bridge', name: 'x', master: 'nobody' }, 'ERR_LINK_NOT_FOUND'],
      [{ name: 'x' }, 'ERR_INVALID_ARG_TYPE'],
      [{ kind: 'bridge', name: 'taken' }, 'EEXIST'],
      [{ kind: 'no-such-kind', name: 'x' }, 'ENOTSUP'],
      [{ kind: 'bridge', name: 'x', mtu: 20 }, 'EINVAL'],
      [{ kind: 'bridge', name: 'x', addresses: ['10.0.0.1/24', '10.0.0.1/24'] }, 'EEXIST'],
      [{ kind: 'bridge', name: 'x', addresses: ['::1'] }, 'EADDRNOTAVAIL'],
    ] as const
    for (const [options, code] of bad) {
      await t.rejects(network.links.create(options as never), { code }, JSON.stringify(options))
    }
    for (const options of [undefined, null, 'br0', {}]) {
      await t.rejects(network.links.create(options as never), TypeError)
    }
    const signal = AbortSignal.abort()
    await t.rejects(network.links.create({ kind: 'bridge', name: 'x', signal }), { code: 'ABORT_ERR' })
    t.same((await network.links.list()).map(l => l.name).sort(), ['lo', 'taken'])
  })

  t.test('ensure accepts what is there and refuses what differs', async t => {
    await using network = await Network.create()
    const wanted = { kind: 'bridge', name: 'br0', up: true, addresses: ['10.0.0.1/24'] } as const
    const made = await network.links.ensure(wanted)
    t.equal((await network.links.ensure(wanted)).index, made.index)
    await t.rejects(network.links.ensure({ ...wanted, mtu: 1300 }), {
      code: 'ERR_LINK_MISMATCH',
      message: 'mtu is 1500, not 1300',
    })
    await t.rejects(network.links.ensure({ kind: 'veth', name: 'br0' }), { code: 'ERR_LINK_MISMATCH' })
    await t.rejects(network.links.ensure({ ...wanted, bridge: { ageingTimeMs: 10 } }), {
      message: 'bridge.ageingTimeMs is 300000, not 10',
    })
  })

  t.test('two networks, a cable between them, and a ping', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    await red.links.create({
      kind: 'veth',
      name: 'v0',
      peer: { name: 'v0', in: blue, macAddress: '02:00:00:00:00:02' },
    })
    t.match(await blue.links.get('v0'), { macAddress: '02:00:00:00:00:02', kind: 'veth' })
    await Promise.all([red.links.change('v0', { up: true }), blue.links.change('v0', { up: true })])
    await Promise.all([
      red.addresses.create({ link: 'v0', address: '10.0.0.1/24' }),
      blue.addresses.create({ link: 'v0', address: '10.0.0.2/24' }),
      red.addresses.create({ link: 'v0', address: 'fd00::1/64', dad: 'skip' }),
      blue.addresses.create({ link: 'v0', address: 'fd00::2/64', dad: 'skip' }),
    ])
    await red.namespace.exec('ping', ['-c1', '-W2', '10.0.0.2'])
    await red.namespace.exec('ping', ['-c1', '-W2', 'fd00::2'])
    t.ok(red.links.statistics('v0').txPackets >= 2n)
  })

  t.test('an abort while addresses are being checked takes the link back', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    await red.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v0', in: blue } })
    await blue.links.change('v0', { up: true })
    await red.links.change('v0', { up: true })
    await red.links.create({ kind: 'bridge', name: 'br0', up: true })
    await red.links.change('v0', { master: 'br0' })
    await red.links.change('br0', { up: true })
    const signal = AbortSignal.timeout(100)
    await t.rejects(red.addresses.create({ link: 'br0', address: 'fd00::1/64', signal }), {
      code: 'ABORT_ERR',
    })
    t.notOk((await red.addresses.list({ link: 'br0' })).some(a => a.address === 'fd00::1'))
  })

  t.test('nothing is left', leaks)
}
