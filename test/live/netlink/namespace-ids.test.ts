import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { uniqueName, watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('ids between namespaces, both ways', async t => {
    const name = uniqueName()
    await using red = await Network.create()
    await using blue = await Network.create()
    const green = await Network.create({ name })
    try {
      const ids = red.namespaceIds
      t.same(await ids.list(), [])
      t.equal(await ids.get(blue), undefined)
      t.equal(await ids.create(blue, { id: 7 }), 7)
      t.equal(await ids.get(blue), 7)
      await t.rejects(ids.create(blue), { code: 'EEXIST' })
      await t.rejects(ids.create(green, { id: 7 }), { code: 'EEXIST' })
      await t.rejects(ids.create(green, { id: -2 }), { code: 'ERR_OUT_OF_RANGE' })
      await t.rejects(ids.get('no-such-namespace'), { code: 'ERR_NAMESPACE_NOT_FOUND' })
      await red.namespace.exec('ip', ['netns', 'set', name, '9'])
      t.equal(await ids.get(name), 9)
      const { stdout } = await red.namespace.exec('ip', ['-j', 'netns', 'list-id'])
      const theirs = (JSON.parse(stdout) as { nsid: number }[]).map(({ nsid }) => nsid).sort()
      t.same((await ids.list()).map(({ id }) => id).sort(), theirs)
      t.same(theirs, [7, 9])
      t.ok((await blue.namespaceIds.create(red)) >= 0, 'one that the kernel chose')
    } finally {
      await green.delete()
    }
  })

  t.test('nothing is left', leaks)
}
