import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Capture } from '../../src/capture/index.js'
import { decode, FrameBatch, frameFlags } from '../../src/frames/index.js'
import { Network } from '../../src/network/index.js'
import { captured, tagged } from '../support/captured.js'
import { watchLeaks } from '../support/leaks.js'
import { markedFrame, sequenceOf } from '../support/marked-frames.js'
import { readPcapFile } from '../support/pcap-file.js'
import { requires, requiresKernel, requiresRoot } from '../support/requires.js'

/** Without a word of IPv6, which a kernel may lack. */
async function cableBetween(red: Network, blue: Network): Promise<void> {
  await red.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v0', in: blue } })
  await blue.links.change('v0', { up: true })
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('captures, as on every kernel', async t => {
    for (const latency of ['batched', 'low'] as const) {
      await using red = await Network.create()
      await using blue = await Network.create()
      await cableBetween(red, blue)
      await using sender = await Capture.open({ in: red, interface: 'v0', linkType: 'ethernet' })
      const options = { in: blue, interface: 'v0', latency } as const
      await using capture = await Capture.open({ ...options, filter: 'ether proto 0x88b5 or vlan' })
      await using any = await Capture.openAny({ in: blue, latency, filter: 'ether proto 0x88b5' })
      const frames = [60, 100, 1514].map((length, i) => markedFrame(i, length))
      frames.push(tagged(markedFrame(3), 100), tagged(tagged(markedFrame(4), 5), 6, 0x88a8))
      await sender.send(FrameBatch.from('ethernet', frames))
      t.same(
        (await captured(capture, 5)).map(({ data }) => data),
        frames,
        latency,
      )
      t.same((await captured(any, 1))[0]!.data.subarray(20), frames[0]!.subarray(14))
      capture.setFilter('len = 60')
      await sender.send(FrameBatch.from('ethernet', frames.slice(0, 2)))
      t.same((await captured(capture, 1))[0]!.data, frames[0])
      t.equal(capture.stats().dropped, 0n)
      const members = { ...options, filter: 'ether proto 0x88b5' }
      await using one = await Capture.open({ ...members, fanout: { mode: 'round-robin' } })
      await using two = await Capture.open({
        ...members,
        fanout: { mode: 'round-robin', group: one.fanoutGroup! },
      })
      await sender.send(FrameBatch.from('ethernet', frames.slice(0, 2)))
      t.same(
        [one, two].map(each => each.stats().received),
        [1n, 1n],
      )
      t.equal((await captured(capture, 1))[0]!.data.length, 60)
      const folder = await mkdtemp(join(tmpdir(), 'netloom-kernel-'))
      const path = join(folder, 'a.pcap')
      const recording = capture.toFile(path, { format: 'pcap', stop: { packets: 3 } })
      for (let i = 0; i < 3; i++) await sender.send(markedFrame(i))
      t.match(await recording, { packets: 3, dropped: 0 })
      t.same(
        readPcapFile(await readFile(path)).packets.map(({ data }) => sequenceOf(data)),
        [0, 1, 2],
      )
      await rm(folder, { recursive: true })
      const events = capture.events()
      await events.next()
      await blue.links.change('v0', { up: false })
      for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) }) {
        if (event.type === 'down') break
      }
      await blue.links.delete('v0')
      for await (const event of events) if (event.type === 'removed') break
      t.same(await capture.closed, { type: 'removed' })
    }
  })

  t.test('VLAN devices', async t => {
    if (!requiresKernel(t, '8021q') || !requires(t, 'ping')) return
    await using red = await Network.create()
    await using blue = await Network.create()
    await cableBetween(red, blue)
    for (const [network, address] of [
      [red, '192.0.2.1/24'],
      [blue, '192.0.2.2/24'],
    ] as const) {
      await network.links.create({
        kind: 'vlan',
        name: 'vlan100',
        lower: 'v0',
        vlan: { id: 100 },
        up: true,
        addresses: [address],
      })
    }
    await using below = await Capture.open({ in: blue, interface: 'v0', filter: 'vlan 100 and icmp' })
    await using beside = await Capture.open({
      in: blue,
      interface: 'v0',
      vlan: 'metadata',
      filter: 'vlan 100 and icmp',
    })
    await using above = await Capture.open({ in: blue, interface: 'vlan100', filter: 'icmp' })
    await red.namespace.exec('ping', ['-c1', '-W5', '192.0.2.2'])
    const { inbound, outbound, directionMask } = frameFlags
    const [tags, facts, plain] = [
      await captured(below, 2),
      await captured(beside, 2),
      await captured(above, 2),
    ]
    t.same(
      tags.map(({ data, flags }) => [decode(data).vlans[0]?.id, flags! & directionMask]),
      [
        [100, inbound],
        [100, outbound],
      ],
    )
    t.equal(facts[0]!.vlan, 0x81000064)
    t.same(
      plain.map(({ data }) => decode(data).icmp?.type),
      [8, 0],
    )
    t.same(plain[0]!.data.subarray(12), tags[0]!.data.subarray(16))
  })

  t.test('nothing is left', leaks)
}
