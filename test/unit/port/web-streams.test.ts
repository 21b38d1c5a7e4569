import t from 'tap'
import { portPair, toReadable, toWritable } from '../../../src/port/index.js'
import { markedBatch, markedFrame, readMarked, sequenceOf } from '../../support/marked-frames.js'

t.test('a readable reads nothing ahead and keeps its batches', async t => {
  const [a, b] = portPair('ethernet')
  const reader = toReadable(b, { frames: 2 }).getReader()
  t.equal(b.owner, 'stream')
  a.trySend(markedBatch(1, 4))
  await new Promise(setImmediate)
  t.equal(b.counters().receivedFrames, 0n)
  const first = (await reader.read()).value!
  const second = (await reader.read()).value!
  t.same([...first, ...second].map(sequenceOf), [1, 2, 3, 4])
  first.release()
  t.throws(() => first.frame(0), { code: 'ERR_BATCH_RELEASED' })
  const waiting = reader.read()
  await reader.cancel()
  t.match(await waiting, { done: true })
  t.equal(b.owner, 'none')
  a.trySend(markedFrame(5))
  t.same((await readMarked(b, 1)).map(sequenceOf), [5])
})

t.test('a readable ends with its port', async t => {
  const [a, b] = portPair('ethernet')
  a.trySend(markedBatch(1, 4))
  await a.close()
  const seen: number[] = []
  for await (const batch of toReadable(b)) seen.push(...[...batch].map(sequenceOf))
  t.same(seen, [1, 2, 3, 4])
})

t.test('a pipe carries batches from port to port, and gives them back', async t => {
  const [a, b] = portPair('ethernet')
  const [c, d] = portPair('ethernet', { queueFrames: 3 })
  const piping = toReadable(b).pipeTo(toWritable(c))
  for (let i = 0; i < 10; i++) a.trySend(markedFrame(i))
  t.same(
    (await readMarked(d, 10)).map(sequenceOf),
    Array.from({ length: 10 }, (_, i) => i),
  )
  await a.close()
  await piping
  t.equal(c.trySend(markedFrame(1)).sent, 1, 'the port outlives the stream')
})

t.test('a writable releases batches, sends frames and stops waiting on abort', async t => {
  const [a, b] = portPair('ethernet', { queueFrames: 2 })
  const writer = toWritable(a).getWriter()
  b.trySend(markedFrame(7))
  const batch = a.tryReceive()!
  await writer.write(batch)
  t.throws(() => batch.frame(0), { code: 'ERR_BATCH_RELEASED' })
  await writer.write(markedFrame(8))
  const waiting = writer.write(markedFrame(9))
  const closed = writer.closed
  await Promise.all([writer.abort(new Error('enough')), t.rejects(waiting), t.rejects(closed)])
  t.same((await readMarked(b, 2)).map(sequenceOf), [7, 8])
})
