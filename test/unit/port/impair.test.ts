import t from 'tap'
import { impair, portPair } from '../../../src/port/index.js'
import { markedBatch, markedFrame, readMarked, sequenceOf } from '../../support/marked-frames.js'
import { portConformance } from '../../support/port-conformance.js'

portConformance(t, 'impair', async () => {
  const [a, b] = portPair('ethernet')
  return [impair(a), impair(b, { delayMs: 1 })]
})

/** Numbers in the given order, over and over. */
function sequence(...numbers: number[]): () => number {
  let i = 0
  return () => numbers[i++ % numbers.length]!
}

t.test('loses frames, counts them, and does not tell the sender', async t => {
  const [a, b] = portPair('ethernet')
  const port = impair(a, { loss: 0.5, random: sequence(0.4, 0.6) })
  t.same(await port.send(markedBatch(1, 6)), { sent: 6, dropped: 0, next: 6 })
  t.same((await readMarked(b, 3)).map(sequenceOf), [2, 4, 6])
  t.equal(port.counters().sentDropped, 3n)
  t.equal(port.counters().sentFrames, 3n)
  port.loss = 1
  await port.send(markedFrame(7))
  port.loss = 0
  await port.send(markedFrame(8))
  t.same((await readMarked(b, 1)).map(sequenceOf), [8])
})

t.test('sends frames twice', async t => {
  const [a, b] = portPair('ethernet')
  const port = impair(a, { duplicate: 1 })
  await port.send(markedBatch(1, 2))
  t.same((await readMarked(b, 4)).map(sequenceOf), [1, 1, 2, 2])
})

t.test('a delay keeps the order, also when it shrinks', async t => {
  const [a, b] = portPair('ethernet')
  const port = impair(a, { delayMs: 20 })
  port.trySend(markedBatch(1, 2))
  t.equal(b.tryReceive(), undefined, 'not there yet')
  port.delayMs = 0
  port.trySend(markedBatch(3, 2))
  t.same((await readMarked(b, 4)).map(sequenceOf), [1, 2, 3, 4])
})

t.test('jitter lets frames overtake each other', async t => {
  const [a, b] = portPair('ethernet')
  const port = impair(a, { jitterMs: 30, random: sequence(0.99, 0.5, 0) })
  port.trySend(markedBatch(1, 3))
  t.same((await readMarked(b, 3)).map(sequenceOf), [3, 2, 1])
})

t.test('a pulled cable loses frames both ways, those on their way too', async t => {
  const [a, b] = portPair('ethernet')
  const port = impair(a, { delayMs: 3600000 })
  port.trySend(markedFrame(1))
  port.unplugged = true
  port.delayMs = 0
  await port.send(markedFrame(2))
  b.trySend(markedFrame(3))
  t.equal(port.tryReceive(), undefined)
  b.trySend(markedFrame(4))
  const batches = port.batches()
  const next = batches.next()
  await new Promise(setImmediate)
  t.equal(port.counters().receivedDropped, 2n)
  t.equal(port.counters().sentDropped, 2n)
  port.unplugged = false
  b.trySend(markedFrame(5))
  t.equal(sequenceOf((await next).value.frame(0)), 5)
  await port.send(markedFrame(6))
  t.same((await readMarked(b, 1)).map(sequenceOf), [6])
})

t.test('a full line holds the sender back', async t => {
  const [a, b] = portPair('ethernet', { queueFrames: 100 })
  const port = impair(a)
  const batch = markedBatch(0, 12000)
  const { next } = port.trySend(batch)
  t.ok(next >= 10000 && next < 12000, `stopped at ${next}`)
  const rest = port.send(markedFrame(12000))
  t.equal((await readMarked(b, next + 1)).length, next + 1)
  t.match(await rest, { sent: 1 })
})

t.test('a loop that sends into a pulled cable starves no timer', async t => {
  const [a] = portPair('ethernet')
  const port = impair(a, { unplugged: true })
  let fired = false
  setTimeout(() => {
    fired = true
  }, 1)
  while (!fired) await port.send(markedFrame(1))
  t.ok(fired)
})

t.test('ends with the port beneath', async t => {
  const [a, b] = portPair('ethernet')
  const port = impair(a, { delayMs: 3600000 })
  port.trySend(markedFrame(1))
  await b.close()
  t.same(await port.closed, { type: 'removed' })
  await t.rejects(port.send(markedFrame(2)), { code: 'ERR_PORT_CLOSED' })
})

t.test('bad knobs', async t => {
  const port = impair(portPair('ip')[0])
  for (const knob of ['loss', 'duplicate', 'delayMs', 'jitterMs'] as const) {
    for (const value of [-1, Number.NaN, 1e9]) {
      t.throws(
        () => {
          port[knob] = value
        },
        { code: 'ERR_OUT_OF_RANGE' },
      )
    }
    t.throws(() => impair(port, { [knob]: '1' }), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  t.throws(() => impair(port, { unplugged: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => impair(port, { random: 4 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => impair(port, { corrupt: 1 } as object), { code: 'ERR_INVALID_ARG_VALUE' })
})
