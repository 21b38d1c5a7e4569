import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { Tap, Tun, type TuntapOptions, tuntapFeatures } from '../../../src/tuntap/index.js'
import { descriptors, watchLeaks } from '../../support/leaks.js'
import { markedBatch, markedFrame, readMarked, sequenceOf } from '../../support/marked-frames.js'
import { requires, requiresRoot } from '../../support/requires.js'

t.test('bad options are typed errors, before there is a device', async t => {
  const cases: [object, string][] = [
    [{ name: 'sixteen-bytes-ab' }, 'ERR_INVALID_ARG_VALUE'],
    [{ name: 'a/b' }, 'ERR_INVALID_ARG_VALUE'],
    [{ name: '' }, 'ERR_INVALID_ARG_VALUE'],
    [{ name: 'a%d%d' }, 'ERR_INVALID_ARG_VALUE'],
    [{ name: 7 }, 'ERR_INVALID_ARG_TYPE'],
    [{ nmae: 'tap0' }, 'ERR_INVALID_ARG_VALUE'],
    [{ mtu: 67 }, 'ERR_OUT_OF_RANGE'],
    [{ mtu: '1500' }, 'ERR_INVALID_ARG_TYPE'],
    [{ up: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ multiQueue: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
    [{ macAddress: '01:00:5e:00:00:01' }, 'ERR_INVALID_ARG_VALUE'],
    [{ macAddress: 'fe:' }, 'ERR_INVALID_ARG_VALUE'],
    [{ addresses: '10.0.0.1/24' }, 'ERR_INVALID_ARG_TYPE'],
    [{ addresses: ['10.0.0.1/33'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ txQueueLength: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ master: '' }, 'ERR_INVALID_ARG_VALUE'],
    [{ master: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ ipv6LinkLocal: 'off' }, 'ERR_INVALID_ARG_VALUE'],
    [{ vnetHeaderSize: 11 }, 'ERR_INVALID_ARG_VALUE'],
    [{ offload: 'on' }, 'ERR_INVALID_ARG_VALUE'],
    [{ offload: 5 }, 'ERR_INVALID_ARG_VALUE'],
    [{ offload: 'split', vnetHeaderSize: 0 }, 'ERR_INVALID_ARG_VALUE'],
    [{ offloads: ['checksum'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ offload: 'whole', offloads: ['tso4'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ offload: 'whole', offloads: ['checksum', 'uso4'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ offload: 'whole', offloads: ['checksum', 'everything'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ offload: 'whole', offloads: ['checksum', 'tso4', 'udp-tunnel'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ offload: 'whole', offloads: 'tso4' }, 'ERR_INVALID_ARG_TYPE'],
    [{ coalesce: true }, 'ERR_INVALID_ARG_VALUE'],
    [{ coalesce: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ headroom: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ tailroom: 4097 }, 'ERR_OUT_OF_RANGE'],
    [{ vnetEndianness: 'big' }, 'ERR_INVALID_ARG_VALUE'],
    [{ napiFragments: true }, 'ERR_INVALID_ARG_VALUE'],
    [{ owner: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ sendBuffer: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ in: {} }, 'ERR_INVALID_ARG_TYPE'],
    [{ in: 'no-such-namespace' }, 'ERR_NAMESPACE_NOT_FOUND'],
  ]
  for (const [options, code] of cases) {
    await t.rejects(Tap.create(options as TuntapOptions), { code }, JSON.stringify(options))
  }
  await t.rejects(Tun.create({ macAddress: '02:00:00:00:00:01' } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  await t.rejects(Tun.create({ master: 'br0' } as never), { code: 'ERR_INVALID_ARG_VALUE' })
  await t.rejects(Tap.open({} as never), { code: 'ERR_INVALID_ARG_TYPE' })
  await t.rejects(Tap.open({ name: 'tap%d' }), { code: 'ERR_INVALID_ARG_VALUE' }, 'a pattern names nothing')
  await t.rejects(Tap.create(null as never), { code: 'ERR_INVALID_ARG_TYPE' })
  for (const fd of [-1, 1.5, '3']) await t.rejects(Tap.fromDescriptor(fd as number), /descriptor/)
  await t.rejects(Tap.fromDescriptor(0), { code: 'ERR_INVALID_STATE' })
  await t.rejects(Tap.adopt('nobody left this'), { code: 'ERR_DETACHED_TOKEN' })
  await t.rejects(Tap.adopt(5 as never), { code: 'ERR_INVALID_ARG_TYPE' })
})

if (requiresRoot(t)) {
  const leaks = watchLeaks()
  const network = await Network.create()

  t.test('a link is set up as asked, and iproute2 agrees', async t => {
    if (!requires(t, 'ip')) return
    await network.links.create({ kind: 'bridge', name: 'br0', up: true })
    await using _tap = await Tap.create({
      in: network,
      name: 'lan%d',
      mtu: 1400,
      macAddress: '02:00:00:00:00:42',
      txQueueLength: 77,
      master: 'br0',
      ipv6LinkLocal: 'none',
      addresses: ['10.0.0.1/24', 'fd00::1/64'],
      multiQueue: true,
      vnetHeaderSize: 12,
      owner: 54321,
    })
    const show = JSON.parse((await network.namespace.exec('ip', ['-j', '-d', 'addr', 'show', 'lan0'])).stdout)
    t.match(show, [
      {
        ifname: 'lan0',
        mtu: 1400,
        address: '02:00:00:00:00:42',
        txqlen: 77,
        master: 'br0',
        linkinfo: {
          info_kind: 'tun',
          info_data: {
            type: 'tap',
            pi: false,
            vnet_hdr: true,
            multi_queue: true,
            persist: false,
          },
        },
      },
    ])
    t.match(await network.links.get('lan0'), { ipv6LinkLocal: 'none' })
    t.equal(String(show[0].linkinfo.info_data.user), '54321')
    const addresses = show[0].addr_info as { local: string; prefixlen: number; tentative?: boolean }[]
    t.same(
      addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
      ['10.0.0.1/24', 'fd00::1/64'],
    )
    t.notOk(
      addresses.some(address => address.tentative),
      'usable at once',
    )
  })

  t.test('what cannot be set up leaves no device behind', async t => {
    const before = descriptors()
    await t.rejects(Tap.create({ in: network, name: 'x0', master: 'nobody' }), {
      code: 'ERR_LINK_NOT_FOUND',
      message: /nobody/,
    })
    await t.rejects(
      Tun.create({ in: network, name: 'x0', mtu: 65535, addresses: ['0.0.0.0/0', '::1/128', '::1/129'] }),
    )
    await t.rejects(Tap.create({ in: network, name: 'x0', napi: true, napiFragments: true, mtu: 65535 }))
    t.equal(await network.links.find('x0'), undefined)
    t.same(descriptors(), before)
  })

  t.test(
    'a device that cannot be set up does not stay for being persistent, and one that stays is marked',
    async t => {
      await t.rejects(Tap.create({ in: network, name: 'p0', persist: true, master: 'nobody' }), {
        code: 'ERR_LINK_NOT_FOUND',
      })
      await t.rejects(Tap.create({ in: network, name: 'p0', persist: true, mtu: 65535 }))
      t.equal(await network.links.find('p0'), undefined)
      await using tap = await Tap.create({ in: network, name: 'p0', persist: true })
      t.match(await network.links.get('p0'), { alias: 'netloom', tun: { persist: true } })
      await network.links.change('p0', { alias: 'mine' })
      await tap.close()
      await using again = await Tap.open({ in: network, name: 'p0', persist: true })
      t.match(await network.links.get('p0'), { alias: 'mine', tun: { persist: true } })
      await again.delete()
      await using plain = await Tap.create({ in: network, name: 'p0' })
      t.equal((await network.links.get(plain.name)).alias, undefined)
    },
  )

  t.test('a queue that joins others agrees with them, or changes nothing', async t => {
    const base = { in: network, name: 'q0', multiQueue: true } as const
    const refused = { code: 'ERR_LINK_MISMATCH' } as const
    const features = async () => {
      const { stdout } = await network.namespace.exec('ethtool', ['-k', 'q0'])
      return /^tcp-segmentation-offload: (\w+)/m.exec(stdout)?.[1]
    }
    {
      await using first = await Tap.create({ ...base, vnetHeaderSize: 12 })
      const owned = await network.links.get('q0')
      for (const options of [
        {},
        { vnetHeaderSize: 24 },
        { packetInformation: true, vnetHeaderSize: 12 },
      ] as const) {
        await t.rejects(Tap.open({ ...base, ...options, owner: 77 }), refused)
        await t.rejects(Tap.ensure({ ...base, ...options }), refused)
      }
      await t.rejects(Tap.open({ ...base, vnetHeaderSize: 12, vnetEndianness: 'little' }), refused)
      t.same((await network.links.get('q0')).tun, owned.tun)
      await using second = await Tap.open({ ...base, vnetHeaderSize: 12, owner: 77 })
      t.match((await network.links.get('q0')).tun, { owner: 77, queues: 2 })
      t.throws(() => second.setOffloads(['checksum']), { code: 'ERR_INVALID_STATE' })
      t.throws(() => second.setVnetEndianness('little'), { code: 'ERR_INVALID_STATE' })
      await first.close()
      second.setOffloads(['checksum'])
    }
    {
      await using whole = await Tap.create({
        ...base,
        offload: 'whole',
        offloads: ['checksum', 'tso4', 'tso6'],
      })
      if (requires(t, 'ethtool')) t.equal(await features(), 'on')
      await t.rejects(Tap.open({ ...base, vnetHeaderSize: 10 }), refused)
      await t.rejects(Tap.open({ ...base, offload: 'split', offloads: ['checksum'] }), refused)
      await using second = await Tap.open({ ...base, offload: 'whole' })
      t.same([...second.accepts].sort(), [...whole.accepts].sort())
      await using third = await Tap.open({
        ...base,
        offload: 'split',
        offloads: ['tso6', 'tso4', 'checksum'],
      })
      t.same([...third.accepts].sort(), [...whole.accepts].sort())
      if (requires(t, 'ethtool')) t.equal(await features(), 'on')
    }
    {
      // Opened at once: the first is what the second has to agree with.
      const both = (second: 10 | 24) =>
        Promise.allSettled(
          ([24, second] as const).map(vnetHeaderSize =>
            Tap.ensure({ ...base, offload: 'split', vnetHeaderSize }),
          ),
        )
      for (const second of [10, 24] as const) {
        const results = await both(second)
        t.equal(results[0]!.status, 'fulfilled')
        if (second === 24) t.equal(results[1]!.status, 'fulfilled')
        else t.match(results[1], { status: 'rejected', reason: refused })
        for (const result of results) if (result.status === 'fulfilled') await result.value.close()
      }
    }
    {
      // Its number may be another device's by the time that there would be a port.
      const taken = (await Tap.create({ ...base, offload: 'split' })).takeDescriptor()
      const adopting = Tap.fromDescriptor(taken, { packetInformation: false, offload: 'off' })
      taken.close()
      await using other = await Tap.create({ in: network, name: 'q1', offload: 'split' })
      await t.rejects(adopting, { code: 'ERR_INVALID_STATE' })
      if (requires(t, 'ethtool')) {
        const { stdout } = await network.namespace.exec('ethtool', ['-k', 'q1'])
        t.match(stdout, /^tcp-segmentation-offload: on/m)
      }
      t.ok(other.accepts.has('tso4'))
    }
    {
      const left = await Tap.create({ ...base, offload: 'whole', persist: true })
      await left.close()
      await using alone = await Tap.open(base)
      t.equal(alone.vnetHeaderBytes, 0)
      if (requires(t, 'ethtool')) t.equal(await features(), 'off', 'what is left of queues that are gone')
      await alone.delete()
    }
  })

  t.test('a descriptor that has a port gets no other, and nothing of it changes', async t => {
    await using tap = await Tap.create({ in: network, name: 'q0', offload: 'whole' })
    const offloads = [...tap.accepts]
    for (const start of [() => undefined, () => void tap.batches().next()]) {
      start()
      await t.rejects(Tap.fromDescriptor(tap.fd), {
        code: 'ERR_INVALID_STATE',
        message: `descriptor ${tap.fd} has a port or a stream in this thread already`,
      })
    }
    const features = await network.ethtool.features.get('q0')
    t.equal(features['tx-tcp-segmentation']?.active, true)
    t.same([...tap.accepts], offloads)
    t.equal(tap.name, 'q0')
    using taken = tap.takeDescriptor()
    const unknown = { offload: 'whole', offloads: ['checksum', 'tso4', 'udp-tunnel'] } as const
    await t.rejects(Tap.fromDescriptor(taken.fd, unknown), { code: 'ERR_INVALID_ARG_VALUE' })
    await using again = await Tap.fromDescriptor(taken)
    t.equal(taken.fd, -1)
    t.equal(again.name, 'q0')
  })

  t.test('the driver tells what it offers', async t => {
    const features = await tuntapFeatures({ in: network })
    t.match(features, {
      tun: true,
      tap: true,
      multiQueue: true,
      vnetHeader: true,
      vnetEndianness: ['little'],
    })
    t.ok(features.offloads.includes('tso4') && features.vnetHeaderSizes.includes(12))
    t.same((await network.links.list()).map(link => link.name).sort(), ['br0', 'lo'], 'and is gone again')
    for (const offload of ['whole', 'split', 'off'] as const) {
      await using tun = await Tun.create({ in: network, vnetHeaderSize: 24, offload })
      t.same([...tun.accepts], offload === 'off' ? [] : features.offloads)
      t.equal(tun.offload, offload)
    }
    await using tun = await Tun.create({ in: network, offload: 'whole', offloads: ['checksum', 'tso6'] })
    t.same([...tun.accepts], ['checksum', 'tso6'])
    t.equal(tun.vnetHeaderBytes, 10)
  })

  t.test('settings of an open device', async t => {
    await using tap = await Tap.create({ in: network, vnetHeaderSize: 10, vnetEndianness: 'little' })
    tap.setVnetHeaderSize(12)
    t.equal(tap.vnetHeaderBytes, 12)
    const { vnetEndianness } = await tuntapFeatures({ in: network })
    for (const order of ['big', 'little'] as const) {
      if (vnetEndianness.includes(order)) tap.setVnetEndianness(order)
      else t.throws(() => tap.setVnetEndianness(order), { code: 'EINVAL', message: /CROSS_LE/ })
    }
    tap.setVnetEndianness('native')
    tap.setOffloads(['checksum', 'tso4'])
    tap.setOffloads([])
    tap.setOwner(5)
    tap.setGroup(6)
    tap.setPersist(true)
    t.match(await network.links.get(tap.name), { tun: { owner: 5, group: 6, persist: true } })
    tap.setPersist(false)
    tap.setSendBuffer(65536)
    t.equal(tap.sendBuffer, 65536)
    t.throws(() => tap.setOffloads(['tso4']), { code: 'ERR_INVALID_ARG_VALUE' })
    t.throws(() => tap.setVnetHeaderSize(9 as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => tap.setOwner('root' as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => tap.setCarrier(1 as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => tap.setSendBuffer(0), { code: 'ERR_OUT_OF_RANGE' })
    await using plain = await Tap.create({ in: network })
    t.throws(() => plain.setOffloads(['checksum']), { code: 'ERR_INVALID_STATE' })
    t.throws(() => plain.setVnetHeaderSize(12), { code: 'ERR_INVALID_STATE' })
    await t.rejects(plain.openQueue(), { code: 'ERR_INVALID_STATE' })
    t.throws(() => plain.setSteeringProgram(0), { code: 'EINVAL' })
    t.throws(() => plain.setFilterProgram(0), { code: 'EINVAL' })
    plain.setSteeringProgram(undefined)
    plain.setFilterProgram(undefined)
  })

  t.test('a device without carrier', async t => {
    await using tap = await Tap.create({ in: network, carrier: false })
    t.match(await network.links.get(tap.name), { up: true, carrier: false })
    tap.setCarrier(true)
    t.match(await network.links.get(tap.name), { carrier: true })
  })

  t.test('filters of the driver: by address, and by classic BPF', async t => {
    await using a = await Tap.create({ in: network, master: 'br0', ipv6LinkLocal: 'none' })
    await using b = await Tap.create({ in: network, master: 'br0', ipv6LinkLocal: 'none' })
    const to = (address: number, sequence: number) => {
      const frame = markedFrame(sequence)
      frame.set([2, 0, 0, 0, 0, address])
      return frame
    }
    t.equal(b.setTxFilter({ addresses: ['02:00:00:00:00:01', '02:00:00:00:00:02'] }), 2)
    for (const [i, address] of [9, 1, 9, 2].entries()) await a.send(to(address, i))
    t.same((await readMarked(b, 2)).map(sequenceOf), [1, 3])
    b.setTxFilter({ addresses: [] })
    // Bytes of the frame to keep: none for an EtherType 0x88b5, all for others. linux/filter.h
    const program = new Uint8Array(
      Uint16Array.from([0x28, 0, 12, 0, 0x15, 0x0100, 0x88b5, 0, 0x06, 0, 0, 0, 0x06, 0, 0xffff, 0]).buffer,
    )
    // jt=0: refuse what is marked; jf=1.
    b.attachFilter(program)
    await a.send(markedBatch(10, 5))
    b.detachFilter()
    await a.send(markedBatch(20, 1))
    t.same((await readMarked(b, 1)).map(sequenceOf), [20])
    t.throws(() => b.attachFilter(new Uint8Array(7)), { code: 'ERR_INVALID_ARG_TYPE' })
    await using tun = await Tun.create({ in: network })
    t.throws(() => tun.attachFilter(program), { code: 'EINVAL' })
  })

  t.test('queues are ports of their own, enabled and disabled', async t => {
    await using first = await Tap.create({ in: network, multiQueue: true, txQueueLength: 100 })
    await using second = await first.openQueue()
    t.equal(second.name, first.name)
    t.match(await network.links.get(first.name), { tun: { queues: 2, disabledQueues: 0 } })
    second.setQueueEnabled(false)
    t.equal(second.queueEnabled, false)
    t.match(await network.links.get(first.name), { tun: { queues: 1, disabledQueues: 1 } })
    t.equal(second.tryReceive(), undefined)
    second.setQueueEnabled(true)
    t.match(second.trySend(markedFrame(1)), { sent: 1 })
    await first.close()
    t.match(second.trySend(markedFrame(1)), { sent: 1 }, 'the device lives while a queue does')
  })

  t.test('everything is gone', async t => {
    await network.close()
    await leaks(t)
  })
}
