// The nightly fuzz: the property tests with 10⁷ inputs for every target, which takes hours.
//   node scripts/fuzz.mjs [--runs N] [--seed N] [--jobs N] [FILE…]
// FILE: test/property/frames.test.ts and so on; default all. Each target and its throughput is printed as it ends; the exit
// status is 1 when anything failed. The seed repeats it.
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { testFiles } from './test-files.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(Date.now() & 0x7fffffff) },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
})
const [runs, seed, jobs] = [values.runs, values.seed, values.jobs].map(Number)
if (![runs, seed, jobs].every(Number.isSafeInteger) || runs < 1 || jobs < 1) {
  console.error('usage: node scripts/fuzz.mjs [--runs N] [--seed N] [--jobs N] [FILE…]')
  process.exit(2)
}
const files =
  positionals.length > 0 ? positionals : readdirSync('test/property').map(name => `test/property/${name}`)

console.log(`${runs} inputs for every target, seed ${seed}`)
const start = performance.now()
let inputs = 0
const { failed } = await testFiles(files, {
  jobs,
  timeoutSeconds: 86_400,
  env: { NETLOOM_FUZZ_RUNS: `${runs}`, NETLOOM_FUZZ_SEED: `${seed}` },
  onLine: line => {
    const target = /^ *# fuzzed (\d+) inputs in (\d+) ms: (.*)$/.exec(line)
    if (!target) return
    const [count, milliseconds] = [Number(target[1]), Number(target[2])]
    inputs += count
    console.log(
      `${target[3]}: ${count} inputs, ${Math.round(count / Math.max(0.001, milliseconds / 1000))} a second`,
    )
  },
})
const seconds = (performance.now() - start) / 1000
console.log(
  `${inputs} inputs in ${seconds.toFixed(0)} s, ${Math.round(inputs / seconds)} a second, seed ${seed}`,
)
// Having tried nothing is no success.
const bad = failed > 0 || inputs === 0
console.log(bad ? 'FAILED' : 'passed')
process.exitCode = bad ? 1 : 0
