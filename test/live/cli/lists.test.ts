import { once } from 'node:events'
import t, { type Test } from 'tap'
import { Network } from '../../../src/network/index.js'
import { netloom, netloomJson } from '../../support/cli.js'
import { uniqueName, watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

type Row = Record<string, unknown>

async function peer(network: Network, program: string, ...args: string[]): Promise<Row[]> {
  const { stdout } = await network.namespace.exec(program, args)
  return stdout.trim() === '' ? [] : JSON.parse(stdout)
}

const sorted = (rows: Row[]) => rows.map(row => JSON.stringify(row)).sort()

/** The same things in any order, and some of them. */
function same(t: Test, ours: Row[], theirs: Row[], what: string): void {
  t.ok(theirs.length > 0, `there are ${what}`)
  t.same(sorted(ours), sorted(theirs), what)
}

if (requiresRoot(t) && requires(t, 'ip', 'bridge', 'tc')) {
  const leaks = watchLeaks()

  t.test('lists in a network with something of everything', async t => {
    const name = uniqueName()
    const network = await Network.create({ name })
    try {
      await network.links.create({ kind: 'bridge', name: 'br0', up: true, addresses: ['10.9.0.1/24'] })
      await network.links.create({
        kind: 'veth',
        name: 'v0',
        up: true,
        master: 'br0',
        alias: 'a cable',
        peer: { name: 'v1' },
      })
      await network.links.change('v1', { up: true })
      await network.links.create({ kind: 'ifb', name: 'd0', up: true })
      await network.addresses.create({ link: 'd0', address: '10.8.0.1/24' })
      await network.addresses.create({ link: 'd0', address: 'fd08::1/64', dad: 'skip' })
      await network.routes.create({ destination: '10.1.0.0/16', gateway: '10.8.0.2', table: 100 })
      await network.routes.create({ destination: 'fd01::/48', gateway: 'fd08::2', table: 100, link: 'd0' })
      await network.routes.create({ destination: 'default', gateway: '10.8.0.3', metric: 7 })
      await network.rules.create({ from: '10.8.0.0/24', table: 100, priority: 500 })
      await network.neighbors.create({ link: 'd0', address: '10.8.0.2', macAddress: '02:00:00:00:00:07' })
      await network.fdb.create({ link: 'v0', macAddress: '02:00:00:00:00:09' })
      const at = ['--in', name]

      const links = netloomJson<Row[]>('links', ...at)
      same(
        t,
        links.map(({ index, name, mtu, macAddress, masterName }) => ({
          index,
          name,
          mtu,
          macAddress,
          masterName,
        })),
        (await peer(network, 'ip', '-j', '-d', 'link')).map(each => ({
          index: each.ifindex,
          name: each.ifname,
          mtu: each.mtu,
          macAddress: each.address,
          masterName: each.master,
        })),
        'links',
      )
      t.type((links[0]!.statistics as Row).rxBytes, 'string', '64-bit numbers are strings')

      same(
        t,
        netloomJson<Row[]>('addresses', ...at).map(each => ({
          name: each.linkName,
          address: each.address,
          prefixLength: each.prefixLength,
        })),
        (await peer(network, 'ip', '-j', 'address')).flatMap(({ ifname, addr_info }) =>
          (addr_info as Row[]).map(info => ({
            name: ifname,
            address: info.local,
            prefixLength: info.prefixlen,
          })),
        ),
        'addresses',
      )

      for (const [filter, args] of [
        [
          ['--table', '100', '--family', '4'],
          ['-4', 'route', 'show', 'table', '100'],
        ],
        [
          ['--table', '100', '--family', '6', '--link', 'd0'],
          ['-6', 'route', 'show', 'table', '100', 'dev', 'd0'],
        ],
        [
          ['--family', '4'],
          ['-4', 'route'],
        ],
        [
          ['--table', 'local', '--family', '4'],
          ['-4', 'route', 'show', 'table', 'local'],
        ],
      ] as const) {
        same(
          t,
          netloomJson<Row[]>('routes', ...at, ...filter).map(({ destination, gateway, metric }) => ({
            destination: String(destination).replace(/\/(32|128)$/, ''),
            gateway,
            metric,
          })),
          (await peer(network, 'ip', '-j', '-d', ...args)).map(({ dst, gateway, metric }) => ({
            destination: dst === 'default' ? '0.0.0.0/0' : dst,
            gateway,
            metric,
          })),
          `routes ${filter.join(' ')}`,
        )
      }

      same(
        t,
        netloomJson<Row[]>('rules', ...at, '--family', '4').map(({ priority, table }) => ({
          priority,
          table,
        })),
        (await peer(network, 'ip', '-j', '-N', '-4', 'rule')).map(({ priority, table }) => ({
          priority,
          table: Number(table),
        })),
        'rules',
      )
      t.equal(netloomJson<Row[]>('rules', ...at, '--table', '100').length, 1)

      same(
        t,
        netloomJson<Row[]>('neighbors', ...at).map(each => ({
          address: each.address,
          name: each.linkName,
          macAddress: each.macAddress,
          state: String(each.state).toUpperCase(),
        })),
        (await peer(network, 'ip', '-j', 'neigh')).map(each => ({
          address: each.dst,
          name: each.dev,
          macAddress: each.lladdr,
          state: (each.state as string[])[0],
        })),
        'neighbors',
      )

      same(
        t,
        netloomJson<Row[]>('fdb', ...at, '--bridge', 'br0').map(each => ({
          macAddress: each.macAddress,
          name: each.linkName,
          bridge: each.bridgeName,
        })),
        (await peer(network, 'bridge', '-j', 'fdb', 'show', 'br', 'br0'))
          .filter(({ master }) => master === 'br0')
          .map(({ mac, ifname, master }) => ({ macAddress: mac, name: ifname, bridge: master })),
        'entries of the bridge',
      )

      same(
        t,
        netloomJson<Row[]>('qdiscs', ...at).map(({ linkName, kind }) => ({ linkName, kind })),
        (await peer(network, 'tc', '-j', 'qdisc')).map(({ dev, kind }) => ({ linkName: dev, kind })),
        'qdiscs',
      )

      t.same(
        netloomJson<Row[]>('links', ...at, '--kind', 'veth').map(each => each.name),
        ['v1', 'v0'].sort((a, b) => links.findIndex(l => l.name === a) - links.findIndex(l => l.name === b)),
      )
      t.same(
        netloomJson<Row[]>('links', ...at, '--master', 'br0').map(each => each.name),
        ['v0'],
      )
      t.same(netloomJson('vlans', ...at, '--link', 'd0'), [])
      t.same(netloomJson('nexthops', ...at), [])

      const lines = netloom('links', ...at).stdout
      t.match(lines, /^v0@v1 +UP +veth +[0-9a-f:]{17} +mtu 1500 +master br0 alias a cable$/m)
      t.match(lines, /^lo +UP +loopback/m)
      t.notMatch(lines, '\u001b', 'no colors but on a terminal')
      t.match(netloom('addresses', ...at).stdout, /^d0 +10\.8\.0\.1\/24 +global$/m)
      t.match(
        netloom('routes', ...at, '--table', '100').stdout,
        /^10\.1\.0\.0\/16 +via 10\.8\.0\.2 +dev d0 +table 100 proto netloom$/m,
      )
      t.match(netloom('routes', ...at).stdout, /^default +via 10\.8\.0\.3 +dev d0 +metric 7 proto netloom$/m)
      t.match(
        netloom('rules', ...at).stdout,
        /^IPv4 +500: +from 10\.8\.0\.0\/24 +lookup 100 +proto netloom$/m,
      )
      t.match(netloom('neighbors', ...at).stdout, /^10\.8\.0\.2 +dev d0 +02:00:00:00:00:07 +permanent$/m)
      t.match(netloom('fdb', ...at).stdout, /^02:00:00:00:00:09 +dev v0 +bridge br0 +static$/m)
      t.match(netloom('qdiscs', ...at).stdout, /^v0 +noqueue +root/m)
    } finally {
      await network.delete()
    }
  })

  t.test('a namespace by name, by process, by path; and the list of them', async t => {
    const name = uniqueName()
    const network = await Network.create({ name })
    try {
      await network.links.create({ kind: 'ifb', name: 'here0' })
      await using outside = await Network.open()
      const id = await network.namespaceIds.create(outside)
      t.type(id, 'number')
      const child = network.namespace.spawn('sleep', ['60'])
      await once(child, 'spawn')
      try {
        for (const place of [name, String(child.pid), `/run/netns/${name}`]) {
          const links = netloomJson<Row[]>('links', '--in', place)
          t.same(
            links.map(each => each.name),
            ['lo', 'here0'],
            place,
          )
        }
        const all = netloomJson<Row[]>('namespaces', '--in', name)
        const named = all.find(each => (each.names as string[]).includes(name))
        t.match(named, {
          id: network.namespace.id,
          current: true,
          processes: [{ pid: child.pid, command: 'sleep' }],
        })
        const ours = all.find(each => (each.processes as Row[]).some(({ pid }) => pid === process.pid))
        t.match(ours, { namespaceId: id, current: false })
        const lines = netloom('namespaces', '--in', name).stdout
        t.match(lines, new RegExp(`^${name} +\\d+ +current +1 process: ${child.pid} sleep$`, 'm'))
        t.notOk(netloomJson<Row[]>('namespaces', '--named').some(each => (each.names as []).length === 0))
      } finally {
        child.kill()
        await once(child, 'close')
      }
    } finally {
      await network.delete()
    }
  })

  t.test('nothing is left', leaks)
}
