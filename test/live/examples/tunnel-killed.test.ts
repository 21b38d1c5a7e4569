import { readdirSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Host } from '../../support/busy-host.js'
import { start } from '../../support/examples.js'
import { idles } from '../../support/idle.js'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks } from '../../support/networks.js'
import { requiresRoot } from '../../support/requires.js'

/** What a process holds of the kernel's: descriptors and threads. */
function holds(pid: number) {
  return ['fd', 'task'].map(each => readdirSync(`/proc/${pid}/${each}`).length)
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('either end of a tunnel is killed under load, and started again', async t => {
    await using networks = await connectedNetworks('198.51.100.1/24', '198.51.100.2/24')
    const { red, blue } = networks
    process.env.SECRET = 'known to both'
    t.teardown(() => delete process.env.SECRET)
    const begin = {
      server: () => start(red, 'tunnel', '10.9.0.1/24', '51820'),
      client: () => start(blue, 'tunnel', '10.9.0.2/24', '51820', '198.51.100.1'),
    }
    const ends = { server: begin.server(), client: begin.client() }
    t.teardown(() => Promise.all(Object.values(ends).map(end => end.stop('SIGKILL'))))
    const inSession = /in session with/
    await ends.server.says(inSession)
    await ends.client.says(inSession)
    const hosts = [
      await Host.start(red, '10.9.0.1', '10.9.0.2'),
      await Host.start(blue, '10.9.0.2', '10.9.0.1'),
    ] as const
    t.teardown(() => Promise.all(hosts.map(host => host[Symbol.asyncDispose]())))
    const flows = async () => {
      for (const host of hosts) await host.hears()
    }
    await flows()
    for (let round = 0; round < 4; round++) {
      const [killed, other] =
        round % 2 === 0 ? (['client', 'server'] as const) : (['server', 'client'] as const)
      const [there, here] = killed === 'client' ? [blue, red] : [red, blue]
      const before = holds(ends[other].pid)
      t.equal(await ends[killed].stop('SIGKILL'), null)
      t.same(
        (await there.links.list()).map(({ name }) => name),
        ['lo', 'v0'],
        'its device went with it',
      )
      // The other goes on sealing what it is given, for nobody.
      const sent = () => here.links.statistics('v0').txPackets
      for (const from = sent(); sent() < from + 200n; ) await turn()
      ends[killed] = begin[killed]()
      await ends[killed].says(inSession)
      await ends[other].says(inSession)
      await flows()
      t.same(holds(ends[other].pid), before, 'descriptors and threads of the other')
    }
    await ends.client.stop('SIGKILL')
    for (const host of hosts) await host[Symbol.asyncDispose]()
    await idles(t, ends.server.pid)
    await ends.server.stop()
  })

  t.test('nothing is left', leaks)
}
