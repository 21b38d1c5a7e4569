import t from 'tap'
import type { Link, LinkCreate } from '../../src/netlink/index.js'
import { Network } from '../../src/network/index.js'
import { watchLeaks } from '../support/leaks.js'
import { requires, requiresRoot } from '../support/requires.js'

/** One link, made by us and by iproute2, each in a network of its own with `v0`, `v1` and `br0` in it. */
interface Case {
  kind: string
  /** Settings, with the index of `v0` where one is wanted. */
  settings: (v0: number) => Record<string, unknown>
  /** Settings that are orders: not reported. */
  orders?: string[]
  lower?: true
  /** What `ip link add … type KIND` is told. */
  ip: string
}

const cases: Case[] = [
  {
    kind: 'vlan',
    lower: true,
    settings: () => ({
      id: 5,
      protocol: '802.1ad',
      flags: { reorderHeader: false, gvrp: true, looseBinding: true },
      egressPriorities: [
        { from: 1, to: 2 },
        { from: 3, to: 4 },
      ],
      ingressPriorities: [{ from: 5, to: 6 }],
    }),
    ip: 'protocol 802.1ad id 5 reorder_hdr off gvrp on loose_binding on egress-qos-map 1:2 3:4 ingress-qos-map 5:6',
  },
  {
    kind: 'macvlan',
    lower: true,
    settings: () => ({
      mode: 'source',
      flags: { noDestination: true },
      sourceAction: 'set',
      sourceAddresses: ['02:00:00:00:00:09', '02:00:00:00:00:08'],
      broadcastQueueLength: 500,
    }),
    orders: ['sourceAction'],
    ip: 'mode source nodst macaddr set 02:00:00:00:00:09 02:00:00:00:00:08 bcqueuelen 500',
  },
  {
    kind: 'macvtap',
    lower: true,
    settings: () => ({ mode: 'passthru', flags: { noPromiscuous: true } }),
    ip: 'mode passthru nopromisc',
  },
  {
    kind: 'vxlan',
    settings: v0 => ({
      id: 0x123456,
      remote: '10.0.0.9',
      local: '10.0.0.1',
      link: v0,
      ttl: 5,
      tos: 1,
      learning: false,
      ageingTimeSeconds: 77,
      limit: 9,
      portRange: { low: 1000, high: 2000 },
      proxy: true,
      rsc: true,
      l2miss: true,
      l3miss: true,
      port: 4789,
      udpChecksum: false,
      udpZeroChecksum6Tx: true,
      udpZeroChecksum6Rx: true,
      remoteChecksumTx: true,
      remoteChecksumRx: true,
      groupPolicy: true,
      dontFragment: 'set',
    }),
    ip: 'id 1193046 remote 10.0.0.9 local 10.0.0.1 dev v0 ttl 5 tos inherit nolearning ageing 77 maxaddress 9 srcport 1000 2000 proxy rsc l2miss l3miss dstport 4789 noudpcsum udp6zerocsumtx udp6zerocsumrx remcsumtx remcsumrx gbp df set',
  },
  {
    kind: 'vxlan',
    settings: v0 => ({
      id: 8,
      remote: 'ff05::9',
      local: 'fd00::1',
      link: v0,
      port: 4789,
      flowLabel: 0x12345,
      ttlInherit: true,
      dontFragment: 'inherit',
    }),
    ip: 'id 8 group ff05::9 local fd00::1 dev v0 dstport 4789 flowlabel 0x12345 ttl inherit df inherit',
  },
  {
    kind: 'vxlan',
    settings: () => ({ collectMetadata: true, port: 4790, genericProtocol: true, learning: false }),
    ip: 'external dstport 4790 gpe nolearning',
  },
  { kind: 'vrf', settings: () => ({ table: 1234 }), ip: 'table 1234' },
  {
    kind: 'ipvlan',
    lower: true,
    settings: () => ({ mode: 'l3s', flags: { private: true } }),
    ip: 'mode l3s private',
  },
  {
    kind: 'ipvtap',
    lower: true,
    settings: () => ({ mode: 'l2', flags: { vepa: true } }),
    ip: 'mode l2 vepa',
  },
  {
    kind: 'geneve',
    settings: () => ({
      id: 77,
      remote: '10.0.0.9',
      ttl: 9,
      tos: 4,
      port: 6082,
      udpChecksum: false,
      dontFragment: 'set',
    }),
    ip: 'id 77 remote 10.0.0.9 ttl 9 tos 4 dstport 6082 noudpcsum df set',
  },
  {
    kind: 'geneve',
    settings: () => ({
      id: 78,
      remote: 'fd00::9',
      flowLabel: 0x12345,
      ttlInherit: true,
      udpZeroChecksum6Tx: true,
      udpZeroChecksum6Rx: true,
    }),
    ip: 'id 78 remote fd00::9 flowlabel 0x12345 ttl inherit udp6zerocsumtx udp6zerocsumrx',
  },
  { kind: 'geneve', settings: () => ({ collectMetadata: true }), ip: 'external' },
  {
    kind: 'bond',
    settings: () => ({
      mode: 'active-backup',
      arpIntervalMs: 300,
      arpTargets: ['10.0.0.1', '10.0.0.2'],
      neighborTargets: ['fd00::1'],
      arpValidate: 'filter-active',
      arpAllTargets: 'all',
      primaryReselect: 'better',
      failOverMacAddress: 'active',
      igmpResends: 3,
      peerNotifications: 4,
      allPortsActive: true,
      minLinks: 1,
      learningPacketIntervalSeconds: 7,
      missedMax: 5,
    }),
    ip: 'mode active-backup arp_interval 300 arp_ip_target 10.0.0.1,10.0.0.2 ns_ip6_target fd00::1 arp_validate filter_active arp_all_targets all primary_reselect better fail_over_mac active resend_igmp 3 num_grat_arp 4 all_slaves_active 1 min_links 1 lp_interval 7 arp_missed_max 5',
  },
  {
    kind: 'bond',
    settings: () => ({
      mode: '802.3ad',
      miiIntervalMs: 100,
      upDelayMs: 200,
      downDelayMs: 300,
      peerNotificationDelayMs: 400,
      transmitHashPolicy: 'layer3+4',
      lacpRate: 'fast',
      aggregatorSelection: 'bandwidth',
      actorSystemPriority: 5,
      userPortKey: 6,
      actorSystem: '02:00:00:00:00:77',
      lacpActive: false,
    }),
    ip: 'mode 802.3ad miimon 100 updelay 200 downdelay 300 peer_notify_delay 400 xmit_hash_policy layer3+4 lacp_rate fast ad_select bandwidth ad_actor_sys_prio 5 ad_user_port_key 6 ad_actor_system 02:00:00:00:00:77 lacp_active off',
  },
  {
    kind: 'bond',
    settings: () => ({ mode: 'balance-tlb', tlbDynamic: false, miiIntervalMs: 50 }),
    ip: 'mode balance-tlb tlb_dynamic_lb 0 miimon 50',
  },
  { kind: 'nlmon', settings: () => ({}), ip: '' },
  { kind: 'wireguard', settings: () => ({}), ip: '' },
]

