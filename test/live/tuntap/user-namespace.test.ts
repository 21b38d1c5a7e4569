import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { requires, requiresRoot } from '../../support/requires.js'

// The tests of root's once more, by a user without rights, in networks of user namespaces; the device node is one
// that everybody may open, in a mount namespace of its own.
if (requiresRoot(t) && requires(t, 'unshare', 'setpriv', 'mount', 'mknod')) {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-node-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const node = join(folder, 'tun')
  const make = spawnSync('mknod', ['-m', '0666', node, 'c', '10', '200'], { encoding: 'utf8' })
  t.equal(make.status, 0, make.stderr)
  const script = `mount --bind ${node} /dev/net/tun && exec "$@"`
  const inside = ['--mount', 'sh', '-c', script, 'sh']
  const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  const env = { ...process.env, NETLOOM_USER_NAMESPACES: '1', HOME: '/tmp' }

  for (const name of ['port', 'life-cycle']) {
    t.test(`${name}.test.ts as an ordinary user`, async t => {
      const file = fileURLToPath(new URL(`./${name}.test.ts`, import.meta.url))
      const command = [...inside, ...user, process.execPath, ...process.execArgv, file]
      const { status, stdout, stderr } = spawnSync('unshare', command, { encoding: 'utf8', env })
      if (status !== 0) t.comment(`${stdout}\n${stderr}`)
      t.equal(status, 0, 'the file passes')
      t.match(stdout, /^ok 1/m, 'and ran tests')
    })
  }
}
