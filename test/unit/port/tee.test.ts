import t from 'tap'
import { portPair, tee, toDuplex } from '../../../src/port/index.js'
import { markedBatch, markedFrame, readMarked, sequenceOf } from '../../support/marked-frames.js'
import { portConformance } from '../../support/port-conformance.js'

portConformance(t, 'tee', async () => {
  const [a, b] = portPair('ethernet')
  return [tee(a)[0], tee(b)[0]]
})

t.test('shows both ways, as copies', async t => {
  const [a, b] = portPair('ethernet')
  const [port, observer] = tee(a)
  await b.send(markedBatch(1, 2))
  await readMarked(port, 2)
  await port.send(markedBatch(3, 2))
  port.trySend(markedBatch(4, 2), 1)
  port.trySend(markedFrame(6))
  b.trySend(markedFrame(7))
  port.tryReceive()?.release()
  await port.close()
  const seen: string[] = []
  for await (const { data, direction, linkType } of observer) {
    t.equal(linkType, 'ethernet')
    seen.push(`${direction} ${sequenceOf(data)}`)
  }
  t.same(seen, ['received 1', 'received 2', 'sent 3', 'sent 4', 'sent 5', 'sent 6', 'received 7'])
  t.equal(observer.dropped, 0n)
})

t.test('drops and counts for a slow observer, and keeps the port going', async t => {
  const [a, b] = portPair('ethernet')
  const [port, observer] = tee(a, { queuePackets: 3 })
  await port.send(markedBatch(1, 5))
  t.equal((await readMarked(b, 5)).length, 5)
  t.equal(observer.dropped, 2n)
  t.equal(sequenceOf((await observer.next()).value.data), 1, 'the oldest stay')
  await port.send(markedBatch(6, 2))
  t.equal(observer.dropped, 3n)
  await observer.return()
  await port.send(markedBatch(8, 9))
  t.equal(observer.dropped, 3n, 'nobody watches, nothing is dropped')
})

t.test('shows only what was sent when the port would block', async t => {
  const [a] = portPair('ethernet', { queueFrames: 2 })
  const [port, observer] = tee(a)
  t.equal(port.trySend(markedBatch(1, 5)).next, 2)
  t.match(await observer.next(), { value: { direction: 'sent' } })
  t.match(await observer.next(), { value: { direction: 'sent' } })
  const waiting = observer.next()
  await port.close()
  t.match(await waiting, { done: true })
})

t.test('a stream owns the port beneath', async t => {
  const [a, b] = portPair('ethernet')
  const [port] = tee(a)
  const stream = toDuplex(port)
  t.equal(port.owner, 'stream')
  t.equal(a.owner, 'stream')
  stream.destroy()
  t.match(await b.closed, { type: 'removed' })
})

t.test('bad options', async t => {
  t.throws(() => tee(portPair('ip')[0], { queuePackets: 0 }), { code: 'ERR_OUT_OF_RANGE' })
})
