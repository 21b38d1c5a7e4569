import t from 'tap'
import { NetlinkError } from '../../src/netlink/index.js'
import { Network } from '../../src/network/index.js'
import { watchLeaks } from '../support/leaks.js'
import { requires, requiresRoot } from '../support/requires.js'

interface TheirEntry {
  dev: string
  port: string
  grp: string
  state: string
  vid?: number
  src?: string
  filter_mode?: string
  source_list?: { address: string }[]
  flags: string[]
  protocol?: string
}

interface TheirMdb {
  mdb: TheirEntry[]
  router: Record<string, { port: string; type?: string }[]>
}

if (requiresRoot(t) && requires(t, 'bridge')) {
  const leaks = watchLeaks()

  async function bridge(network: Network): Promise<TheirMdb> {
    const { stdout } = await network.namespace.exec('bridge', ['-j', '-d', 'mdb', 'show'])
    const [first] = JSON.parse(stdout)
    return first ?? { mdb: [], router: {} }
  }

  async function withBridge(vlanFiltering: boolean): Promise<Network> {
    const network = await Network.create()
    try {
      const settings = vlanFiltering ? { vlanFiltering } : {}
      await network.links.create({
        kind: 'bridge',
        name: 'br0',
        up: true,
        bridge: { multicastSnooping: true, igmpVersion: 3, mldVersion: 2, ...settings },
      })
      for (const name of ['v0', 'w0']) {
        const peer = { name: name.replace('0', '1') }
        await network.links.create({ kind: 'veth', name, master: 'br0', up: true, peer })
        await network.links.change(peer.name, { up: true })
      }
      return network
    } catch (error) {
      await network.close()
      throw error
    }
  }

  /** The same with VLANs, if there are any; `undefined` where the kernel keeps no groups. */
  async function database(): Promise<{ network: Network; vlan: number | undefined } | undefined> {
    for (const vlanFiltering of [true, false]) {
      let network: Network
      try {
        network = await withBridge(vlanFiltering)
      } catch (error) {
        if (!(error instanceof NetlinkError) || error.code !== 'ENOTSUP') throw error
        continue
      }
      try {
        await network.mdb.create({ link: 'v0', group: '239.0.0.1' })
        return { network, vlan: vlanFiltering ? 1 : undefined }
      } catch (error) {
        await network.close()
        if (!(error instanceof NetlinkError) || error.code !== 'ENOTSUP') throw error
      }
    }
    t.comment('this kernel keeps no multicast databases')
    return undefined
  }

  /** Both in one form. */
  async function compare(network: Network) {
    const names = new Map((await network.links.list()).map(link => [link.index, link.name]))
    const ours = (await network.mdb.list()).map(entry =>
      JSON.stringify([
        names.get(entry.bridge),
        names.get(entry.link),
        entry.group,
        entry.state === 'permanent' ? 'permanent' : 'temp',
        entry.vlan,
        entry.source,
        entry.filterMode,
        entry.sources.map(({ address }) => address).sort(),
        entry.blocked,
        entry.derived,
        entry.fastLeave,
      ]),
    )
    const theirs = (await bridge(network)).mdb.map(entry =>
      JSON.stringify([
        entry.dev,
        entry.port,
        entry.grp,
        entry.state,
        entry.vid,
        entry.src,
        entry.filter_mode,
        (entry.source_list ?? []).map(({ address }) => address).sort(),
        entry.flags.includes('blocked'),
        entry.flags.includes('added_by_star_ex'),
        entry.flags.includes('fast_leave'),
      ]),
    )
    // Those that the hosts' own addresses join (solicited-node groups) come and go meanwhile.
    const wanted = (text: string) => !text.includes('ff02:')
    return { ours: ours.filter(wanted).sort(), theirs: theirs.filter(wanted).sort() }
  }

  t.test('members of groups, both ways', async t => {
    const found = await database()
    if (!found) {
      await using network = await Network.create()
      return t.same(await network.mdb.list(), [])
    }
    await using network = found.network
    const { vlan } = found
    const { mdb } = network
    await mdb.create({ link: 'w0', group: '239.0.0.1', state: 'temporary' })
    await mdb.create({ link: 'v0', group: 'FF05::1:2', ...(vlan && { vlan }) })
    await mdb.create({ link: 'v0', group: '239.0.0.2', source: '10.0.0.9', ...(vlan && { vlan }) })
    await mdb.create({ link: 'v0', group: 'ff05::9', source: 'fd00::9' })
    await mdb.create({ link: 'br0', group: '239.0.0.3', state: 'temporary' })
    await mdb.create({ link: 'v0', group: '01:02:03:04:05:06' })
    const run = (line: string) => network.namespace.exec('bridge', line.split(' '))
    await run('mdb add dev br0 port w0 grp 239.0.0.7 permanent')
    await run('mdb add dev br0 port w0 grp ff05::7 src fd00::1 temp')
    await run('mdb add dev br0 port w0 grp 01:02:03:04:05:07 permanent')
    const { ours, theirs } = await compare(network)
    t.same(ours, theirs)
    t.equal(ours.length, 10)
    const { index: v0 } = await network.links.get('v0')
    t.match(await mdb.list({ link: 'v0', group: 'ff05::1:2' }), [
      { link: v0, group: 'ff05::1:2', vlan, state: 'permanent', timerMs: 0 },
    ])
    const [temporary] = await mdb.list({ link: 'w0', group: '239.0.0.1' })
    t.match(temporary, { state: 'temporary' })
    t.ok(temporary!.timerMs > 0 && temporary!.timerMs <= 260_000, `${temporary!.timerMs}`)
    t.match(await mdb.list({ group: '239.0.0.2' }), [{ source: '10.0.0.9' }])

    await t.rejects(mdb.create({ link: 'v0', group: '239.0.0.1' }), { name: 'NetlinkError', code: 'EEXIST' })
    await mdb.delete({ link: 'v0', group: '239.0.0.1' })
    await mdb.delete({ link: 'v0', group: '239.0.0.2', source: '10.0.0.9', ...(vlan && { vlan }) })
    await t.rejects(mdb.delete({ link: 'v0', group: '239.0.0.1' }), { name: 'NetlinkError' })
    await run('mdb del dev br0 port w0 grp 239.0.0.7 permanent')
    const after = await compare(network)
    t.same(after.ours, after.theirs)
    t.equal(after.ours.filter(text => text.includes('239.0.0.2') || text.includes('239.0.0.7')).length, 0)
  })

  t.test('filters of sources, and replacement, where the kernel sets them', async t => {
    const found = await database()
    if (!found) return
    await using network = found.network
    const { mdb } = network
    const settings = { link: 'v0', group: '239.0.0.5', sources: ['10.0.0.1', '10.0.0.2'] }
    try {
      await mdb.create({ ...settings, filterMode: 'exclude', protocol: 78 })
    } catch (error) {
      t.match(error, { name: 'NetlinkError', code: 'EINVAL' })
      t.comment('this kernel sets no filters of sources')
      return
    }
    const star = async () => {
      const found = (await mdb.list({ group: '239.0.0.5' })).find(({ source }) => source === undefined)!
      return { ...found, sources: found.sources.map(({ address }) => address).sort() }
    }
    t.match(await star(), {
      filterMode: 'exclude',
      sources: settings.sources,
      protocol: 78,
    })
    const blocked = (await mdb.list({ group: '239.0.0.5' })).filter(entry => entry.blocked)
    t.equal(blocked.length, 2)
    await mdb.replace({ ...settings, filterMode: 'include', sources: ['10.0.0.3'] })
    t.match(await star(), { filterMode: 'include', sources: ['10.0.0.3'], protocol: 4 })
    const { ours, theirs } = await compare(network)
    t.same(ours, theirs)
  })

  t.test('ports of routers', async t => {
    const found = await database()
    if (!found) return
    await using network = found.network
    await network.links.change('w0', { bridgePort: { multicastRouter: 2 } })
    const { index: w0 } = await network.links.get('w0')
    const { index: br0 } = await network.links.get('br0')
    const ports = await network.mdb.routerPorts({ bridge: 'br0' })
    t.match(ports, [{ bridge: br0, link: w0, type: 'permanent' }])
    t.match((await bridge(network)).router, { br0: [{ port: 'w0' }] })
  })

  t.test('bad arguments', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0' })
    await network.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    for (const options of [
      { link: 'br0' },
      { link: 'br0', group: 'x' },
      { link: 'br0', group: '239.0.0.1', vlan: 0 },
      { link: 'br0', group: '239.0.0.1', state: 'x' },
      { link: 'br0', group: '239.0.0.1', filterMode: 'x' },
      { link: 'br0', group: '239.0.0.1', sources: 'x' },
      { link: 'br0', group: '239.0.0.1', sources: ['x'] },
      { link: 'br0', group: '239.0.0.1', source: 'x' },
      { link: 'br0', group: '239.0.0.1', protocol: 256 },
      { link: 'br0', group: '239.0.0.1', x: 1 },
      { link: 'nope', group: '239.0.0.1' },
      { link: 'v0', group: '239.0.0.1' },
    ]) {
      await t.rejects(network.mdb.create(options as never), { code: /^ERR_/ }, JSON.stringify(options))
    }
  })

  t.test('nothing is left', leaks)
}
