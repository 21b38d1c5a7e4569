import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finding } from '../harness/finding.mjs'
import { buildFolder } from '../harness/floor.mjs'
import { install } from '../harness/rivals.mjs'
import { interleave } from '../harness/rounds.mjs'

const name = 'netlink'
const version = '0.3.0'
const routes = 100_000
const added = 10_000
const links = 500

const milliseconds = result => result.wallNs / 1e6
const cpuMilliseconds = result => result.cpuNs / 1e6

/** Lists and changes of routes and links, with plain C, iproute2 and, where it is installed, pyroute2. */
export async function netlink({ lab, rounds, say }) {
  const network = await lab.network()
  await network.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1' } })
  await network.links.change('v1', { up: true })
  const c = await lab.floor(network, [], { source: 'netlink_floor' })
  const ours = await lab.node(network, 'netlink')
  const compare = (measure, results, names, unit = milliseconds, target = {}) =>
    finding({
      measure,
      unit: 'ms',
      figures: results[names[0]].map(unit),
      floor: results[names[1]].map(unit),
      ...target,
    })
  /** A program of somebody else's, to its end, starting included; what it says goes through a pipe, as to any reader. */
  const program = command => async () => {
    const began = process.hrtime.bigint()
    await lab.run(network, 'sh', ['-c', command])
    return { wallNs: Number(process.hrtime.bigint() - began) }
  }

  const changes = join(buildFolder, 'routes')
  const lines = verb =>
    Array.from(
      { length: added },
      (_, i) => `route ${verb} 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32 dev v0`,
    )
  writeFileSync(`${changes}.add`, lines('add').join('\n'))
  writeFileSync(`${changes}.del`, lines('del').join('\n'))
  const other = await rival(lab, network, say)
  const add = await interleave(rounds, 5, {
    c: async () => checked(await c.ask(`add ${added} v0`), await c.ask(`del ${added} v0`)),
    batch: async () => checked(await ours.ask(`add ${added} v0`), await ours.ask(`del ${added} v0`)),
    side: async () => checked(await ours.ask(`side ${added} v0`), await ours.ask(`del ${added} v0`)),
    ip: async () => {
      const result = await program(`ip -batch ${changes}.add`)()
      await program(`ip -batch ${changes}.del`)()
      return result
    },
    ...(other && {
      other: async () => checked(await other.ask(`add ${added} v0`), await ours.ask(`del ${added} v0`)),
    }),
  })
  const pythonAdd = await python(program, say, addScript)
  if (pythonAdd) await ours.ask(`del ${added} v0`)

  await c.ask(`add ${routes} v0`)
  const list = await interleave(rounds, 2, {
    c: () => c.ask('dump route'),
    ip: program('ip -4 route show | cat >/dev/null'),
    list: () => ours.ask('list'),
    stream: () => ours.ask('stream'),
    walk: () => ours.ask('walk'),
    ...(other && { other: () => other.ask('list') }),
    first: async () => {
      const fresh = await lab.node(network, 'netlink')
      const result = await fresh.ask('list')
      await fresh.close()
      return result
    },
  })
  const findings = [
    compare('add 10 k routes, batched, to C', add, ['batch', 'c'], milliseconds, { most: 2 }),
    compare('add 10 k routes, batched, to `ip -batch`', add, ['batch', 'ip'], milliseconds, { most: 0.5 }),
    compare('add 10 k routes, each awaited, to `ip -batch`', add, ['side', 'ip']),
    compare('list 100 k routes, warm, to `ip route`', list, ['list', 'ip'], milliseconds, { most: 0.5 }),
    compare('list 100 k routes, first, to `ip route`', list, ['first', 'ip'], milliseconds, { most: 1 }),
    compare('list 100 k routes, warm, to C', list, ['list', 'c']),
    compare('stream 100 k routes, to C', list, ['stream', 'c']),
    compare('walk 100 k routes, to C', list, ['walk', 'c'], milliseconds, { most: 3 }),
    compare('walk 100 k routes, CPU, to C', list, ['walk', 'c'], cpuMilliseconds),
  ]
  const once = (measure, results, theirs) =>
    theirs &&
    finding({ measure, unit: 'ms', figures: results.map(milliseconds), floor: results.map(() => theirs) })
  findings.push(once('add 10 k routes, batched, to pyroute2 (once)', add.batch, pythonAdd))
  findings.push(
    once('list 100 k routes, warm, to pyroute2 (once)', list.list, await python(program, say, listScript)),
  )
  if (other) {
    findings.push(compare(`add 10 k routes, batched, to npm ${name}`, add, ['batch', 'other']))
    findings.push(compare(`list 100 k routes, warm, to npm ${name}`, list, ['list', 'other']))
  }

  await c.ask(`del ${routes} v0`)
  for (let i = 1; i < links; i++) {
    await network.links.create({ kind: 'veth', name: `a${i}`, peer: { name: `b${i}` } })
  }
  const linkList = await interleave(rounds, 2, {
    c: () => c.ask('dump link'),
    ip: program('ip -d link show | cat >/dev/null'),
    ours: () => ours.ask('links'),
    ...(other && { other: () => other.ask('links') }),
  })
  findings.push(
    compare('list 1000 links, to `ip -d link`', linkList, ['ours', 'ip']),
    compare('list 1000 links, to C', linkList, ['ours', 'c']),
  )
  if (other) findings.push(compare(`list 1000 links, to npm ${name}`, linkList, ['ours', 'other']))

  const churn = async counter => {
    const counting = counter.ask('count 1500')
    await lab.run(network, 'sh', ['-c', `sleep 0.2; ip -batch ${changes}.add; ip -batch ${changes}.del`])
    return checked(await counting)
  }
  /** What `ip monitor` takes, by the shell's count. */
  const monitor = async () => {
    const listening = lab.run(network, 'bash', [
      '-c',
      'TIMEFORMAT="%U %S"; time (timeout 1.7 ip -4 monitor route >/dev/null) 2>&1; true',
    ])
    await lab.run(network, 'sh', ['-c', `sleep 0.2; ip -batch ${changes}.add; ip -batch ${changes}.del`])
    const seconds = (await listening).trim().split(' ').map(Number)
    return { cpuNs: 1e9 * (seconds[0] + seconds[1]) }
  }
  const watched = await interleave(Math.min(rounds, 3), 1, {
    c: () => churn(c),
    ours: () => churn(ours),
    ip: monitor,
  })
  const perEvent = result => result.cpuNs / 1e6
  findings.push(compare('watch 20 k changes: CPU, to C that counts', watched, ['ours', 'c'], perEvent))
  findings.push(compare('watch 20 k changes: CPU, to `ip monitor`', watched, ['ours', 'ip'], perEvent))
  return findings.filter(Boolean)
}

function checked(result) {
  if (result.items === 0) throw new Error('a request failed')
  return result
}

/** The other netlink package on npm, if it can be installed. */
async function rival(lab, network, say) {
  try {
    return await lab.node(network, 'netlink-rival', [await install(name, version, say)])
  } catch (error) {
    const [reason] = `${error.stderr || error.message}`.trim().split('\n')
    say(`npm ${name} is left out: ${reason}`)
    return undefined
  }
}

const listScript = 'from pyroute2 import IPRoute; len(list(IPRoute().get_routes(family=2)))'
const addScript = `from pyroute2 import IPRoute
ip = IPRoute()
link = ip.link_lookup(ifname="v0")[0]
for i in range(${added}):
    ip.route("add", dst="10.%d.%d.%d/32" % (i >> 16, (i >> 8) & 255, i & 255), oif=link)`

/** Milliseconds, once: it takes seconds. Debian's own Python has Debian's packages. */
async function python(program, say, script) {
  const has = spawnSync('/usr/bin/python3', ['-c', 'import pyroute2'], { stdio: 'ignore' }).status === 0
  if (has) return milliseconds(await program(`/usr/bin/python3 -c '${script}'`)())
  say('pyroute2 is left out: install python3-pyroute2')
  return undefined
}
