import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { Tap } from '../../../src/tuntap/index.js'
import { plainEnvironment } from '../../support/child.js'
import { requires, requiresRoot } from '../../support/requires.js'

const lib = new URL('../../../lib/index.js', import.meta.url).pathname

// Each in a network and a mount namespace of its own, where nothing of the machine's can be touched.
if (requiresRoot(t) && requires(t, 'unshare', 'setpriv', 'mount', 'mknod')) {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-rights-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  let nodes = 0

  /** What `Tap.create(options)` says there: an error as an object, or its name. */
  const attempt = (options: { mode?: string; user?: string[]; script?: string; source?: string }) => {
    const { mode = '0666', user = [], script = 'true', source = 'Tap.create()' } = options
    const node = join(folder, `tun${nodes++}`)
    const make = `mknod -m ${mode} ${node} c 10 200 && mount --bind ${node} /dev/net/tun && ${script} && exec "$@"`
    const code = `
      import('${lib}').then(async ({ Namespace, Network, Tap, Tun }) => {
        const made = await ${source}.catch(({ code, syscall, request, message }) => ({ code, syscall, request, message }))
        console.log(JSON.stringify(made.code ? made : { made: made.name }))
        await made.close?.()
      })`
    const command = [
      'unshare',
      '--net',
      '--mount',
      'sh',
      '-c',
      make,
      'sh',
      ...user,
      process.execPath,
      '-e',
      code,
    ]
    const env = plainEnvironment()
    const { stdout, stderr } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8', env })
    if (!stdout) throw new Error(stderr)
    return JSON.parse(stdout)
  }
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

  t.test('root with every right makes a device', async t => {
    t.same(attempt({}), { made: 'tap0' })
  })

  t.test('the mode of the device node', async t => {
    const refused = attempt({ mode: '0600', user: nobody })
    t.match(refused, { code: 'EACCES', syscall: 'open', request: '/dev/net/tun' })
    t.match(refused.message, /mode 0600.*chmod 0666 \/dev\/net\/tun/)
  })

  t.test('no device node at all', async t => {
    const refused = attempt({ script: 'mount -t tmpfs none /dev/net' })
    t.match(refused, { code: 'ENOENT', request: '/dev/net/tun' })
    t.match(refused.message, /modprobe tun.*--device \/dev\/net\/tun/)
  })

  t.test('the capability in this network', async t => {
    const refused = attempt({ user: nobody })
    t.match(refused, { code: 'EPERM', syscall: 'ioctl', request: 'TUNSETIFF' })
    t.match(refused.message, /CAP_NET_ADMIN in this network namespace/)
    const dropped = attempt({ user: ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin'] })
    t.match(dropped.message, /CAP_NET_ADMIN in this network namespace/)
  })

  t.test('the right to enter another network', async t => {
    const refused = attempt({ user: nobody, source: `Tap.create({ in: ${process.pid} })` })
    t.match(refused, { code: /EPERM|EACCES/ })
    t.match(refused.message, /CAP_SYS_(ADMIN|PTRACE)/)
  })

  t.test('the right to make networks', async t => {
    const refused = attempt({ user: nobody, source: 'Network.create()' })
    t.match(refused, { code: 'EPERM' })
    t.match(refused.message, /userNamespace: true/)
    const opened = attempt({
      user: nobody,
      source: 'Network.create({ userNamespace: true }).then(network => Tap.create({ in: network }))',
    })
    t.same(opened, { made: 'tap0' }, 'which an ordinary user has in a user namespace')
  })

  t.test('a device in another network, without rights there, is not taken for its namesake here', async t => {
    await using network = await Network.create()
    await using tap = await Tap.create({ in: network, name: 'zz0' })
    const code = `
      import('${lib}').then(async ({ Tap }) => {
        const what = ({ code, message }) => ({ code, message })
        const refused = await Tap.fromDescriptor(3).catch(what)
        const tap = await Tap.fromDescriptor(3, { packetInformation: false })
        const events = await tap.events().next().catch(what)
        const namespace = await tap.namespace().catch(what)
        const { receivedDropped } = tap.counters()
        console.log(JSON.stringify({ refused, events, namespace, receivedDropped: String(receivedDropped) }))
      })`
    const script = 'ip tuntap add dev zz0 mode tap pi && ip link set zz0 mtu 1111 && exec "$@"'
    const { stdout, stderr } = spawnSync(
      'unshare',
      ['--net', 'sh', '-c', script, 'sh', ...nobody, process.execPath, '-e', code],
      { encoding: 'utf8', env: plainEnvironment(), stdio: ['ignore', 'pipe', 'pipe', tap.fd] },
    )
    const told = JSON.parse(stdout || `"${stderr}"`)
    t.match(told.refused, { code: 'EPERM', message: /CAP_NET_ADMIN.*give { packetInformation }/ })
    t.match(told.events, { code: 'EPERM', message: /CAP_NET_ADMIN/ })
    t.match(told.namespace, { code: 'EPERM', message: /CAP_NET_ADMIN/ })
    t.equal(told.receivedDropped, '0', 'those of its own')
  })

  t.test('the owner of a persistent device needs no right', async t => {
    const owned = attempt({
      script: 'ip tuntap add dev mine0 mode tap user 65534 && ip link set mine0 up',
      user: nobody,
      source: `Tap.open({ name: 'mine0' }).then(async tap => {
        for await (const event of tap.events()) if (event.state.mtu === 1500) break
        tap.counters()
        await (await tap.namespace()).close()
        return tap
      })`,
    })
    t.same(owned, { made: 'mine0' })
    const down = attempt({
      script: 'ip tuntap add dev mine0 mode tap user 65534',
      user: nobody,
      source: "Tap.open({ name: 'mine0' })",
    })
    t.match(down, { code: 'EPERM', message: /mine0.*CAP_NET_ADMIN.*up: false/ })
  })
}
