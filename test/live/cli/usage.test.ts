import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { commands } from '../../../src/cli/commands/index.js'
import { plainEnvironment } from '../../support/child.js'
import { main, netloom } from '../../support/cli.js'

t.test('without a command, or with one that is none: 2 and the usage', async t => {
  for (const args of [[], ['dance'], ['--fast']]) {
    const { status, stdout, stderr } = netloom(...args)
    t.equal(status, 2, `netloom ${args.join(' ')}`)
    t.match(stderr, /usage: netloom COMMAND/)
    t.equal(stdout, '')
  }
  t.match(netloom('dance').stderr, "there is no command 'dance'")
})

t.test('--help lists every command; each has its own, with every option', async t => {
  const { status, stdout } = netloom('--help')
  t.equal(status, 0)
  for (const command of commands) {
    t.match(stdout, new RegExp(`^  ${command.name} +\\S`, 'm'), command.name)
    const help = netloom(command.name, '--help')
    t.equal(help.status, 0)
    t.match(help.stdout, `usage: netloom ${command.name}`)
    for (const option of Object.keys(command.options)) t.match(help.stdout, `--${option}`)
    t.equal(netloom(command.name, '-h').stdout, help.stdout)
  }
})

t.test('the version is the package’s', async t => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  t.equal(netloom('--version').stdout, `${version}\n`)
})

t.test('an option that is none, or has no value, or an impossible one: 2, why, and the usage', async t => {
  const cases: [string[], RegExp][] = [
    [['links', '--fast'], /Unknown option '--fast'/],
    [['links', 'eth0'], /links does not take 'eth0'/],
    [['links', '--in'], /'--in NAMESPACE|--in/],
    [['routes', '--family', '5'], /--family 5: must be 4 or 6/],
    [['routes', '--table', 'mine'], /--table mine: must be a number from 1 to 4294967295/],
    [['rules', '--priority', '-1'], /--priority/],
    [['fdb', '--vlan', '4095'], /--vlan 4095: must be a number from 1 to 4094/],
    [['fdb', '--mac', 'here'], /--mac here: /],
    [['watch', 'cables'], /watch does not take 'cables'/],
  ]
  for (const [args, message] of cases) {
    const { status, stdout, stderr } = netloom(...args)
    t.equal(status, 2, `netloom ${args.join(' ')}`)
    t.match(stderr.split('\n')[0], message)
    t.match(stderr, `usage: netloom ${args[0]}`)
    t.equal(stdout, '')
  }
})

t.test('what is not there: 1, and one line', async t => {
  const cases: [string[], RegExp][] = [
    [['links', '--link', 'nl-nobody'], /^netloom: there is no link nl-nobody\n$/],
    [['links', '--in', 'nl-nobody'], /^netloom: there is no namespace named nl-nobody\n$/],
    [['links', '--in', '4194304'], /^netloom: .*4194304.*\n$/],
    [['links', '--in', '/proc/self/nobody'], /^netloom: .*\/proc\/self\/nobody.*\n$/],
    [['links', '--in', '/dev/null'], /^netloom: .*\/dev\/null.*\n$/],
  ]
  for (const [args, message] of cases) {
    const { status, stdout, stderr } = netloom(...args)
    t.equal(status, 1, `netloom ${args.join(' ')}`)
    t.match(stderr, message)
    t.equal(stdout, '')
  }
})

t.test('a reader that has seen enough is no error', async t => {
  const child = spawn('sh', ['-c', '{ "$@"; echo $? >&2; } | :', 'sh', process.execPath, main, 'links'], {
    env: plainEnvironment(),
  })
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  await once(child, 'close')
  t.equal(stderr, '0\n')
})
