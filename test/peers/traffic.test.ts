import t, { type Test } from 'tap'
import type { FilterOptions, QdiscOptions } from '../../src/netlink/index.js'
import { Network } from '../../src/network/index.js'
import { watchLeaks } from '../support/leaks.js'
import { requires, requiresRoot } from '../support/requires.js'

async function prepare(): Promise<Network> {
  const network = await Network.create()
  await network.links.create({ kind: 'veth', name: 'v0', txQueues: 2, peer: { name: 'v1' } })
  return network
}

/** Two networks alike: one for us, one for tc. */
async function twins() {
  const [ours, theirs] = [await prepare(), await prepare()]
  return {
    ours,
    theirs,
    async [Symbol.asyncDispose]() {
      await ours.close()
      await theirs.close()
    },
  }
}

async function tc(network: Network, line: string): Promise<void> {
  await network.namespace.exec('tc', line.split(' '))
}

/** What tc shows, but for names and times of its own. */
async function show(network: Network, line: string): Promise<unknown> {
  const volatile = [
    'installed',
    'last_used',
    'first_used',
    'bytes',
    'packets',
    'direct_packets_stat',
    'rcnt',
    'rate64',
  ]
  const { stdout } = await network.namespace.exec('tc', ['-j', '-d', '-s', ...line.split(' ')])
  try {
    return JSON.parse(stdout, (key, value) =>
      volatile.includes(key) && typeof value === 'number' ? undefined : value,
    )
  } catch {
    // Its JSON is broken for some filters.
    return (await network.namespace.exec('tc', ['-d', ...line.split(' ')])).stdout
  }
}

/** True where the kernel took it; a kernel that lacks the kind says ENOENT. */
async function has(t: Test, what: string, call: Promise<void>): Promise<boolean> {
  try {
    await call
    return true
  } catch (error) {
    const { code, kernelMessage } = error as { code?: string; kernelMessage?: string }
    if (
      code !== 'ENOENT' ||
      !/qdisc kind is unknown|TC classifier not found|Failed to load TC action|^undefined$/i.test(
        String(kernelMessage),
      )
    ) {
      throw error
    }
    t.comment(`this kernel has no ${what}`)
    return false
  }
}

