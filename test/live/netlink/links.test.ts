import t from 'tap'
import { NetlinkError } from '../../../src/netlink/core/index.js'
import { RouteConnection } from '../../../src/netlink/route/index.js'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('every attribute can be changed and is told', async t => {
    await using network = await Network.create()
    const { index } = await network.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    await network.links.create({ kind: 'bridge', name: 'br0' })
    const changes = [
      { mtu: 1300 },
      { macAddress: '02:00:00:00:00:09' },
      { txQueueLength: 5 },
      { alias: 'an älias' },
      { group: 7 },
      { promiscuous: true },
      { allMulticast: true },
      { multicast: false },
      { arp: false },
      { gsoMaxSize: 30_000 },
      { gsoMaxSegments: 30 },
      { groMaxSize: 20_000 },
      { gsoIpv4MaxSize: 25_000, groIpv4MaxSize: 15_000 },
      { altNames: ['another', 'a name of more than fifteen bytes'.replaceAll(' ', '-')] },
      { altNames: ['another'] },
      { altNames: [] },
      { ipv6LinkLocal: 'random' },
      { ipv6LinkLocal: 'none', up: true },
      { up: false },
      { name: 'v9' },
    ] as const
    for (const change of changes) {
      t.match(await network.links.change(index, change), change, JSON.stringify(change))
    }
    const port = await network.links.change('v9', { master: 'br0', alias: '', promiscuous: false })
    t.match(port, { portKind: 'bridge', alias: undefined, name: 'v9' })
    t.equal(port.master, (await network.links.get('br0')).index)
    t.match(port.bridgePort, { learning: true })
    t.equal((await network.links.change(port, { master: null })).master, undefined)
    t.match(await network.links.change('br0', { bridge: { ageingTimeMs: 5000 } }), {
      bridge: { ageingTimeMs: 5000 },
    })
    t.equal(await network.links.find('nothing'), undefined)
    await t.rejects(network.links.change('nothing', { up: true }), { code: 'ERR_LINK_NOT_FOUND' })
    await t.rejects(network.links.change(99, { up: true }), { code: 'ERR_LINK_NOT_FOUND' })
    await t.rejects(network.links.delete('nothing'), { code: 'ERR_LINK_NOT_FOUND' })
    await t.rejects(network.links.change('lo', { upp: true } as never), { code: 'ERR_INVALID_ARG_VALUE' })
    await network.links.delete(index)
    t.same(
      (await network.links.list()).map(l => l.name),
      ['lo', 'br0'],
      'a pair goes together',
    )
  })

  t.test('patterns, indexes and alternative names', async t => {
    await using network = await Network.create()
    for (const name of ['p0', 'p1', 'p2']) {
      t.equal((await network.links.create({ kind: 'bridge', name: 'p%d' })).name, name)
    }
    t.equal((await network.links.create({ kind: 'bridge', name: 'i', index: 77 })).index, 77)
    t.match((await network.links.create({ kind: 'bridge' })).name, /^bridge\d+$/)
    if (!requires(t, 'ip')) return
    const long = 'a-name-of-more-than-fifteen-bytes'
    await network.namespace.exec('ip', ['link', 'property', 'add', 'dev', 'i', 'altname', long])
    await network.namespace.exec('ip', ['link', 'property', 'add', 'dev', 'i', 'altname', 'short'])
    const link = await network.links.get(long)
    t.match(link, { name: 'i', index: 77 })
    t.same([...link.altNames].sort(), [long, 'short'])
    t.equal((await network.links.get('short')).index, 77)
    await network.links.delete(long)
    t.equal(await network.links.find('i'), undefined)
  })

  t.test('links move between networks', async t => {
    await using red = await Network.create()
    await using blue = await Network.create()
    await red.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    await red.links.move('v1', blue, { name: 'eth0' })
    t.match(await blue.links.get('eth0'), { kind: 'veth', up: false })
    t.equal(await red.links.find('v1'), undefined)
    const v0 = await red.links.get('v0')
    t.equal(v0.lower, (await blue.links.get('eth0')).index)
    t.type(v0.lowerNamespaceId, 'number')
    await t.rejects(red.links.move('v1', blue), { code: 'ERR_LINK_NOT_FOUND' })
    await t.rejects(red.links.move('v0', 'no-such-name'), { code: 'ERR_NAMESPACE_NOT_FOUND' })
  })

  t.test('links are made in another network', async t => {
    await using network = await Network.create()
    await using other = await Network.create()
    const { index: lower } = await network.links.create({ kind: 'ifb', name: 'below', up: true })
    const bridge = await other.links.create({ kind: 'bridge', name: 'br0' })
    const link = await network.links.create({
      kind: 'macvlan',
      name: 'x0',
      in: other,
      lower: 'below',
      alias: 'far',
      altNames: ['far-away'],
      master: 'br0',
      up: true,
      bridgePort: { isolated: true },
      macvlan: { mode: 'bridge' },
    })
    t.match(link, { lower, alias: 'far', altNames: ['far-away'], master: bridge.index, up: true })
    t.match(link, { bridgePort: { isolated: true }, macvlan: { mode: 'bridge' } })
    t.type(link.lowerNamespaceId, 'number')
    t.same((await other.links.get('x0')).index, link.index)
    t.equal(await network.links.find('x0'), undefined)
    const wanted = { kind: 'macvlan', name: 'x0', in: other, lower: 'below' } as const
    t.equal((await network.links.ensure(wanted)).index, link.index)
    await t.rejects(network.links.ensure({ ...wanted, macvlan: { mode: 'vepa' } }), {
      code: 'ERR_LINK_MISMATCH',
    })
    await t.rejects(network.links.create({ ...wanted, name: 'x1', addresses: ['10.0.0.1/24'] }), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
    await t.rejects(network.links.create({ ...wanted, name: 'x1', alias: 'a', mtu: 1 }), {
      name: 'NetlinkError',
    })
    t.equal(await other.links.find('x1'), undefined)
  })

  t.test('settings that are links take any reference', async t => {
    await using network = await Network.create()
    const v0 = await network.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    const make = (name: string, id: number, link: typeof v0 | string | number) =>
      network.links.create({ kind: 'vxlan', name, vxlan: { id, link, port: 4789, remote: '10.0.0.1' } })
    t.equal((await make('x0', 1, 'v0')).vxlan?.link, v0.index)
    t.equal((await make('x1', 2, v0)).vxlan?.link, v0.index)
    t.equal((await make('x2', 3, v0.index)).vxlan?.link, v0.index)
    await t.rejects(make('x3', 4, 'nowhere'), { code: 'ERR_LINK_NOT_FOUND' })
    await network.links.create({ kind: 'bridge', name: 'br0' })
    const port = { master: 'br0', bridgePort: { isolated: true } }
    await network.links.change('v0', port)
    const { bridgePort } = await network.links.change('v1', { ...port, bridgePort: { backupPort: 'v0' } })
    t.equal(bridgePort?.backupPort, v0.index)
    t.equal(
      (await network.links.change('v1', { bridgePort: { backupPort: null } })).bridgePort?.backupPort || 0,
      0,
    )
    const wanted = { kind: 'vxlan', name: 'x0' } as const
    t.equal((await network.links.ensure({ ...wanted, vxlan: { link: 'v0' } })).name, 'x0')
    await t.rejects(network.links.ensure({ ...wanted, vxlan: { link: 'v1' } }), { code: 'ERR_LINK_MISMATCH' })
  })

  t.test('ensure looks at the other end', async t => {
    await using network = await Network.create()
    const wanted = { kind: 'veth', name: 'v0', peer: { name: 'v1' } } as const
    const { index } = await network.links.ensure(wanted)
    t.equal((await network.links.ensure(wanted)).index, index)
    await t.rejects(network.links.ensure({ ...wanted, peer: { name: 'v2' } }), {
      code: 'ERR_LINK_MISMATCH',
      message: 'there is a link v0, but its peer is v1, not v2',
    })
    await t.rejects(network.links.change('v0', { altNames: ['a/b'] }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(network.links.create({ kind: 'bridge', name: 'b0', peer: {} }), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })

  t.test('at once', async t => {
    await using network = await Network.create()
    await using route = RouteConnection.open(network)
    t.match(route.links.getSync('lo'), { index: 1, name: 'lo' })
    t.equal(route.statistics('lo').rxPackets, 0n)
    await network.namespace.exec('ping', ['-c1', '127.0.0.1'])
    t.equal(route.statistics(1).rxPackets, 2n)
    t.equal(typeof route.statistics({ index: 1 }).rxNoHandler, 'bigint')
    t.throws(() => route.links.getSync('nothing'), { code: 'ERR_LINK_NOT_FOUND' })
    t.throws(() => route.statistics(99), { code: 'ERR_LINK_NOT_FOUND' })
    const pending = route.links.list()
    t.match(route.links.getSync('lo'), { name: 'lo' }, 'also while a list is under way')
    t.equal((await pending).length, 1)
  })

  t.test('errors are in the words of the options', async t => {
    await using network = await Network.create()
    const error = await network.links
      .create({ kind: 'veth', name: 'v0', peer: { name: 'v1', macAddress: '01:00:00:00:00:00' } })
      .catch(e => e)
    t.ok(error instanceof NetlinkError)
    t.match(error, { operation: 'create veth link', subject: 'v0', syscall: 'netlink' })
    t.match(error.message, /create veth link v0/)
    const attribute = await network.links
      .create({ kind: 'bridge', name: 'b', alias: 'x'.repeat(300) })
      .catch(e => e)
    t.match(attribute, { operation: 'change link', attribute: 'link.alias', code: 'ERANGE' })
    t.match(attribute.message, /at link.alias/)
    t.equal(await network.links.find('b'), undefined, 'what was made on the way is gone')
    const changed = await network.links.change('lo', { alias: 'x'.repeat(300) }).catch(e => e)
    t.match(
      changed,
      { operation: 'change link', subject: 'lo' },
      'the link is called as it was by the caller',
    )
    await t.rejects(network.links.list({ kind: 3 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(network.links.create('br0' as never), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /"options" argument must be an object/,
    })
  })

  t.test('nothing is left', leaks)
}
