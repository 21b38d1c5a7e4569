import { getEventListeners } from 'node:events'
import t from 'tap'
import { onAbort } from '../../../src/lifecycle/index.js'

t.test('many waits are one listener of the signal', async t => {
  const aborter = new AbortController()
  const told: number[] = []
  const undo = Array.from({ length: 1000 }, (_, i) => onAbort(aborter.signal, () => told.push(i)))
  t.equal(getEventListeners(aborter.signal, 'abort').length, 1)
  for (const each of undo.slice(3)) each()
  undo[1]!()
  undo[1]!()
  aborter.abort()
  t.same(told, [0, 2])
  t.equal(getEventListeners(aborter.signal, 'abort').length, 0)
})

t.test('the last one that goes takes the listener along, and the next brings it back', async t => {
  const aborter = new AbortController()
  onAbort(aborter.signal, () => t.fail('it was taken back'))()
  t.equal(getEventListeners(aborter.signal, 'abort').length, 0)
  let error: Error | undefined
  onAbort(aborter.signal, given => {
    error = given
  })
  t.equal(getEventListeners(aborter.signal, 'abort').length, 1)
  aborter.abort(new Error('enough'))
  t.match(error, { name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'enough' } })
  let again = 0
  onAbort(aborter.signal, () => again++)
  t.equal(again, 1, 'one that is aborted already tells at once')
})

t.test('one listener may take back another', async t => {
  const aborter = new AbortController()
  const told: string[] = []
  let undo = () => {}
  onAbort(aborter.signal, () => {
    told.push('first')
    undo()
  })
  undo = onAbort(aborter.signal, () => told.push('second'))
  onAbort(aborter.signal, () => told.push('third'))
  aborter.abort()
  t.same(told, ['first', 'third'])
})
