import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import { native } from '../../../src/native.js'
import type { FramePort } from '../../../src/port/index.js'
import { Tap } from '../../../src/tuntap/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { isMarked, markedBatch, readMarked, sequenceOf } from '../../support/marked-frames.js'
import { createNetwork, requiresNetworks } from '../../support/network.js'

// Ports of a thread share their memory, and read before a waiting reader is woken.
if (requiresNetworks(t)) {
  const leaks = watchLeaks()
  const network = await createNetwork()
  await network.links.create({ kind: 'bridge', name: 'br0', up: true, ipv6LinkLocal: 'none' })
  const tap = () => Tap.create({ in: network, master: 'br0', ipv6LinkLocal: 'none' })

  t.test('several that wait together: each has all of its frames, also where batches are kept', async t => {
    const sender = await tap()
    const taps = [await tap(), await tap()]
    const capture = await Capture.open({ in: network, interface: 'br0' })
    const rounds = 200
    const expected = Array.from({ length: rounds }, (_, i) => i)

    const read = async (port: FramePort, limits: object) => {
      const seen: number[] = []
      const kept: { again(): boolean; release(): void }[] = []
      for await (const batch of port.batches(limits)) {
        for (let i = 0; i < batch.count; i++) {
          if (!isMarked(batch.frame(i))) continue
          const sequence = sequenceOf(batch.frame(i))
          seen.push(sequence)
          if (sequence % 3 !== 0) continue
          batch.keep()
          kept.push({
            again: () => sequenceOf(batch.frame(i)) === sequence,
            release: () => batch.release(),
          })
          // Some for long, so that slabs are changed in between.
          if (kept.length > 20) {
            const oldest = kept.shift()!
            t.ok(oldest.again(), 'nobody wrote over what is kept')
            oldest.release()
          }
        }
        if (seen.length === rounds) break
      }
      for (const { release } of kept) release()
      return seen
    }

    const all = [
      read(taps[0]!, {}),
      read(taps[1]!, { frames: 1 }),
      read(capture, { bytes: 1 }),
      (async () => {
        for (const i of expected) {
          await sender.send(markedBatch(i, 1, 60 + ((i * 97) % 1400)))
          // Most are waited for, some come together.
          if (i % 5 > 0) await new Promise(setImmediate)
        }
      })(),
    ]
    const [first, second, third] = await Promise.all(all)
    t.same(first, expected)
    t.same(second, expected)
    t.same(third, expected)
    await Promise.all([sender, ...taps, capture].map(port => port.close()))
  })

  t.test('a reader that gives up while it waits leaves the frames to the next one', async t => {
    const [a, b] = [await tap(), await tap()]
    const next = async () => sequenceOf((await readMarked(b, 1))[0]!)
    for (let i = 0; i < 30; i++) {
      const controller = new AbortController()
      const given = b.batches({ signal: controller.signal })
      const waiting = given.next()
      if (i % 2) {
        // Sent before it gives up, and not looked at yet.
        await a.send(markedBatch(i, 1, 80))
        controller.abort()
        const step = await waiting.catch(() => undefined)
        const marked = [...(step?.value ?? [])].filter(isMarked).map(sequenceOf)
        await given.return!()
        if (marked.length === 0) t.equal(await next(), i)
        else t.same(marked, [i], 'it was there already')
      } else {
        const ended = given.return!()
        await a.send(markedBatch(i, 1, 80))
        await Promise.all([ended, waiting])
        t.equal(b.owner, 'none')
        t.equal(await next(), i)
      }
    }
    await Promise.all([a.close(), b.close()])
  })

  t.test('numbers that name no port and no slab', async t => {
    const { ports, Slab } = native()
    const slab = new Slab()
    const none = 0xffff_ffff
    const bytes = new Uint8Array(60)
    const column = new Uint32Array(1)
    const bad = { code: 'ERR_INVALID_ARG_TYPE' }
    t.throws(() => ports.receive(none, slab.number, 0, 0, 1, 1, false), bad)
    t.throws(() => ports.receive(0, none, 0, 0, 1, 1, false), bad)
    t.throws(() => ports.sendSlab(0, none, 0, 1, 0, false, false), bad)
    t.throws(() => ports.sendSlab(none, slab.number, 0, 1, 0, false, false), bad)
    t.throws(() => ports.sendBytes(none, bytes, column, column, 1, 0, undefined, false), bad)
    t.throws(() => ports.sendFrame(none, bytes, false), bad)
    t.throws(() => ports.watch(none, 1), bad)
    t.throws(() => ports.renew(none), bad)
    t.throws(() => ports.ref(none, true), bad)
  })

  t.test('closed', async t => {
    await network.close()
    await leaks(t)
  })
}
