import t from 'tap'
import { field, table, text, u16 } from '../../../src/netlink/core/index.js'
import { GenericConnection } from '../../../src/netlink/generic/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { createNetwork, requiresNetworks } from '../../support/network.js'
import { requires } from '../../support/requires.js'

if (requiresNetworks(t)) {
  const leaks = watchLeaks()

  t.test('families, by list and by name', async t => {
    await using network = await createNetwork()
    await using generic = GenericConnection.open(network)
    const families = await generic.families()
    const controller = families.find(family => family.name === 'nlctrl')
    t.match(controller, { id: 16, version: 2, headerSize: 0, groups: { notify: 16 } })
    t.match(
      controller?.operations.find(operation => operation.command === 3),
      { request: true, dump: true, needs: 'nothing' },
    )
    const { info } = await generic.family('nlctrl')
    t.same(info, controller, 'one at a time the same')
    t.equal(await generic.family('nlctrl'), await generic.family('nlctrl'), 'asked once')
    await t.rejects(generic.family('no_such_family'), {
      code: 'ERR_UNSUPPORTED',
      message: 'the kernel has no netlink family no_such_family (module no_such_family)',
      cause: { code: 'ENOENT', name: 'NetlinkError' },
    })
    for (const bad of ['', 'x'.repeat(16), 'a\0b']) {
      t.throws(() => generic.family(bad), { code: 'ERR_INVALID_ARG_VALUE' })
    }
    // @ts-expect-error a number
    t.throws(() => generic.family(5), { code: 'ERR_INVALID_ARG_TYPE' })
  })

  t.test('genl sees the same families', async t => {
    if (!requires(t, 'genl')) return
    await using network = await createNetwork()
    await using generic = GenericConnection.open(network)
    const { stdout } = await network.namespace.exec('genl', ['ctrl', 'list'])
    const theirs = [...stdout.matchAll(/Name: (\w+)\s+ID: 0x(\w+)\s+Version: 0x(\w+)\s+header size: (\d+)/g)]
    const ours = await generic.families()
    t.ok(ours.length > 1)
    t.same(
      ours.map(({ name, id, version, headerSize }) => [name, id, version, headerSize]),
      theirs.map(([, name, id, version, size]) => [
        name,
        Number.parseInt(id!, 16),
        Number.parseInt(version!, 16),
        Number(size),
      ]),
    )
  })

  t.test('a family untyped: attributes as they are, or with a table', async t => {
    await using network = await createNetwork()
    await using generic = GenericConnection.open(network)
    const family = await generic.family('nlctrl')
    const [raw] = await family.request(3, { attributes: [{ type: 1, bytes: Uint8Array.of(16, 0) }] })
    t.equal(raw!.command, 1)
    t.match(
      raw!.attributes.find(attribute => attribute.type === 2),
      { bytes: Buffer.from('nlctrl\0') },
    )
    const mine = table('CTRL_ATTR_', { id: field(1, 'FAMILY_ID', u16), name: field(2, 'FAMILY_NAME', text) })
    const [typed] = await family.request(3, { table: mine, values: { name: 'nlctrl' } })
    const { values, unknown } = typed!.read(mine)
    t.same(values, { id: 16, name: 'nlctrl' })
    t.ok(unknown.length > 1)
    t.equal((await family.dump(3)).length, (await generic.families()).length)
    const [written] = await family.request(3, { write: writer => writer.string(2, 'name', 'nlctrl') })
    t.same(written!.read(mine).values, values)

    await t.rejects(family.request(3, { table: mine, values: { name: 'none', id: 9 }, operation: 'look' }), {
      name: 'NetlinkError',
      operation: 'look',
    })
    await t.rejects(family.request(200), { code: 'ENOTSUP', operation: 'nlctrl command 200' })
    await t.rejects(family.request(256), { code: 'ERR_OUT_OF_RANGE' })
    await t.rejects(family.request(3, { header: new Uint8Array(4) }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(family.request(3, { table: mine }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(family.request(3, { table: mine, values: { nome: 1 } }), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
    // @ts-expect-error bytes
    await t.rejects(family.request(3, { attributes: [{ type: 1, bytes: 'x' }] }), {
      code: 'ERR_INVALID_ARG_TYPE',
    })
  })

  t.test('policies', async t => {
    await using network = await createNetwork()
    await using generic = GenericConnection.open(network)
    const { operations, policies } = await generic.policy('nlctrl')
    const { request } = operations[3]!
    t.match(policies[request!]![1], { type: 'u16' }, 'the number of a family')
    t.match(policies[request!]![2], { type: 'nul-string', maxLength: 15 }, 'the name of one')
  })

  t.test('subscriptions: groups by name, and their end', async t => {
    await using network = await createNetwork()
    const generic = GenericConnection.open(network)
    const family = await generic.family('nlctrl')
    t.throws(() => family.subscribe('nothing'), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /is no group of nlctrl, which has: notify/,
    })
    const abort = new AbortController()
    const aborted = family.subscribe('notify', { signal: abort.signal }).next()
    abort.abort()
    await t.rejects(aborted, { name: 'AbortError' })
    const closed = family.subscribe('notify')
    const step = closed.next()
    generic.close()
    t.same(await step, { done: true, value: undefined }, 'ends with the connection')
    await t.rejects(generic.families(), { code: 'ERR_INVALID_STATE' })
    t.throws(() => family.subscribe('notify'), { code: 'ERR_INVALID_STATE' })
    generic.close()
  })

  t.test('nothing is left', leaks)
}
