import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { plainEnvironment } from '../../support/child.js'
import { requiresRoot } from '../../support/requires.js'

const script = fileURLToPath(new URL('../../../scripts/soak.mjs', import.meta.url))

if (requiresRoot(t)) {
  t.test('many frames pass, and neither memory nor descriptors grow', async t => {
    const child = spawn(process.execPath, [script, '--frames', '60000', '--every', '60'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: plainEnvironment(),
    })
    const closed = once(child, 'close')
    const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr)])
    await closed
    t.equal(complained, '')
    t.equal(child.exitCode, 0)
    const passed = (mode: string) =>
      [...said.matchAll(RegExp(`^${mode}: .* (\\d+) frames in (\\d+) units`, 'gm'))]
        .at(-1)
        ?.slice(1)
        .map(Number)
    for (const mode of ['plain', 'split', 'whole', 'forward']) {
      const [frames, units] = passed(mode) ?? []
      t.ok(frames! >= 60_000, `${mode}: ${frames}`)
      if (mode === 'whole') t.ok(units! < frames! / 4, `${units} super-frames`)
    }
  })
}
