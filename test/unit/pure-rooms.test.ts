import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { errnoName } from '../../src/errors/index.js'

/** Every module that `file` pulls in, itself included, and the imports that are not files. */
function importsOf(file: URL, seen = new Set<string>()): { files: Set<string>; others: string[] } {
  const others: string[] = []
  seen.add(fileURLToPath(file))
  const source = readFileSync(file, 'utf8')
  for (const [, name] of source.matchAll(/(?:\bfrom|^import) '([^']+)'$/gm)) {
    if (!name!.startsWith('.')) {
      others.push(name!)
      continue
    }
    const next = new URL(name!.replace(/\.js$/, '.ts'), file)
    if (!seen.has(fileURLToPath(next))) others.push(...importsOf(next, seen).others)
  }
  return { files: seen, others }
}

t.test('the pure rooms import nothing of Node', async t => {
  for (const room of ['bytes', 'address', 'frames', 'filter', 'pcap']) {
    const { files, others } = importsOf(new URL(`../../src/${room}/index.ts`, import.meta.url))
    t.same(others, [], room)
    if (room === 'pcap') t.ok(files.size > 20, 'imports were followed')
  }
  t.equal(errnoName(-1), 'EPERM')
  t.equal(errnoName(-524), 'ENOTSUPP')
  t.equal(errnoName(-9999), 'E9999')
})
