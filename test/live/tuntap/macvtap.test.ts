import { readFileSync } from 'node:fs'
import t from 'tap'
import { answer } from '../../../src/cli/demo/host.js'
import { packets } from '../../../src/port/index.js'
import { Tap } from '../../../src/tuntap/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks } from '../../support/networks.js'
import { requires, requiresKernel, requiresRoot } from '../../support/requires.js'

const programs = ['ping']

// Built in, or a module.
const hasMacvtap = () =>
  readFileSync('/proc/devices', 'utf8').includes(' macvtap') || requiresKernel(t, 'macvtap')

if (requiresRoot(t) && requires(t, ...programs) && hasMacvtap()) {
  const leaks = watchLeaks()

  t.test('a ping through a macvtap, answered by us', async t => {
    await using networks = await connectedNetworks()
    const { red, blue } = networks
    await red.addresses.create({ link: 'v0', address: '10.0.0.1/24' })
    // Links of the same index in two networks: the names of their devices would be the same.
    const made = []
    for (const network of [red, blue]) {
      made.push(
        await network.links.create({
          kind: 'macvtap',
          name: 'mv0',
          lower: 'v0',
          up: true,
          macvtap: { mode: 'bridge' },
        }),
      )
    }
    t.equal(made[0]!.index, made[1]!.index)
    await using tap = await Tap.openMacvtap({ name: 'mv0', in: blue })
    t.equal(tap.name, 'mv0')
    await t.rejects(Tap.openMacvtap({ name: 'v0', in: blue }), { code: 'ERR_LINK_MISMATCH' })
    await t.rejects(Tap.openMacvtap({ name: 'nope', in: blue }), { code: 'ERR_LINK_NOT_FOUND' })
    await t.rejects(Tap.openMacvtap({ name: 'a/b', in: blue }), { code: 'ERR_INVALID_ARG_VALUE' })
    await t.rejects(Tap.openMacvtap({} as never), { code: 'ERR_INVALID_ARG_TYPE' })
    const host = { macAddress: made[1]!.macAddress!, ipv4: '10.0.0.2', ipv6: 'fd00::2' }
    const answers = (async () => {
      for await (const { data } of packets(tap)) {
        const reply = answer(host, data)
        if (reply) await tap.send(reply)
      }
    })()
    const { stdout } = await red.namespace.exec('ping', ['-c', '3', '-i', '0.2', '-W', '5', host.ipv4])
    t.match(stdout, /3 packets transmitted, 3 received/)
    await tap.close()
    await answers
    await using again = await Tap.openMacvtap({ name: 'mv0', in: blue })
    t.equal(again.name, 'mv0', 'what was closed can be opened again')
  })

  t.test('nothing is left', leaks)
}
