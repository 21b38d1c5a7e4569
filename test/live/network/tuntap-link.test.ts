import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { Tap, Tun } from '../../../src/tuntap/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

if (requiresRoot(t) && requires(t, 'ip')) {
  const leaks = watchLeaks()

  t.test('TAP and TUN devices that wait for somebody to attach', async t => {
    await using network = await Network.create()
    const ip = async (...args: string[]) => (await network.namespace.exec('ip', args)).stdout
    await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    const tap = await network.links.create({
      kind: 'tap',
      name: 'tap0',
      tun: { owner: 61234, group: 61235, multiQueue: true },
      master: 'br0',
      mtu: 1400,
      macAddress: '02:00:00:00:00:07',
      up: true,
    })
    t.match(tap, {
      name: 'tap0',
      kind: 'tun',
      tun: { type: 'tap', owner: 61234, group: 61235, multiQueue: true, persist: true },
      mtu: 1400,
      macAddress: '02:00:00:00:00:07',
      up: true,
      carrier: false,
      portKind: 'bridge',
      alias: 'netloom',
    })
    t.match(
      await ip('-d', 'link', 'show', 'tap0'),
      /tun type tap pi off vnet_hdr off multi_queue.* persist on user 61234 group 61235/,
    )
    const tun = await network.links.create({ kind: 'tun', addresses: ['10.0.0.1/24'] })
    t.match(tun, { tun: { type: 'tun', persist: true }, up: false })
    t.match(await ip('-4', '-o', 'addr', 'show', 'dev', tun.name), /inet 10\.0\.0\.1\/24/)

    {
      await using port = await Tap.open({ name: 'tap0', in: network, multiQueue: true })
      await using other = await Tap.open({ name: 'tap0', in: network, multiQueue: true })
      t.match(await network.links.get('tap0'), { carrier: true, tun: { queues: 2 } })
      t.equal(port.name, other.name)
    }
    await using attached = await Tun.open({ name: tun.name, in: network })
    t.equal(attached.linkType, 'ip')
    await network.links.delete('tap0')
    t.equal(await network.links.find('tap0'), undefined)
  })

  t.test('ensure accepts the same, and no other', async t => {
    await using network = await Network.create()
    const options = { kind: 'tap', name: 'tap0', tun: { owner: 61234 } } as const
    const { index } = await network.links.ensure(options)
    t.equal((await network.links.ensure(options)).index, index)
    await t.rejects(network.links.create(options), { code: 'EBUSY' })
    await t.rejects(network.links.ensure({ ...options, kind: 'tun' }), { code: 'ERR_LINK_MISMATCH' })
    await t.rejects(network.links.ensure({ ...options, tun: { owner: 61236 } }), {
      code: 'ERR_LINK_MISMATCH',
      message: /tun\.owner is 61234, not 61236/,
    })
    await t.rejects(network.links.ensure({ ...options, mtu: 1400 }), { code: 'ERR_LINK_MISMATCH' })
    await network.links.create({ kind: 'bridge', name: 'br0' })
    await t.rejects(network.links.ensure({ kind: 'tap', name: 'br0' }), { code: 'ERR_LINK_MISMATCH' })
  })

  t.test('what cannot be is refused, and nothing is left of it', async t => {
    await using network = await Network.create()
    await using other = await Network.create()
    const bad = [
      { kind: 'tap', in: other },
      { kind: 'tap', tun: { owner: -1 } },
      { kind: 'tap', tun: { user: 1 } },
      { kind: 'tun', name: 'a-name-that-is-too-long' },
      { kind: 'tap', txQueues: 4 },
      { kind: 'tap', mtu: 'big' },
      { kind: 'tap', addresses: ['10.0.0.300/24'] },
      { kind: 'tap', master: 'nope' },
    ]
    for (const options of bad) await t.rejects(network.links.create(options as never))
    t.same(
      (await network.links.list()).map(({ name }) => name),
      ['lo'],
    )
  })

  t.test('nothing is left', leaks)
}
