import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import t from 'tap'
import { canRunGuest, guests } from '../support/guest/guest.mjs'
import { requiresThat } from '../support/requires.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = resolve(here, '../..')

/** All other files of this folder in one, which a guest, being slow, need not compile. Beside the addon, which it finds from there. */
function bundle(): string {
  const outfile = join(root, 'build', 'kernel-tests.mjs')
  const files = readdirSync(here).filter(name => name.endsWith('.test.ts') && name !== 'guests.test.ts')
  buildSync({
    stdin: { contents: files.map(name => `import './${name}'`).join('\n'), resolveDir: here },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    outfile,
  })
  return outfile
}

// A guest takes a minute or two, and on a busy machine many. Each has about one processor to do.
const seconds = 1000
t.jobs = 2
const bundled = bundle()
for (const [name, { title }] of Object.entries(guests)) {
  t.test(`under ${title}`, { timeout: (seconds + 20) * 1000 }, async t => {
    const able = canRunGuest(name)
    if (!requiresThat(t, able === true, `${title}: ${able}`)) return
    const script = join(root, 'test/support/guest/guest.mjs')
    const command = `TAP_TIMEOUT=${seconds} NETLOOM_REQUIRE=${process.env.NETLOOM_REQUIRE ?? ''} node ${bundled}`
    const options = { cwd: root, timeout: (seconds + 10) * 1000 }
    await t.spawn(process.execPath, [script, name, `${seconds}`, command], options, 'there')
  })
}
