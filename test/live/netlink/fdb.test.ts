import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

type Entry = Record<string, unknown>

if (requiresRoot(t) && requires(t, 'bridge')) {
  const leaks = watchLeaks()
  const mac = (last: number) => `02:00:00:00:00:${String(last).padStart(2, '0')}`

  async function bridge(network: Network, ...args: string[]): Promise<Entry[]> {
    const { stdout } = await network.namespace.exec('bridge', ['-j', '-s', '-d', ...args])
    return stdout.trim() === '' ? [] : JSON.parse(stdout)
  }

  async function withBridge(): Promise<Network> {
    const network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0', up: true, ipv6LinkLocal: 'none' })
    await network.links.create({ kind: 'veth', name: 'v0', master: 'br0', up: true, peer: { name: 'v1' } })
    await network.links.change('v1', { up: true })
    // A port that does not forward learns nothing.
    while ((await network.links.get('v0')).bridgePort?.state !== 'forwarding') await sleep(10)
    return network
  }

  t.test('a bridge’s entries, both ways', async t => {
    await using network = await withBridge()
    const { index } = await network.links.get('v0')
    const { index: br0 } = await network.links.get('br0')
    await network.fdb.create({ link: 'v0', macAddress: mac(1) })
    await network.fdb.create({ link: index, macAddress: mac(2), state: 'dynamic' })
    await network.fdb.create({ link: 'v0', macAddress: mac(3), state: 'permanent' })
    await network.fdb.create({ link: 'v0', macAddress: mac(4), externallyLearned: true, state: 'dynamic' })
    await network.fdb.create({ link: 'v0', macAddress: mac(5), sticky: true })
    await network.fdb.create({ link: 'br0', macAddress: mac(6), state: 'permanent' })
    await network.fdb.create({ link: 'v0', macAddress: mac(7), owner: 'device' })
    const theirs = await bridge(network, 'fdb')
    const their = (address: string) => theirs.find(entry => entry.mac === address)
    t.match(their(mac(1)), { ifname: 'v0', master: 'br0', state: 'static' })
    t.match(their(mac(2)), { ifname: 'v0', state: '' })
    t.match(their(mac(3)), { state: 'permanent' })
    t.match(their(mac(4)), { flags: ['extern_learn'] })
    t.match(their(mac(5)), { state: 'static', flags: ['sticky'] })
    t.match(their(mac(6)), { ifname: 'br0', master: 'br0', state: 'permanent' })
    t.match(their(mac(7)), { ifname: 'v0', flags: ['self'], state: 'permanent' })

    const run = (line: string) => network.namespace.exec('bridge', line.split(' '))
    await run(`fdb add ${mac(11)} dev v0 master static`)
    await run(`fdb add ${mac(12)} dev v0 master dynamic extern_learn`)
    await run(`fdb add ${mac(13)} dev v0 self`)
    const ours = await network.fdb.list()
    const names = new Map((await network.links.list()).map(link => [link.index, link.name]))
    const key = (...parts: unknown[]) => parts.join(' ')
    t.same(
      ours
        .map(e =>
          key(
            names.get(e.link),
            e.macAddress,
            names.get(e.bridge ?? 0) ?? '',
            e.owner === 'device',
            e.externallyLearned,
            e.sticky,
            e.state === 'dynamic' ? '' : e.state,
          ),
        )
        .sort(),
      (await bridge(network, 'fdb'))
        .map(e => {
          const flags = e.flags as string[]
          const has = (flag: string) => flags.includes(flag)
          return key(
            e.ifname,
            e.mac,
            e.master ?? '',
            has('self'),
            has('extern_learn'),
            has('sticky'),
            e.state,
          )
        })
        .sort(),
    )
    const entry = ours.find(e => e.macAddress === mac(2))!
    t.equal(entry.link, index)
    t.equal(entry.bridge, br0)
    t.ok(entry.updatedMs! < 60_000)

    t.match(await network.fdb.get({ link: 'v0', macAddress: mac(1) }), { link: index, state: 'static' })
    t.match(await network.fdb.get({ link: 'br0', macAddress: mac(1) }), { link: index, bridge: br0 })
    await t.rejects(network.fdb.get({ link: 'br0', macAddress: mac(99) }), { code: 'ENOENT' })
    await t.rejects(network.fdb.create({ link: 'v0', macAddress: mac(1) }), { code: 'EEXIST' })
    await network.fdb.replace({ link: 'v0', macAddress: mac(1), state: 'dynamic' })
    t.match(await network.fdb.list({ macAddress: mac(1) }), [{ state: 'dynamic' }])
    t.ok((await network.fdb.list({ link: 'v0' })).every(e => e.link === index))
    const inBridge = await network.fdb.list({ bridge: 'br0' })
    t.ok(inBridge.length > 5 && inBridge.every(e => e.bridge === br0 && e.owner === 'bridge'))
    await network.fdb.delete({ link: 'v0', macAddress: mac(1) })
    await t.rejects(network.fdb.delete({ link: 'v0', macAddress: mac(1) }), { code: 'ENOENT' })
    await network.fdb.delete({ link: 'v0', macAddress: mac(7), owner: 'device' })
    t.same(await network.fdb.list({ macAddress: mac(7) }), [])
  })

  t.test('what a locked port saw', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    await network.links.create({ kind: 'veth', name: 'v0', master: 'br0', up: true, peer: { name: 'v1' } })
    const bridgePort = { locked: true, learning: true, macAuthenticationBypass: true }
    const { bridgePort: port } = await network.links.change('v0', { bridgePort })
    if (!port?.macAuthenticationBypass) return void t.comment('this kernel is older than 6.2')
    const { macAddress } = await network.links.get('v1')
    const seen = async () => (await network.fdb.list({ link: 'v0' })).find(e => e.macAddress === macAddress)
    // It says something whenever it comes up.
    let found = await seen()
    for (; found === undefined; found = await seen()) {
      await network.links.change('v1', { up: false })
      await network.links.change('v1', { up: true })
      await sleep(20)
    }
    t.match(found, { locked: true, raw: [] })
    const own = (await network.fdb.list({ link: 'v0' })).find(({ state }) => state === 'permanent')
    t.match(own, { locked: false, raw: [] }, 'nothing is left that has no name')
  })

  t.test('flush', async t => {
    await using network = await withBridge()
    const of = async () =>
      // Kernels with VLANs have each once more, in VLAN 1.
      [...new Set((await network.fdb.list({ bridge: 'br0' })).map(e => e.macAddress))]
        .filter(address => address.startsWith('02:00:00:00:00'))
        .sort()
    const fill = async () => {
      await network.fdb.replace({ link: 'v0', macAddress: mac(1) })
      await network.fdb.replace({ link: 'v0', macAddress: mac(2), state: 'dynamic' })
      await network.fdb.replace({ link: 'v0', macAddress: mac(3), state: 'permanent' })
    }
    await fill()
    await network.fdb.flush({ link: 'v0', state: 'dynamic' })
    t.same(await of(), [mac(1), mac(3)])
    await fill()
    await network.fdb.flush({ link: 'br0', state: 'static' })
    t.same(await of(), [mac(2), mac(3)])
    await fill()
    await network.fdb.flush({ link: 'v0' })
    t.same(await of(), [mac(3)])
    await t.rejects(network.fdb.flush({ link: 'v1', state: 'static' }), { code: 'ERR_INVALID_ARG_VALUE' })
  })

  t.test('destinations of VXLAN, both ways', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'vxlan', name: 'vx0', vxlan: { id: 7, port: 4789 } })
    const zero = '00:00:00:00:00:00'
    const link = 'vx0'
    await network.fdb.create({
      link,
      macAddress: mac(1),
      destination: '10.0.0.1',
      port: 5000,
      vni: 9,
      via: 'lo',
    })
    await network.fdb.append({ link, macAddress: zero, destination: '10.0.0.2' })
    await network.fdb.append({ link, macAddress: zero, destination: '10.0.0.3' })
    const theirs = await bridge(network, 'fdb', 'show', 'dev', 'vx0')
    t.match(
      theirs.find(e => e.mac === mac(1)),
      { dst: '10.0.0.1', port: 5000, vni: 9, viaIf: 'lo', flags: ['self'], state: 'permanent' },
    )
    t.same(
      theirs.filter(e => e.mac === zero).map(e => e.dst),
      ['10.0.0.2', '10.0.0.3'],
    )
    const run = (line: string) => network.namespace.exec('bridge', line.split(' '))
    await run(`fdb add ${mac(2)} dev vx0 dst 10.0.0.4 port 77 vni 8`)
    t.match(await network.fdb.list({ link, macAddress: mac(2) }), [
      { destination: '10.0.0.4', port: 77, vni: 8, owner: 'device', state: 'permanent' },
    ])
    await network.fdb.delete({ link, macAddress: zero, destination: '10.0.0.2' })
    t.match(await network.fdb.list({ link, macAddress: zero }), [{ destination: '10.0.0.3' }])
    await network.fdb.flush({ link })
    t.same(await network.fdb.list({ link }), [])
  })

  t.test('bad arguments', async t => {
    await using network = await withBridge()
    const good = { link: 'v0', macAddress: mac(1) }
    for (const [options, code] of [
      [{ ...good, macAddress: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ ...good, vlan: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ ...good, vni: 1 << 24 }, 'ERR_OUT_OF_RANGE'],
      [{ ...good, state: 'stale' }, 'ERR_INVALID_ARG_VALUE'],
      [{ ...good, owner: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ ...good, sticky: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ ...good, x: 1 }, 'ERR_INVALID_ARG_VALUE'],
      [{ ...good, link: 'nope' }, 'ERR_LINK_NOT_FOUND'],
    ] as const) {
      await t.rejects(network.fdb.create(options as never), { code }, JSON.stringify(options))
    }
  })

  t.test('nothing is left', leaks)
}
