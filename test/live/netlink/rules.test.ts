import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  async function theirs(network: Network, ...args: string[]): Promise<Record<string, unknown>[]> {
    const { stdout } = await network.namespace.exec('ip', [...args, '-j', '-d', 'rule'])
    return JSON.parse(stdout)
  }

  t.test('rules, both ways', async t => {
    await using network = await Network.create()
    const lo = await network.links.get('lo')
    const created = await network.rules.create({
      priority: 100,
      from: '10.0.0.0/8',
      to: '10.1.0.0/16',
      not: true,
      inputLink: 'later0',
      outputLink: lo,
      mark: 5,
      markMask: 0xff,
      tos: 0x10,
      ipProtocol: 6,
      sourcePorts: { low: 100, high: 200 },
      destinationPorts: 80,
      uids: { low: 1000, high: 2000 },
      table: 1000,
      suppressPrefixLength: 8,
      suppressGroup: 3,
    })
    t.match(created, {
      family: 4,
      priority: 100,
      from: '10.0.0.0/8',
      to: '10.1.0.0/16',
      not: true,
      inputLink: 'later0',
      outputLink: 'lo',
      mark: 5,
      markMask: 0xff,
      tos: 0x10,
      ipProtocol: 6,
      sourcePorts: { low: 100, high: 200 },
      destinationPorts: { low: 80, high: 80 },
      uids: { low: 1000, high: 2000 },
      action: 'lookup',
      table: 1000,
      suppressPrefixLength: 8,
      suppressGroup: 3,
      protocol: 78,
      inputDetached: true,
      raw: [],
    })
    await network.rules.create({ family: 4, priority: 101, action: 'blackhole' })
    await network.rules.create({ family: 4, priority: 102, action: 'unreachable', tunnelId: 7n })
    await network.rules.create({ family: 4, priority: 103, action: 'prohibit', protocol: 4 })
    await network.rules.create({ family: 4, priority: 104, target: 200 })
    await network.rules.create({ family: 4, priority: 105, action: 'nop', realms: 0x10002 })
    await network.rules.create({ from: 'fd00::/8', priority: 106, table: 99 })
    const four = await theirs(network)
    const their = (priority: number) => four.find(rule => rule.priority === priority)
    t.match(their(100), {
      not: null,
      src: '10.0.0.0',
      srclen: 8,
      dst: '10.1.0.0',
      dstlen: 16,
      tos: '0x10',
      fwmark: '0x5',
      fwmask: '0xff',
      iif: 'later0',
      iif_detached: null,
      oif: 'lo',
      uid_start: 1000,
      uid_end: 2000,
      ipproto: 'tcp',
      sport_start: 100,
      sport_end: 200,
      dport: 80,
      table: '1000',
      suppress_prefixlen: 8,
      protocol: '78',
    })
    t.match(their(101), { action: 'blackhole' })
    t.match(their(102), { action: 'unreachable', tun_id: 7 })
    t.match(their(103), { action: 'prohibit', protocol: 'static' })
    t.match(their(104), { goto: 200, unresolved: null })
    t.match(their(105), { nop: null })
    t.match(
      (await theirs(network, '-6')).find(rule => rule.priority === 106),
      { src: 'fd00::', srclen: 8, table: '99' },
    )

    const run = (line: string) => network.namespace.exec('ip', line.split(' '))
    await run(
      'rule add pref 50 from 192.0.2.0/24 fwmark 3 iif lo lookup 77 suppress_prefixlength 0 protocol 9',
    )
    await run('rule add pref 51 ipproto udp dport 53 uidrange 5-6 tun_id 12 goto 101')
    await run('-6 rule add pref 52 to fd01::/16 not oif lo blackhole')
    t.match(await network.rules.list({ family: 4, priority: 50 }), [
      {
        from: '192.0.2.0/24',
        mark: 3,
        markMask: 0xffff_ffff,
        inputLink: 'lo',
        table: 77,
        suppressPrefixLength: 0,
        protocol: 9,
      },
    ])
    t.match(await network.rules.list({ priority: 51 }), [
      {
        ipProtocol: 17,
        destinationPorts: { low: 53, high: 53 },
        uids: { low: 5, high: 6 },
        tunnelId: 12n,
        action: 'goto',
        target: 101,
        table: undefined,
        unresolved: false,
      },
    ])
    t.match(await network.rules.list({ family: 6, priority: 52 }), [
      { to: 'fd01::/16', not: true, outputLink: 'lo', action: 'blackhole', from: undefined },
    ])
    const ours = await network.rules.list()
    t.same(
      ours.map(rule => [rule.family, rule.priority]),
      [
        ...(await theirs(network)).map(rule => [4, rule.priority]),
        ...(await theirs(network, '-6')).map(rule => [6, rule.priority]),
      ],
    )
    t.match(await network.rules.list({ family: 4, table: 255 }), [{ priority: 0, protocol: 2 }])
    for (const { family, priority } of ours.filter(rule => rule.protocol === 78)) {
      await network.rules.delete({ family, priority })
    }
    t.same(await network.rules.list({ protocol: 78 }), [])
  })

  t.test('the same rule is not made twice', async t => {
    await using network = await Network.create()
    const rule = { from: '10.0.0.0/8', table: 7, mark: 1, tunnelId: 5n }
    const created = await network.rules.create(rule)
    await t.rejects(network.rules.create({ ...rule, priority: created.priority }), { code: 'EEXIST' })
    t.same(await network.rules.ensure(rule), created)
    t.match(await network.rules.ensure({ ...rule, table: 8 }), { table: 8 })
    t.equal((await network.rules.list({ protocol: 78 })).length, 2)
    await network.rules.delete(rule)
    t.match(await network.rules.list({ protocol: 78 }), [{ table: 8 }])
    await t.rejects(network.rules.delete(rule), { code: 'ENOENT' })
  })

  t.test('bad arguments', async t => {
    await using network = await Network.create()
    for (const [options, code] of [
      [{ table: 5 }, 'ERR_INVALID_ARG_VALUE'],
      [{ family: 4 }, 'ERR_INVALID_ARG_VALUE'],
      [{ family: 5, table: 5 }, 'ERR_INVALID_ARG_VALUE'],
      [{ family: 6, from: '10.0.0.0/8', table: 5 }, 'ERR_INVALID_ARG_VALUE'],
      [{ family: 4, table: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ family: 4, action: 'goto' }, 'ERR_INVALID_ARG_VALUE'],
      [{ family: 4, action: 'nop', table: 5 }, 'ERR_INVALID_ARG_VALUE'],
      [{ family: 4, l3mdev: true, table: 5 }, 'ERR_INVALID_ARG_VALUE'],
      [{ family: 4, table: 5, sourcePorts: { low: 5, high: 4 } }, 'ERR_OUT_OF_RANGE'],
      [{ family: 4, table: 5, dscp: 64 }, 'ERR_OUT_OF_RANGE'],
      [{ family: 4, table: 5, tunnelId: 5 }, 'ERR_INVALID_ARG_TYPE'],
      [{ family: 4, table: 5, suppressPrefixLength: 33 }, 'ERR_OUT_OF_RANGE'],
      [{ family: 4, table: 5, x: 1 }, 'ERR_INVALID_ARG_VALUE'],
    ] as const) {
      await t.rejects(network.rules.create(options as never), { code }, Object.keys(options).join())
    }
    await t.rejects(network.rules.delete({ family: 4 }), { code: 'ERR_INVALID_ARG_VALUE' })
  })

  t.test('nothing is left', leaks)
}
