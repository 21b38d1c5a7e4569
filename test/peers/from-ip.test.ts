import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { netloomAlias } from '../../src/netlink/index.js'
import { Namespace } from '../../src/netns/index.js'
import { Network } from '../../src/network/index.js'
import { Tap, Tun } from '../../src/tuntap/index.js'
import { uniqueName, watchLeaks } from '../support/leaks.js'
import { requires, requiresRoot } from '../support/requires.js'

// Every pair of docs/from-ip-to-netloom.md: the command line in one network, the call in another that is like it.
const page = readFileSync(new URL('../../docs/from-ip-to-netloom.md', import.meta.url), 'utf8')
const stage = /```sh\n(.*?)```/s.exec(page)![1]!
const [changes, readings] = page
  .split('\n## Reading\n')
  .map(part => [...part.matchAll(/^\| `(.*)` \| `(.*)` \|$/gm)])

/** A namespace of the page's that a test has to name otherwise. */
const blue = /\bblue\b/g

async function shell(network: Network, command: string) {
  return network.namespace.exec('sh', ['-ec', command], { reject: false })
}

function call(network: Network, code: string): Promise<unknown> {
  const names = ['network', 'Network', 'Namespace', 'Tap', 'Tun']
  const run = new Function(...names, `return (async () => ${code.includes('; ') ? `{ ${code} }` : code})()`)
  return run(network, Network, Namespace, Tap, Tun)
}

/** What runs by itself, is drawn at random, or differs on purpose. */
const volatile = new Set([
  ...[
    'protocol',
    'operstate',
    'flags',
    'bridge_id',
    'root_id',
    'designated_bridge',
    'designated_root',
    'fdb_n_learned',
  ],
  ...[
    'direct_packets_stat',
    'hash',
    'link_netnsid',
    'carrier',
    'tentative',
    'root_path_cost',
    'topology_change',
    'state',
  ],
])

function still(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.filter(item => !isVolatile(item)).map(still)
    // Hash tables have no order.
    return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) {
    // MAC addresses that the page does not give.
    return typeof value === 'string' &&
      /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(value) &&
      !value.startsWith('02:00:00')
      ? 'random'
      : value
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !volatile.has(key) && !key.endsWith('_timer'))
      // The mark of links that we made.
      .filter(([key, item]) => key !== 'ifalias' || item !== netloomAlias)
      .map(([key, item]) => [key, still(item)]),
  )
}

/** Link-local and multicast entries come some time after their links. */
function isVolatile(item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return false
  const { local, dst, mac } = item as Record<string, unknown>
  return [local, dst, mac].some(value => /^(fe80::|ff00::|33:33:|01:00:5e|multicast)/.test(String(value)))
}

const shows = [
  'ip -j -d address',
  'ip -j -N -4 route show table all',
  'ip -j -N -6 route show table all',
  'ip -j -N -4 rule',
  'ip -j -N -6 rule',
  'ip -j nexthop',
  'ip -j neigh show nud permanent',
  'ip -j neigh show proxy',
  'bridge -j fdb',
  'bridge -j vlan',
  'tc -j qdisc',
  'ip -j tuntap',
]

async function stateOf(network: Network, name: string) {
  const state: Record<string, unknown> = {}
  for (const command of shows) {
    const { stdout } = await shell(network, command)
    state[command] = stdout.trim() === '' ? [] : still(JSON.parse(stdout))
  }
  state.features = (await shell(network, 'ethtool -k v0')).stdout
  state.forwarding = (await shell(network, 'cat /proc/sys/net/ipv4/ip_forward')).stdout
  state.named = (await Namespace.list()).includes(name)
  if (state.named) {
    await using inside = await Network.open(name)
    state.inside = (await inside.links.list()).map(({ name, up }) => `${name} ${up}`)
  }
  return state
}

async function staged(): Promise<Network> {
  const network = await Network.create()
  const { code, stderr } = await shell(network, stage)
  if (code === 0) return network
  await network.close()
  throw new Error(stderr)
}

/** The call is left out, loudly, where this kernel refuses the command line and the call alike. */
async function lacks(t: Test, refusal: string, attempt: Promise<unknown>): Promise<void> {
  const missing = /Unknown device type|not supported|qdisc kind is unknown|No such file or directory/i
  try {
    await attempt
  } catch {
    if (missing.test(refusal)) {
      t.plan(0, `this kernel refuses it: ${refusal.trim().split('\n')[0]}`)
      return
    }
  }
  t.fail(`the command line fails: ${refusal}`)
}

t.setTimeout(300_000)

if (requiresRoot(t) && requires(t, 'ip', 'bridge', 'tc', 'ethtool', 'sysctl')) {
  const leaks = watchLeaks()
  t.ok(changes!.length + readings!.length >= 70, 'the page has its pairs')
  t.equal([...page.matchAll(/^\| `/gm)].length, changes!.length + readings!.length, 'all of them are read')

  for (const [, command, code] of changes!) {
    t.test(command!, async t => {
      await using theirs = await staged()
      await using ours = await staged()
      const name = uniqueName()
      const prepare = async () => {
        if (command!.includes('blue') && !command!.startsWith('ip netns add'))
          await (await Namespace.create({ name })).close()
      }
      const tidy = async () => {
        if ((await Namespace.list()).includes(name)) await Namespace.delete(name)
      }
      try {
        await prepare()
        const before = await stateOf(theirs, name)
        const { code: status, stderr } = await shell(theirs, command!.replace(blue, name))
        const wanted = await stateOf(theirs, name)
        await tidy()
        await prepare()
        const done = call(ours, code!.replace(blue, name))
        if (status !== 0) return await lacks(t, stderr, done)
        await done
        t.same(await stateOf(ours, name), wanted, code!)
        t.notSame(wanted, before, 'and it does something')
      } finally {
        await tidy()
      }
    })
  }

  for (const [, command, code] of readings!) {
    t.test(command!, async t => {
      await using network = await staged()
      const { stdout } = await shell(network, command!)
      const theirs = JSON.parse(stdout) as unknown[]
      const ours = (await call(network, code!)) as unknown[]
      t.ok(theirs.length > 0)
      t.equal(ours.length, theirs.length, code!)
    })
  }

  t.test('nothing is left', leaks)
}
