import { setImmediate as turn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { FrameBatch } from '../../../src/port/index.js'
import { Tun, type TunOptions } from '../../../src/tuntap/index.js'
import { UdpSocket } from '../../../src/udp/index.js'
import { messageOf, startWorker } from '../../support/child.js'
import { watchLeaks } from '../../support/leaks.js'
import { requiresRoot } from '../../support/requires.js'

const flowCount = 24
const options = {
  multiQueue: true,
  addresses: ['192.0.2.1/24'],
  ipv6LinkLocal: 'none',
  txQueueLength: 2000,
} satisfies TunOptions

/** UDP flows into the device, each from a port of its own, until they are ended. */
async function startFlows(network: Network) {
  const remote = { address: '192.0.2.2', port: 9 }
  const sockets = await Promise.all(
    Array.from({ length: flowCount }, () => UdpSocket.open({ in: network, remote })),
  )
  const datagrams = FrameBatch.from(
    'user0',
    Array.from({ length: 4 }, () => new Uint8Array(100)),
  )
  let going = true
  const done = (async () => {
    while (going) {
      for (const socket of sockets) socket.trySend(datagrams)
      await turn()
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      going = false
      await done
      for (const socket of sockets) await socket.close()
    },
  }
}

/** Frames by the source port of their flow, from now on. */
function count(queue: Tun): Map<number, number> {
  const flows = new Map<number, number>()
  void (async () => {
    for await (const batch of queue.batches()) {
      for (const packet of batch) note(flows, packet)
    }
  })()
  return flows
}

/** Counts a packet of IPv4 by its source port. */
function note(flows: Map<number, number>, packet: Uint8Array): void {
  const port = (packet[20]! << 8) | packet[21]!
  flows.set(port, (flows.get(port) ?? 0) + 1)
}

/** Waits for it; the runner ends what never comes. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

/** All flows have gone on. */
const allCame = (flows: Map<number, number>[]) => () =>
  new Set(flows.flatMap(each => [...each.keys()])).size === flowCount &&
  flows.every(each => [...each.values()].every(frames => frames > 20))

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('a flow stays on its queue while the same queues are enabled', async t => {
    await using network = await Network.create()
    await using first = await Tun.create({ ...options, in: network })
    await using second = await first.openQueue()
    await using third = await second.openQueue()
    const flows = [first, second, third].map(count)
    await using _ = await startFlows(network)
    await until(allCame(flows))
    const ports = flows.flatMap(each => [...each.keys()])
    t.equal(ports.length, flowCount, 'none was seen on two queues')
    t.ok(flows.filter(each => each.size > 0).length > 1, 'they are spread')
  })

  t.test('a flow goes to the queue by which it is answered', async t => {
    await using network = await Network.create()
    await using first = await Tun.create({ ...options, in: network })
    await using second = await first.openQueue()
    const seen = [new Map<number, number>(), new Map<number, number>()] as const
    const readers = [first.batches(), second.batches()]
    const reading = readers.map(async (batches, i) => {
      for await (const batch of batches) {
        const answers = [...batch].map(packet => {
          const answer = packet.slice()
          note(seen[i]!, packet)
          answer.set(packet.subarray(12, 16), 16)
          answer.set(packet.subarray(16, 20), 12)
          answer.set(packet.subarray(20, 22), 22)
          answer.set(packet.subarray(22, 24), 20)
          return answer
        })
        await second.send(FrameBatch.from('ip', answers))
      }
    })
    const flows = await startFlows(network)
    await until(() => seen[0].size > 0 && allCame([seen[1]])())
    // What lay in the first queue has been read, too, by the time that so many more came by the second.
    for (let i = 0; i < 2; i++) {
      for (const each of seen) each.clear()
      await until(allCame([seen[1]]))
    }
    t.equal(seen[0].size, 0)
    await flows[Symbol.asyncDispose]()
    for (const reader of readers) await reader.return?.()
    await Promise.all(reading)
  })

  t.test('under load a queue is disabled and enabled again', async t => {
    await using network = await Network.create()
    await using first = await Tun.create({ ...options, in: network })
    await using second = await first.openQueue()
    const [mine, other] = [count(first), count(second)]
    await using _ = await startFlows(network)
    for (let i = 0; i < 5; i++) {
      await until(() => mine.size > 0 && other.size > 0 && mine.size + other.size >= flowCount)
      first.setQueueEnabled(false)
      t.equal(first.queueEnabled, false)
      t.match(await network.links.get(first.name), { tun: { queues: 1, disabledQueues: 1 } })
      // What was read before is still being told.
      await turn()
      for (const flows of [mine, other]) flows.clear()
      await until(() => other.size === flowCount)
      t.equal(mine.size, 0, 'nothing comes to a disabled queue')
      first.setQueueEnabled(true)
      t.equal(first.queueEnabled, true)
      for (const flows of [mine, other]) flows.clear()
    }
    await until(() => mine.size > 0)
  })

  t.test('the last enabled queue is disabled: frames are dropped until one is enabled', async t => {
    await using network = await Network.create()
    await using only = await Tun.create({ ...options, in: network })
    const flows = count(only)
    await using _ = await startFlows(network)
    await until(() => flows.size === flowCount)
    only.setQueueEnabled(false)
    const { receivedDropped } = only.counters()
    await until(() => only.counters().receivedDropped > receivedDropped)
    flows.clear()
    only.setQueueEnabled(true)
    await until(() => flows.size === flowCount)
    t.equal(only.queueEnabled, true)
  })

  t.test('whether a queue is enabled goes with it, to another port and another owner', async t => {
    await using network = await Network.create()
    await using first = await Tun.create({ ...options, in: network })
    const second = await first.openQueue()
    second.setQueueEnabled(false)
    const third = await Tun.adopt(second.detach())
    t.equal(second.queueEnabled, false, 'it has ended')
    t.equal(third.queueEnabled, false)
    using taken = third.takeDescriptor()
    await using fourth = await Tun.fromDescriptor(taken)
    t.equal(fourth.queueEnabled, false)
    fourth.setQueueEnabled(false)
    fourth.setQueueEnabled(true)
    t.match(await network.links.get(first.name), { tun: { queues: 2, disabledQueues: 0 } })
    const fifth = await fourth.openQueue()
    t.match(await network.links.get(first.name), { tun: { queues: 3, disabledQueues: 0 } })
    await fifth.close()
    await using plain = await Tun.create({ in: network })
    t.equal(plain.queueEnabled, true)
    t.throws(() => plain.setQueueEnabled(false), { code: 'EINVAL', message: /without multiQueue/ })
  })

  t.test('a worker for each queue; when one is terminated the others have its flows', async t => {
    await using network = await Network.create()
    await using first = await Tun.create({ ...options, in: network })
    const name = first.name
    const all = [await first.openQueue(), await first.openQueue()]
    await first.close()
    const workers = all.map(queue =>
      startWorker(
        `
        const queue = await Tun.adopt(workerData)
        let ports = new Set()
        parentPort.on('message', () => {
          parentPort.postMessage(ports.size)
          ports = new Set()
        })
        for await (const batch of queue.batches())
          for (const packet of batch) ports.add((packet[20] << 8) | packet[21])
        `,
        queue.detach(),
      ),
    )
    await using _ = await startFlows(network)
    /** Flows that it had since it was last asked. */
    const flowsOf = (worker: Worker) => {
      worker.postMessage('how many?')
      return messageOf(worker)
    }
    for (const worker of workers) while ((await flowsOf(worker)) === 0) await turn()
    t.match(await network.links.get(name), { tun: { queues: 2, disabledQueues: 0 } })
    await workers[0]!.terminate()
    t.match(await network.links.get(name), { tun: { queues: 1, disabledQueues: 0 } })
    while ((await flowsOf(workers[1]!)) !== flowCount) await turn()
    await workers[1]!.terminate()
    t.notOk(
      (await network.links.list()).some(link => link.name === name),
      'gone with its last queue',
    )
  })

  t.test('nothing is left', leaks)
}
