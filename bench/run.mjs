// npm run bench [-- [--rounds N] [--json FILE] [case…]]
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { capture } from './cases/capture.mjs'
import { drain } from './cases/drain.mjs'
import { filter } from './cases/filter.mjs'
import { flood } from './cases/flood.mjs'
import { forward } from './cases/forward.mjs'
import { idle } from './cases/idle.mjs'
import { imports } from './cases/import.mjs'
import { netlink } from './cases/netlink.mjs'
import { ping } from './cases/ping.mjs'
import { prefix } from './cases/prefix.mjs'
import { queues } from './cases/queues.mjs'
import { rival } from './cases/rival.mjs'
import { send } from './cases/send.mjs'
import { ticks } from './cases/ticks.mjs'
import { tunnel } from './cases/tunnel.mjs'
import { udp } from './cases/udp.mjs'
import { veth } from './cases/veth.mjs'
import { Lab } from './harness/lab.mjs'
import { describeMachine, loadCore, measuredCore } from './harness/machine.mjs'
import { table } from './harness/table.mjs'

const cases = {
  drain,
  flood,
  send,
  forward,
  idle,
  import: imports,
  ticks,
  ping,
  capture,
  filter,
  netlink,
  udp,
  veth,
  tunnel,
  queues,
  prefix,
  rival,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '7' }, json: { type: 'string' } },
})
const rounds = Number(values.rounds)
const unknown = positionals.filter(name => !(name in cases))
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`usage: npm run bench -- [--rounds N] [--json FILE] [${Object.keys(cases).join('|')}]…`)
  process.exit(2)
}

const machine = describeMachine()
console.log(
  `${machine.cpu}, ${machine.cores} cores (measured: ${measuredCore}, load: ${loadCore}), Linux ${machine.kernel}`,
)
const loadBefore = loadavg()[0]
console.log(`Node ${machine.node}, ${machine.compiler}, ${rounds} rounds, load average ${loadBefore}\n`)

let lab = new Lab()
let ending = false
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    ending = true
    await lab.kill()
    process.exit(130)
  })
}

const results = {}
for (const name of positionals.length > 0 ? positionals : Object.keys(cases)) {
  lab = new Lab()
  const started = performance.now()
  try {
    const findings = await cases[name]({ lab, rounds, say: text => console.log(text) })
    results[name] = findings
    console.log(`## ${name} (${((performance.now() - started) / 1000).toFixed(0)} s)\n\n${table(findings)}\n`)
  } catch (error) {
    if (ending) break
    results[name] = [{ measure: name, note: `failed: ${error.message}` }]
    console.log(`## ${name}\n\nfailed: ${error.stack}\n`)
    process.exitCode = 1
  } finally {
    await lab.close()
  }
}
const judged = Object.values(results)
  .flat()
  .filter(({ met }) => met !== undefined)
console.log(`${judged.filter(({ met }) => met).length} of ${judged.length} targets met`)
if (values.json && !ending) {
  writeFileSync(values.json, `${JSON.stringify({ machine, loadBefore, rounds, results }, null, 1)}\n`)
}
