import t from 'tap'
import { CommandError, Namespace } from '../../../src/netns/index.js'
import { runChild } from '../../support/child.js'
import { watchLeaks } from '../../support/leaks.js'
import { requiresRoot } from '../../support/requires.js'

if (!requiresRoot(t)) process.exit(0)
const leaks = watchLeaks()

t.test('exec gives what the command said', async t => {
  await using namespace = await Namespace.create()
  t.same(await namespace.exec('sh', ['-c', 'echo out; echo err >&2']), {
    stdout: 'out\n',
    stderr: 'err\n',
    code: 0,
    signal: null,
  })
  const { stdout } = await namespace.exec('cat', [], { input: 'hello' })
  t.equal(stdout, 'hello')
  const env = await namespace.exec('/bin/sh', ['-c', 'echo $X; pwd'], { env: { X: '1' }, cwd: '/' })
  t.equal(env.stdout, '1\n/\n')
  const big = await namespace.exec('head', ['-c', '3000000', '/dev/zero'])
  t.equal(big.stdout.length, 3000000)
})

t.test('a bad input starts nothing', async t => {
  const { stdout, code } = await runChild(`
    const namespace = await Namespace.create()
    const error = await namespace.exec('cat', [], { input: 5 }).catch(error => error.code)
    const other = await namespace.exec('no-such-program', [], { input: {} }).catch(error => error.code)
    console.log(error, other)
  `)
  t.match({ stdout, code }, { stdout: 'ERR_INVALID_ARG_TYPE ERR_INVALID_ARG_TYPE\n', code: 0 })
})

t.test('failure is a typed error, or a result', async t => {
  await using namespace = await Namespace.create()
  const error = await namespace.exec('sh', ['-c', 'echo no >&2; exit 3']).catch(e => e)
  t.ok(error instanceof CommandError)
  t.match(error, { code: 'ERR_COMMAND_FAILED', message: /code 3: no/, result: { code: 3, stderr: 'no\n' } })
  t.match(await namespace.exec('false', [], { reject: false }), { code: 1 })
  t.match(await namespace.exec('sh', ['-c', 'kill -9 $$'], { reject: false }), {
    code: null,
    signal: 'SIGKILL',
  })
  await t.rejects(namespace.exec('no-such-program'), { code: 'ENOENT' })
  await t.rejects(namespace.exec('true', [], { timeout: 1 } as never), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('time and abort', async t => {
  await using namespace = await Namespace.create()
  await t.rejects(namespace.exec('sleep', ['60'], { timeoutMs: 50 }), { code: 'ERR_COMMAND_FAILED' })
  await t.rejects(namespace.exec('sleep', ['60'], { signal: AbortSignal.timeout(50) }), { code: 'ABORT_ERR' })
  await t.rejects(namespace.exec('sleep', ['60'], { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
})

t.test('spawn is Node’s', async t => {
  await using namespace = await Namespace.create()
  const child = namespace.spawn('cat', [], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin!.end('through')
  let text = ''
  for await (const chunk of child.stdout!) text += chunk
  t.equal(text, 'through')
})

t.test('nothing is left', leaks)
