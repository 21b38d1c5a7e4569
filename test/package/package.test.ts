import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

// The packed tarball with a prebuilt addon, installed elsewhere with scripts disabled.
t.setTimeout(600_000)

const root = fileURLToPath(new URL('../..', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'netloom-package-'))
// Not in a teardown: after a bail there is none.
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
const staged = join(work, 'staged')
const user = join(work, 'user')
const installed = join(user, 'node_modules', 'netloom')

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>
}
const entries = Object.keys(manifest.exports)
  .filter(entry => entry !== './package.json')
  .map(entry => `netloom${entry.slice(1)}`)

function run(t: Test, command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  const said = `${error?.message ?? ''}${stdout}${stderr}`
  t.equal(status, 0, `${command} ${args.join(' ').slice(0, 60)}`, status === 0 ? {} : { said })
  return stdout
}

function tool(name: string): string {
  return join(root, 'node_modules', '.bin', name)
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

let tarball = ''

t.test('packs with a prebuilt addon, small enough', { bail: true }, async t => {
  const left = new Set(['.git', 'node_modules', 'build', 'prebuilds', 'docs', 'test', 'bench'])
  mkdirSync(staged)
  for (const name of readdirSync(root)) {
    if (!left.has(name)) cpSync(join(root, name), join(staged, name), { recursive: true })
  }
  run(t, process.execPath, [join(root, 'scripts', 'prebuild.mjs'), staged], root)
  const prebuilds = filesBelow(join(staged, 'prebuilds'))
  t.match(prebuilds, [/prebuilds\/linux-\w+\/netloom\.(glibc|musl)\.node$/])
  run(t, process.execPath, [join(root, 'scripts', 'check-prebuild.mjs'), ...prebuilds], root)
  const [packed] = JSON.parse(run(t, 'npm', ['pack', '--json', '--ignore-scripts'], staged))
  tarball = join(staged, packed.filename)
  const { size } = statSync(tarball)
  // The declarations, with their comments, are a third of it.
  t.ok(size < 800_000, `the tarball has ${size} bytes`)
})

t.test('installs with scripts disabled', { bail: true }, async t => {
  mkdirSync(user)
  writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }')
  run(t, 'npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball], user)
})

t.test('holds no path of the machine that made it', async t => {
  const needles = [join(homedir(), '/'), root, work, 'netloom-prebuild-'].map(text => Buffer.from(text))
  const found = filesBelow(installed).filter(file => {
    const bytes = readFileSync(file)
    return needles.some(needle => bytes.includes(needle))
  })
  t.same(found, [])
})

t.test('of the files that README.md leads to it holds those that it says', async t => {
  const readme = readFileSync(join(installed, 'README.md'), 'utf8')
  const targets = new Set([...readme.matchAll(/\]\(([\w./-]+)\)/g)].map(match => match[1]!))
  const held = [...targets].filter(target => existsSync(join(installed, target)))
  t.same(held.sort(), ['ARCHITECTURE.md', 'CHANGELOG.md'])
  t.match(readme, 'the package holds ARCHITECTURE.md and CHANGELOG.md')
})

t.test('every sub-path can be imported, which loads no addon', async t => {
  const code = `
    const { readFileSync } = await import('node:fs')
    for (const entry of ${JSON.stringify(entries)}) {
      if (Object.keys(await import(entry)).length === 0) throw new Error(entry + ' exports nothing')
    }
    if (/netloom[^/]*\\.node/.test(readFileSync('/proc/self/maps', 'utf8'))) throw new Error('the addon is loaded')
    await import('netloom/package.json', { with: { type: 'json' } })
    try {
      await import('netloom/lib/native.js')
      throw new Error('a file that is not exported was imported')
    } catch (error) {
      if (error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error
    }`
  run(t, process.execPath, ['--input-type=module', '-e', code], user)
})

t.test('the prebuilt addon loads when it is needed', async t => {
  const code = `
    const { Namespace } = await import('netloom')
    const { readFileSync } = await import('node:fs')
    await (await Namespace.open()).close()
    if (!readFileSync('/proc/self/maps', 'utf8').includes('/node_modules/netloom/prebuilds/linux-')) {
      throw new Error('the prebuilt addon is not loaded')
    }`
  run(t, process.execPath, ['--input-type=module', '-e', code], user)
})

t.test('classes have the names that they are exported by', async t => {
  const code = `
    for (const entry of ${JSON.stringify(entries)}) {
      for (const [name, value] of Object.entries(await import(entry))) {
        if (typeof value === 'function' && value.name !== name) console.log(entry, name, value.name)
      }
    }`
  t.equal(run(t, process.execPath, ['--input-type=module', '-e', code], user), '')
})

t.test('the command runs', async t => {
  t.match(run(t, 'npx', ['--no-install', 'netloom', 'links'], user), /^lo /m)
  t.match(run(t, 'npx', ['--no-install', 'netloom', 'routes', '--json'], user), /^\[/)
})

t.test('the install script finds the prebuilt addon, and compiles nothing', async t => {
  run(t, process.execPath, [join(installed, 'scripts', 'install.mjs')], installed)
  t.notOk(readdirSync(installed).includes('build'))
})

t.test('CommonJS can require it', async t => {
  writeFileSync(
    join(user, 'main.cjs'),
    `for (const entry of ${JSON.stringify(entries)}) {
      if (Object.keys(require(entry)).length === 0) throw new Error(entry + ' exports nothing')
    }`,
  )
  run(t, process.execPath, ['main.cjs'], user)
})

t.test('its types hold under strict settings', async t => {
  // The types of Node, which a user of TypeScript on Node has.
  mkdirSync(join(user, 'node_modules', '@types'), { recursive: true })
  for (const name of ['@types/node', 'undici-types']) {
    symlinkSync(join(root, 'node_modules', name), join(user, 'node_modules', name))
  }
  writeFileSync(
    join(user, 'main.ts'),
    [
      ...entries.map((entry, i) => `import * as room${i} from '${entry}'`),
      `import { frames, portPair } from 'netloom/port'`,
      'const [a] = portPair("ethernet", { queueFrames: 10 })',
      'for await (const frame of frames(a)) frame satisfies Uint8Array',
      '// @ts-expect-error',
      'a.send("text")',
      `console.log(${entries.map((_, i) => `room${i}`).join(', ')})`,
    ].join('\n'),
  )
  for (const [module, resolution] of [
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ] as const) {
    const flags = [
      '--module',
      module,
      '--moduleResolution',
      resolution,
      '--target',
      'es2022',
      '--types',
      'node',
    ]
    run(t, tool('tsc'), ['--strict', '--noEmit', ...flags, 'main.ts'], user)
  }
})

t.test('publint and attw have nothing to say', async t => {
  run(t, tool('publint'), ['--strict', installed], user)
  run(t, tool('attw'), [tarball, '--profile', 'esm-only'], user)
})
