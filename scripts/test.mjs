// `npm test`: every lane that this machine can run. `npm test -- unit live` runs these lanes, and
// `npm test -- test/unit/port` these files or folders. With NETLOOM_REQUIRE=all, leaving a lane out is a
// failure. The last line is `N passed, N failed`, with `, N skipped` where something was.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { asanLibrary, missingPackages } from './node-gyp.mjs'
import { testAsan } from './test-asan.mjs'
import { canIsolate, testFiles } from './test-files.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const needsDevices = () => existsSync('/dev/net/tun') || 'no /dev/net/tun here'
const needsCompiler = () => missingPackages().length === 0 || `${missingPackages().join(', ')} missing`
const needsSanitizer = () => {
  const needed = needsCompiler()
  if (needed !== true) return needed
  return asanLibrary() ? needsDevices() : "libasan, GCC's address sanitizer, missing"
}

/** In the order in which they run; lanes of one group run together. `can` is true or why not. */
const lanes = [
  { name: 'unit', group: 'pure' },
  { name: 'wire', group: 'pure' },
  { name: 'property', group: 'pure' },
  { name: 'live', group: 'devices', can: needsDevices },
  { name: 'peers', group: 'devices', can: needsDevices },
  { name: 'kernel', group: 'kernel', can: needsDevices },
  { name: 'native', group: 'native', can: needsCompiler },
  { name: 'asan', group: 'asan', can: needsSanitizer },
  { name: 'package', group: 'package', can: needsCompiler },
]
const totals = { passed: 0, failed: 0, skipped: 0 }
const leftOut = []
/** Kinds of links by kernel, as test/kernel/link-kinds.test.ts tells: a set of those that it has. */
const kindsByKernel = new Map()

const chosen = process.argv.slice(2)
const names = chosen.filter(argument => lanes.some(lane => lane.name === argument))
const paths = chosen.filter(argument => !names.includes(argument))
const unknown = paths.find(path => filesIn(path).length === 0)
if (unknown !== undefined) {
  console.error(`"${unknown}" is neither a test nor a lane (${lanes.map(lane => lane.name).join(', ')})`)
  process.exit(2)
}

if (paths.length > 0) await runFiles(paths.flatMap(filesIn))
if (names.length > 0 || chosen.length === 0)
  await runLanes(names.length > 0 ? names : lanes.map(lane => lane.name))
summarize()

async function runLanes(wanted) {
  const able = lanes.filter(lane => wanted.includes(lane.name) && hasTests(lane.name) && canRun(lane))
  for (const group of new Set(able.map(lane => lane.group))) {
    const members = able.filter(lane => lane.group === group)
    console.log(`\n# ${members.map(lane => lane.name).join(', ')}`)
    if (group === 'native') await runNative()
    else if (group === 'asan') add(await testAsan())
    else {
      const isolated = group === 'devices' && canIsolate()
      // In one network files go one after the other; so do kernels, which take a processor each.
      const jobs = group === 'pure' || isolated ? 2 : 1
      const files = members.flatMap(lane => filesIn(join('test', lane.name)))
      await runFiles(files, { jobs, isolated })
    }
  }
}

function canRun({ name, can }) {
  const verdict = !can || (process.platform === 'linux' ? can() : 'not Linux')
  if (verdict === true) return true
  leftOut.push(`lane ${name}: ${verdict}`)
  if (process.env.NETLOOM_REQUIRE === 'all') totals.failed++
  return false
}

function hasTests(lane) {
  return ['native', 'asan'].includes(lane)
    ? existsSync(`scripts/test-${lane}.mjs`)
    : filesIn(join('test', lane)).length > 0
}

/** The test files in a folder, or the file itself. */
function filesIn(path) {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join(path, name))
    .sort()
}

async function runFiles(files, options) {
  const onLine = line => {
    const kinds = /^ *# kinds on (\S+): (.*)$/.exec(line)
    if (kinds) kindsByKernel.set(kinds[1], new Map(kinds[2].split(' ').map(word => word.split('='))))
  }
  add(await testFiles(files, { ...options, onLine }))
}

/** scripts/test-native.mjs prints one flat list of TAP. */
async function runNative() {
  const counted = { passed: 0, failed: 0, skipped: 0 }
  const code = await run(process.execPath, ['scripts/test-native.mjs'], line => {
    if (/^ok\b/.test(line)) counted[/ # SKIP\b/.test(line) ? 'skipped' : 'passed']++
    else console.log(line)
    if (/^not ok\b/.test(line)) counted.failed++
  })
  if (counted.failed === 0 && (code !== 0 || counted.passed === 0)) counted.failed = 1
  add(counted)
}

function add({ passed, failed, skipped, reasons = [] }) {
  totals.passed += passed
  totals.failed += failed
  totals.skipped += skipped
  for (const [reason, times] of reasons) leftOut.push(`${times} ${times === 1 ? 'test' : 'tests'}: ${reason}`)
}

async function run(command, args, onLine) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  for await (const line of createInterface({ input: child.stdout })) onLine(line)
  return ended
}

/** Kind by kernel. */
function printKinds() {
  if (kindsByKernel.size === 0) return
  const kernels = [...kindsByKernel.keys()]
  const names = [...new Set([...kindsByKernel.values()].flatMap(kinds => [...kinds.keys()]))].sort()
  console.log(`\n${'kind'.padEnd(12)}${kernels.join('  ')}`)
  for (const name of names) {
    const cells = kernels.map(kernel =>
      (kindsByKernel.get(kernel).get(name) === 'yes' ? 'yes' : '-').padEnd(kernel.length),
    )
    console.log(`${name.padEnd(12)}${cells.join('  ')}`.trimEnd())
  }
}

function summarize() {
  printKinds()
  console.log('')
  for (const line of leftOut) console.log(`left out  ${line}`)
  const { passed, failed, skipped } = totals
  const nothing = passed + failed === 0
  if (nothing && !skipped) console.log('nothing was tested')
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exitCode = failed > 0 || nothing ? 1 : 0
}
