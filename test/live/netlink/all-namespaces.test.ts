import t from 'tap'
import { deferred } from '../../../src/lifecycle/index.js'
import { NETLINK, NetlinkMonitor } from '../../../src/netlink/index.js'
import { RTNLGRP } from '../../../src/netlink/route/constants.js'
import { readLink } from '../../../src/netlink/route/link.js'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('a monitor hears of namespaces that have an id, and says of which', async t => {
    await using here = await Network.create()
    await using there = await Network.create()
    await using stranger = await Network.create()
    await here.namespaceIds.create(there, { id: 42 })
    const heard: { name: string; id: number | undefined }[] = []
    const { promise: both, resolve } = deferred<void>()
    const monitor = new NetlinkMonitor({
      in: here.namespace,
      protocol: NETLINK.ROUTE,
      groups: [RTNLGRP.LINK],
      allNamespaces: true,
      onMessage: ({ payload }, id) => {
        const { name } = readLink(payload)
        heard.push({ name, id })
        if (name === 'last') resolve(undefined)
      },
      onOverflow: () => {},
      onError: error => t.error(error),
    })
    await stranger.links.create({ kind: 'bridge', name: 'unheard' })
    await there.links.create({ kind: 'bridge', name: 'far' })
    await here.links.create({ kind: 'bridge', name: 'near' })
    await here.links.create({ kind: 'bridge', name: 'last' })
    await both
    monitor.close()
    const ids = (name: string) => [...new Set(heard.filter(each => each.name === name).map(({ id }) => id))]
    t.same(ids('far'), [42])
    t.same(ids('near'), [undefined])
    t.same(ids('unheard'), [])
  })

  t.test('nothing is left', leaks)
}
