import t from 'tap'
import { FrameBatch, portPair } from '../../../src/port/index.js'
import { markedBatch, markedFrame, readMarked, sequenceOf } from '../../support/marked-frames.js'
import { portConformance } from '../../support/port-conformance.js'

portConformance(t, 'portPair', async () => portPair('ethernet'))

t.test('a full queue makes send() wait and trySend() stop', async t => {
  const [a, b] = portPair('ethernet', { queueFrames: 4 })
  t.same(a.trySend(markedBatch(1, 6)), { sent: 4, dropped: 0, next: 4 })
  t.same(a.trySend(markedBatch(1, 6), 4), { sent: 0, dropped: 0, next: 4 })
  const first = a.send(markedBatch(5, 6))
  const second = a.send(markedFrame(11))
  t.same(a.trySend(markedFrame(99)), { sent: 0, dropped: 0, next: 0 }, 'nobody overtakes those who wait')
  t.same(
    (await readMarked(b, 11)).map(sequenceOf),
    Array.from({ length: 11 }, (_, i) => i + 1),
  )
  t.same(await first, { sent: 6, dropped: 0, next: 6 })
  t.same(await second, { sent: 1, dropped: 0, next: 1 })
})

t.test('a reader that waits gets what was sent one by one as one batch', async t => {
  const [a, b] = portPair('ethernet')
  const batches = b.batches()
  const step = batches.next()
  for (let i = 0; i < 5; i++) a.trySend(markedFrame(i))
  t.equal((await step).value.count, 5)
})

t.test('a reader that waits gets the last frames before the end', async t => {
  const [a, b] = portPair('ethernet')
  const batches = b.batches()
  const step = batches.next()
  a.trySend(markedFrame(1))
  a.close()
  t.equal(sequenceOf((await step).value.copy(0)), 1)
  t.match(await batches.next(), { done: true })
})

t.test('a batch longer than the queue passes to a reader that waits', async t => {
  const [a, b] = portPair('ethernet', { queueFrames: 2 })
  const reading = readMarked(b, 9)
  t.same(await a.send(markedBatch(1, 9)), { sent: 9, dropped: 0, next: 9 })
  t.equal((await reading).length, 9)
})

t.test('a send that waits can be aborted, and those behind it keep their order', async t => {
  const [a, b] = portPair('ethernet', { queueFrames: 1 })
  a.trySend(markedFrame(1))
  const controller = new AbortController()
  const first = a.send(markedFrame(2))
  const second = a.send(markedFrame(3), controller)
  const third = a.send(markedFrame(4))
  controller.abort()
  await t.rejects(second, { name: 'AbortError' })
  t.same((await readMarked(b, 3)).map(sequenceOf), [1, 2, 4])
  await Promise.all([first, third])
})

t.test('a send that waits ends with the port', async t => {
  for (const end of [0, 1] as const) {
    const pair = portPair('ethernet', { queueFrames: 1 })
    pair[0].trySend(markedFrame(1))
    const waiting = pair[0].send(markedBatch(2, 2))
    const behind = pair[0].send(markedFrame(4))
    await pair[end].close()
    await t.rejects(waiting, { code: 'ERR_PORT_CLOSED' })
    await t.rejects(behind, { code: 'ERR_PORT_CLOSED' })
  }
})

t.test('a received batch that waits to be sent on outlives its release', async t => {
  const [a, b] = portPair('ethernet')
  const [c, d] = portPair('ethernet', { queueFrames: 1 })
  a.trySend(markedBatch(1, 2))
  const batch = b.tryReceive()!
  const sending = c.send(batch)
  batch.release()
  t.throws(() => c.trySend(batch), { code: 'ERR_BATCH_RELEASED' })
  t.same((await readMarked(d, 2)).map(sequenceOf), [1, 2])
  t.same(await sending, { sent: 2, dropped: 0, next: 2 })
})

t.test('a full queue drops and counts where asked to', async t => {
  const [a, b] = portPair('ethernet', { queueFrames: 4, whenFull: 'drop' })
  t.same(await a.send(markedBatch(1, 6)), { sent: 4, dropped: 2, next: 6 })
  t.equal(a.counters().sentDropped, 2n)
  t.equal(b.counters().receivedDropped, 2n)
  t.same((await readMarked(b, 4)).map(sequenceOf), [1, 2, 3, 4])
})

