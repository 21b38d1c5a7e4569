import { createServer } from 'node:net'
import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

interface Ruleset {
  nftables: { table?: { name: string; family: string }; rule?: { chain: string; expr: unknown[] } }[]
}

async function ruleset(network: Network): Promise<Ruleset['nftables']> {
  const { stdout } = await network.namespace.exec('nft', ['-j', 'list', 'ruleset'])
  return (JSON.parse(stdout) as Ruleset).nftables
}

/** `inside` - `router` - `outside`, with addresses in 10.0.0.0/24, 192.0.2.0/24 and IPv6. */
async function routed() {
  const inside = await Network.create()
  const router = await Network.create()
  const outside = await Network.create()
  const networks = [inside, router, outside]
  const dispose = async () => {
    for (const network of networks) await network.close()
  }
  await router.links.create({
    kind: 'veth',
    name: 'lan',
    up: true,
    addresses: [{ address: '10.0.0.1/24' }, { address: 'fd00::1/64', dad: 'skip' }],
    peer: { name: 'eth0', in: inside },
  })
  await router.links.create({
    kind: 'veth',
    name: 'wan',
    up: true,
    addresses: [{ address: '192.0.2.1/24' }, { address: 'fd01::1/64', dad: 'skip' }],
    peer: { name: 'eth0', in: outside },
  })
  await inside.links.change('eth0', { up: true })
  await outside.links.change('eth0', { up: true })
  for (const [network, four, six] of [
    [inside, '10.0.0.2/24', 'fd00::2/64'],
    [outside, '192.0.2.2/24', 'fd01::2/64'],
  ] as const) {
    await network.addresses.create({ link: 'eth0', address: four })
    await network.addresses.create({ link: 'eth0', address: six, dad: 'skip' })
  }
  await inside.routes.create({ destination: 'default', gateway: '10.0.0.1' })
  await inside.routes.create({ destination: '::/0', gateway: 'fd00::1' })
  return { inside, router, outside, [Symbol.asyncDispose]: dispose }
}

/** Serves one text on a port inside; the remote addresses that were seen. */
async function serve(network: Network, port: number, address: string) {
  const seen: (string | undefined)[] = []
  const server = createServer(socket => {
    seen.push(socket.remoteAddress)
    socket.on('error', () => {})
    socket.end('hello')
  })
  await network.namespace.listen(server, { port, host: address })
  return {
    seen,
    [Symbol.asyncDispose]: async () => void (await new Promise(resolve => server.close(resolve))),
  }
}

