import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { errorCodes } from '../../../src/errors/index.js'
import { Namespace, namespaceDescriptor } from '../../../src/netns/index.js'
import { uniqueName, watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (!requiresRoot(t)) process.exit(0)
const leaks = watchLeaks()

t.test('an anonymous namespace is new and goes with its handle', async t => {
  await using namespace = await Namespace.create()
  await using current = await Namespace.open('current')
  t.not(namespace.id, current.id)
  t.equal(namespace.name, undefined)
  const { stdout } = await namespace.exec('cat', ['/proc/net/dev'])
  t.match(stdout, /lo:/)
  t.equal(stdout.trim().split('\n').length, 3, 'nothing but lo')
  t.ok(namespace.fd >= 0)
  await namespace.close()
  await namespace.close()
  t.equal(namespace.fd, -1)
  await t.rejects(namespace.exec('true'), { code: 'ERR_INVALID_STATE' })
})

t.test('the creating thread stays where it was', async t => {
  const before = statSync('/proc/thread-self/ns/net').ino
  await using namespace = await Namespace.create()
  t.equal(statSync('/proc/thread-self/ns/net').ino, before)
  await namespace.exec('true')
  t.equal(statSync('/proc/thread-self/ns/net').ino, before)
  for (const task of readdirSync('/proc/self/task')) {
    t.equal(statSync(`/proc/self/task/${task}/ns/net`).ino, before)
  }
})

t.test('named namespaces', async t => {
  const name = uniqueName()
  const made = await Namespace.create({ name })
  t.ok((await Namespace.list()).includes(name))
  await t.rejects(Namespace.create({ name }), { code: 'ERR_NAMESPACE_EXISTS', message: name })
  await using opened = await Namespace.open({ name })
  t.equal(opened.id, made.id)
  await made.close()
  t.ok((await Namespace.list()).includes(name), 'a name outlives its handle')
  await opened.delete()
  t.notOk((await Namespace.list()).includes(name))
  await t.rejects(Namespace.open({ name }), { code: 'ERR_NAMESPACE_NOT_FOUND', message: name })
  await t.rejects(Namespace.delete(name), { code: 'ERR_NAMESPACE_NOT_FOUND' })
})

t.test('opening by process, path and descriptor', async t => {
  await using namespace = await Namespace.create()
  const child = namespace.spawn('sleep', ['60'])
  try {
    for (const which of [
      { pid: child.pid! },
      { path: `/proc/${child.pid}/ns/net` },
      { fd: namespace.fd },
    ] as const) {
      await using same = await Namespace.open(which)
      t.equal(same.id, namespace.id)
    }
    using byPid = namespaceDescriptor(child.pid!)
    t.ok(byPid.fd >= 0)
    t.not(byPid.fd, namespace.fd)
    using byHandle = namespaceDescriptor(namespace)
    t.equal(byHandle.fd, namespace.fd)
    using byHolder = namespaceDescriptor({ namespace })
    t.equal(byHolder.fd, namespace.fd)
    using nowhere = namespaceDescriptor(undefined)
    t.equal(nowhere.fd, -1)
  } finally {
    child.kill()
    await new Promise(resolve => child.once('close', resolve))
  }
})

t.test('bad arguments', async t => {
  await t.rejects(Namespace.open({ pid: 2 ** 22 }), { code: 'ERR_NAMESPACE_NOT_FOUND' })
  await t.rejects(Namespace.open({ path: '/etc/passwd' }), { code: 'ERR_NAMESPACE_NOT_FOUND' })
  await t.rejects(Namespace.open({ path: '/proc/self/ns/uts' }), { code: 'ERR_NAMESPACE_NOT_FOUND' })
  await t.rejects(Namespace.open({ path: '/nowhere/at/all' }), { code: 'ERR_NAMESPACE_NOT_FOUND' })
  await t.rejects(Namespace.open({}), { code: 'ERR_INVALID_ARG_VALUE' })
  await t.rejects(Namespace.open({ pid: 1, fd: 2 }), { code: 'ERR_INVALID_ARG_VALUE' })
  for (const name of ['', '.', '..', 'a/b', 'a\0b', 'x'.repeat(256)]) {
    await t.rejects(Namespace.create({ name }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(Namespace.open({ name }), { code: 'ERR_INVALID_ARG_VALUE' })
    t.throws(() => namespaceDescriptor(name), { code: 'ERR_INVALID_ARG_VALUE' })
  }
  await t.rejects(Namespace.create({ nmae: 'x' } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  for (const bad of [null, {}, true, { namespace: 1 }]) {
    t.throws(() => namespaceDescriptor(bad as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  const closed = await Namespace.create()
  await closed.close()
  t.throws(() => namespaceDescriptor(closed), { code: 'ERR_INVALID_STATE' })
  t.ok(errorCodes.ERR_COMMAND_FAILED)
})

t.test('iproute2 and we see the same names', async t => {
  if (!requires(t, 'ip')) return
  const [ours, theirs] = [uniqueName(), uniqueName()]
  await using made = await Namespace.create({ name: ours })
  execFileSync('ip', ['netns', 'add', theirs])
  try {
    const listed = JSON.parse(execFileSync('ip', ['-j', 'netns', 'list'], { encoding: 'utf8' }))
    const names = listed.map((entry: { name: string }) => entry.name)
    t.ok(names.includes(ours) && names.includes(theirs))
    t.same(new Set(await Namespace.list()), new Set(names))
    const inode = execFileSync('ip', ['netns', 'exec', ours, 'stat', '-Lc', '%i', '/proc/self/ns/net'], {
      encoding: 'utf8',
    })
    t.equal(made.id.split(':')[1], inode.trim())
    await using opened = await Namespace.open({ name: theirs })
    t.not(opened.id, made.id)
    await opened.delete()
  } finally {
    execFileSync('ip', ['netns', 'delete', ours])
  }
  t.notOk((await Namespace.list()).some(name => name === ours || name === theirs))
  t.match(readFileSync('/proc/self/mountinfo', 'utf8'), / \/run\/netns .*shared:/, 'the directory is shared')
})

t.test('nothing is left', leaks)