t.test('the other end is removed once its queued frames were read', async t => {
  const [a, b] = portPair('ethernet')
  const events = b.events()
  a.trySend(markedBatch(1, 3))
  await a.close()
  t.throws(() => b.trySend(markedFrame(1)), { code: 'ERR_PORT_CLOSED' })
  const seen: number[] = []
  for await (const batch of b.batches({ frames: 2 })) seen.push(...[...batch].map(sequenceOf))
  t.same(seen, [1, 2, 3])
  t.same(await b.closed, { type: 'removed' })
  t.same(await a.closed, { type: 'closed' })
  const types: string[] = []
  for await (const event of events) types.push(event.type)
  t.same(types, ['state', 'carrier', 'removed'])
  for await (const _ of b.batches()) t.fail('a port that ended has no more batches')
  t.match((await b.events().next()).value, { type: 'state', state: { up: false, carrier: false } })
})

t.test('a waiting reader ends with the other end', async t => {
  const [a, b] = portPair('ethernet')
  const reading = b.batches().next()
  await a.close()
  t.match(await reading, { done: true })
  t.same(await b.closed, { type: 'removed' })
  await b.close()
  t.same(await b.closed, { type: 'removed' }, 'the first reason stays')
})

t.test('frames longer than a slab, empty ones, and many', async t => {
  const [a, b] = portPair('ip', { maxFrameLength: 200000, queueFrames: 2000 })
  const frames = [new Uint8Array(200000).fill(7), new Uint8Array(0), new Uint8Array(9).fill(1)]
  a.trySend(FrameBatch.from('ip', frames))
  const got: Uint8Array[] = []
  for (let batch = b.tryReceive(); batch; batch = b.tryReceive()) got.push(...batch)
  t.strictSame(got, frames)
  for (let i = 0; i < 1000; i++) a.trySend(Uint8Array.of(i & 255, i >> 8))
  let next = 0
  for (let batch = b.tryReceive({ frames: 1000 }); batch; batch = b.tryReceive({ frames: 7 })) {
    for (const [low, high] of batch) if (low! + high! * 256 === next) next++
  }
  t.equal(next, 1000)
})

t.test('what was sent does not change with the sender’s memory', async t => {
  const [a, b] = portPair('ethernet')
  const frame = markedFrame(1)
  a.trySend(frame)
  frame.fill(0)
  t.strictSame(b.tryReceive()!.copy(0), markedFrame(1))
})

t.test('memory that can change or vanish is refused', async t => {
  const [a] = portPair('ip')
  const resizable = Reflect.construct(ArrayBuffer, [100, { maxByteLength: 200 }]) as ArrayBuffer
  t.throws(() => a.trySend(new Uint8Array(resizable)), { code: 'ERR_INVALID_ARG_VALUE' })
  const moved = new Uint8Array(100)
  structuredClone(moved, { transfer: [moved.buffer] })
  t.throws(() => a.trySend(moved), { code: 'ERR_INVALID_ARG_VALUE', message: /detached/ })
})

t.test('a port that waits does not hold the process', async t => {
  const [a, b] = portPair('ethernet', { queueFrames: 1 })
  const reading = a.batches().next()
  b.batches()
  a.trySend(markedFrame(1))
  const sending = a.send(markedFrame(2))
  for (let i = 0; i < 3; i++) await new Promise(setImmediate)
  const held = process.getActiveResourcesInfo().filter(what => what === 'Immediate' || what === 'Timeout')
  t.same(held, [])
  await a.close()
  await t.rejects(sending, { code: 'ERR_PORT_CLOSED' })
  await reading
})

t.test('bad options', async t => {
  t.throws(() => portPair('wifi' as 'ip'), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => portPair('ip', { queueFrames: 0 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => portPair('ip', { maxFrameLength: 2 ** 21 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => portPair('ip', { whenFull: 'panic' as 'drop' }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => portPair('ip', { mtu: 1500 } as object), { code: 'ERR_INVALID_ARG_VALUE' })
})
