import t, { type Test } from 'tap'
import type { FilterOptions, QdiscOptions } from '../../src/netlink/index.js'
import { Network } from '../../src/network/index.js'
import { watchLeaks } from '../support/leaks.js'
import { requires, requiresRoot } from '../support/requires.js'
import { filters, qdiscs } from '../support/traffic-cases.js'

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
