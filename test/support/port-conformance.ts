import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Test } from 'tap'
import { FrameBatch, type FramePort, frames, packets } from '../../src/port/index.js'
import { isMarked, markedBatch, markedFrame, readMarked, sequenceOf } from './marked-frames.js'

type Port = FramePort<'ethernet'>

/**
 * What every Ethernet {@link FramePort} does, checked on two that are connected: what is sent on one arrives
 * at the other, sooner or later, perhaps among frames that nobody here sent.
 */
export function portConformance(t: Test, name: string, makePair: () => Promise<[Port, Port]>): void {
  const check = (what: string, run: (t: Test, a: Port, b: Port) => Promise<void>) =>
    t.test(`${name}: ${what}`, async t => {
      const [a, b] = await makePair()
      t.teardown(() => Promise.all([a.close(), b.close()]))
      await run(t, a, b)
    })

  check('carries frames in order and unchanged, both ways', async (t, a, b) => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const reading = readMarked(to, 20)
      t.match(await from.send(markedBatch(1, 20, 200)), { sent: 20, dropped: 0, next: 20 })
      const got = await reading
      t.same(
        got,
        Array.from({ length: 20 }, (_, i) => markedFrame(i + 1, 200)),
      )
    }
  })

  check('sends a single frame, and the rest of a batch', async (t, a, b) => {
    const reading = readMarked(b, 3)
    t.same(await a.send(markedFrame(1)), { sent: 1, dropped: 0, next: 1 })
    t.same(a.trySend(markedFrame(2)), { sent: 1, dropped: 0, next: 1 })
    t.same(a.trySend(markedBatch(1, 3), 2), { sent: 1, dropped: 0, next: 3 })
    t.same((await reading).map(sequenceOf), [1, 2, 3])
  })

  check('keeps to the bounds of a batch', async (t, a, b) => {
    await a.send(markedBatch(1, 10, 100))
    let seen = 0
    for await (const batch of b.batches({ frames: 3 })) {
      t.ok(batch.count >= 1 && batch.count <= 3, 'at most three frames')
      for (const frame of batch) if (isMarked(frame)) seen++
      if (seen === 10) break
    }
    await a.send(markedBatch(1, 4, 100))
    seen = 0
    for await (const batch of b.batches({ bytes: 1 })) {
      t.equal(batch.count, 1, 'one frame reaches the bound')
      if (isMarked(batch.frame(0))) seen++
      if (seen === 4) break
    }
  })

  check('describes a batch by its columns', async (t, a, b) => {
    await a.send(markedBatch(7, 2, 80))
    const batch = await firstMarked(b)
    const at = [...batch].findIndex(isMarked)
    t.equal(batch.linkType, 'ethernet')
    t.equal(batch.lengths[at], 80)
    t.same(batch.slab.slice(batch.offsets[at]!, batch.offsets[at]! + 80), markedFrame(7, 80))
    t.same(batch.copy(at), markedFrame(7, 80))
    t.equal(batch.offsets.length, batch.count)
    for (const i of [-1, batch.count, 0.5]) {
      t.throws(() => batch.frame(i), { code: 'ERR_OUT_OF_RANGE' })
      t.throws(() => batch.copy(i), { code: 'ERR_OUT_OF_RANGE' })
    }
    batch.release()
  })

  check('hands out a batch that is there, without waiting', async (t, a, b) => {
    await a.send(markedFrame(9))
    const batch = await firstMarked(b)
    batch.release()
    batch.release()
    t.throws(() => batch.frame(0), { code: 'ERR_BATCH_RELEASED' })
    t.throws(() => batch.copy(0), { code: 'ERR_BATCH_RELEASED' })
    t.equal(b.owner, 'none')
  })

  check('takes a batch back at the next step, unless it was kept', async (t, a, b) => {
    const batches = b.batches({ frames: 1 })
    const kept: FrameBatch[] = []
    const lost: FrameBatch[] = []
    await a.send(markedBatch(1, 6, 90))
    while (kept.length + lost.length < 6) {
      const { value } = await batches.next()
      if (!isMarked(value.frame(0))) continue
      if (sequenceOf(value.frame(0)) % 2) kept.push(value.keep())
      else lost.push(value)
    }
    await batches.return?.()
    t.same(
      kept.map(batch => batch.copy(0)),
      [1, 3, 5].map(i => markedFrame(i, 90)),
    )
    for (const batch of lost) t.throws(() => batch.frame(0), { code: 'ERR_BATCH_RELEASED' })
    for (const batch of kept) batch.release()
    for (const batch of kept) t.throws(() => batch.copy(0), { code: 'ERR_BATCH_RELEASED' })
  })

  check('has one reader at a time', async (t, a, b) => {
    t.equal(b.owner, 'none')
    const batches = b.batches()
    t.equal(b.owner, 'reader')
    t.throws(() => b.batches(), { code: 'ERR_PORT_LOCKED' })
    t.throws(() => b.tryReceive(), { code: 'ERR_PORT_LOCKED' })
    const waiting = batches.next()
    await batches.return?.()
    // What was on its way may be a frame or the end, but it settles.
    await waiting
    t.match(await batches.next(), { done: true })
    t.equal(b.owner, 'none')
    await a.send(markedFrame(1))
    t.equal((await readMarked(b, 1)).length, 1, 'and the next one reads on')
    t.equal(b.owner, 'none', 'leaving the loop ends the ownership')
  })

  check('answers steps in the order they were asked for', async (t, a, b) => {
    const batches = b.batches({ frames: 1 })
    const steps: ReturnType<typeof batches.next>[] = []
    for (let i = 0; i < 3; i++) steps.push(batches.next())
    const settled: number[] = []
    for (const [i, step] of steps.entries()) step.then(() => settled.push(i))
    await a.send(markedBatch(1, 3))
    await Promise.all(steps)
    t.same(settled, [0, 1, 2])
    await batches.return?.()
  })

  check('stops reading on abort', async (t, a, b) => {
    const controller = new AbortController()
    const reading = (async () => {
      for await (const batch of b.batches({ signal: controller.signal })) batch.release()
    })()
    controller.abort(new Error('enough'))
    await t.rejects(reading, { name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'enough' } })
    t.equal(b.owner, 'none')
    const aborted = async () => {
      for await (const _ of b.batches({ signal: controller.signal })) t.fail('read after the abort')
    }
    await t.rejects(aborted(), { name: 'AbortError' }, 'also one that was aborted before')
    t.equal(b.owner, 'none')
    await a.send(markedFrame(1))
    t.equal((await readMarked(b, 1)).length, 1)
  })

  check('sends nothing once aborted', async (t, a, b) => {
    const signal = AbortSignal.abort()
    await t.rejects(a.send(markedFrame(1), { signal }), { name: 'AbortError', code: 'ABORT_ERR' })
    await a.send(markedFrame(2))
    t.same((await readMarked(b, 1)).map(sequenceOf), [2])
  })

  check('closes once, ending what waits', async (t, a, b) => {
    const waiting = (async () => {
      for await (const batch of b.batches()) batch.release()
    })()
    const events = collect(b.events())
    await Promise.all([b.close(), b.close()])
    await b.close()
    await waiting
    t.match((await events)[0], { type: 'state' })
    t.same(await b.closed, { type: 'closed' })
    t.throws(() => b.trySend(markedFrame(1)), { code: 'ERR_PORT_CLOSED' })
    await t.rejects(b.send(markedFrame(1)), { code: 'ERR_PORT_CLOSED' })
    t.throws(() => b.tryReceive(), { code: 'ERR_PORT_CLOSED' })
    t.type(b.counters().receivedFrames, 'bigint')
    await a[Symbol.asyncDispose]()
    t.match(await a.closed, { type: /closed|removed/ })
  })

  check('tells its state first', async (t, a) => {
    const controller = new AbortController()
    const events = a.events({ signal: controller.signal })
    const { value } = await events.next()
    t.match(value, {
      type: 'state',
      state: { name: String, index: Number, mtu: Number, up: true, carrier: Boolean },
    })
    controller.abort()
    await t.rejects(
      (async () => {
        for await (const _ of events);
      })(),
      { name: 'AbortError' },
    )
  })

  check('counts what passes', async (t, a, b) => {
    const before = { sent: a.counters(), received: b.counters() }
    await a.send(markedBatch(1, 5, 100))
    await readMarked(b, 5)
    const sent = a.counters()
    const received = b.counters()
    t.equal(sent.sentFrames - before.sent.sentFrames, 5n)
    t.equal(sent.sentBytes - before.sent.sentBytes, 500n)
    t.ok(received.receivedFrames - before.received.receivedFrames >= 5n)
    t.ok(received.receivedBytes - before.received.receivedBytes >= 500n)
    t.equal(received.receivedDropped, before.received.receivedDropped)
  })

  check('drops a frame that is too long, and goes on', async (t, a, b) => {
    const reading = readMarked(b, 2)
    const batch = [markedFrame(1), new Uint8Array(a.maxFrameLength + 1), markedFrame(3)]
    const result = await a.send(FrameBatch.from('ethernet', batch))
    t.match(result, {
      sent: 2,
      dropped: 1,
      next: 3,
      failure: { index: 1, error: { code: 'ERR_FRAME_TOO_LONG' } },
    })
    t.same((await reading).map(sequenceOf), [1, 3])
    t.equal(a.counters().sentDropped, 1n)
  })

  check('refuses what is no batch of its own link type', async (t, a) => {
    const good = markedBatch(1, 2)
    const like = (changes: object) =>
      ({
        linkType: 'ethernet',
        count: 2,
        slab: good.slab,
        offsets: good.offsets,
        lengths: good.lengths,
        ...changes,
      }) as FrameBatch<'ethernet'>
    const shared = new Uint8Array(new SharedArrayBuffer(200))
    const cases: [object, string][] = [
      [like({ linkType: 'ip' }), 'ERR_INVALID_ARG_VALUE'],
      [like({ slab: 'frames' }), 'ERR_INVALID_ARG_TYPE'],
      [like({ slab: shared }), 'ERR_INVALID_ARG_VALUE'],
      [like({ offsets: [0, 60] }), 'ERR_INVALID_ARG_TYPE'],
      [like({ lengths: undefined }), 'ERR_INVALID_ARG_TYPE'],
      [like({ lengths: Uint32Array.of(60) }), 'ERR_OUT_OF_RANGE'],
      [like({ lengths: Uint32Array.of(60, 61) }), 'ERR_OUT_OF_RANGE'],
      [like({ offsets: Uint32Array.of(0, 0xffffffff) }), 'ERR_OUT_OF_RANGE'],
      [like({ count: 1.5 }), 'ERR_OUT_OF_RANGE'],
      [like({ count: '2' }), 'ERR_INVALID_ARG_TYPE'],
      [shared, 'ERR_INVALID_ARG_VALUE'],
      [{}, 'ERR_INVALID_ARG_TYPE'],
    ]
    for (const [value, code] of cases) {
      const batch = value as FrameBatch<'ethernet'>
      t.throws(() => a.trySend(batch), { code })
      await t.rejects(a.send(batch), { code })
    }
    t.throws(() => a.trySend(null as never), { code: 'ERR_INVALID_ARG_TYPE' })
    for (const from of [-1, 3, 0.5]) t.throws(() => a.trySend(good, from), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => a.tryReceive({ frames: 0 }), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => a.batches({ frames: 1025 }), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => a.batches({ bytes: '9' as never }), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => a.batches({ lifetime: 'mine' as never }), { code: 'ERR_INVALID_ARG_VALUE' })
    t.equal(a.owner, 'none')
  })

  check('gives frames and packets that last', async (t, a, b) => {
    await a.send(markedBatch(1, 3, 70))
    const got: Uint8Array[] = []
    for await (const frame of frames(b)) {
      if (isMarked(frame)) got.push(frame)
      if (got.length === 3) break
    }
    t.same(
      got,
      [1, 2, 3].map(i => markedFrame(i, 70)),
    )
    await a.send(markedFrame(4))
    for await (const packet of packets(b)) {
      if (!isMarked(packet.data)) continue
      t.same(packet.data, markedFrame(4))
      t.equal(packet.linkType, 'ethernet')
      break
    }
    t.equal(b.owner, 'none')
  })

  check('lets timers run while frames keep coming', async (t, a, b) => {
    let fired = false
    setTimeout(() => {
      fired = true
    }, 1)
    const sending = (async () => {
      while (!fired) await a.send(markedBatch(1, 8))
      await a.close()
    })()
    for await (const _ of b.batches()) if (fired) break
    await b.close()
    await sending.catch(() => {})
    t.ok(fired, 'neither loop kept the timer from firing')
  })

  check('can be told to hold the process or not', async (t, a) => {
    t.equal(a.unref(), a)
    t.equal(a.ref(), a)
  })
}

/** Polls `tryReceive` until a batch with a marked frame comes. */
async function firstMarked(port: Port): Promise<FrameBatch<'ethernet'>> {
  for (;;) {
    const batch = port.tryReceive()
    if (batch && [...batch].some(isMarked)) return batch
    batch?.release()
    await nextTurn()
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
