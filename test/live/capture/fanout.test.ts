import t from 'tap'
import { Capture, type FanoutOptions } from '../../../src/capture/index.js'
import { parseFilterProgram } from '../../../src/filter/index.js'
import { encode, FrameBatch } from '../../../src/frames/index.js'
import { captured } from '../../support/captured.js'
import { messageOf, startWorker } from '../../support/child.js'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks } from '../../support/networks.js'
import { requiresRoot } from '../../support/requires.js'

/** A datagram of one of many flows. */
function datagram(flow: number): Uint8Array {
  return encode({
    ethernet: { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' },
    ipv4: { source: '192.0.2.1', destination: '192.0.2.2' },
    udp: { sourcePort: 1000 + flow, destinationPort: 9 },
    payload: Uint8Array.of(flow),
  })
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('every frame goes to one member', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    const modes: FanoutOptions[] = [
      { mode: 'hash' },
      { mode: 'hash', defragment: true, rollover: true },
      { mode: 'round-robin' },
      { mode: 'cpu' },
      { mode: 'rollover' },
      { mode: 'random' },
      { mode: 'queue' },
      // By the last byte of the source port.
      { mode: 'program', program: parseFilterProgram('2\n48 0 0 35\n22 0 0 0') },
    ]
    for (const fanout of modes) {
      const open = (group?: number) =>
        Capture.open({
          in: cable.blue,
          interface: 'v0',
          filter: 'udp',
          direction: 'in',
          fanout: { ...fanout, ...(group !== undefined && { group }) },
        })
      await using one = await open()
      t.type(one.fanoutGroup, 'number')
      await using two = await open(one.fanoutGroup)
      t.equal(two.fanoutGroup, one.fanoutGroup)
      const frames = Array.from({ length: 64 }, (_, i) => datagram(i))
      await sender.send(FrameBatch.from('ethernet', frames))
      const counts = [one, two].map(capture => Number(capture.stats().received))
      const all = [...(await captured(one, counts[0]!)), ...(await captured(two, counts[1]!))]
      const bytes = (list: Uint8Array[]) => list.map(data => Buffer.from(data).toString('hex')).sort()
      t.same(bytes(all.map(({ data }) => data)), bytes(frames), `${fanout.mode}: ${counts}`)
      if (fanout.mode === 'round-robin') t.same(counts, [32, 32])
    }
    await using first = await Capture.open({
      in: cable.blue,
      interface: 'v0',
      fanout: { mode: 'hash', group: 77 },
    })
    t.equal(first.fanoutGroup, 77)
    await t.rejects(Capture.open({ in: cable.blue, interface: 'v0', fanout: { mode: 'cpu', group: 77 } }), {
      code: 'EINVAL',
      request: 'PACKET_FANOUT',
      message: /another mode/,
    })
  })

  t.test('two workers share an interface', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    // A descriptor is the same in all threads.
    const { fd, id } = cable.blue.namespace
    const source = `
      const capture = await Capture.open({
        in: workerData, interface: 'v0', filter: 'udp', fanout: { mode: 'round-robin', group: 5 },
      })
      parentPort.postMessage('ready')
      const flows = []
      for await (const batch of capture.batches()) {
        for (const frame of batch) flows.push(frame[42])
        if (flows.length >= 32) break
      }
      await capture.close()
      parentPort.postMessage(flows)
    `
    const workers = [startWorker(source, { fd, id }), startWorker(source, { fd, id })]
    try {
      await Promise.all(workers.map(messageOf))
      const answers = workers.map(messageOf)
      await sender.send(
        FrameBatch.from(
          'ethernet',
          Array.from({ length: 64 }, (_, i) => datagram(i)),
        ),
      )
      const flows = (await Promise.all(answers)) as number[][]
      t.same(
        flows.map(each => each.length),
        [32, 32],
      )
      t.same(
        flows.flat().sort((a, b) => a - b),
        Array.from({ length: 64 }, (_, i) => i),
      )
    } finally {
      await Promise.all(workers.map(worker => worker.terminate()))
    }
  })

  t.test('nothing is left', leaks)
}
