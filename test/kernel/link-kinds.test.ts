import { release } from 'node:os'
import t from 'tap'
import { type Link, type LinkChange, type LinkCreate, NetlinkError } from '../../src/netlink/index.js'
import { Network } from '../../src/network/index.js'
import { watchLeaks } from '../support/leaks.js'
import { linkKindCases } from '../support/link-kind-cases.js'
import { requires, requiresRoot } from '../support/requires.js'

/** Whether this kernel has the kinds that were tried: the lane makes a table of it. */
const found = new Map<string, boolean>()

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

/** Without what runs. */
function still(settings: object | undefined): object {
  return Object.fromEntries(Object.entries(settings ?? {}).filter(([name]) => !name.endsWith('TimerMs')))
}

/** Settings after a change: of bits, only those that were given. */
function mergeOf(before: Record<string, unknown>, change: Record<string, unknown>) {
  const merged = { ...before }
  for (const [name, value] of Object.entries(change)) {
    merged[name] =
      typeof value === 'object' && !Array.isArray(value) ? { ...(before[name] ?? {}), ...value } : value
  }
  return merged
}

type LinkInfo = Record<'info_kind' | 'info_data' | 'info_slave_kind' | 'info_slave_data', unknown>

/** What iproute2 says of a link's kind. */
async function describe(network: Network, name: string): Promise<LinkInfo> {
  const { stdout } = await network.namespace.exec('ip', ['-j', '-d', 'link', 'show', 'dev', name])
  const { linkinfo } = JSON.parse(stdout)[0]
  // They run.
  for (const key of Object.keys(linkinfo.info_data ?? {}))
    if (key.endsWith('_timer')) delete linkinfo.info_data[key]
  return linkinfo
}

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  for (const each of linkKindCases) {
    const { kind, settings, orders = [], mayLack, encapsulated, lower, peer, ip, change } = each
    t.test(`${kind} ${ip}: what we make is what iproute2 makes`, async t => {
      const { ours, theirs, close } = await twins()
      try {
        // What was given by name is read as an index.
        const indices = new Map((await ours.links.list()).map(({ name, index }) => [name, index]))
        const expected = (each: typeof settings) => {
          const values = each(name => indices.get(name)!)
          for (const name of orders) delete values[name]
          return values
        }
        const options = {
          kind,
          name: 'x0',
          [kind]: settings(name => name),
          ...(lower && { lower: 'v0' }),
          ...(peer && { peer: { name: 'x1', mtu: 1400 } }),
        }
        let made: Link
        try {
          made = await ours.links.create(options as LinkCreate)
        } catch (error) {
          if (!(error instanceof NetlinkError)) throw error
          if (encapsulated && error.code === 'EINVAL') {
            t.comment('this kernel has no UDP around tunnels')
            return
          }
          if (error.code !== 'ENOTSUP') throw error
          t.match(error, {
            name: 'NetlinkError',
            operation: `create ${kind} link`,
            message: /Unknown device type/,
          })
          t.comment(`this kernel has no ${kind}`)
          found.set(kind, false)
          return
        }
        found.set(kind, true)
        const place = lower ? ['link', 'v0', 'name', 'x0'] : ['x0']
        const words = [
          ...(ip ?? '').split(' ').filter(Boolean),
          ...(peer && ip !== undefined ? ['peer', 'name', 'x1', 'mtu', '1400'] : []),
        ]
        await theirs.namespace.exec('ip', ['link', 'add', ...place, 'type', kind, ...words])
        const compare = async (link: Link, wanted: Record<string, unknown>) => {
          const info = await describe(ours, 'x0')
          t.equal(info.info_kind, kind)
          t.equal(link.kind, kind)
          if (ip !== undefined) t.same(info, await describe(theirs, 'x0'), 'iproute2 sees no difference')
          if (Object.keys(wanted).length === 0) return
          const read = link[kind as 'vlan'] as Record<string, unknown> | undefined
          for (const name of Object.keys(wanted))
            if (mayLack?.test(name) && read?.[name] === undefined) delete wanted[name]
          t.match(read, wanted, 'all is read back')
          if (ip !== undefined)
            t.same(still((await theirs.links.get('x0'))[kind as 'vlan']), still(read), 'and from theirs too')
          t.same(link.raw.settingAttributes, [], 'nothing is unknown')
        }
        await compare(made, expected(settings))
        if (peer) t.match(await ours.links.get('x1'), { kind, mtu: 1400, lower: made.index })
        if (!mayLack)
          t.match(await ours.links.ensure(options as LinkCreate), { index: made.index }, 'it is as asked')
        if (!change) return
        const changed = await ours.links.change('x0', { [kind]: change.settings(name => name) } as LinkChange)
        if (ip !== undefined) {
          await theirs.namespace.exec('ip', ['link', 'set', 'x0', 'type', kind, ...change.ip.split(' ')])
        }
        await compare(changed, mergeOf(expected(settings), expected(change.settings)))
        await t.rejects(ours.links.ensure(options as LinkCreate), { code: 'ERR_LINK_MISMATCH' })
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

  t.test('what this kernel has', async t => {
    const line = [...found].map(([kind, has]) => `${kind}=${has ? 'yes' : 'no'}`).join(' ')
    t.comment(`kinds on ${release()}: ${line}`)
    t.ok(found.size > 30)
  })

  t.test('nothing is left', leaks)
}
