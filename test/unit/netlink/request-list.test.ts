import t from 'tap'
import { NetloomError, SystemError } from '../../../src/errors/index.js'
import { acknowledgementBytes, type Message, RequestList } from '../../../src/netlink/core/index.js'
import { emptyRequest, type FakeKernel } from '../../../src/testing/fake-kernel.js'
import { acknowledgeAll, CHANGE, probe, refuseSome, start } from '../../support/conversation.js'

/** Requests of these types, as one. */
function severalOf(types: number[]) {
  const list = new RequestList()
  for (const type of types) list.add({ request: emptyRequest(type), operation: 'do', subject: `${type}` })
  return { list, ...partsOf(list) }
}

/** All of a list as one, and what each is told. */
function partsOf(list: RequestList) {
  const count = list.length
  const told = Array.from({ length: count }, (): unknown[] => [])
  const exchange = {
    ...probe(list.part(0, count)),
    parts: {
      count,
      context: (i: number) => list.context(i),
      marks: (i: number) => list.marks(i),
      onRefused: (i: number, failure: unknown) => void told[i]!.push(failure),
    },
  }
  const codes = () => told.map(([first]) => (first as NetloomError | undefined)?.code)
  return { exchange, told, codes }
}

t.test('after a loss only what was heard of is known, whatever was lost', async t => {
  const [types, lost] = [[101, 222, 101, 217, 101], 'ERR_NETLINK_OVERFLOW']
  const { kernel, conversation } = start(refuseSome)
  kernel.losses = 1
  const acknowledged = severalOf(types)
  conversation.start(acknowledged.exchange)
  conversation.overflowed()
  kernel.deliver(conversation)
  t.same(acknowledged.codes(), [lost, lost, lost, 'EEXIST', undefined])
  conversation.drained()
  t.same(acknowledged.exchange.results, [undefined])

  const silent = severalOf(types)
  conversation.start(silent.exchange)
  kernel.outbox.splice(1)
  kernel.deliver(conversation)
  conversation.overflowed()
  conversation.drained()
  t.same(silent.codes(), [lost, 'EINVAL', lost, lost, lost])
  t.same(
    silent.told.map(each => each.length),
    [1, 2, 1, 1, 1],
    'of what is lost everyone is told once',
  )
  t.notOk(conversation.waiting)
})

t.test('a refused send and a close end all of them', async t => {
  const { kernel, conversation } = start(acknowledgeAll)
  kernel.sendError = new SystemError({ errno: -105, syscall: 'sendto' })
  const refused = severalOf([1, 2, 3])
  conversation.start(refused.exchange)
  t.match(refused.exchange.results, [{ code: 'ENOBUFS' }])
  const sent = severalOf([1, 2, 3])
  conversation.start(sent.exchange)
  const closed = new NetloomError('ERR_INVALID_STATE', 'closed')
  conversation.fail(closed)
  kernel.deliver(conversation)
  t.same(sent.exchange.results, [closed])
  t.notOk(conversation.waiting)
})

t.test('what is added while they wait does not touch them', async t => {
  const { kernel, conversation } = start(acknowledgeAll, { budget: acknowledgementBytes })
  const first = probe(emptyRequest(CHANGE))
  conversation.start(first)
  const { list, exchange } = severalOf([1, 2])
  conversation.start(exchange)
  for (let i = 0; i < 3; i++) {
    list.add({ request: emptyRequest(CHANGE, undefined, 4000), operation: 'do' })
  }
  kernel.deliver(conversation)
  t.same([first.results, exchange.results], [[undefined], [undefined]])
})

t.test('each has its own number and its own end', async t => {
  const refused = (request: Message, kernel: FakeKernel) =>
    request.sequence % 2 ? kernel.refuse(request, 17, { offset: 16 }) : kernel.acknowledge(request)
  const { kernel, conversation } = start(refused, { sequence: 0xffff_fffc })
  const single = probe(emptyRequest(CHANGE))
  conversation.start(single)
  const list = new RequestList()
  // More than its first piece of memory holds.
  for (let i = 0; i < 4; i++)
    list.add({ request: emptyRequest(CHANGE, 5, 1998), operation: 'do', subject: `${i}` })
  t.equal(list.length, 4)
  t.equal(list.fitting(0, 1), 1)
  t.equal(list.fitting(0, 4000), 2)
  t.equal(list.fitting(2, 1 << 20), 2)
  const { exchange, told } = partsOf(list)
  conversation.start(exchange)
  const sequences = kernel.requests.map(request => request.sequence)
  t.same(sequences, [0xffff_fffd, 1, 2, 3, 4], 'in a row, past the end of numbers')
  kernel.deliver(conversation)
  t.match(told, [
    [{ code: 'EEXIST', operation: 'do', subject: '0', attribute: 'thing.part' }],
    [],
    [{ code: 'EEXIST', subject: '2' }],
    [],
  ])
  t.same(exchange.results, [undefined])
  t.notOk(conversation.waiting)
})