const qdiscs: [options: Omit<QdiscOptions, 'link'>, tc: string][] = [
  [{ kind: 'pfifo', handle: '1:', pfifo: { limit: 77 } }, 'root handle 1: pfifo limit 77'],
  [{ kind: 'bfifo', handle: '1:', bfifo: { limit: 7700 } }, 'root handle 1: bfifo limit 7700'],
  [
    { kind: 'tbf', handle: '2:', tbf: { rate: { bitsPerSecond: 1_000_000 }, burst: 5000, limit: 20_000 } },
    'root handle 2: tbf rate 1mbit burst 5000 limit 20000',
  ],
  [
    {
      kind: 'tbf',
      handle: '2:',
      tbf: {
        rate: { bytesPerSecond: 125_000n },
        burst: 6000,
        limit: 30_000,
        peakRate: { bitsPerSecond: 2_000_000n },
        peakBurst: 1600,
        overhead: 4,
        minPacketBytes: 64,
      },
    },
    'root handle 2: tbf rate 1mbit burst 6000 limit 30000 peakrate 2mbit mtu 1600 overhead 4 mpu 64',
  ],
  [
    {
      kind: 'tbf',
      handle: '2:',
      tbf: { rate: { bitsPerSecond: 80_000_000_000 }, burst: 100_000, limit: 200_000 },
    },
    'root handle 2: tbf rate 80gbit burst 100000 limit 200000',
  ],
  [
    { kind: 'htb', handle: 'abc:', htb: { defaultClass: 0x10, rateToQuantum: 5, directQueueLength: 9 } },
    'root handle abc: htb default 10 r2q 5 direct_qlen 9',
  ],
  [{ kind: 'htb', htb: {}, handle: '1:' }, 'root handle 1: htb'],
  [{ kind: 'ingress' }, 'ingress'],
  [{ kind: 'clsact' }, 'clsact'],
  [
    {
      kind: 'prio',
      handle: '1:',
      prio: { bands: 4, priorities: [3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0] },
    },
    'root handle 1: prio bands 4 priomap 3 2 1 0 3 2 1 0 3 2 1 0 3 2 1 0',
  ],
  [{ kind: 'prio', handle: '1:', prio: {} }, 'root handle 1: prio'],
  [{ kind: 'mq', handle: '1:' }, 'root handle 1: mq'],
  [
    {
      kind: 'sfq',
      handle: '1:',
      sfq: {
        quantum: 3000,
        perturbSeconds: 9,
        limit: 100,
        divisor: 512,
        flows: 50,
        depth: 20,
        headDrop: true,
      },
    },
    'root handle 1: sfq quantum 3000 perturb 9 limit 100 divisor 512 flows 50 depth 20 headdrop',
  ],
  [
    {
      kind: 'fq_codel',
      handle: '1:',
      fq_codel: {
        targetUs: 4000,
        limit: 999,
        intervalUs: 90_000,
        ecn: false,
        flows: 512,
        quantum: 300,
        markThresholdUs: 2000,
        dropBatch: 32,
        memoryLimit: 1_000_000,
      },
    },
    'root handle 1: fq_codel target 4ms limit 999 interval 90ms noecn flows 512 quantum 300 ce_threshold 2ms drop_batch 32 memory_limit 1000000',
  ],
  [
    {
      kind: 'fq',
      handle: '1:',
      fq: {
        limit: 5000,
        flowLimit: 50,
        quantum: 3000,
        initialQuantum: 9000,
        pacing: false,
        flowMaxRate: { bitsPerSecond: 8_000_000 },
        refillDelayUs: 20_000,
        orphanMask: 255,
        markThresholdUs: 3000,
        horizonUs: 5_000_000,
        horizonDrop: false,
      },
    },
    'root handle 1: fq limit 5000 flow_limit 50 quantum 3000 initial_quantum 9000 nopacing maxrate 8mbit refill_delay 20ms orphan_mask 255 ce_threshold 3ms horizon 5s horizon_cap',
  ],
  [{ kind: 'netem', handle: '1:', netem: { delayUs: 100_000 } }, 'root handle 1: netem delay 100ms'],
  [
    {
      kind: 'netem',
      handle: '1:',
      netem: {
        limit: 500,
        delayUs: 10_000,
        jitterUs: 2000,
        delayCorrelationPercent: 25,
        lossPercent: 1.5,
        lossCorrelationPercent: 30,
        duplicatePercent: 2,
        duplicateCorrelationPercent: 10,
        corruptPercent: 3,
        corruptCorrelationPercent: 5,
        reorderPercent: 25,
        reorderCorrelationPercent: 50,
        reorderGap: 5,
        rate: { bitsPerSecond: 1_000_000 },
        packetOverhead: 20,
        cellBytes: 100,
        cellOverhead: 5,
        ecn: true,
      },
    },
    'root handle 1: netem limit 500 delay 10ms 2ms 25% loss 1.5% 30% ecn duplicate 2% 10% corrupt 3% 5% reorder 25% 50% gap 5 rate 1mbit 20 100 5',
  ],
  [
    {
      kind: 'netem',
      handle: '1:',
      netem: {
        lossModel: {
          kind: 'gilbert-elliott',
          goodToBadPercent: 1,
          badToGoodPercent: 10,
          lossInBadPercent: 70,
          lossInGoodPercent: 0.1,
        },
      },
    },
    'root handle 1: netem loss gemodel 1% 10% 70% 0.1%',
  ],
  [
    {
      kind: 'netem',
      handle: '1:',
      netem: {
        lossModel: {
          kind: 'states',
          p13Percent: 1,
          p31Percent: 50,
          p32Percent: 20,
          p23Percent: 30,
          p14Percent: 2,
        },
      },
    },
    'root handle 1: netem loss state 1% 50% 20% 30% 2%',
  ],
  [
    {
      kind: 'netem',
      handle: '1:',
      netem: {
        rate: { bitsPerSecond: 80_000_000_000n },
        slot: { minDelayUs: 800, maxDelayUs: 1000, maxPackets: 5, maxBytes: 9000 },
      },
    },
    'root handle 1: netem rate 80gbit slot 800us 1ms packets 5 bytes 9000',
  ],
]

