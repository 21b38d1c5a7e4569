import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { type CloseReason, portPair, toDuplex } from '../../../src/port/index.js'
import { WrappedPort } from '../../../src/port/wrapped-port.js'
import { markedBatch, markedFrame, readMarked, sequenceOf } from '../../support/marked-frames.js'

t.test('carries one frame per chunk, both ways', async t => {
  const [a, b] = portPair('ethernet')
  const stream = toDuplex(a)
  t.equal(a.owner, 'stream')
  t.throws(() => a.batches(), { code: 'ERR_PORT_LOCKED' })
  await b.send(markedBatch(1, 3))
  const got: Uint8Array[] = []
  for await (const frame of stream.iterator({ destroyOnReturn: false })) {
    got.push(frame)
    if (got.length === 3) break
  }
  t.same(got.map(sequenceOf), [1, 2, 3])
  stream.write(markedFrame(4))
  stream.write(markedFrame(5))
  t.same((await readMarked(b, 2)).map(sequenceOf), [4, 5])
  stream.destroy()
  await once(stream, 'close')
  t.same(await a.closed, { type: 'closed' })
})

t.test('writes what waits as one batch', async t => {
  const [a, b] = portPair('ethernet')
  const stream = toDuplex(a)
  t.teardown(() => stream.destroy())
  stream.cork()
  for (let i = 0; i < 20; i++) stream.write(markedFrame(i))
  stream.uncork()
  const { value } = await b.batches().next()
  t.equal(value.count, 20)
})

t.test('holds writers back while the port is full', async t => {
  const [a, b] = portPair('ethernet', { queueFrames: 2 })
  const stream = toDuplex(a, { highWaterMark: 4 })
  t.teardown(() => stream.destroy())
  const frames = Array.from({ length: 100 }, (_, i) => markedFrame(i))
  let taken = 0
  const source = Readable.from(
    (function* () {
      for (const frame of frames) {
        taken++
        yield frame
      }
    })(),
    { highWaterMark: 1 },
  )
  const piping = pipeline(source, stream, { end: false })
  while (!stream.writableNeedDrain) await new Promise(setImmediate)
  t.ok(taken < 100, 'the source waits')
  t.strictSame(await readMarked(b, 100), frames)
  await piping
})

t.test('reads no more than fits', async t => {
  const [a, b] = portPair('ethernet')
  const stream = toDuplex(a, { highWaterMark: 5 })
  t.teardown(() => stream.destroy())
  b.trySend(markedBatch(1, 100))
  await once(stream, 'readable')
  t.ok(stream.readableLength <= 5)
  t.ok(a.counters().receivedFrames <= 10n, 'and at most one batch more left the port')
  const seen: number[] = []
  await pipeline(
    stream.take(100),
    new Writable({
      objectMode: true,
      write(frame, _encoding, done) {
        seen.push(sequenceOf(frame))
        setImmediate(done)
      },
    }),
  )
  t.same(
    seen,
    Array.from({ length: 100 }, (_, i) => i + 1),
  )
})

t.test('goes on after a frame that the port refuses', async t => {
  const [a, b] = portPair('ethernet', { maxFrameLength: 100 })
  const stream = toDuplex(a)
  t.teardown(() => stream.destroy())
  stream.write(new Uint8Array(101))
  stream.write(markedFrame(2))
  t.same((await readMarked(b, 1)).map(sequenceOf), [2])
  t.equal(a.counters().sentDropped, 1n)
})

t.test('is destroyed by a chunk that is no frame', async t => {
  const [a] = portPair('ethernet')
  const stream = toDuplex(a)
  stream.write('text')
  const [error] = await once(stream, 'error')
  t.match(error, { code: 'ERR_INVALID_ARG_TYPE' })
})

t.test('ends when the other end closes, after the queued frames', async t => {
  const [a, b] = portPair('ethernet')
  b.trySend(markedBatch(1, 3))
  await b.close()
  const frames = await toDuplex(a).toArray()
  t.equal(frames.length, 3)
})

t.test('a failed port destroys the stream with its error', async t => {
  const [a] = portPair('ethernet')
  await a.close()
  const failed = new (class extends WrappedPort<'ethernet'> {
    override get closed(): Promise<CloseReason> {
      return Promise.resolve({ type: 'error', error: new Error('broken wire') })
    }
  })(a)
  const stream = toDuplex(failed).resume()
  const [error] = await once(stream, 'error')
  t.match(error, { message: 'broken wire' })
})

t.test('destroy ends a write that waits, and can leave the port open', async t => {
  const [a, b] = portPair('ethernet', { queueFrames: 1 })
  const stream = toDuplex(a, { onDestroy: 'release' })
  stream.resume()
  stream.write(markedFrame(1))
  stream.write(markedFrame(2))
  stream.destroy()
  await once(stream, 'close')
  t.equal(a.owner, 'none')
  t.same((await readMarked(b, 1)).map(sequenceOf), [1])
  await a.send(markedFrame(3))
  t.same((await readMarked(b, 1)).map(sequenceOf), [3], 'what waited was not sent')
})

t.test('bad options leave the port free', async t => {
  const [a] = portPair('ethernet')
  t.throws(() => toDuplex(a, { highWaterMark: 0 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => toDuplex(a, { onDestroy: 'keep' as 'close' }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.equal(a.owner, 'none')
  a.batches()
  t.throws(() => toDuplex(a), { code: 'ERR_PORT_LOCKED' })
})
