import { join } from 'node:path'
import t from 'tap'

interface Totals {
  passed: number
  failed: number
}

const { testFiles } = (await import(new URL('../../../scripts/test-files.mjs', import.meta.url).href)) as {
  testFiles(files: string[], options?: { jobs?: number; onLine?(line: string): void }): Promise<Totals>
}

t.test('files pass, fail, throw, or end before their end', async t => {
  const folder = t.testdir({
    'passes.mjs': `console.log('TAP version 14\\nok 1 - a\\n1..1')`,
    'fails.mjs': `console.log('not ok 1 - b\\n1..1'); process.exitCode = 1`,
    'throws.mjs': `console.log('ok 1 - c\\n1..1'); throw new Error('after all')`,
    'ends.mjs': `console.log('ok 1 - d'); process.exit(0)`,
    'typed.ts': `const text: string = 'ok 1 - e'\nconsole.log(text + '\\n1..1')`,
  })
  const of = (...names: string[]) => testFiles(names.map(name => join(folder, name)))
  t.match(await of('passes.mjs'), { passed: 1, failed: 0 })
  t.match(await of('fails.mjs'), { passed: 0, failed: 1 })
  t.match(await of('throws.mjs'), { passed: 1, failed: 1 })
  t.match(await of('ends.mjs'), { passed: 1, failed: 1 })
  t.match(await of('typed.ts'), { passed: 1, failed: 0 })
  const lines: string[] = []
  const files = ['passes.mjs', 'fails.mjs', 'passes.mjs'].map(name => join(folder, name))
  t.match(await testFiles(files, { jobs: 2, onLine: line => lines.push(line) }), { passed: 2, failed: 1 })
  t.ok(lines.includes('ok 1 - a') && lines.includes('not ok 1 - b'))
})
