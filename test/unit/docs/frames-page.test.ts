import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import t from 'tap'

const root = fileURLToPath(new URL('../../..', import.meta.url))

t.test('what docs/frames.md shows prints what it says', async t => {
  const page = readFileSync(join(root, 'docs/frames.md'), 'utf8')
  const room = pathToFileURL(join(root, 'src/frames/index.ts')).href
  const directory = t.testdir({})
  const blocks = [...page.matchAll(/```js\n(.*?)```/gs)].map(match => match[1]!)
  t.equal(blocks.length, 6)
  for (const [i, code] of blocks.entries()) {
    const lines: string[] = []
    const { log } = console
    const file = join(directory, `${i}.mjs`)
    writeFileSync(file, code.replace("'netloom/frames'", `'${room}'`))
    console.log = (...values: unknown[]) => {
      lines.push(values.map(value => (typeof value === 'string' ? value : inspect(value))).join(' '))
    }
    try {
      await import(pathToFileURL(file).href)
    } finally {
      console.log = log
    }
    const said = [...code.matchAll(/^console\.log\(.*\)\n\/\/ (.*)$/gm)].map(match => match[1]!)
    t.ok(said.length > 0)
    t.same(lines, said)
  }
})
