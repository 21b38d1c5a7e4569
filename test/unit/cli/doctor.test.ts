import t from 'tap'
import { examineNames } from '../../../src/cli/doctor/examine.js'
import type { Reading, System } from '../../../src/cli/doctor/finding.js'
import { examineForwarding, examineForwardPolicy } from '../../../src/cli/doctor/forwarding.js'
import { examineCapabilities, examineUserNamespaces } from '../../../src/cli/doctor/rights.js'
import { examineTunDevice } from '../../../src/cli/doctor/tun-device.js'

/** A system in which only this is to be found. */
function system(
  files: Record<string, string | { mode: number; opens: true | string } | { code: string }>,
  uid = 1000,
): System {
  return {
    uid,
    read(path): Reading {
      const file = files[path]
      if (typeof file === 'string') return { text: file }
      return file && 'code' in file ? file : { code: 'ENOENT' }
    },
    mode(path) {
      const file = files[path]
      if (typeof file === 'string') return 0o644
      return file && 'mode' in file ? file.mode : undefined
    },
    open(path) {
      const file = files[path]
      return typeof file === 'object' && 'opens' in file ? file.opens : 'ENOENT'
    },
  }
}

const tun = '/dev/net/tun'

t.test('the device node', async t => {
  t.match(examineTunDevice(system({})), { answer: 'no', reason: /not there/, advice: /modprobe tun/ })
  t.match(examineTunDevice(system({ '/.dockerenv': '' })), { answer: 'no', advice: /docker run --device/ })
  const node = (opens: true | string) => system({ [tun]: { mode: 0o20600, opens } })
  t.match(examineTunDevice(node(true)), { answer: 'yes', reason: 'its mode is 0600' })
  t.match(examineTunDevice(node('EACCES')), {
    answer: 'no',
    reason: '/dev/net/tun has mode 0600, and you are user 1000',
    advice: /chmod 0666/,
  })
  t.match(examineTunDevice(node('ENODEV')), { answer: 'no', reason: /no TUN driver/, advice: /modprobe tun/ })
  t.match(examineTunDevice(node('EPERM')), { answer: 'no', reason: /EPERM/, advice: undefined })
})

t.test('capabilities', async t => {
  const answers = (files: Parameters<typeof system>[0]) =>
    examineCapabilities(system(files)).map(({ id, answer }) => [id, answer])
  const status = '/proc/self/status'
  t.same(answers({ [status]: 'Name:\tnode\nCapEff:\t0000000000001000\n' }), [
    ['cap-net-admin', 'yes'],
    ['cap-net-raw', 'no'],
    ['cap-sys-admin', 'no'],
  ])
  t.same(answers({ [status]: 'CapEff:\t0000000000202000' }), [
    ['cap-net-admin', 'no'],
    ['cap-net-raw', 'yes'],
    ['cap-sys-admin', 'yes'],
  ])
  t.same(
    answers({}).map(([, answer]) => answer),
    ['unknown', 'unknown', 'unknown'],
  )
})

t.test('user namespaces', async t => {
  const [max, clone, apparmor] = [
    '/proc/sys/user/max_user_namespaces',
    '/proc/sys/kernel/unprivileged_userns_clone',
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
  ] as const
  const answers = (files: Parameters<typeof system>[0]) =>
    examineUserNamespaces(system(files)).map(({ answer }) => answer)
  t.same(answers({ [max]: '100' }), ['yes'], 'the others are of some distributions only')
  t.same(answers({ [max]: '0', [clone]: '0', [apparmor]: '1' }), ['no', 'no', 'no'])
  t.same(answers({ [max]: '1', [clone]: '1', [apparmor]: '0' }), ['yes', 'yes', 'yes'])
  t.same(answers({ [max]: { code: 'EACCES' }, [clone]: 'maybe' }), ['unknown', 'unknown'])
  for (const { advice } of examineUserNamespaces(system({ [max]: '0', [apparmor]: '1' })))
    t.match(advice, /sudo sysctl \S+=\d+$/)
})

t.test('forwarding', async t => {
  const v4 = '/proc/sys/net/ipv4/ip_forward'
  const v6 = '/proc/sys/net/ipv6/conf/all/forwarding'
  const filter = '/proc/sys/net/bridge/bridge-nf-call-iptables'
  const answers = (files: Parameters<typeof system>[0]) =>
    examineForwarding(system(files)).map(({ answer }) => answer)
  t.same(answers({ [v4]: '1', [v6]: '0' }), ['yes', 'no', 'yes'], 'br_netfilter is not there')
  t.same(answers({ [v4]: '0', [v6]: '1', [filter]: '1' }), ['no', 'yes', 'no'])
  t.same(answers({ [filter]: { code: 'EACCES' } }), ['unknown', 'unknown', 'unknown'])
  t.same(answers({ [v4]: '1', [v6]: '1', [filter]: '0' }), ['yes', 'yes', 'yes'])
})

t.test('the policy of forwarding', async t => {
  const chain = (name: string, accepts: boolean) => ({ table: 'filter', name, accepts })
  t.match(examineForwardPolicy(system({}), []), { answer: 'yes' })
  t.match(examineForwardPolicy(system({}), [chain('FORWARD', true), chain('INPUT', false)]), {
    answer: 'yes',
  })
  t.match(examineForwardPolicy(system({}), [chain('FORWARD', false)]), {
    answer: 'no',
    reason: /FORWARD in table filter is drop$/,
    advice: /-I FORWARD/,
  })
  t.match(examineForwardPolicy(system({}), [chain('FORWARD', false), chain('DOCKER-USER', true)]), {
    answer: 'no',
    reason: /Docker/,
    advice: /-I DOCKER-USER/,
  })
  t.match(examineForwardPolicy(system({}), 'EPERM'), { answer: 'unknown', reason: 'EPERM' })
  const names = '/proc/net/ip_tables_names'
  t.match(examineForwardPolicy(system({ [names]: 'nat\nfilter' }), []), { answer: 'unknown' })
  t.match(examineForwardPolicy(system({ [names]: 'nat' }), []), { answer: 'yes' })
  t.match(examineForwardPolicy(system({ [names]: { code: 'EACCES' } }), []), { answer: 'unknown' })
})

t.test('names of networks', async t => {
  t.match(examineNames(system({}, 0), new Error('no')), { answer: 'no' })
  t.match(examineNames(system({}, 1000), {}), { answer: 'no', reason: /only root/ })
  t.match(examineNames(system({}, 0), {}), { answer: 'yes', reason: /is made/ })
  t.match(examineNames(system({ '/run/netns': '' }, 0), {}), { answer: 'yes', reason: /is there/ })
})
