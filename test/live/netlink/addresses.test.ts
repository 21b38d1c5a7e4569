import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks } from '../../support/networks.js'
import { requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('an address is told as it was given', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0' })
    const four = await network.addresses.create({
      link: 'br0',
      address: '10.0.0.1/24',
      broadcast: '10.0.0.255',
      label: 'br0:x',
      scope: 'link',
      metric: 7,
      noPrefixRoute: true,
      validSeconds: 3600,
      preferredSeconds: 1800,
    })
    t.match(four, {
      family: 4,
      address: '10.0.0.1',
      prefixLength: 24,
      broadcast: '10.0.0.255',
      label: 'br0:x',
      scope: 'link',
      metric: 7,
      noPrefixRoute: true,
      permanent: false,
      peer: undefined,
    })
    t.ok(four.validSeconds! > 3590 && four.validSeconds! <= 3600)
    t.ok(four.preferredSeconds! > 1790 && four.preferredSeconds! <= 1800)
    const pair = await network.addresses.create({ link: 'br0', address: '10.1.0.1', peer: '10.1.0.2' })
    t.match(pair, { address: '10.1.0.1', peer: '10.1.0.2', prefixLength: 32, scope: 'universe' })
    const six = await network.addresses.create({ link: 'br0', address: 'FD00:0::1', dad: 'skip' })
    t.match(six, { family: 6, address: 'fd00::1', prefixLength: 128, permanent: true })
    t.equal((await network.addresses.list({ link: 'br0' })).length, 3)
    t.equal((await network.addresses.list({ link: 'br0', family: 6 })).length, 1)
    await network.addresses.delete({ link: 'br0', address: '10.1.0.1', peer: '10.1.0.2' })
    await network.addresses.delete({ link: 'br0', address: '10.0.0.1/24' })
    await network.addresses.delete({ link: 'br0', address: 'fd00::1' })
    t.same(await network.addresses.list({ link: 'br0' }), [])
    await t.rejects(network.addresses.delete({ link: 'br0', address: 'fd00::1' }), { code: 'EADDRNOTAVAIL' })
  })

  t.test('create, ensure and replace', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0' })
    for (const address of ['10.0.0.1/24', 'fd00::1/64']) {
      await network.addresses.create({ link: 'br0', address, dad: 'skip' })
      await t.rejects(network.addresses.create({ link: 'br0', address, dad: 'skip' }), { code: 'EEXIST' })
      t.match(await network.addresses.ensure({ link: 'br0', address }), { address: address.split('/')[0] })
      await network.addresses.replace({ link: 'br0', address, validSeconds: 100, dad: 'skip' })
      const [found] = await network.addresses.list({ link: 'br0', family: address.includes(':') ? 6 : 4 })
      t.ok(found!.validSeconds! <= 100)
    }
  })

  t.test('flush', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    const texts = ['10.0.0.1/24', '10.0.0.2/24', '10.0.0.3/24', '10.1.0.1', 'fd00::1/64', 'fd00::2/64']
    for (const address of texts) await network.addresses.create({ link: 'br0', address, dad: 'skip' })
    await network.addresses.create({ link: 'br0', address: '10.2.0.1', peer: '10.2.0.2' })
    // A primary address takes its secondary ones along, or hands over to them.
    for (const promote of ['0', '1']) {
      await network.sysctl.set('net.ipv4.conf.br0.promote_secondaries', promote)
      await network.addresses.flush({ link: 'br0', family: 4 })
      t.same(await network.addresses.list({ link: 'br0', family: 4 }), [])
      for (const address of texts.slice(0, 3)) await network.addresses.create({ link: 'br0', address })
    }
    t.ok((await network.addresses.list({ link: 'br0', family: 6 })).length >= 2, 'the other family stays')
    await network.addresses.flush({ link: 'br0' })
    t.same(await network.addresses.list({ link: 'br0' }), [])
    t.ok((await network.addresses.list({ link: 'lo' })).length > 0, 'and so do other links’')
    await network.addresses.flush({ link: 'br0' })
    await t.rejects(network.addresses.flush({} as never), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(network.addresses.flush(undefined as never), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(network.addresses.flush({ link: 'nope' }), { code: 'ERR_LINK_NOT_FOUND' })
  })

  t.test('bad arguments', async t => {
    await using network = await Network.create()
    const bad = [
      [{ link: 'lo', address: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ link: 'lo', address: '10.0.0.1/33' }, 'ERR_INVALID_ARG_VALUE'],
      [{ link: 'lo', address: '10.0.0.1', peer: 'fd00::1' }, 'ERR_INVALID_ARG_VALUE'],
      [{ link: 'lo', address: '10.0.0.1', scope: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ link: 'lo', address: '10.0.0.1', dad: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ link: 'lo', address: '10.0.0.1', validSeconds: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ link: 'lo', address: '10.0.0.1', home: true }, 'ERR_INVALID_ARG_VALUE'],
      [{ link: 'lo', address: '10.0.0.1', autoJoin: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ link: 'lo', address: '10.0.0.1', protocol: 256 }, 'ERR_OUT_OF_RANGE'],
      [{ link: 'lo', address: '10.0.0.1', lable: 'x' }, 'ERR_INVALID_ARG_VALUE'],
      [{ link: 'no', address: '10.0.0.1' }, 'ERR_LINK_NOT_FOUND'],
      [{ link: 99, address: '10.0.0.1' }, 'ENODEV'],
      [{ link: 0, address: '10.0.0.1' }, 'ERR_OUT_OF_RANGE'],
      [{ link: {}, address: '10.0.0.1' }, 'ERR_INVALID_ARG_TYPE'],
    ] as const
    for (const [options, code] of bad) {
      await t.rejects(network.addresses.create(options as never), { code }, JSON.stringify(options))
    }
    await t.rejects(network.addresses.create({ link: 'lo' } as never), { message: /"address" argument/ })
    await t.rejects(network.addresses.list({ family: 5 as never }), { code: 'ERR_INVALID_ARG_VALUE' })
  })

  t.test('duplicate address detection', async t => {
    await using networks = await connectedNetworks()
    const { red, blue } = networks
    const address = await red.addresses.create({ link: 'v0', address: 'fd00::1/64' })
    t.equal(address.tentative, false, 'it can be used')
    const begun = await blue.addresses.create({ link: 'v0', address: 'fd00::2/64', dad: 'start' })
    t.equal(begun.tentative, true)
    await t.rejects(blue.addresses.create({ link: 'v0', address: 'fd00::1/64' }), {
      code: 'ERR_ADDRESS_DUPLICATE',
      message: /fd00::1/,
    })
    t.notOk(
      (await blue.addresses.list({ link: 'v0' })).some(a => a.address === 'fd00::1'),
      'it was taken back',
    )
    const signal = AbortSignal.timeout(50)
    await t.rejects(blue.addresses.create({ link: 'v0', address: 'fd00::3/64', signal }), {
      code: 'ABORT_ERR',
    })
    t.notOk(
      (await blue.addresses.list({ link: 'v0' })).some(a => a.address === 'fd00::3'),
      'and so was it',
    )
    await blue.links.change('v0', { up: false })
    const waiting = await red.addresses.create({ link: 'v0', address: 'fd00::4/64' })
    t.equal(waiting.tentative, true, 'without a carrier nothing is waited for')
  })

  t.test('nothing is left', leaks)
}
