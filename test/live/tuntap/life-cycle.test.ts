import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { PortEvent } from '../../../src/port/index.js'
import { Tap, Tun } from '../../../src/tuntap/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { markedBatch, markedFrame } from '../../support/marked-frames.js'
import { createNetwork, requiresNetworks } from '../../support/network.js'
import { requires } from '../../support/requires.js'

/** Reads events until one of this type. */
async function until(events: AsyncIterator<PortEvent>, type: PortEvent['type']): Promise<PortEvent> {
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error(`the events ended without ${type}`)
    if (value.type === type) return value
  }
}

if (requiresNetworks(t)) {
  const leaks = watchLeaks()
  const network = await createNetwork()

  t.test('a device that somebody deletes ends its port, whoever waits', async t => {
    for (const doing of ['reading', 'nothing', 'watching'] as const) {
      const tap = await Tap.create({ in: network })
      const events = tap.events()
      await until(events, 'state')
      const reading =
        doing === 'reading' &&
        (async () => {
          for await (const batch of tap.batches()) batch.release()
        })()
      await network.links.delete(tap.name)
      t.same(await tap.closed, { type: 'removed' }, `while ${doing}`)
      await reading
      t.same(await until(events, 'removed'), { type: 'removed' })
      t.match(await events.next(), { done: true })
      t.throws(() => tap.trySend(markedFrame(1)), { code: 'ERR_PORT_CLOSED' })
      t.throws(() => tap.setCarrier(false), { code: 'ERR_PORT_CLOSED' })
      t.type(tap.name, 'string')
      t.equal(tap.fd, -1)
      await tap.close()
    }
  })

  t.test('a port that nobody uses ends with its device', async t => {
    const tap = await Tap.create({ in: network })
    await network.links.delete(tap.name)
    // Nobody waits in a way that keeps the process alive.
    const alive = setInterval(() => {}, 1000)
    t.same(await tap.closed, { type: 'removed' })
    clearInterval(alive)
    await tap.close()
  })

  t.test('a device that goes while frames come ends its reader', async t => {
    await network.links.create({ kind: 'bridge', name: 'br9', up: true, ipv6LinkLocal: 'none' })
    const options = { in: network, master: 'br9', ipv6LinkLocal: 'none' } as const
    await using sender = await Tap.create(options)
    for (let i = 0; i < 10; i++) {
      const tap = await Tap.create(options)
      const reading = (async () => {
        for await (const batch of tap.batches()) batch.release()
      })()
      const flood = setInterval(() => sender.trySend(markedBatch(0, 50)))
      await sleep(i)
      await network.links.delete(tap.name)
      await reading
      clearInterval(flood)
      t.same(await tap.closed, { type: 'removed' })
    }
    await network.links.delete('br9')
  })

  t.test('a send that finds the device gone says so', async t => {
    const tap = await Tap.create({ in: network })
    await network.links.delete(tap.name)
    // Before the loop had a chance to tell.
    t.match(tap.trySend(markedFrame(1)), {
      sent: 0,
      next: 0,
      failure: { error: { code: 'ERR_PORT_CLOSED' } },
    })
    t.same(await tap.closed, { type: 'removed' })
  })

  t.test('a link that is down refuses frames one by one, and the port goes on', async t => {
    await using tap = await Tap.create({ in: network, up: false })
    const refused = tap.trySend(markedFrame(1))
    t.match(refused, {
      sent: 0,
      dropped: 1,
      next: 1,
      failure: { index: 0, error: { code: 'EIO', syscall: 'write' } },
    })
    t.match(refused.failure!.error.message, /link is down/)
    await network.links.change(tap.name, { up: true })
    t.match(await tap.send(markedFrame(2)), { sent: 1, dropped: 0 })
    t.equal(tap.counters().sentDropped, 1n)
  })

  t.test('a frame that the driver refuses harms no other', async t => {
    await using tun = await Tun.create({ in: network })
    const nonsense = Uint8Array.of(0x99, 1, 2, 3)
    t.match(tun.trySend(nonsense), { dropped: 1, failure: { error: { code: 'EINVAL' } } })
    t.match(tun.trySend(new Uint8Array(0)), { dropped: 1, failure: { error: { code: 'EINVAL' } } })
    const packet = new Uint8Array(20)
    packet[0] = 0x45
    t.match(tun.trySend(packet), { sent: 1, dropped: 0 })
  })

  t.test('changes of the device are events, in order, wherever it goes', async t => {
    await using elsewhere = await createNetwork(network)
    await using tap = await Tap.create({ in: network, name: 'watched0', mtu: 1400 })
    const events = tap.events()
    t.match(await until(events, 'state'), { state: { name: 'watched0', mtu: 1400, up: true, carrier: true } })
    await network.links.change('watched0', { mtu: 1300 })
    t.same(await until(events, 'mtu'), { type: 'mtu', mtu: 1300, previous: 1400 })
    await network.links.change('watched0', { up: false })
    t.same(await until(events, 'down'), { type: 'down' })
    await network.links.change('watched0', { name: 'renamed0' })
    t.same(await until(events, 'rename'), { type: 'rename', name: 'renamed0', previous: 'watched0' })
    t.equal(tap.name, 'renamed0')
    await network.links.change('renamed0', { macAddress: '02:00:00:00:00:77' })
    t.match(await until(events, 'address'), { macAddress: '02:00:00:00:00:77' })
    await network.links.change('renamed0', { up: true })
    t.same(await until(events, 'up'), { type: 'up' })
    t.same(await until(events, 'carrier'), { type: 'carrier', carrier: true })
    tap.setCarrier(false)
    t.same(await until(events, 'carrier'), { type: 'carrier', carrier: false })
    tap.setCarrier(true)
    t.same(await until(events, 'carrier'), { type: 'carrier', carrier: true })
    await network.links.move('renamed0', elsewhere)
    t.same(await until(events, 'namespace'), { type: 'namespace' })
    t.match(await until(events, 'state'), { state: { name: 'renamed0', up: false } })
    await using where = await tap.namespace()
    t.equal(where.id, elsewhere.namespace.id)
    await elsewhere.links.change('renamed0', { up: true })
    t.same(await until(events, 'up'), { type: 'up' }, 'watched where it is now')
    t.match(tap.trySend(markedFrame(1)), { sent: 1 })
    const told = tap.counters().receivedDropped
    const { statistics } = await elsewhere.links.get('renamed0')
    t.ok(told <= statistics!.txDropped, 'counted where it is now')
    await elsewhere.links.delete('renamed0')
    t.same(await until(events, 'removed'), { type: 'removed' })
  })

  t.test('close() ends pending reads, sends and events at once', async t => {
    const tap = await Tap.create({ in: network })
    const reading = tap.batches().next()
    const events = tap.events()
    await until(events, 'state')
    const event = events.next()
    await tap.close()
    t.match(await reading, { done: true })
    t.match(await event, { done: true })
    t.same(await tap.closed, { type: 'closed' })
    t.same(
      (await network.links.list()).map(link => link.name),
      ['lo'],
      'and the device is gone',
    )
    t.match(await tap.events().next(), { done: true })
  })

  t.test('closing from within the loop over batches', async t => {
    await using tap = await Tap.create({ in: network, addresses: ['10.0.0.1/24'] })
    await network.namespace.exec('ping', ['-c1', '-W1', '10.0.0.2'], { reject: false })
    let seen = 0
    for await (const batch of tap.batches()) {
      seen += batch.count
      await tap.close()
      t.ok(batch.copy(0).length > 0, 'the batch in hand is whole')
    }
    t.ok(seen > 0)
  })

  t.test('a persistent device survives its port, until it is deleted', async t => {
    const made = await Tap.create({ in: network, name: 'stay0', persist: true, owner: 0, group: 0 })
    await t.rejects(Tap.open({ in: network, name: 'stay0' }), {
      code: 'EBUSY',
      request: 'TUNSETIFF',
      subject: 'stay0',
    })
    await made.close()
    t.match(await network.links.get('stay0'), {
      kind: 'tun',
      // Root of the network's user namespace, under the number that this process knows it by.
      tun: { persist: true, owner: process.getuid!(), group: process.getgid!() },
    })
    await t.rejects(Tap.create({ in: network, name: 'stay0' }), { code: 'EBUSY' })
    await t.rejects(Tun.open({ in: network, name: 'stay0' }), { code: 'EINVAL' })
    const again = await Tap.open({ in: network, name: 'stay0' })
    t.match(again.trySend(markedFrame(1)), { sent: 1 })
    await again.delete()
    t.equal(await network.links.find('stay0'), undefined)
    await t.rejects(Tap.open({ in: network, name: 'stay0' }), { code: 'ENODEV' })
    await using ensured = await Tap.ensure({ in: network, name: 'stay0' })
    t.equal(ensured.name, 'stay0')
  })

  t.test('a stale offload mask is cleared by whoever attaches', async t => {
    if (!requires(t, 'ethtool')) return
    const features = async () => {
      const { stdout } = await network.namespace.exec('ethtool', ['-k', 'soiled0'])
      return /^tcp-segmentation-offload: (on|off)/m.exec(stdout)?.[1]
    }
    const soiled = await Tap.create({
      in: network,
      name: 'soiled0',
      persist: true,
      vnetHeaderSize: 12,
      offload: 'whole',
      offloads: ['checksum', 'tso4', 'tso6'],
    })
    await soiled.close()
    t.equal(await features(), 'on', 'the device remembers')
    const plain = await Tap.open({ in: network, name: 'soiled0' })
    t.equal(await features(), 'off')
    const asked = Tap.open({
      in: network,
      name: 'soiled0',
      offload: 'split',
    })
    await t.rejects(asked, { code: 'EBUSY' })
    await plain.delete()
  })

  t.test('everything is gone', async t => {
    await network.close()
    await leaks(t)
  })
}
