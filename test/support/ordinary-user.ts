import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { requires } from './requires.js'

/** An id that is nobody's. */
const ordinary = 65534

/**
 * True in a process without rights. For root it runs the file again as an ordinary user, as a subtest, and gives
 * false.
 */
export function asOrdinaryUser(t: Test, url: string): boolean {
  if (process.getuid?.() !== 0) return true
  if (!requires(t, 'setpriv')) return false
  t.test('as an ordinary user', async t => {
    const ids = [`--reuid=${ordinary}`, `--regid=${ordinary}`, '--clear-groups']
    const child = spawnSync('setpriv', [...ids, process.execPath, ...process.execArgv, fileURLToPath(url)], {
      encoding: 'utf8',
      env: { ...process.env, HOME: '/tmp' },
    })
    if (child.status !== 0) t.comment(`${child.stdout}\n${child.stderr}`)
    t.equal(child.status, 0, 'the file passes')
    t.match(child.stdout, /^ok 1/m, 'and ran tests')
  })
  return false
}
