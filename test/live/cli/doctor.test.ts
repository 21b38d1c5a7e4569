import { readdirSync } from 'node:fs'
import t from 'tap'
import type { Finding } from '../../../src/cli/doctor/finding.js'
import { linkKindNames } from '../../../src/netlink/index.js'
import { Network } from '../../../src/network/index.js'
import { netloom, netloomJson } from '../../support/cli.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('what it says of this machine is so, and it leaves nothing', async t => {
    const devices = readdirSync('/sys/class/net')
    const findings = netloomJson<Finding[]>('doctor')
    t.same(readdirSync('/sys/class/net'), devices, 'no device is left')
    for (const { id, question, answer, reason } of findings)
      t.ok(question && ['yes', 'no', 'unknown'].includes(answer) && reason, `${id} ${answer}: ${reason}`)
    t.equal(new Set(findings.map(({ id }) => id)).size, findings.length, 'each once')
    const answers = new Map(findings.map(({ id, answer }) => [id, answer]))
    t.equal(answers.get('network'), 'yes')
    t.equal(answers.get('cap-net-admin'), 'yes')
    for (const kind of linkKindNames()) if (kind !== 'tun') t.ok(answers.has(`kind-${kind}`), kind)

    await using network = await Network.create()
    for (const kind of ['bridge', 'ifb', 'dummy', 'nlmon', 'sit', 'vcan']) {
      const made = await network.namespace.exec('ip', ['link', 'add', 'x0', 'type', kind], { reject: false })
      if (made.code === 0) await network.links.delete('x0')
      t.equal(answers.get(`kind-${kind}`), made.code === 0 ? 'yes' : 'no', `${kind}: as ip finds it`)
    }
  })

  t.test('for people: a line for each, kinds together', async t => {
    const { status, stdout } = netloom('doctor')
    t.equal(status, 0)
    t.match(stdout, /^yes {2}CAP_NET_ADMIN: /m)
    t.match(stdout, /^yes {2}links of kind .*\bbridge\b.*: one was made, and is gone$/m)
    for (const line of stdout.trimEnd().split('\n')) t.match(line, /^(yes|no |\? {2}| {3}) {2}\S/)
  })

  t.test('nothing is left', leaks)
}