const mac = '02:00:00:00:00:09'
const filters: [options: Omit<FilterOptions, 'link' | 'parent'>, tc: string][] = [
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: { class: '1:10', actions: [{ kind: 'gact', verdict: 'drop' }] },
    },
    'prio 7 matchall classid 1:10 action drop',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: {
        actions: [
          { kind: 'gact', verdict: 'pipe' },
          { kind: 'gact', verdict: 'pass' },
        ],
      },
    },
    'prio 7 matchall action pipe action pass',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      protocol: 'ip',
      matchall: { actions: [{ kind: 'mirred', operation: 'redirect', to: 'v1' }] },
    },
    'protocol ip prio 7 matchall action mirred egress redirect dev v1',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: { actions: [{ kind: 'mirred', operation: 'mirror', to: 'v1', direction: 'ingress' }] },
    },
    'prio 7 matchall action mirred ingress mirror dev v1',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: {
        actions: [
          { kind: 'vlan', operation: 'push', id: 99, protocol: '802.1ad', priority: 5 },
          { kind: 'vlan', operation: 'pop' },
          { kind: 'vlan', operation: 'modify', id: 5 },
        ],
      },
    },
    'prio 7 matchall action vlan push id 99 protocol 802.1ad priority 5 action vlan pop action vlan modify id 5',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: {
        actions: [
          {
            kind: 'tunnel_key',
            operation: 'set',
            source: '10.0.0.1',
            destination: '10.0.0.2',
            id: 77,
            destinationPort: 4789,
            tos: 4,
            ttl: 9,
            noChecksum: 1,
          },
          { kind: 'tunnel_key', operation: 'unset' },
        ],
      },
    },
    'prio 7 matchall action tunnel_key set src_ip 10.0.0.1 dst_ip 10.0.0.2 id 77 dst_port 4789 tos 4 ttl 9 nocsum action tunnel_key unset',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: { actions: [{ kind: 'skbedit', priority: 0x1_0010, queue: 1, mark: 9, markMask: 15 }] },
    },
    'prio 7 matchall action skbedit priority 1:10 queue_mapping 1 mark 9/15',
  ],
  [
    {
      kind: 'matchall',
      priority: 7,
      matchall: {
        actions: [
          { kind: 'police', rate: { bytesPerSecond: 125_000n }, burst: 10_000, mtu: 2000, verdict: 'drop' },
        ],
      },
    },
    'prio 7 matchall action police rate 1mbit burst 10000 mtu 2000 drop',
  ],
  [
    { kind: 'fw', priority: 3, handle: 6, protocol: 'ip', fw: { class: '1:10', mask: 0xff } },
    'protocol ip prio 3 handle 6/255 fw classid 1:10',
  ],
  [
    {
      kind: 'u32',
      priority: 5,
      protocol: 'ip',
      u32: {
        class: '1:10',
        matches: [
          { value: 0x0a000000, mask: 0xff000000, offset: 12 },
          { value: 0x0050, mask: 0xffff, offset: 20 },
        ],
      },
    },
    'protocol ip prio 5 u32 match u32 0x0a000000 0xff000000 at 12 match u32 0x0050 0xffff at 20 classid 1:10',
  ],
  [
    {
      kind: 'bpf',
      priority: 5,
      bpf: { class: '1:10', program: Uint8Array.from([6, 0, 0, 0, 0xff, 0xff, 0, 0]) },
    },
    'prio 5 bpf classid 1:10 bytecode 1,6§0§0§65535',
  ],
  [
    {
      kind: 'flower',
      priority: 5,
      protocol: 'ip',
      flower: {
        class: '1:10',
        sourceMac: mac,
        destinationMac: '02:00:00:00:00:00/ff:00:00:00:00:00',
        ipProtocol: 'tcp',
        source: '10.0.0.0/8',
        destination: '10.0.0.9',
        sourcePort: 80,
        destinationPort: 443,
        tos: 4,
        ttl: 9,
        tcpFlags: 2,
      },
    },
    `protocol ip prio 5 flower classid 1:10 src_mac ${mac} dst_mac 02:00:00:00:00:00/ff:00:00:00:00:00 ip_proto tcp src_ip 10.0.0.0/8 dst_ip 10.0.0.9 src_port 80 dst_port 443 ip_tos 4 ip_ttl 9 tcp_flags 2`,
  ],
  [
    {
      kind: 'flower',
      priority: 5,
      protocol: 'ipv6',
      chain: 4,
      flower: {
        ipProtocol: 'icmpv6',
        source: 'fd00::/20',
        icmpType: 128,
        icmpCode: 0,
        actions: [{ kind: 'gact', verdict: 'drop' }],
      },
    },
    'protocol ipv6 prio 5 chain 4 flower ip_proto icmpv6 src_ip fd00::/20 type 128 code 0 action drop',
  ],
  [
    {
      kind: 'flower',
      priority: 5,
      protocol: '802.1q',
      flower: { vlanId: 7, vlanPriority: 3, vlanEtherType: 0x800 },
    },
    'protocol 802.1q prio 5 flower vlan_id 7 vlan_prio 3 vlan_ethtype ip',
  ],
  [
    {
      kind: 'flower',
      priority: 5,
      protocol: 'ip',
      flower: {
        tunnelId: 9,
        tunnelSource: '10.0.0.1',
        tunnelDestination: '10.0.0.0/24',
        tunnelDestinationPort: 4789,
        ipProtocol: 'udp',
        destinationPort: 53,
      },
    },
    'protocol ip prio 5 flower enc_key_id 9 enc_src_ip 10.0.0.1 enc_dst_ip 10.0.0.0/24 enc_dst_port 4789 ip_proto udp dst_port 53',
  ],
]

