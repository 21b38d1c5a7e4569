import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const scripts = new URL('../../../scripts/', import.meta.url)
const table = readFileSync(new URL('../../../ARCHITECTURE.md', import.meta.url), 'utf8')

const { checkLayers } = (await import(new URL('check-layers.mjs', scripts).href)) as {
  checkLayers(root: string): string[]
}

/** A tree with these files under src/. */
function tree(t: Test, files: Record<string, string>, architecture = table): string {
  const root = t.testdir({ 'ARCHITECTURE.md': architecture })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, 'src', dirname(name)), { recursive: true })
    writeFileSync(join(root, 'src', name), text)
  }
  return root
}

t.test('a tree that keeps the rules passes', async t => {
  t.same(
    checkLayers(
      tree(t, {
        'index.ts': "export * from './tuntap/index.js'\nexport { fake } from './testing/index.js'\n",
        'native.ts': "import { NetloomError } from './errors/index.js'\n",
        'errors/index.ts': "export { codes } from './codes.js'\n",
        'errors/codes.ts': '// import { x } from "../cli/index.js"\n/* import "../cli/index.js" */\n',
        'port/handle.ts': "import { native } from '../native.js'\nimport { join } from 'node:path'\n",
        'port/index.ts': "import type {\n  LinkType,\n} from '../frames/index.js'\n",
        'netlink/index.ts': "export * from './core/index.js'\nexport * from './route/index.js'\n",
        'netlink/core/index.ts': "import '../../bytes/index.js'\n",
        'netlink/route/kinds/veth.ts':
          "import { a } from '../../core/index.js'\nimport { b } from '../table.js'\n",
        'tuntap/index.ts': "import { links } from '../netlink/index.js'\n",
        'testing/index.ts': "import { Switch } from '../switch/index.js'\n",
        'cli/main.ts': "import { Tap } from '../index.js'\n",
      }),
    ),
    [],
  )
})

for (const [what, files, expected] of [
  [
    'a later row',
    { 'bytes/index.ts': "import { a } from '../port/index.js'" },
    /"bytes" imports from "port"/,
  ],
  [
    'a type of a later row',
    { 'bytes/index.ts': "\nimport type { A } from '../port/index.js'" },
    /src\/bytes\/index\.ts:2: "bytes" imports from "port"/,
  ],
  [
    'an import type',
    { 'bytes/a.ts': "type A = import('../port/index.js').A" },
    /"bytes" imports from "port"/,
  ],
  ['an export of a later row', { 'bytes/a.ts': "export * from '../port/index.js'" }, /"bytes" imports from/],
  [
    'another room of the same row',
    { 'pcap/index.ts': "import '../port/index.js'" },
    /"pcap" imports from "port"/,
  ],
  [
    'a file behind the index of another room',
    { 'port/pair.ts': "import { a } from '../errors/codes.js'" },
    /imports errors\/codes\.ts: of another room only its index\.ts/,
  ],
  [
    'the addon in a file that is no handle',
    { 'port/native-port.ts': "import { native } from '../native.js'" },
    /only files named handle\.ts/,
  ],
  ['a room that is not in the table', { 'utils/index.ts': '' }, /room "utils" is not in the table/],
  ['a file beside the rooms', { 'helpers.ts': '' }, /room "helpers" is not in the table/],
  [
    'a file above rooms that is no front door',
    { 'netlink/misc.ts': '' },
    /room "netlink" is not in the table/,
  ],
  ['an import of an unknown room', { 'port/a.ts': "import '../utils/index.js'" }, /not in the table/],
  [
    'a room that enters by its own front door',
    { 'netlink/core/a.ts': "import '../index.js'" },
    /from "netlink"/,
  ],
  [
    'a room that imports what is for tests',
    { 'port/a.ts': "import '../testing/index.js'" },
    /from "testing"/,
  ],
  ['testing that imports the command', { 'testing/a.ts': "import '../cli/index.js'" }, /from "cli"/],
  ['the front door that imports the command', { 'index.ts': "import './cli/index.js'" }, /from "cli"/],
  ['something outside', { 'port/a.ts': "import '../../test/support/a.js'" }, /outside src/],
  ['a file too long', { 'port/a.ts': '\n'.repeat(701) }, /701 lines/],
] as const) {
  t.test(`refuses ${what}`, async t => {
    const problems = checkLayers(tree(t, files))
    t.equal(problems.length, 1)
    t.match(problems[0], expected)
  })
}

t.test('refuses a table that is not there', async t => {
  t.throws(() => checkLayers(tree(t, { 'port/a.ts': '' }, '# Architecture\n')), /no table/)
})

t.test('the command fails on a problem, and says where', async t => {
  const root = tree(t, { 'bytes/a.ts': "\nimport '../port/index.js'" })
  const script = fileURLToPath(new URL('check-layers.mjs', scripts))
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' })
  t.equal(status, 1)
  t.match(stderr, /^src\/bytes\/a\.ts:2: "bytes" imports from "port"/)
})