async function fetchFrom(network: Network, host: string, port: number): Promise<string> {
  const socket = await network.namespace.connect({ host, port })
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

if (requiresRoot(t) && requires(t, 'nft')) {
  const leaks = watchLeaks()

  t.test('a router in two calls: forwarding and masquerading', async t => {
    await using nets = await routed()
    const { inside, router, outside } = nets
    await router.sysctl.set('net.ipv4.ip_forward', 1)
    await router.sysctl.set('net.ipv6.conf.all.forwarding', true)
    const four = await router.nat.masquerade({ source: '10.0.0.0/24', out: 'wan' })
    await router.nat.masquerade({ source: 'fd00::/64', out: 'wan', randomPorts: true })
    await using service = await serve(outside, 8080, '::')
    t.equal(await fetchFrom(inside, '192.0.2.2', 8080), 'hello')
    t.equal(await fetchFrom(inside, 'fd01::2', 8080), 'hello')
    t.same(service.seen, ['::ffff:192.0.2.1', 'fd01::1'], 'they come from the router')
    const rules = (await ruleset(router)).flatMap(({ rule }) => (rule ? [rule] : []))
    t.match(rules, [
      {
        chain: 'postrouting',
        expr: [
          {
            match: {
              op: '==',
              left: { payload: { protocol: 'ip', field: 'saddr' } },
              right: { prefix: { addr: '10.0.0.0', len: 24 } },
            },
          },
          { match: { op: '==', left: { meta: { key: 'oifname' } }, right: 'wan' } },
          { masquerade: null },
        ],
      },
      {
        chain: 'postrouting',
        expr: [
          {
            match: {
              op: '==',
              left: { payload: { protocol: 'ip6', field: 'saddr' } },
              right: { prefix: { addr: 'fd00::', len: 64 } },
            },
          },
          { match: { op: '==', left: { meta: { key: 'oifname' } }, right: 'wan' } },
          { masquerade: { flags: 'fully-random' } },
        ],
      },
    ])
    t.equal(router.nat.list().length, 2)
    await four.delete()
    await four.delete()
    t.equal((await ruleset(router)).filter(({ rule }) => rule).length, 1)
    t.equal(router.nat.list().length, 1)
  })

  t.test('ports forwarded to a host behind', async t => {
    await using nets = await routed()
    const { inside, router, outside } = nets
    await router.sysctl.set('net.ipv4.ip_forward', 1)
    await router.sysctl.set('net.ipv6.conf.all.forwarding', 1)
    await outside.routes.create({ destination: '10.0.0.0/24', gateway: '192.0.2.1' })
    await outside.routes.create({ destination: 'fd00::/64', gateway: 'fd01::1' })
    await using service = await serve(inside, 80, '::')
    await router.nat.portForward({
      protocol: 'tcp',
      port: 8080,
      address: '192.0.2.1',
      to: '10.0.0.2',
      toPort: 80,
    })
    await router.nat.portForward({ protocol: 'tcp', port: { low: 79, high: 81 }, in: 'wan', to: 'fd00::2' })
    t.equal(await fetchFrom(outside, '192.0.2.1', 8080), 'hello')
    t.equal(await fetchFrom(outside, 'fd01::1', 80), 'hello')
    t.equal(await fetchFrom(router, '192.0.2.1', 8080), 'hello', 'from the host itself')
    t.same(service.seen.slice(0, 2), ['::ffff:192.0.2.2', 'fd01::2'], 'the senders stay')
    const rules = (await ruleset(router)).flatMap(({ rule }) => (rule ? [rule] : []))
    t.same(rules.map(({ chain }) => chain).sort(), ['output', 'prerouting', 'prerouting'])
    t.match(rules.find(({ chain }) => chain === 'output')?.expr, [
      { match: { left: { payload: { protocol: 'ip', field: 'daddr' } }, right: '192.0.2.1' } },
      { match: { left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 8080 } },
      { dnat: { family: 'ip', addr: '10.0.0.2', port: 80 } },
    ])
  })

  t.test("the table goes with the network, and is nobody else's", async t => {
    await using network = await Network.create()
    const other = await Network.open(network)
    await other.nat.masquerade()
    const [table] = (await ruleset(network)).flatMap(({ table }) => (table ? [table] : []))
    t.match(table, { family: 'inet', name: /^netloom-/ })
    const denied = await network.namespace.exec('nft', ['delete', 'table', 'inet', table!.name], {
      reject: false,
    })
    t.match(denied.stderr, /not permitted/)
    await network.nat.masquerade({ out: 'lo' })
    t.equal((await ruleset(network)).filter(({ table }) => table).length, 2, 'two may be at it')
    await other.close()
    t.equal((await ruleset(network)).filter(({ table }) => table).length, 1)
    await t.rejects(other.nat.masquerade(), { code: 'ERR_INVALID_STATE' })
  })

  t.test('what makes no sense is refused before anything is done', async t => {
    await using network = await Network.create()
    const { nat } = network
    const forward = { protocol: 'tcp', port: 80, in: 'lo', to: '10.0.0.2' } as const
    await t.rejects(nat.masquerade({ source: 'here' }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(nat.masquerade({ out: 'a name that is too long' }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(nat.masquerade({ from: '10.0.0.0/8' } as object), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(nat.portForward({ ...forward, protocol: 'icmp' as 'tcp' }), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
    await t.rejects(nat.portForward({ ...forward, port: 0 }), { code: 'ERR_OUT_OF_RANGE' })
    await t.rejects(nat.portForward({ ...forward, port: { low: 9, high: 8 } }), { code: 'ERR_OUT_OF_RANGE' })
    await t.rejects(nat.portForward({ ...forward, port: { low: 8, high: 9 }, toPort: 8 }), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
    await t.rejects(nat.portForward({ ...forward, in: undefined }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(nat.portForward({ ...forward, address: 'fd00::1' }), { code: 'ERR_INVALID_ARG_VALUE' })
    t.same(
      (await ruleset(network)).filter(({ table }) => table),
      [],
    )
  })

  t.test('settings of a network', async t => {
    await using network = await Network.create()
    t.equal(await network.sysctl.get('net.ipv4.ip_forward'), '0')
    await network.sysctl.set('net.ipv4.ip_forward', true)
    t.equal(await network.namespace.sysctl.get('net/ipv4/ip_forward'), '1')
    const { stdout } = await network.namespace.exec('cat', ['/proc/sys/net/ipv4/ip_forward'])
    t.equal(stdout.trim(), '1')
    await using other = await Network.create()
    t.equal(await other.sysctl.get('net.ipv4.ip_forward'), '0', 'of that network alone')
    await network.links.create({ kind: 'bridge', name: 'br.5' })
    await network.sysctl.set('net/ipv4/conf/br.5/forwarding', 0)
    t.equal(await network.sysctl.get('net/ipv4/conf/br.5/forwarding'), '0')
    const closed = await Network.create()
    await closed.close()
    await t.rejects(closed.sysctl.get('net.ipv4.ip_forward'), { code: 'ERR_INVALID_STATE' })
    await t.rejects(closed.sysctl.set('net.ipv4.ip_forward', 1), { code: 'ERR_INVALID_STATE' })
    await t.rejects(network.sysctl.get('net.ipv4.conf'), { code: 'EISDIR' })
    await t.rejects(network.sysctl.get('net.ipv4.nothing'), { code: 'ERR_SYSCTL_NOT_FOUND' })
    await t.rejects(network.sysctl.set('net.ipv4.ip_forward', 'perhaps'), { code: 'EINVAL' })
    for (const name of ['kernel.hostname', 'net', 'net.ipv4', 'net/../../etc/passwd', 'net//x', '']) {
      await t.rejects(network.sysctl.get(name), { code: 'ERR_INVALID_ARG_VALUE' }, name)
    }
    await t.rejects(network.sysctl.set('net.ipv4.ip_forward', Number.NaN), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(network.sysctl.set('net.ipv4.ip_forward', '1\n2'), { code: 'ERR_INVALID_ARG_TYPE' })
  })

  t.test('nothing is left', leaks)
}