if (requiresRoot(t) && requires(t, 'ip', 'tc')) {
  const leaks = watchLeaks()

  for (const [options, line] of qdiscs) {
    t.test(`qdisc ${line}`, async t => {
      await using both = await twins()
      const { ours, theirs } = both
      if (!(await has(t, options.kind, ours.qdiscs.create({ ...options, link: 'v0' } as QdiscOptions))))
        return
      await tc(theirs, `qdisc add dev v0 ${line}`)
      t.same(
        await show(ours, 'qdisc show dev v0'),
        await show(theirs, 'qdisc show dev v0'),
        'tc sees no difference',
      )
      const [a, b] = [await ours.qdiscs.list({ link: 'v0' }), await theirs.qdiscs.list({ link: 'v0' })]
      const find = (all: typeof a) => all.find(qdisc => qdisc.kind === options.kind)!
      const { link: _, statistics, ...mine } = find(a)
      const { link: __, statistics: ___, ...others } = find(b)
      t.same(mine, others, 'and so do we')
      t.equal(statistics!.drops, 0n)
      const settings = options[options.kind] as Record<string, unknown> | undefined
      const read = (mine as unknown as Record<string, Record<string, unknown>>)[options.kind]
      for (const [name, value] of Object.entries(settings ?? {})) {
        if (
          typeof value === 'object' &&
          value !== null &&
          ('bitsPerSecond' in value || 'bytesPerSecond' in value)
        ) {
          const rate = value as { bitsPerSecond?: bigint; bytesPerSecond?: bigint }
          const bytes = rate.bytesPerSecond ?? BigInt(rate.bitsPerSecond!) / 8n
          t.match(read![name], { bytesPerSecond: bytes, bitsPerSecond: 8n * bytes }, name)
        } else if (/burst/i.test(name)) {
          const difference = Math.abs(Number(read![name]) - Number(value))
          // A microsecond at that rate, and a tick.
          t.ok(difference <= Number(value) / 100 + 1000, `${name} ${read![name]}`)
        } else if (/Us$/.test(name) && options.kind === 'fq_codel') {
          // The kernel counts 1024 ns.
          t.ok(Math.abs(Number(read![name]) - Number(value)) <= 1, name)
        } else t.same(read![name], value, name)
      }
      t.equal(find(a).raw, undefined)
      const special = options.kind === 'ingress' || options.kind === 'clsact'
      await ours.qdiscs.delete({ link: 'v0', ...(special && { kind: options.kind as 'ingress' }) })
      t.notOk(find(await ours.qdiscs.list({ link: 'v0' })), 'it is gone')
    })
  }

  t.test('delays finer than tc has them', async t => {
    await using network = await prepare()
    const netem = { delayUs: 10_000.5, jitterUs: 0.25 }
    if (!(await has(t, 'netem', network.qdiscs.create({ link: 'v0', kind: 'netem', netem })))) return
    t.match((await network.qdiscs.list({ link: 'v0' }))[0], { kind: 'netem', netem })
    await network.qdiscs.replace({ link: 'v0', kind: 'netem', netem: { lossPercent: 5 } })
    t.match((await network.qdiscs.list({ link: 'v0' }))[0], { netem: { lossPercent: 5, delayUs: 0 } })
    await network.qdiscs.change({ link: 'v0', kind: 'netem', netem: { lossPercent: 6 } })
    t.match((await network.qdiscs.list({ link: 'v0' }))[0], { netem: { lossPercent: 6 } })
  })

  t.test('classes of htb', async t => {
    await using both = await twins()
    const { ours, theirs } = both
    if (!(await has(t, 'htb', ours.qdiscs.create({ link: 'v0', kind: 'htb', handle: '1:', htb: {} })))) return
    await tc(theirs, 'qdisc add dev v0 root handle 1: htb')
    // It has no JSON for them.
    const text = async ({ namespace }: Network) =>
      (await namespace.exec('tc', ['-d', 'class', 'show', 'dev', 'v0'])).stdout
    const options = { link: 'v0', kind: 'htb' } as const
    await ours.classes.create({ ...options, handle: '1:1', htb: { rate: { bitsPerSecond: 10_000_000 } } })
    await ours.classes.create({
      ...options,
      handle: '1:10',
      parent: '1:1',
      htb: {
        rate: { bitsPerSecond: 1_000_000 },
        ceil: { bitsPerSecond: 5_000_000 },
        burst: 15_000,
        ceilBurst: 3000,
        quantum: 2000,
        priority: 3,
      },
    })
    await ours.classes.create({
      ...options,
      handle: '1:11',
      parent: '1:1',
      htb: { rate: { bitsPerSecond: 40_000_000_000n } },
    })
    await tc(theirs, 'class add dev v0 classid 1:1 parent 1: htb rate 10mbit')
    await tc(
      theirs,
      'class add dev v0 classid 1:10 parent 1:1 htb rate 1mbit ceil 5mbit burst 15000 cburst 3000 quantum 2000 prio 3',
    )
    await tc(theirs, 'class add dev v0 classid 1:11 parent 1:1 htb rate 40gbit')
    t.same(await text(ours), await text(theirs))
    const list = await ours.classes.list({ link: 'v0' })
    t.same(
      list.map(({ link: _, ...rest }) => rest),
      (await theirs.classes.list({ link: 'v0' })).map(({ link: _, ...rest }) => rest),
    )
    t.match(
      list.find(each => each.handle === '1:10'),
      {
        parent: '1:1',
        kind: 'htb',
        htb: {
          rate: { bitsPerSecond: 1_000_000n },
          ceil: { bytesPerSecond: 625_000n },
          quantum: 2000,
          priority: 3,
        },
      },
    )
    t.match(
      list.find(each => each.handle === '1:1'),
      { parent: 'root' },
    )
    await ours.qdiscs.create({
      link: 'v0',
      parent: '1:10',
      handle: '10:',
      kind: 'pfifo',
      pfifo: { limit: 5 },
    })
    t.match(
      (await ours.qdiscs.list({ link: 'v0' })).find(each => each.handle === '10:'),
      { parent: '1:10', pfifo: { limit: 5 } },
    )
    await ours.classes.change({
      ...options,
      handle: '1:10',
      parent: '1:1',
      htb: { rate: { bitsPerSecond: 2_000_000 } },
    })
    t.match(
      (await ours.classes.list({ link: 'v0' })).find(each => each.handle === '1:10'),
      { htb: { rate: { bitsPerSecond: 2_000_000n } }, qdisc: '10:' },
    )
    await t.rejects(
      ours.classes.create({ ...options, handle: '1:10', htb: { rate: { bitsPerSecond: 8 } } }),
      { code: 'EEXIST' },
    )
    await ours.classes.delete({ link: 'v0', handle: '1:11' })
    t.equal((await ours.classes.list({ link: 'v0' })).length, 2)
  })

  for (const [options, line] of filters) {
    t.test(`filter ${line}`, async t => {
      await using both = await twins()
      const { ours, theirs } = both
      for (const { namespace } of [ours, theirs]) {
        await namespace.exec('tc', ['qdisc', 'add', 'dev', 'v0', 'root', 'handle', '1:', 'htb'])
        await namespace.exec('tc', [
          'class',
          'add',
          'dev',
          'v0',
          'classid',
          '1:10',
          'parent',
          '1:',
          'htb',
          'rate',
          '1mbit',
        ])
      }
      if (
        !(await has(
          t,
          `${options.kind} or an action of it`,
          ours.filters.create({ ...options, link: 'v0', parent: '1:' } as FilterOptions),
        ))
      )
        return
      const words = `filter add dev v0 parent 1: ${line}`.split(' ').map(word => word.replaceAll('§', ' '))
      await theirs.namespace.exec('tc', words)
      t.same(
        await show(ours, 'filter show dev v0'),
        await show(theirs, 'filter show dev v0'),
        'tc sees no difference',
      )
      const [a, b] = [
        await ours.filters.list({ link: 'v0', parent: '1:' }),
        await theirs.filters.list({ link: 'v0', parent: '1:' }),
      ]
      const stable = (value: unknown) =>
        JSON.parse(
          JSON.stringify(value, (key, value) =>
            ['link', 'statistics', 'id', 'tag', 'to', 'count'].includes(key)
              ? undefined
              : typeof value === 'bigint'
                ? String(value)
                : value,
          ),
        )
      t.same(stable(a), stable(b), 'and so do we')
      const last = a.at(-1)!
      t.match(last, {
        kind: options.kind,
        priority: options.priority,
        chain: options.chain ?? 0,
        raw: undefined,
      })
      t.equal(last.protocol, options.protocol ?? 'all')
      const { actions, ...settings } = options[options.kind] as { actions?: { kind: string; to?: unknown }[] }
      const read = (last as unknown as Record<string, Record<string, unknown>>)[options.kind]!
      for (const [name, value] of Object.entries(settings)) {
        if (name === 'destination' && !String(value).includes('/')) t.equal(read[name], `${value}/32`)
        else if (name === 'tunnelSource') t.equal(read[name], `${value}/32`)
        else t.match(read[name], value as object, name)
      }
      for (const [i, { to: _, ...action }] of (actions ?? []).entries())
        t.match((read.actions as object[])[i]!, action)
      await ours.filters.delete({ link: 'v0', parent: '1:', chain: options.chain })
      t.same(await ours.filters.list({ link: 'v0', parent: '1:' }), [], 'it is gone')
    })
  }

  t.test('filters at the hooks of clsact', async t => {
    await using network = await prepare()
    if (!(await has(t, 'clsact', network.qdiscs.create({ link: 'v0', kind: 'clsact' })))) return
    const u32 = { class: '1:1', matches: [{ value: 0, mask: 0, offset: 0 }] }
    for (const parent of ['ingress', 'egress'] as const) {
      await network.filters.create({ link: 'v0', parent, kind: 'u32', priority: 4, u32 })
      const { stdout } = await network.namespace.exec('tc', ['-j', 'filter', 'show', 'dev', 'v0', parent])
      t.ok(JSON.parse(stdout).length > 0, parent)
      t.match((await network.filters.list({ link: 'v0', parent })).at(-1), { parent, kind: 'u32', u32 })
    }
    await network.filters.delete({ link: 'v0', parent: 'ingress', priority: 4 })
    t.same(await network.filters.list({ link: 'v0', parent: 'ingress' }), [])
    t.not((await network.filters.list({ link: 'v0', parent: 'egress' })).length, 0)
  })

  t.test('what cannot be', async t => {
    await using network = await prepare()
    const { qdiscs, filters, classes } = network
    const tbf = { rate: { bitsPerSecond: 8000 }, burst: 5000, limit: 5000 }
    const bad: [unknown, string][] = [
      [{ kind: 'tbfx' }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'tbf', htb: {} }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'tbf', tbf, handle: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'tbf', tbf: { ...tbf, rate: 8000 } }, 'ERR_INVALID_ARG_TYPE'],
      [{ kind: 'tbf', tbf: { ...tbf, rate: { bitsPerSecond: 7 } } }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'tbf', tbf: { ...tbf, rate: { bitsPerSecond: -8 } } }, 'ERR_OUT_OF_RANGE'],
      [{ kind: 'tbf', tbf: { ...tbf, rate: {} } }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'tbf', tbf: { ...tbf, burst: 0 } }, 'ERR_OUT_OF_RANGE'],
      [{ kind: 'tbf', tbf: { ...tbf, peakBurst: 5 } }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'netem', netem: { lossPercent: 101 } }, 'ERR_OUT_OF_RANGE'],
      [{ kind: 'netem', netem: { delayUs: '5' } }, 'ERR_INVALID_ARG_TYPE'],
      [{ kind: 'netem', netem: { lossModel: { kind: 'x' } } }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'netem', netem: { cellBytes: 5 } }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'clsact', parent: 'root' }, 'ERR_INVALID_ARG_VALUE'],
      [{ kind: 'prio', prio: { bands: 2, priorities: [2] } }, 'ERR_INVALID_ARG_VALUE'],
    ]
    for (const [options, code] of bad) {
      await t.rejects(qdiscs.create({ link: 'none', ...(options as object) } as QdiscOptions), { code }, code)
    }
    await t.rejects(qdiscs.create({ link: 'none', kind: 'tbf', tbf }), { code: 'ERR_LINK_NOT_FOUND' })
    await t.rejects(qdiscs.delete({ link: 'v0', handle: '9:' }), {
      name: 'NetlinkError',
      operation: 'delete qdisc',
    })
    await t.rejects(
      classes.create({ link: 'v0', kind: 'htb', handle: '1:1', htb: { rate: { bitsPerSecond: 8 } } }),
      { name: 'NetlinkError' },
    )
    const filter = { link: 'v0', parent: '1:', kind: 'matchall' } as const
    await t.rejects(filters.create({ ...filter, matchall: { actions: [{ kind: 'gact' } as never] } }), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
    await t.rejects(
      filters.create({
        ...filter,
        matchall: { actions: [{ kind: 'mirred', operation: 'redirect', to: 'none' }] },
      }),
      { code: 'ERR_LINK_NOT_FOUND' },
    )
    await t.rejects(filters.create({ ...filter, protocol: 'x' as never }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(filters.delete({ link: 'v0', parent: '1:', handle: 5 }), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })

  t.test('what passed is counted', async t => {
    await using network = await prepare()
    const tbf = { rate: { bitsPerSecond: 80_000_000 }, burst: 50_000, limit: 50_000 }
    if (!(await has(t, 'tbf', network.qdiscs.create({ link: 'v0', kind: 'tbf', tbf })))) return
    await network.links.change('v1', { up: true })
    await network.links.change('v0', { up: true })
    await network.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    await network.namespace.exec('ping', ['-c', '1', '-W', '1', '10.0.0.2'], { reject: false })
    const { stdout } = await network.namespace.exec('tc', ['-j', '-s', 'qdisc', 'show', 'dev', 'v0'])
    const [their] = JSON.parse(stdout)
    const { statistics } = (await network.qdiscs.list({ link: 'v0' })).find(each => each.kind === 'tbf')!
    t.ok(statistics!.packets > 0n)
    t.ok(statistics!.bytes >= BigInt(their.bytes))
  })

  t.test('nothing is left', leaks)
}
