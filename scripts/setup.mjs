// Makes a checkout ready to run: dependencies, the addon, lib/. Does only what is out of date, and says nothing
// when nothing is. Needs Node, a C++ compiler, make, and python3 (for node-gyp).
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { headerArguments, missingPackages, missingPackagesText } from './node-gyp.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19))
  fail(`netloom needs Node 20.19 or later; this is ${process.version}`)

installDependencies()
if (process.platform === 'linux') {
  const inputs = ['binding.gyp', 'native', 'package-lock.json']
  await makeUnlessFresh(join('build', 'addon.stamp'), inputs, 'build/Release/netloom.node', buildAddon)
}
await makeUnlessFresh(
  join('build', 'lib.stamp'),
  [
    'src',
    'scripts/bundle.mjs',
    'scripts/direct-imports.mjs',
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
  ],
  'lib',
  buildLib,
)

function installDependencies() {
  // A link to somebody else's dependencies is theirs to renew.
  if (lstatSync('node_modules', { throwIfNoEntry: false })?.isSymbolicLink()) return
  const installed = join('node_modules', '.package-lock.json')
  if (
    existsSync(installed) &&
    (newest(['package-lock.json']) <= newest([installed]) || sameVersions(installed))
  )
    return
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], 'install the dependencies')
}

/** A checkout renews the lock file's time; only what it says counts. */
function sameVersions(installed) {
  const has = JSON.parse(readFileSync(installed, 'utf8')).packages
  const wants = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
  return Object.entries(wants).every(
    ([path, { version, optional }]) =>
      path === '' || has[path]?.version === version || (optional && has[path] === undefined),
  )
}

function buildAddon() {
  const missing = missingPackages()
  if (missing.length > 0) fail(missingPackagesText(missing))
  const script = join('node_modules', 'node-gyp', 'bin', 'node-gyp.js')
  const quiet = process.env.CI ? [] : ['--loglevel=warn']
  const jobs = process.env.JOBS ? [] : ['--jobs=max']
  run(
    process.execPath,
    [script, 'configure', 'build', '--release', ...quiet, ...jobs, ...headerArguments()],
    'build the addon',
  )
}

async function buildLib() {
  // tsc leaves behind what the sources no longer have.
  for (const name of readdirSync('lib')) {
    if (!name.startsWith('.')) rmSync(join('lib', name), { recursive: true })
  }
  run(
    process.execPath,
    [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    'build lib/',
  )
  const { bundle } = await import('./bundle.mjs')
  await bundle()
}

/** Runs `make` when an input is newer than the stamp, which bears the time the last run began. */
async function makeUnlessFresh(stamp, inputs, output, make) {
  const present = inputs.filter(input => existsSync(input))
  if (!present.includes(inputs[0])) return
  if (existsSync(stamp) && existsSync(output) && newest(present) <= newest([stamp])) return
  const began = new Date()
  await make()
  mkdirSync('build', { recursive: true })
  writeFileSync(stamp, '')
  utimesSync(stamp, began, began)
}

/** The latest time in milliseconds at which any of these files and folders changed. */
function newest(paths) {
  let latest = 0
  for (const path of paths) {
    const stat = statSync(path)
    latest = Math.max(latest, stat.mtimeMs)
    if (stat.isDirectory()) latest = Math.max(latest, newest(readdirSync(path).map(name => join(path, name))))
  }
  return latest
}

function run(command, args, purpose) {
  // Everything goes to the standard error: what `npm run` prints on the standard output stays the program's own.
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
  if (error) fail(`netloom: could not ${purpose}: ${error.message}`)
  if (status !== 0) fail(`netloom: could not ${purpose}: ${command} ${args[0]} failed`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
