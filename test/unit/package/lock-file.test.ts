import { readFileSync } from 'node:fs'
import t from 'tap'

interface LockFile {
  packages: Record<string, { optionalDependencies?: Record<string, string> }>
}

const text = readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8')
const { packages } = JSON.parse(text) as LockFile

/** As Node looks: in the package's own node_modules, then in those of the folders above. */
function isLocked(name: string, path: string): boolean {
  if (`${path}/node_modules/${name}` in packages) return true
  const above = path.lastIndexOf('/node_modules/')
  return above < 0 ? `node_modules/${name}` in packages : isLocked(name, path.slice(0, above))
}

// `npm install` forgets the optional packages that its registry or platform lacks, and `npm ci` then refuses
// the lock file everywhere.
t.test('the lock file has the optional packages of every platform', async t => {
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const name of Object.keys(optionalDependencies)) t.ok(isLocked(name, path), `${path} wants ${name}`)
  }
})
