// Compiles native/sys and its tests with the address and undefined-behavior sanitizers, and runs them.
// Prints TAP; ends with 1 on a failure, also of the build.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = ['native/sys', 'test/native'].flatMap(folder =>
  readdirSync(join(root, folder))
    .filter(name => name.endsWith('.cc'))
    .map(name => join(folder, name)),
)
const objects = join(root, 'build/test-native')
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
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
]

mkdirSync(objects, { recursive: true })
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

const built = sources.map(source => {
  const object = join(objects, `${source.replaceAll('/', '_')}.o`)
  const made = statSync(object, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (made < Math.max(headers, statSync(join(root, source)).mtimeMs)) {
    if (run(compiler, [...flags, '-c', source, '-o', object]) !== 0) process.exit(1)
  }
  return object
})
const program = join(objects, 'test')
if (run(compiler, [...flags, ...built, '-o', program]) !== 0) process.exit(1)
process.exit(
  run(program, [], { ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=0', UBSAN_OPTIONS: 'print_stacktrace=1' }),
)