/** Two networks that are alike. */
async function twins(): Promise<{ ours: Network; theirs: Network; close(): Promise<void> }> {
  const make = async () => {
    const network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0', macAddress: '02:00:00:00:00:0a', up: true })
    await network.links.create({
      kind: 'veth',
      name: 'v0',
      macAddress: '02:00:00:00:00:0b',
      peer: { name: 'v1', macAddress: '02:00:00:00:00:0c' },
    })
    return network
  }
  const [ours, theirs] = await Promise.all([make(), make()])
  return {
    ours,
    theirs,
    close: async () => {
      await Promise.all([ours.close(), theirs.close()])
    },
  }
}

type LinkInfo = Record<'info_kind' | 'info_data' | 'info_slave_kind' | 'info_slave_data', unknown>

/** What iproute2 says of a link's kind. */
async function describe(network: Network, name: string): Promise<LinkInfo> {
  const { stdout } = await network.namespace.exec('ip', ['-j', '-d', 'link', 'show', 'dev', name])
  return JSON.parse(stdout)[0].linkinfo
}

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  for (const { kind, settings, orders = [], lower, ip } of cases) {
    t.test(`${kind} ${ip}: what we make is what iproute2 makes`, async t => {
      const { ours, theirs, close } = await twins()
      try {
        const wanted = settings((await ours.links.get('v0')).index)
        const options = { kind, name: 'x0', [kind]: wanted, ...(lower && { lower: 'v0' }) }
        let made: Link
        try {
          made = await ours.links.create(options as LinkCreate)
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOTSUP')) throw error
          t.match(error, {
            name: 'NetlinkError',
            operation: `create ${kind} link`,
            message: /Unknown device type/,
          })
          t.comment(`this kernel has no ${kind}`)
          return
        }
        const place = lower ? ['link', 'v0', 'name', 'x0'] : ['x0']
        await theirs.namespace.exec('ip', [
          'link',
          'add',
          ...place,
          'type',
          kind,
          ...ip.split(' ').filter(Boolean),
        ])
        const info = await describe(ours, 'x0')
        t.equal(info.info_kind, kind)
        t.same(info, await describe(theirs, 'x0'), 'iproute2 sees no difference')
        const read = made[kind as 'vlan'] as Record<string, unknown> | undefined
        if (Object.keys(wanted).length === 0) return
        for (const name of orders) delete wanted[name]
        t.match(read, wanted, 'all is read back')
        t.same((await theirs.links.get('x0'))[kind as 'vlan'], read, 'and from theirs too')
        t.same(made.raw.settingAttributes, [], 'nothing is unknown')
      } finally {
        await close()
      }
    })
  }

  t.test('bridge ports: what we set is what iproute2 sets', async t => {
    const { ours, theirs, close } = await twins()
    try {
      const settings = {
        priority: 9,
        cost: 77,
        hairpin: true,
        guard: true,
        rootBlock: true,
        fastLeave: true,
        learning: false,
        flood: false,
        proxyArp: true,
        proxyArpWifi: true,
        multicastRouter: 2,
        multicastFlood: false,
        multicastToUnicast: true,
        broadcastFlood: false,
        groupForwardMask: 8,
        neighborSuppression: true,
        vlanTunnel: true,
        isolated: true,
        locked: true,
      }
      const changed = await ours.links.change('v1', { master: 'br0', bridgePort: settings })
      t.match(changed.bridgePort, settings)
      const run = (line: string) => theirs.namespace.exec('ip', line.split(' '))
      await run('link set v1 master br0')
      await run(
        'link set v1 type bridge_slave priority 9 cost 77 hairpin on guard on root_block on fastleave on learning off ' +
          'flood off proxy_arp on proxy_arp_wifi on mcast_router 2 mcast_flood off mcast_to_unicast on bcast_flood off ' +
          'group_fwd_mask 8 neigh_suppress on vlan_tunnel on isolated on locked on',
      )
      const info = await describe(ours, 'v1')
      t.equal(info.info_slave_kind, 'bridge')
      t.same(info, await describe(theirs, 'v1'))
      t.same((await theirs.links.get('v1')).bridgePort, (await ours.links.get('v1')).bridgePort)
      t.same(changed.raw.portSettingAttributes, [])
    } finally {
      await close()
    }
  })

  t.test('a port is made as asked, and only what is a port', async t => {
    await using network = await Network.create()
    const { links } = network
    await links.create({ kind: 'bridge', name: 'br0', up: true })
    const port = await links.create({
      kind: 'veth',
      name: 'v0',
      peer: { name: 'v1' },
      up: true,
      master: 'br0',
      bridgePort: { isolated: true, cost: 5 },
    })
    t.match(port, { up: true, portKind: 'bridge', bridgePort: { isolated: true, cost: 5, learning: true } })
    await links.change('v1', { up: true })
    await links.change('v0', { bridgePort: { state: 'learning', flush: true } })
    t.match(await links.get('v0'), { up: true, bridgePort: { state: 'learning', isolated: true } })
    await t.rejects(links.change('v1', { bridgePort: { cost: 1 } }), {
      code: 'ERR_LINK_MISMATCH',
      message: 'bridgePort is not for v1: it is not a port',
    })
    await t.rejects(links.change('v0', { vrfPort: { table: 1 } }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(links.change('v0', { bridgePort: { cost: 0 } }), { code: 'ERANGE' })
    await t.rejects(links.create({ kind: 'veth', name: 'w0', bridgePort: { cost: 1 } }), {
      code: 'ERR_LINK_MISMATCH',
    })
    t.equal(await links.find('w0'), undefined, 'nothing is left of what could not be made')
    await t.rejects(links.change('v0', { bridgePort: { backupPort: 99_999 } }), { name: 'NetlinkError' })
  })

  t.test('ports of bonds and of routing domains', async t => {
    await using network = await Network.create()
    const { links } = network
    await links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
    try {
      await links.create({ kind: 'bond', name: 'bond0', bond: { mode: 'active-backup', miiIntervalMs: 100 } })
      await links.create({ kind: 'vrf', name: 'vrf0', vrf: { table: 77 } })
    } catch (error) {
      t.match(error, { name: 'NetlinkError', code: 'ENOTSUP', message: /Unknown device type/ })
      t.comment('this kernel has no bonds or no routing domains')
      return
    }
    const port = await links.change('v0', { master: 'bond0', bondPort: { queueId: 3, priority: -5 } })
    t.match(port, {
      portKind: 'bond',
      bondPort: { queueId: 3, priority: -5, state: 'backup', linkFailures: 0 },
    })
    t.match(await describe(network, 'v0'), { info_slave_data: { queue_id: 3, prio: -5, state: 'BACKUP' } })
    await t.rejects(links.change('v0', { bridgePort: { priority: 1 } }), {
      code: 'ERR_LINK_MISMATCH',
      message: 'bridgePort is not for v0: it is a port of a bond',
    })
    const { bond } = await links
      .change('bond0', { bond: { activePort: port.index } })
      .catch(() => links.get('bond0'))
    t.match(bond, { mode: 'active-backup', miiIntervalMs: 100 })
    t.match(await links.change('v1', { master: 'vrf0' }), { portKind: 'vrf', vrfPort: { table: 77 } })
  })

  t.test('settings of newer kernels, where there are any', async t => {
    await using network = await Network.create()
    const wanted = {
      localBypass: false,
      flowLabelPolicy: 'inherit',
      reservedBits: Uint8Array.of(0x00, 0, 0, 0x0f, 0, 0, 0, 0xff),
    } as const
    const { vxlan } = await network.links.create({
      kind: 'vxlan',
      name: 'vx0',
      vxlan: { id: 7, remote: 'fd00::2', port: 4789, multicastRoute: true, ...wanted },
    })
    await network.links.create({ kind: 'bridge', name: 'br0' })
    const wantedOfPort = {
      neighborVlanSuppression: true,
      macAuthenticationBypass: true,
      multicastMaxGroups: 7,
      backupNextHop: 3,
    }
    const { bridgePort } = await network.links.create({
      kind: 'veth',
      name: 'v0',
      master: 'br0',
      bridgePort: { locked: true, ...wantedOfPort },
    })
    // Kernels pass over what they do not know.
    const check = (actual: object | undefined, expected: object) => {
      for (const [name, value] of Object.entries(expected)) {
        const read = (actual as Record<string, unknown>)[name]
        if (read === undefined) t.comment(`this kernel does not know ${name}`)
        else t.same(read, value, name)
      }
    }
    t.match(vxlan, { id: 7, remote: 'fd00::2' })
    check(vxlan, wanted)
    check(bridgePort, wantedOfPort)
  })

  t.test('nothing is left', leaks)
}
