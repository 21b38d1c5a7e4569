import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { requires, requiresRoot } from '../../support/requires.js'

const main = fileURLToPath(new URL('../../../lib/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'netloom-demo-'))
chmodSync(folder, 0o777)
t.teardown(() => rmSync(folder, { recursive: true }))

/** What the demo says when all of it went well, in this order. */
const story = [
  /^1\. Two namespaces/m,
  /export async function cable/,
  /blue → red {2}IP 10\.77\.0\.2\.\d+ > 10\.77\.0\.1\.80: tcp SYN .*<mss 1460/,
  /HTTP GET \/ HTTP\/1\.1/,
  /ok {2}http:\/\/10\.77\.0\.1\/ says: Hello/,
  /ok {2}http:\/\/\[fd77::1\]\/ says: Hello/,
  /the cable is pulled/,
  /\(sent again\)/,
  /the cable is plugged in again/,
  /ok {2}all 25165824 bytes came, \d+ segments were sent again/,
  /ok {2}through JavaScript \d+\.\d\d Gb\/s, through veth \d+\.\d\d Gb\/s/,
  /What was seen on the cable/,
  /ok {2}nothing: no descriptor, no device, no namespace more than before/,
  /devices \d+, \d+, \d+; namespaces with a name \d+, \d+, \d+;/,
  /descriptors of devices and namespaces \d+, [1-9]\d*, \d+/,
  /Done in [\d.]+ s\.\n$/,
]

t.test('bad arguments end with 2 and the usage', async t => {
  for (const args of [['twice'], ['--fast'], ['--file']]) {
    const { status, stdout, stderr } = await run([process.execPath, main, 'demo', ...args])
    t.equal(status, 2, `netloom demo ${args.join(' ')}`)
    t.match(stderr, /usage: netloom demo/)
    t.equal(stdout, '')
  }
})

if (requiresRoot(t)) {
  const demo = [process.execPath, main, 'demo']
  // Of the user namespace that it is said in.
  const forbid = 'for limit in net user; do echo 0 > /proc/sys/user/max_"$limit"_namespaces; done'

  t.test('as root', async t => {
    const file = join(folder, 'root.pcapng')
    passes(t, await run([...demo, '--file', file]), story)
  })

  t.test('an ordinary user, with a device node that all may open', async t => {
    if (!requires(t, 'unshare', 'setpriv', 'mount', 'mknod')) return
    const file = join(folder, 'user.pcapng')
    passes(t, await asOrdinaryUser(0o666, [...demo, '--file', file]), story)
  })

  t.test('an ordinary user, with a device node of root’s', async t => {
    if (!requires(t, 'unshare', 'setpriv', 'mount', 'mknod')) return
    const { status, stdout } = await asOrdinaryUser(0o600, demo)
    t.equal(status, 1)
    t.match(stdout, /no {2}\/dev\/net\/tun has mode 0600, and you are user 65534\./)
    t.match(stdout, 'sudo chmod 0666 /dev/net/tun')
  })

  t.test('no device node', async t => {
    if (!requires(t, 'unshare', 'mount')) return
    const { status, stdout } = await run([...withMount('mount -t tmpfs none /dev/net'), ...demo])
    t.equal(status, 1)
    t.match(stdout, /no {2}\/dev\/net\/tun is not there\./)
  })

  t.test('a file that cannot be written', async t => {
    const { status, stdout } = await run([...demo, '--file', '/proc/demo.pcapng'])
    t.equal(status, 1)
    t.notMatch(stdout, 'Done')
    const missing = await run([...demo, '--file', join(folder, 'missing', 'demo.pcapng')])
    t.equal(missing.status, 1)
    t.match(missing.stdout, /no {2}.*missing\/demo\.pcapng cannot be written\./)
  })

  t.test('one TAP, where no namespaces are to be had', async t => {
    if (!requires(t, 'unshare', 'ip')) return
    const inside = ['sh', '-c', `${forbid}; ip link set lo up; exec "$@"`, 'sh']
    const told = [
      /^One TAP only: .*\(.*max_user_namespaces/,
      'ok  10.77.0.2 port 7 echoed: hello',
      'ok  fd77::2 port 7 echoed: hello',
      /(ok|answers ping).* 10\.77\.0\.2|10\.77\.0\.2 answers ping/,
      /ok {2}nothing: .*\n.*\n.*devices (\d+), (?!\1)\d+, \1;/,
      'Done in',
    ]
    passes(t, await run(['unshare', '-Urnm', ...inside, ...demo]), told)
    // With the rights of root, and the number of another.
    const other = ['unshare', '-U', '--map-user=1000', '--keep-caps', '-nm']
    passes(t, await run([...other, ...inside, ...demo]), told)
  })

  t.test('neither namespaces nor a TAP', async t => {
    if (!requires(t, 'unshare', 'setpriv')) return
    const powerless = ['sh', '-c', `${forbid}; exec setpriv --bounding-set=-all "$@"`, 'sh']
    const { status, stdout } = await run(['unshare', '-Urnm', ...powerless, ...demo])
    t.equal(status, 1)
    t.match(
      stdout,
      /no {2}A network of our own is refused: ENOSPC.*\n *So is a TAP in this one.*--one-tap.*EPERM/,
    )
  })

  t.test('one TAP, as asked, which has no use for other options', async t => {
    if (!requires(t, 'unshare', 'ip', 'ping')) return
    const file = join(folder, 'unused.pcapng')
    const outcome = await run(['unshare', '-n', ...demo, '--one-tap', '--watch', '--file', file])
    passes(t, outcome, [
      'One TAP only: as you asked',
      'Without effect here, as there is no cable: --watch, --file',
      /kernel IP 10\.77\.0\.1 > 10\.77\.0\.2: icmp echo request/,
      /host {3}IP 10\.77\.0\.2 > 10\.77\.0\.1: icmp echo reply/,
      /ok {2}64 bytes from 10\.77\.0\.2/,
      /ok {2}64 bytes from fd77::2/,
    ])
    t.notOk(existsSync(file))
  })

  t.test('a watcher unplugs, plugs in, and quits', async t => {
    const file = join(folder, 'watch.pcapng')
    const { status, stdout } = await run([...demo, '--watch', '--file', file], child => {
      let said = ''
      const keys = ['x', 'u', 'u\n', 'dl']
      // Each key once the one before was answered; the last when a frame was lost to it.
      const answers = ['Watching', /^ *keys: u/m, 'unplugged', 'plugged in', /loss 20 %[\s\S]*✂ lost/]
      child.stdout.on('data', chunk => {
        said += chunk
        for (let answer = answers[0]; answer && said.search(answer) >= 0; answer = answers[0]) {
          said = said.slice(said.search(answer) + 1)
          answers.shift()
          child.stdin.write(keys.shift() ?? 'q')
        }
      })
    })
    t.equal(status, 0)
    const said = stdout.split('\n').map(text => text.trim())
    const answers = ['unplugged', 'plugged in', 'delay 100 ms', 'loss 20 %', 'bye']
    t.ok(
      said.some(text => text.startsWith('keys: u unplug')),
      'an unknown key is answered with help',
    )
    t.same(
      said.filter(text => answers.includes(text)),
      answers,
    )
    t.match(stdout, 'ok  nothing: no descriptor')
  })
}

interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

/** In a group of its own, to see that no process of it is left. */
async function run(
  [command, ...args]: string[],
  attend?: (child: ReturnType<typeof start>) => void,
): Promise<Outcome> {
  const child = start(command!, args)
  const outcome: Outcome = { status: null, stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    outcome.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    outcome.stderr += text
  })
  attend?.(child)
  if (!attend) child.stdin.end()
  outcome.status = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  t.throws(() => process.kill(-child.pid!, 0), { code: 'ESRCH' }, 'no process is left')
  return outcome
}

function start(command: string, args: string[]) {
  // The test runner puts itself into the processes that a test starts, through NODE_OPTIONS.
  const unset = ['-u', 'NODE_OPTIONS', '-u', 'npm_lifecycle_event']
  return spawn('env', [...unset, command, ...args], { cwd: folder, detached: true })
}

/** In a mount namespace of its own, and as an ordinary user. */
function asOrdinaryUser(mode: number, command: string[]): Promise<Outcome> {
  const node = join(folder, `tun-${mode.toString(8)}`)
  const make = `mknod -m ${mode.toString(8)} ${node} c 10 200 && mount --bind ${node} /dev/net/tun`
  const ids = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  return run([...withMount(make), ...ids, ...command])
}

function withMount(script: string): string[] {
  return ['unshare', '--mount', 'sh', '-c', `${script} && exec "$@"`, 'sh']
}

function passes(t: Test, { status, stdout, stderr }: Outcome, lines: (string | RegExp)[]): void {
  t.equal(status, 0, 'it ends with 0', status === 0 ? {} : { stdout, stderr })
  t.equal(stderr, '')
  let rest = stdout
  for (const line of lines) {
    const at = typeof line === 'string' ? rest.indexOf(line) : rest.search(line)
    t.ok(at >= 0, `then ${line}`, at >= 0 ? {} : { stdout })
    rest = rest.slice(Math.max(at, 0))
  }
  const frames = stdout.split('\n').filter(text => /^ {3}(\d+\.\d{4}|kernel|host) /.test(text))
  t.ok(frames.length > 5, `${frames.length} frames are shown`)
  t.same(
    frames.filter(text => text.length > 120),
    [],
    'each in 120 columns',
  )
}
