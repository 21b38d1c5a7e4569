// Compiles native/sys and its tests with the address and undefined-behavior sanitizers, and runs them; then those of
// threads with the thread sanitizer.
// Prints TAP; ends with 1 on a failure, also of the build.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Tests of what runs on threads of its own, which the thread sanitizer runs too. */
const threaded = ['main.cc', 'forwarder_test.cc', 'packet_ring_test.cc']
const builds = [
  {
    folder: 'build/test-native',
    sanitizers: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    tests: () => true,
    env: { ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=0', UBSAN_OPTIONS: 'print_stacktrace=1' },
  },
  {
    folder: 'build/test-native-threads',
    sanitizers: ['-fsanitize=thread'],
    tests: name => threaded.includes(name),
    env: { TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1' },
  },
]
const compiler = process.env.CXX ?? 'c++'
const flags = [
  '-std=c++20',
  '-O1',
  '-g',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unused-parameter',
  '-Wno-missing-field-initializers',
  '-D_GNU_SOURCE',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-omit-frame-pointer',
]

const headers = Math.max(
  ...['native/sys', 'test/native'].flatMap(folder =>
    readdirSync(join(root, folder))
      .filter(name => name.endsWith('.h'))
      .map(name => statSync(join(root, folder, name)).mtimeMs),
  ),
)

function run(command, args, env) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (error) console.error(error.message)
  return status ?? 1
}

/** Compiles what changed, links and runs: the exit code. */
function test({ folder, sanitizers, tests, env }) {
  const objects = join(root, folder)
  mkdirSync(objects, { recursive: true })
  const sources = [
    ...sourcesIn('native/sys'),
    ...sourcesIn('test/native').filter(source => tests(basename(source))),
  ]
  const built = []
  for (const source of sources) {
    const object = join(objects, `${source.replaceAll('/', '_')}.o`)
    const made = statSync(object, { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (made < Math.max(headers, statSync(join(root, source)).mtimeMs)) {
      if (run(compiler, [...flags, ...sanitizers, '-c', source, '-o', object]) !== 0) return 1
    }
    built.push(object)
  }
  const program = join(objects, 'test')
  return run(compiler, [...flags, ...sanitizers, ...built, '-o', program]) || run(program, [], env)
}

function sourcesIn(folder) {
  return readdirSync(join(root, folder))
    .filter(name => name.endsWith('.cc'))
    .map(name => join(folder, name))
}

process.exit(builds.map(test).some(code => code !== 0) ? 1 : 0)
