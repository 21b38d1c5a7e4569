import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { errorCodes } from '../../../src/errors/index.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = [
  ...readdirSync(root).filter(name => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]

/** Of bad arguments, and as Node has them. */
const nodes = ['ERR_ILLEGAL_CONSTRUCTOR', 'ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE']

t.test('docs/errors.md has every code, in the words of the catalogue', async t => {
  const page = read('docs/errors.md')
  for (const [code, meaning] of Object.entries(errorCodes))
    t.ok(page.includes(`| \`${code}\` | ${meaning} |`), code)
  const known = [...Object.keys(errorCodes), ...nodes]
  t.same(
    [...page.matchAll(/\bERR_\w+/g)].map(match => match[0]).filter(code => !known.includes(code)),
    [],
  )
})

t.test('every code of the catalogue is used, and every code used is in the catalogue', async t => {
  const used = new Set<string>()
  for (const name of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name === join('errors', 'codes.ts')) continue
    for (const [, code] of read(join('src', name)).matchAll(/'(ERR_\w+)'/g)) used.add(code!)
  }
  t.same([...used].filter(code => !nodes.includes(code)).sort(), Object.keys(errorCodes).sort())
})

t.test('links lead somewhere', async t => {
  for (const page of pages) {
    for (const [, target] of read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue
      t.ok(existsSync(join(root, dirname(page), target!)), `${page}: ${target}`)
    }
  }
})

t.test('what README.md shows of an example is in its file, word for word', async t => {
  let shown = 0
  for (const [, path, code] of read('README.md').matchAll(
    /\]\((examples\/[\w-]+\.mjs)\)\)\n\n```js\n(.*?)```/gs,
  )) {
    t.ok(read(path!).includes(code!), `${path}`)
    shown++
  }
  t.equal(shown, 5)
})

t.test('npm scripts that the pages name exist', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const page of pages) {
    for (const [, name] of read(page).matchAll(/npm run ([\w-]+)/g)) t.ok(scripts[name!], `${page}: ${name}`)
  }
})
