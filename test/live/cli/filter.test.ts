import { spawnSync } from 'node:child_process'
import t from 'tap'
import { compileFilter } from '../../../src/filter/index.js'
import { netloom } from '../../support/cli.js'
import { requires } from '../../support/requires.js'

t.test('prints programs as tcpdump does', async t => {
  const program = compileFilter('udp port 53')
  t.same(netloom('filter', 'udp port 53'), { status: 0, stdout: `${program}\n`, stderr: '' })
  t.equal(netloom('filter', 'udp', 'port', '53', '-d').stdout, `${program}\n`)
  t.equal(netloom('filter', '-ddd', 'udp port 53').stdout, `${program.toDecimal()}\n`)
  t.equal(netloom('filter', '--dump', '--dump', '--dump', 'udp port 53').stdout, `${program.toDecimal()}\n`)
  t.equal(netloom('filter').stdout, `${compileFilter('')}\n`)
  t.equal(netloom('filter', '--live', 'vlan 5').stdout, `${compileFilter('vlan 5', { live: true })}\n`)
  t.equal(netloom('filter', '-y', 'ip', 'tcp').stdout, `${compileFilter('tcp', { linkType: 'ip' })}\n`)
  t.equal(
    netloom('filter', '--netmask', '255.255.255.0', 'ip broadcast').stdout,
    `${compileFilter('ip broadcast', { netmask: '255.255.255.0' })}\n`,
  )
})

t.test('the same text, where the program is the same', async t => {
  if (!requires(t, 'tcpdump')) return
  for (const expression of ['arp', 'ip', 'ip6', 'not ip', '']) {
    for (const how of ['-d', '-dd', '-ddd']) {
      const { stdout } = spawnSync('tcpdump', ['-y', 'EN10MB', how, expression], { encoding: 'utf8' })
      t.equal(netloom('filter', how, expression).stdout, stdout, `${how} ${expression}`)
    }
  }
})

t.test('what is wrong', async t => {
  const wrong = netloom('filter', 'udp prot 53')
  t.equal(wrong.status, 2)
  t.match(wrong.stderr, />>prot<</)
  t.notMatch(wrong.stderr, /usage/)
  t.match(netloom('filter', '--live', '--file', 'udp'), { status: 2, stderr: /exclude/ })
  t.match(netloom('filter', '-y', 'token-ring', 'udp'), {
    status: 2,
    stderr: /must be one of null, ethernet/,
  })
  t.match(netloom('filter', '--help'), {
    status: 0,
    stdout: /usage: netloom filter \[EXPRESSION\] \[OPTION\]…/,
  })
})
