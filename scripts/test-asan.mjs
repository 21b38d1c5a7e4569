// Builds the addon with the address and undefined-behavior sanitizers in a checkout of its own, build/asan, and runs
// the tests that touch native code there: they, their children and their workers load that addon and no other. A report
// of a sanitizer in any process is a failure.
//
//   node scripts/test-asan.mjs [WORD…]     only files with one of these in their path
//
// Leaks are looked for only in what ended workers leave behind: V8's heap, which holds the only pointers to what
// living objects wrap, is not scanned.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asanLibrary, headerArguments } from './node-gyp.mjs'
import { canIsolate, testFiles } from './test-files.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const checkout = join(root, 'build', 'asan')
const reports = join(checkout, 'reports')
const copied = [
  'binding.gyp',
  'package.json',
  'tsconfig.json',
  'native',
  'src',
  'lib',
  'examples',
  'docs',
  'test',
]
const tests = 'test/live'
// Send floods, which takes minutes here; the last measures memory, of which sanitizers take their own share.
const leftOut = ['netlink/connection.test.ts', 'netlink/watch.test.ts', 'soak/soak.test.ts']
// Others' programs run without sanitizers: it saves time, and ip of Debian 12 copies a text onto itself, and nft says nothing there.
const foreign = ['bridge', 'capinfos', 'editcap', 'ethtool', 'ip', 'iperf3', 'nft', 'tc', 'tcpdump', 'tshark']

/** @param words only files with one of these in their path; none: all */
export async function testAsan(words = []) {
  mkdirSync(checkout, { recursive: true })
  for (const name of [...copied, 'reports', 'node_modules']) {
    rmSync(join(checkout, name), { recursive: true, force: true })
  }
  // With their times: only what changed is compiled again.
  for (const name of copied)
    cpSync(join(root, name), join(checkout, name), { recursive: true, preserveTimestamps: true })
  symlinkSync(resolve(root, 'node_modules'), join(checkout, 'node_modules'))
  mkdirSync(reports)
  const programs = join(checkout, 'programs')
  mkdirSync(programs, { recursive: true })
  for (const name of foreign) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()
    if (!found) continue
    writeFileSync(join(programs, name), `#!/bin/sh\nunset LD_PRELOAD\nexec '${found}' "$@"\n`, {
      mode: 0o755,
    })
  }

  const sanitize = '-fsanitize=address,undefined'
  const built = run(
    [
      join('node_modules', 'node-gyp', 'bin', 'node-gyp.js'),
      'configure',
      'build',
      '--release',
      '--loglevel=warn',
      ...headerArguments(),
    ],
    {
      CXXFLAGS: `${sanitize} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g`,
      LDFLAGS: sanitize,
    },
  )
  if (built !== 0) return { passed: 0, failed: 1, skipped: 0 }

  const files = readdirSync(join(checkout, tests), { recursive: true })
    .filter(name => name.endsWith('.test.ts') && !leftOut.includes(name))
    .filter(name => words.length === 0 || words.some(word => name.includes(word)))
    .map(name => join(tests, name))
    .sort()
  const sanitizers = {
    // Node itself has no part of them, so they must be there before it.
    LD_PRELOAD: asanLibrary(),
    PATH: `${programs}:${process.env.PATH}`,
    ASAN_OPTIONS: `detect_leaks=0:detect_stack_use_after_return=1:log_path=${join(reports, 'asan')}`,
    UBSAN_OPTIONS: `print_stacktrace=1:log_path=${join(reports, 'ubsan')}`,
  }
  const isolated = canIsolate()
  const totals = await testFiles(files, { jobs: isolated ? 2 : 1, isolated, cwd: checkout, env: sanitizers })
  const leaks = run([join('test', 'support', 'ended-workers.mjs')], {
    ...sanitizers,
    ASAN_OPTIONS: `log_path=${join(reports, 'leaks')}`,
  })
  if (leaks === 0) totals.passed++
  else failed(`ended workers: code ${leaks}`)
  const found = readdirSync(reports)
  for (const name of found) failed(`${name}\n${readFileSync(join(reports, name), 'utf8')}`)
  return totals

  function failed(text) {
    console.log(`\nFAILED  ${text}`)
    totals.failed++
  }
}

function run(args, env) {
  const { status, error } = spawnSync(process.execPath, args, {
    cwd: checkout,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  })
  if (error) console.error(error.message)
  return status ?? 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed } = await testAsan(process.argv.slice(2))
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}
