import t from 'tap'
import { Network } from '../../src/network/index.js'
import { Tap } from '../../src/tuntap/index.js'
import { uniqueName, watchLeaks } from '../support/leaks.js'
import { requires, requiresRoot } from '../support/requires.js'

/** What `ip -j -d` says, as far as these tests look. */
interface Entry {
  [key: string]: unknown
  ifname: string
  linkinfo?: { info_kind?: string; info_data?: Record<string, unknown> }
  addr_info?: Record<string, unknown>[]
}

async function ip(network: Network, ...args: string[]): Promise<Entry[]> {
  const { stdout } = await network.namespace.exec('ip', ['-j', '-d', '-s', ...args])
  return stdout.trim() === '' ? [] : JSON.parse(stdout)
}

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('iproute2 sees the links that we make', async t => {
    await using network = await Network.create()
    await network.links.create({
      kind: 'bridge',
      name: 'br0',
      up: true,
      mtu: 1400,
      macAddress: '02:00:00:00:00:01',
      txQueueLength: 77,
      group: 5,
      alias: 'hello',
      ipv6LinkLocal: 'none',
      bridge: {
        forwardDelayMs: 2000,
        helloTimeMs: 1000,
        maxAgeMs: 7000,
        ageingTimeMs: 60_000,
        priority: 4096,
        groupForwardMask: 0x4000,
        groupAddress: '01:80:c2:00:00:0e',
        multicastSnooping: false,
        multicastQueryIntervalMs: 30_000,
        igmpVersion: 3,
        nfCallIptables: true,
      },
    })
    await network.links.create({
      kind: 'veth',
      name: 'v0',
      master: 'br0',
      up: true,
      txQueues: 3,
      rxQueues: 2,
      peer: { name: 'v1', mtu: 1300, macAddress: '02:00:00:00:00:02', txQueueLength: 9 },
    })
    const links = await ip(network, 'link')
    t.match(
      links.find(l => l.ifname === 'br0'),
      {
        mtu: 1400,
        address: '02:00:00:00:00:01',
        txqlen: 77,
        group: '5',
        ifalias: 'hello',
        inet6_addr_gen_mode: 'none',
        linkinfo: {
          info_kind: 'bridge',
          info_data: {
            forward_delay: 200,
            hello_time: 100,
            max_age: 700,
            ageing_time: 6000,
            priority: 4096,
            group_fwd_mask: '0x4000',
            group_addr: '01:80:c2:00:00:0e',
            mcast_snooping: 0,
            mcast_query_intvl: 3000,
            mcast_igmp_version: 3,
            nf_call_iptables: 1,
          },
        },
      },
    )
    t.ok((links.find(l => l.ifname === 'br0')!.flags as string[]).includes('UP'))
    t.match(
      links.find(l => l.ifname === 'v0'),
      {
        master: 'br0',
        num_tx_queues: 3,
        num_rx_queues: 2,
        linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge' },
      },
    )
    t.match(
      links.find(l => l.ifname === 'v1'),
      { mtu: 1300, address: '02:00:00:00:00:02', txqlen: 9 },
    )
  })

  t.test('we see the links that iproute2 makes, of whatever kind', async t => {
    await using network = await Network.create()
    const run = (line: string) => network.namespace.exec('ip', line.split(' '), { reject: false })
    await run('link add br0 type bridge ageing_time 1234 hello_time 300 stp_state 1 mcast_querier 1')
    await run('link add v0 mtu 1234 address 02:00:00:00:00:03 type veth peer name v1')
    await run('link add vx0 type vxlan id 7 dstport 4789 local 127.0.0.1')
    await run('link add mv0 link v0 type macvlan mode bridge')
    await run('tuntap add tap0 mode tap user 7 group 8')
    await run('tuntap add tun0 mode tun multi_queue')
    await run('link set v0 master br0 up promisc on allmulticast on alias some-alias')
    await run('link set v1 master br0')
    await run('link set v1 up arp off multicast off txqueuelen 3 group 9')
    const theirs = await ip(network, 'link')
    const ours = await network.links.list()
    t.same(
      ours.map(l => [l.index, l.name, l.kind, l.mtu, l.txQueueLength, l.macAddress]),
      theirs.map(l => [
        l.ifindex,
        l.ifname,
        l.linkinfo?.info_kind,
        l.mtu,
        l.txqlen ?? 0,
        l.link_type === 'none' ? undefined : l.address,
      ]),
    )
    const nameOf = (index: number | undefined) => ours.find(l => l.index === index)?.name
    for (const link of ours) {
      const their = theirs.find(l => l.ifname === link.name)!
      const flags = their.flags as string[]
      t.match(
        {
          up: link.up,
          loopback: link.loopback,
          promiscuous: link.promiscuous,
          allMulticast: link.allMulticast,
          multicast: link.multicast,
          arp: link.arp,
          carrier: link.carrier,
          pointToPoint: link.pointToPoint,
          operState: link.operState.replaceAll('-', '').toUpperCase(),
          master: nameOf(link.master),
          minMtu: link.minMtu ?? 0,
          maxMtu: link.maxMtu ?? 0,
          txQueues: link.txQueues,
          rxQueues: link.rxQueues,
          alias: link.alias,
          qdisc: link.qdisc,
          ipv6LinkLocal: link.ipv6LinkLocal,
        },
        {
          up: flags.includes('UP'),
          loopback: flags.includes('LOOPBACK'),
          promiscuous: flags.includes('PROMISC'),
          allMulticast: flags.includes('ALLMULTI'),
          multicast: flags.includes('MULTICAST'),
          arp: !flags.includes('NOARP'),
          carrier: flags.includes('LOWER_UP'),
          pointToPoint: flags.includes('POINTOPOINT'),
          operState: String(their.operstate),
          master: their.master,
          minMtu: their.min_mtu,
          maxMtu: their.max_mtu,
          txQueues: their.num_tx_queues,
          rxQueues: their.num_rx_queues,
          alias: their.ifalias,
          qdisc: their.qdisc,
          ipv6LinkLocal: their.inet6_addr_gen_mode,
        },
        link.name,
      )
      const { rx, tx } = their.stats64 as Record<string, Record<string, number>>
      t.equal(link.statistics!.rxPackets, BigInt(rx!.packets!), `${link.name} received`)
      t.equal(link.statistics!.txBytes, BigInt(tx!.bytes!), `${link.name} sent`)
    }
    t.match(await network.links.get('br0'), {
      bridge: { ageingTimeMs: 12_340, helloTimeMs: 3000, stpState: 1, multicastQuerier: true },
    })
    t.match(await network.links.get('tap0'), {
      tun: { type: 'tap', owner: 7, group: 8, persist: true, multiQueue: false, packetInformation: false },
    })
    t.match(await network.links.get('tun0'), { tun: { type: 'tun', multiQueue: true } })
    // Not every kernel has these kinds.
    const vxlan = ours.find(l => l.kind === 'vxlan')
    if (vxlan) t.match(vxlan.vxlan, { id: 7, port: 4789, local: '127.0.0.1', learning: true })
    const macvlan = ours.find(l => l.kind === 'macvlan')
    if (macvlan) t.match(macvlan.macvlan, { mode: 'bridge' })
    const port = await network.links.get('v1')
    t.match(port, { portKind: 'bridge', bridgePort: { priority: 32, learning: true, isolated: false } })
  })

  t.test('carrier, mode and protocol down, both ways', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    await using tap = await Tap.create({ in: network, name: 't0' })
    t.match(await network.links.change(tap.name, { carrier: false }), { carrier: false, up: true })
    await network.links.create({
      kind: 'macvlan',
      name: 'm0',
      lower: 'v0',
      protocolDown: true,
      linkMode: 'dormant',
    })
    const theirs = async () => {
      const links = await ip(network, 'link', 'show')
      return (name: string) => links.find(link => link.ifname === name)!
    }
    const made = await theirs()
    t.match(made('m0'), { linkmode: 'DORMANT', proto_down: true })
    t.ok((made('t0').flags as string[]).includes('NO-CARRIER'))
    const changed = await network.links.change('m0', { protocolDown: false, linkMode: 'default' })
    t.match(changed, { protocolDown: false, linkMode: 'default' })
    t.match(await network.links.change('t0', { carrier: true }), { carrier: true, up: true })
    const now = await theirs()
    t.match(now('m0'), { linkmode: 'DEFAULT' })
    t.not(now('m0').proto_down, true)
    t.notOk((now('t0').flags as string[]).includes('NO-CARRIER'))
    const run = (line: string) => network.namespace.exec('ip', line.split(' '))
    await run('link set m0 protodown on')
    await run('link set m0 mode dormant')
    await run('link set t0 carrier off')
    t.match(await network.links.get('m0'), { protocolDown: true, linkMode: 'dormant' })
    t.match(await network.links.get('t0'), { carrier: false, up: true })
    await t.rejects(network.links.change('v0', { protocolDown: true }), { code: 'ENOTSUP' })
    await t.rejects(network.links.change('m0', { carrier: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(network.links.change('m0', { linkMode: 'x' as never }), { code: 'ERR_INVALID_ARG_VALUE' })
  })

  t.test('addresses, both ways', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' }, ipv6LinkLocal: 'none' })
    await network.addresses.create({
      link: 'v0',
      address: '10.0.0.1/24',
      broadcast: '10.0.0.255',
      label: 'v0:1',
      metric: 3,
    })
    await network.addresses.create({ link: 'v0', address: '10.1.0.1', peer: '10.1.0.2', scope: 'link' })
    await network.addresses.create({ link: 'v0', address: 'fd00::1/64', dad: 'skip', noPrefixRoute: true })
    const [v0] = await ip(network, 'addr', 'show', 'dev', 'v0')
    t.match(v0!.addr_info, [
      { local: '10.1.0.1', address: '10.1.0.2', prefixlen: 32, scope: 'link' },
      {
        family: 'inet',
        local: '10.0.0.1',
        prefixlen: 24,
        broadcast: '10.0.0.255',
        label: 'v0:1',
        metric: 3,
        scope: 'global',
      },
      { family: 'inet6', local: 'fd00::1', prefixlen: 64, nodad: true, noprefixroute: true },
    ])
    await network.addresses.create({
      link: 'v0',
      address: 'fd01::1/64',
      dad: 'skip',
      home: true,
      manageTemporary: true,
      protocol: 78,
    })
    await network.addresses.create({ link: 'v0', address: '239.1.2.3', autoJoin: true })
    const flagged = (await ip(network, 'addr', 'show', 'dev', 'v0'))[0]!.addr_info as Record<
      string,
      unknown
    >[]
    t.match(
      flagged.find(each => each.local === 'fd01::1'),
      { home: true, mngtmpaddr: true, nodad: true },
    )
    t.match(
      flagged.find(each => each.local === '239.1.2.3'),
      { autojoin: true },
    )
    const run = (line: string) => network.namespace.exec('ip', line.split(' '))
    await run('addr add fd03::1/64 dev v1 home mngtmpaddr nodad')
    await run('addr add 239.1.2.4 dev v1 autojoin')
    await run('addr add 10.2.0.1 peer 10.2.0.9/30 dev v1')
    await run('addr add fd02::1/48 dev v1 valid_lft 500 preferred_lft 100')
    await run('addr add 10.3.0.1/8 brd + dev v1 valid_lft 600 preferred_lft 100')
    const ours = await network.addresses.list({ link: 'v1' })
    t.match(
      ours.find(a => a.peer),
      { address: '10.2.0.1', peer: '10.2.0.9', prefixLength: 30 },
    )
    t.match(
      ours.find(a => a.address === '10.3.0.1'),
      { broadcast: '10.255.255.255', permanent: false, home: false, autoJoin: false },
    )
    t.match(
      ours.find(a => a.address === 'fd03::1'),
      { home: true, manageTemporary: true, noDad: true, noPrefixRoute: false, protocol: 0 },
    )
    t.match(
      ours.find(a => a.address === '239.1.2.4'),
      { autoJoin: true },
    )
    const told = await network.addresses.list({ link: 'v0' })
    t.match(
      told.find(a => a.address === 'fd01::1'),
      { home: true, manageTemporary: true, protocol: 78 },
    )
    const six = ours.find(a => a.address === 'fd02::1')!
    t.ok(six.validSeconds! > 490 && six.preferredSeconds! > 90 && six.tentative)
  })

  t.test('routes and neighbors, both ways', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1' } })
    await network.links.change('v1', { up: true })
    await network.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    await network.routes.create({ destination: 'default', gateway: '10.0.0.2', metric: 7, mtu: 1200 })
    await network.routes.create({ destination: '10.9.0.0/16', type: 'unreachable' })
    await network.routes.create({
      destination: '10.8.0.0/16',
      nextHops: [
        { gateway: '10.0.0.3', weight: 2 },
        { gateway: '10.0.0.4', weight: 9 },
      ],
    })
    const routes = await ip(network, 'route')
    const find = (destination: string) => routes.find(route => route.dst === destination)
    t.match(find('default'), {
      gateway: '10.0.0.2',
      dev: 'v0',
      metric: 7,
      protocol: '78',
      scope: 'global',
      metrics: [{ mtu: 1200 }],
    })
    t.match(find('10.9.0.0/16'), { type: 'unreachable' })
    t.match(find('10.8.0.0/16'), {
      nexthops: [
        { gateway: '10.0.0.3', dev: 'v0', weight: 2 },
        { gateway: '10.0.0.4', weight: 9 },
      ],
    })
    const run = (line: string) => network.namespace.exec('ip', line.split(' '))
    await run('route add 10.7.0.0/16 via inet6 fe80::1 dev v0 proto static src 10.0.0.1 table 99')
    await run('route add blackhole 10.6.0.0/16 metric 4')
    await run('-6 route add fd09::/32 from fd08::/32 via fe80::2 dev v0')
    t.match(await network.routes.list({ table: 99 }), [
      { destination: '10.7.0.0/16', gateway: 'fe80::1', protocol: 4, preferredSource: '10.0.0.1' },
    ])
    const ours = await network.routes.list()
    t.match(
      ours.find(r => r.type === 'blackhole'),
      { destination: '10.6.0.0/16', metric: 4 },
    )
    const from = ours.find(r => r.destination === 'fd09::/32')
    // A kernel without source routing has none of it.
    if (from) t.match(from, { source: 'fd08::/32', gateway: 'fe80::2' })
    const theirs = [...(await ip(network, '-4', 'route')), ...(await ip(network, '-6', 'route'))]
    t.equal(ours.length, theirs.length)

    await network.neighbors.create({ link: 'v0', address: '10.0.0.7', macAddress: '02:00:00:00:00:07' })
    await network.neighbors.create({ link: 'v0', address: '10.0.0.8', proxy: true })
    t.match(await ip(network, 'neigh'), [
      { dst: '10.0.0.7', lladdr: '02:00:00:00:00:07', state: ['PERMANENT'] },
    ])
    t.match(await ip(network, 'neigh', 'show', 'proxy'), [{ dst: '10.0.0.8' }])
    await run('neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0 nud stale')
    const neighbor = (await network.neighbors.list({ link: 'v0' })).find(n => n.address === '10.0.0.9')
    t.match(neighbor, { state: 'stale', macAddress: '02:00:00:00:00:09' })
  })

  t.test('a network that ip made', async t => {
    const name = uniqueName()
    const { execFileSync } = await import('node:child_process')
    execFileSync('ip', ['netns', 'add', name])
    try {
      await using network = await Network.open(name)
      t.match(await network.links.list(), [{ name: 'lo', up: false }])
      await using ours = await Network.create()
      await ours.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1', in: name } })
      t.match(await network.links.get('v1'), { kind: 'veth' })
    } finally {
      execFileSync('ip', ['netns', 'delete', name])
    }
  })

  t.test('nothing is left', leaks)
}
