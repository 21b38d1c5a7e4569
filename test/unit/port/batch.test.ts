import t from 'tap'
import { FrameBatch } from '../../../src/port/index.js'

t.test('frames are written where they lie, and the last one may be taken out again', async t => {
  const batch = FrameBatch.allocate({ linkType: 'ip', frames: 3, bytes: 20, headroom: 2, tailroom: 1 })
  batch.reserve(4)!.fill(1)
  const second = batch.reserve(6)!
  second.fill(2)
  t.equal(batch.count, 2)
  batch.drop()
  t.same(
    [...batch].map(frame => [...frame]),
    [[1, 1, 1, 1]],
  )
  const again = batch.reserve(5)!
  t.equal(again.byteOffset, second.byteOffset, 'in the same place')
  t.same([...again], [2, 2, 2, 2, 2], 'with what was there')
  t.equal(batch.reserve(100), undefined, 'no room')
  t.ok(batch.append(Uint8Array.of(7)))
  t.equal(batch.reserve(0), undefined, 'no more frames')
  t.throws(() => batch.reserve(-1), { code: 'ERR_OUT_OF_RANGE' })
  for (let i = 0; i < 3; i++) batch.drop()
  t.throws(() => batch.drop(), { code: 'ERR_OUT_OF_RANGE' })
  t.equal(batch.reserve(4)!.byteOffset - batch.slab.byteOffset, 2)
})
