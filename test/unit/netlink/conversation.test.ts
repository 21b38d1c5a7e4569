import t from 'tap'
import { NetloomError, SystemError } from '../../../src/errors/index.js'
import {
  acknowledgementBytes,
  Conversation,
  type ConversationOptions,
  type Exchange,
  NetlinkError,
  NLM_F,
  NLMSG,
  type Ongoing,
  type Request,
} from '../../../src/netlink/core/index.js'
import { emptyRequest, encodeMessage, FakeKernel } from '../../../src/testing/fake-kernel.js'
import {
  type Answer,
  acknowledgeAll,
  CHANGE,
  type Probe,
  port,
  probe,
  refuseSome,
  start,
} from '../../support/conversation.js'

const GET = 100
const dumpFlags = NLM_F.REQUEST | NLM_F.DUMP

function items(...numbers: number[]): Uint8Array[] {
  return numbers.map(number => Uint8Array.of(number, 0, 0, 0))
}

const dumpThree: Answer = (_, kernel) => kernel.dump(GET, items(1, 2, 3))

t.test('an acknowledgement ends a request, once', async t => {
  const { kernel, conversation } = start(acknowledgeAll)
  const one = probe(emptyRequest(CHANGE))
  conversation.start(one)
  t.ok(conversation.waiting)
  t.same(one.results, [], 'not before it came')
  kernel.deliver(conversation)
  t.same(one.results, [undefined])
  t.notOk(conversation.waiting)
})

t.test('requests are told apart by number, whatever the order of the answers', async t => {
  const { kernel, conversation } = start((request, kernel) => [
    { type: GET, payload: Uint8Array.of(request.type) },
    ...kernel.acknowledge(request),
  ])
  const [a, b] = [probe(emptyRequest(50)), probe(emptyRequest(51))]
  conversation.start(a)
  conversation.start(b)
  kernel.outbox.reverse()
  // Each acknowledgement is now before its data, which is then nobody's.
  kernel.deliver(conversation, 1)
  t.same([a.results.length, b.results.length], [0, 1])
  kernel.outbox.reverse()
  kernel.deliver(conversation)
  t.same(a.got, [50])
  t.same(a.results, [undefined])
  t.same(b.results, [undefined])
})

t.test('numbers wrap around, pass over zero and those in use', async t => {
  const { kernel, conversation } = start(acknowledgeAll, { sequence: 0xffff_fffe })
  const probes = [1, 2, 3].map(() => probe(emptyRequest(CHANGE)))
  for (const each of probes) conversation.start(each)
  t.same(
    kernel.requests.map(request => request.sequence),
    [0xffff_ffff, 1, 2],
  )
  kernel.deliver(conversation)
  for (const each of probes) t.same(each.results, [undefined])
})

t.test('what is for others, or for nobody, is passed over', async t => {
  const { kernel, conversation } = start(acknowledgeAll)
  const one = probe(emptyRequest(CHANGE))
  conversation.start(one)
  const sequence = kernel.requests[0]!.sequence
  const payload = new Uint8Array(20)
  for (const other of [
    { sequence: sequence + 1, port },
    { sequence, port: port + 1 },
    { sequence: 0, port: 0 },
  ]) {
    conversation.receive(encodeMessage({ type: NLMSG.ERROR, flags: 0, payload, ...other }))
  }
  conversation.receive(encodeMessage({ type: NLMSG.NOOP, flags: 0, payload, sequence, port }))
  conversation.receive(new Uint8Array(0))
  conversation.receive(new Uint8Array(15))
  t.same(one.results, [])
  kernel.deliver(conversation)
  t.same(one.results, [undefined])
  kernel.send(one.request.message)
  kernel.deliver(conversation)
  t.same(one.results, [undefined], 'a second acknowledgement changes nothing')
})

t.test('a refusal carries the kernel’s words and what it objected to', async t => {
  for (const uncapped of [false, true]) {
    const { kernel, conversation } = start((request, kernel) =>
      kernel.refuse(request, 22, { message: 'no such thing', offset: 16, uncapped }),
    )
    const one = probe(emptyRequest(CHANGE, undefined, 40))
    conversation.start(one)
    kernel.deliver(conversation)
    const [error] = one.results
    t.ok(error instanceof NetlinkError)
    t.match(error, {
      code: 'EINVAL',
      errno: -22,
      syscall: 'netlink',
      operation: 'do thing',
      subject: 'x',
      kernelMessage: 'no such thing',
      attribute: 'thing.part',
      message: 'EINVAL: invalid argument, netlink do thing x (no such thing; at thing.part)',
    })
  }
  const { kernel, conversation } = start((request, kernel) => kernel.refuse(request, 22, { missingType: 7 }))
  const one = probe(emptyRequest(CHANGE))
  conversation.start(one)
  kernel.deliver(conversation)
  t.match(one.results, [{ missing: { type: 7 }, message: /attribute 7 is missing/ }])
})

t.test('a missing right is explained', async t => {
  const { kernel, conversation } = start((request, kernel) => kernel.refuse(request, 1))
  const one = probe(emptyRequest(CHANGE))
  conversation.start(one)
  kernel.deliver(conversation)
  t.match(one.results, [{ code: 'EPERM', message: /CAP_NET_ADMIN/ }])
})

t.test('a dump comes in pieces', async t => {
  for (const messagesPerDatagram of [1, 2, 4]) {
    const { kernel, conversation } = start(dumpThree)
    kernel.messagesPerDatagram = messagesPerDatagram
    const one = probe(emptyRequest(GET, dumpFlags), 0)
    conversation.start(one)
    while (kernel.outbox.length > 0) {
      t.same(one.results, [])
      kernel.deliver(conversation, 1)
    }
    t.same(one.got, [1, 2, 3])
    t.same(one.results, [undefined])
  }
})

t.test('a dump may end in an error, with words', async t => {
  const { kernel, conversation } = start((_, kernel) =>
    kernel.dump(GET, items(1), { errno: 95, message: 'not here' }),
  )
  const one = probe(emptyRequest(GET, dumpFlags), 0)
  conversation.start(one)
  kernel.deliver(conversation)
  t.match(one.results, [{ code: 'ENOTSUP', kernelMessage: 'not here' }])
  const refused = start((request, kernel) => kernel.refuse(request, 22, { message: 'unexpected' }))
  const two = probe(emptyRequest(GET, dumpFlags), 0)
  refused.conversation.start(two)
  refused.kernel.deliver(refused.conversation)
  t.match(two.results, [{ code: 'EINVAL', kernelMessage: 'unexpected' }])
})

t.test('one dump at a time; changes go beside it', async t => {
  const { kernel, conversation } = start((request, kernel) =>
    request.type === GET ? kernel.dump(GET, items(1, 2, 3)) : kernel.acknowledge(request),
  )
  const dumps = [1, 2, 3].map(() => probe(emptyRequest(GET, dumpFlags), 0))
  for (const each of dumps) conversation.start(each)
  const change = probe(emptyRequest(CHANGE))
  conversation.start(change)
  t.same(
    kernel.requests.map(request => request.type),
    [GET, CHANGE],
  )
  kernel.deliver(conversation)
  t.same(change.results, [undefined])
  for (const each of dumps) {
    t.same(each.got, [1, 2, 3])
    t.same(each.results, [undefined])
  }
})

t.test('an interrupted dump is made anew, a bounded number of times', async t => {
  const { kernel, conversation } = start(dumpThree, { restarts: 3 })
  kernel.interruptions = 2
  const one = probe(emptyRequest(GET, dumpFlags), 0)
  conversation.start(one)
  kernel.deliver(conversation)
  t.same(one.got, [1, 2, 3])
  t.equal(one.restarts, 2)
  t.same(one.results, [undefined])
  t.same(new Set(kernel.requests.map(r => r.sequence)).size, 3, 'under new numbers')

  kernel.interruptions = 100
  const [hopeless, next] = [probe(emptyRequest(GET, dumpFlags), 0), probe(emptyRequest(GET, dumpFlags), 0)]
  conversation.start(hopeless)
  conversation.start(next)
  kernel.deliver(conversation, 8)
  t.match(hopeless.results, [{ code: 'ERR_NETLINK_DUMP_INTERRUPTED', message: /4 times/ }])
  kernel.interruptions = 0
  kernel.deliver(conversation)
  t.same(next.results, [undefined], 'those that follow are not held up')
})

t.test('the budget bounds what is outstanding', async t => {
  const { kernel, conversation } = start(acknowledgeAll, { budget: 3 * acknowledgementBytes })
  const probes = Array.from({ length: 10 }, () => probe(emptyRequest(CHANGE)))
  for (const each of probes) conversation.start(each)
  t.equal(kernel.requests.length, 3)
  kernel.deliver(conversation, 1)
  t.equal(kernel.requests.length, 4)
  const urgent = probe(emptyRequest(CHANGE))
  conversation.start(urgent, { urgent: true })
  t.equal(kernel.requests.length, 5)
  kernel.deliver(conversation)
  for (const each of [...probes, urgent]) t.same(each.results, [undefined])
  const large = probe(emptyRequest(CHANGE), 1 << 30)
  conversation.start(large)
  kernel.deliver(conversation)
  t.same(large.results, [undefined], 'one that is larger than all of it goes alone')
})

t.test('after an overflow what was lost is said to be unknown, and dumps begin anew', async t => {
  const { kernel, conversation } = start((request, kernel) =>
    request.type === GET ? kernel.dump(GET, items(1, 2, 3)) : kernel.acknowledge(request),
  )
  kernel.losses = 1
  const [lost, kept] = [probe(emptyRequest(CHANGE)), probe(emptyRequest(CHANGE))]
  conversation.start(lost)
  conversation.start(kept)
  kernel.losses = 1
  const dump = probe(emptyRequest(GET, dumpFlags), 0)
  conversation.start(dump)
  kernel.outbox.pop()
  conversation.overflowed()
  const late = probe(emptyRequest(CHANGE))
  conversation.start(late)
  const before = kernel.requests.length
  kernel.deliver(conversation)
  t.equal(kernel.requests.length, before, 'nothing is sent while the kernel may drop the answer')
  conversation.drained()
  kernel.deliver(conversation)
  t.match(lost.results, [{ code: 'ERR_NETLINK_OVERFLOW', message: /do thing x.*not known/ }])
  t.same(kept.results, [undefined])
  t.same(late.results, [undefined])
  t.same(dump.results, [undefined])
  t.same(dump.got, [1, 2, 3])
  t.equal(dump.restarts, 1)
  conversation.drained()
  t.notOk(conversation.waiting)
})

t.test('abandoned requests are not sent, and late answers are swallowed', async t => {
  const { kernel, conversation } = start(
    (request, kernel) =>
      request.type === GET
        ? kernel.dump(GET, items(1, 2, 3))
        : [{ type: CHANGE, payload: items(9)[0]! }, ...kernel.acknowledge(request)],
    { budget: acknowledgementBytes },
  )
  const [sent, queued, dump, dumpQueued] = [
    probe(emptyRequest(CHANGE)),
    probe(emptyRequest(CHANGE)),
    probe(emptyRequest(GET, dumpFlags), 0),
    probe(emptyRequest(GET, dumpFlags), 0),
  ]
  const started = [sent, queued, dump, dumpQueued].map(each => conversation.start(each))
  for (const each of started) conversation.abandon(each)
  const [after, dumpAfter] = [probe(emptyRequest(CHANGE)), probe(emptyRequest(GET, dumpFlags), 0)]
  conversation.start(after)
  conversation.start(dumpAfter)
  t.equal(kernel.requests.length, 2, 'a dump under way holds up the next, abandoned or not')
  kernel.deliver(conversation)
  t.equal(kernel.requests.length, 4)
  for (const each of [sent, queued, dump, dumpQueued]) t.same([each.got, each.results], [[], []])
  t.same(after.results, [undefined])
  t.same(dumpAfter.got, [1, 2, 3])
})

t.test('what a reader throws fails its request alone, and the rest is read past', async t => {
  const { kernel, conversation } = start((request, kernel) => [
    ...kernel.dump(GET, items(1, 2, 3)).slice(0, request.type === GET ? 4 : 2),
    ...(request.type === GET ? [] : kernel.acknowledge(request)),
  ])
  const bad = probe(emptyRequest(CHANGE))
  const failure = new Error('cannot read this')
  const broken: Probe = {
    ...bad,
    onMessage: () => {
      throw failure
    },
  }
  const good = probe(emptyRequest(CHANGE))
  conversation.start(broken)
  conversation.start(good)
  kernel.deliver(conversation)
  t.same(bad.results, [failure])
  t.same(good.got, [1, 2])
  t.same(good.results, [undefined])
})

t.test('a refused send, a malformed datagram, an overrun and a close fail requests', async t => {
  const { kernel, conversation } = start(acknowledgeAll)
  kernel.sendError = new SystemError({ errno: -90, syscall: 'sendto' })
  const refused = probe(emptyRequest(CHANGE))
  conversation.start(refused)
  t.match(refused.results, [{ code: 'EMSGSIZE' }])
  t.notOk(conversation.waiting)

  const cut = probe(emptyRequest(CHANGE))
  conversation.start(cut)
  conversation.receive(Uint8Array.from({ length: 16 }, () => 0xff))
  t.match(cut.results, [{ code: 'ERR_NETLINK_PROTOCOL' }])

  const overrun = probe(emptyRequest(CHANGE))
  conversation.start(overrun)
  const { sequence } = kernel.requests.at(-1)!
  conversation.receive(
    encodeMessage({ type: NLMSG.OVERRUN, flags: 0, payload: new Uint8Array(4), sequence, port }),
  )
  t.match(overrun.results, [{ code: 'ERR_NETLINK_OVERFLOW' }])

  const positive = probe(emptyRequest(CHANGE))
  conversation.start(positive)
  const odd = Uint8Array.of(7, 7, 7, 7)
  conversation.receive(
    encodeMessage({
      type: NLMSG.ERROR,
      flags: 0,
      payload: Uint8Array.of(...odd, ...new Uint8Array(16)),
      sequence: kernel.requests.at(-1)!.sequence,
      port,
    }),
  )
  t.match(positive.results, [{ code: 'ERR_NETLINK_PROTOCOL' }])

  const small = start(acknowledgeAll, { budget: 1 })
  const open = [
    probe(emptyRequest(CHANGE)),
    probe(emptyRequest(CHANGE)),
    probe(emptyRequest(GET, dumpFlags), 0),
  ]
  for (const each of open) small.conversation.start(each)
  const closed = new NetloomError('ERR_INVALID_STATE', 'closed')
  small.conversation.fail(closed)
  for (const each of open) t.same(each.results, [closed])
  small.kernel.deliver(small.conversation)
  for (const each of open) t.same(each.results, [closed])
})

t.test('a dump for which there was no room is begun anew', async t => {
  let refusals = 2
  const { kernel, conversation } = start((request, kernel) =>
    refusals-- > 0 ? kernel.refuse(request, 105) : kernel.dump(GET, items(1, 2, 3)),
  )
  const one = probe(emptyRequest(GET, dumpFlags), 0)
  conversation.start(one)
  kernel.deliver(conversation)
  t.same([one.got, one.results], [[1, 2, 3], [undefined]])
  refusals = 100
  const hopeless = probe(emptyRequest(GET, dumpFlags), 0)
  conversation.start(hopeless)
  kernel.deliver(conversation)
  t.match(hopeless.results, [{ code: 'ENOBUFS' }])
  t.equal(kernel.requests.length, 3 + 9)
})

t.test('what may be repeated is asked for again when its answer is lost, in order', async t => {
  const { kernel, conversation } = start((request, kernel) => [
    { type: GET, payload: Uint8Array.of(request.type, 0, 0, 0) },
    ...kernel.acknowledge(request),
  ])
  kernel.capacity = 3
  const probes = [1, 2, 3, 4].map(type => ({ ...probe(emptyRequest(type)), repeatable: true }))
  const results: unknown[][] = probes.map(() => [])
  const got: number[][] = probes.map(() => [])
  for (const [i, each] of probes.entries()) {
    conversation.start({
      ...each,
      onMessage: ({ payload }) => got[i]!.push(payload.u8(0)),
      onRestart: () => {
        got[i] = []
      },
      onDone: failure => results[i]!.push(failure),
    })
  }
  kernel.capacity = 100
  kernel.deliver(conversation)
  t.same(results, [[undefined], [undefined], [undefined], [undefined]])
  t.same(got, [[1], [2], [3], [4]])
  t.same(
    kernel.requests.map(({ type }) => type),
    [1, 2, 3, 4, 2, 3, 4],
  )
  conversation.start(probes[0]!)
  for (let i = 0; i < 9; i++) {
    conversation.overflowed()
    kernel.outbox = []
    conversation.drained()
  }
  t.match(probes[0]!.results, [{ code: 'ERR_NETLINK_OVERFLOW' }], 'but not for ever')
})

/** Several requests, asked for in one go: sent by `flush`. */
function startGroup(answer: Answer, options: Partial<ConversationOptions> = {}) {
  const flushes: (() => void)[] = []
  const datagrams: Uint8Array[] = []
  const ongoing = new Map<Exchange, Ongoing>()
  const kernel = new FakeKernel(answer)
  const conversation = new Conversation({
    send: bytes => {
      datagrams.push(bytes.slice())
      kernel.send(bytes)
    },
    schedule: flush => flushes.push(flush),
    port,
    budget: 1 << 20,
    ...options,
  })
  const flush = () => {
    for (const each of flushes.splice(0)) each()
  }
  const ask = (...requests: Request[]) => {
    const probes = requests.map(request => probe(request))
    for (const each of probes) ongoing.set(each, conversation.start(each))
    return probes
  }
  const abandon = (probe: Exchange) => conversation.abandon(ongoing.get(probe)!)
  return { kernel, conversation, datagrams, flush, ask, abandon }
}

/** Refuses requests of the types 201 to 399 with the error numbers 1 to 199. */
function changes(...types: number[]): Request[] {
  return types.map(type => emptyRequest(type))
}

t.test('what is asked for in one go is one datagram with one acknowledgement', async t => {
  const { kernel, conversation, datagrams, flush, ask } = startGroup(acknowledgeAll)
  const probes = ask(
    ...changes(CHANGE, CHANGE, CHANGE),
    emptyRequest(CHANGE, undefined, 18),
    ...changes(CHANGE),
  )
  t.same(kernel.requests, [], 'not at once')
  flush()
  t.equal(datagrams.length, 1)
  t.same(
    kernel.requests.map(({ sequence, flags }) => [sequence, flags & NLM_F.ACK]),
    [
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 0],
      [5, NLM_F.ACK],
    ],
  )
  t.equal(kernel.outbox.length, 1)
  for (const each of probes) t.same(each.results, [])
  kernel.deliver(conversation)
  for (const each of probes) t.same(each.results, [undefined])
  t.notOk(conversation.waiting)
})

t.test('refusals within a group are of those who are refused, whoever they are', async t => {
  for (const types of [
    [101, 222, 101],
    [222, 201, 202],
    [101, 101, 222],
    [222, 101, 101],
    [222, 101, 201, 101, 202],
    [222],
  ]) {
    const { kernel, conversation, flush, ask } = startGroup(refuseSome)
    const probes = ask(...changes(...types))
    flush()
    while (kernel.outbox.length > 0) kernel.deliver(conversation, 1)
    t.same(
      probes.map(({ results }) => results.map(result => (result as NetlinkError | undefined)?.errno)),
      types.map(type => [type > 200 ? 200 - type : undefined]),
      types.join(),
    )
    t.notOk(conversation.waiting)
  }
})

t.test('answers and echoes within a group find who asked', async t => {
  const { kernel, conversation, flush, ask } = startGroup((request, kernel) => [
    { type: GET, payload: Uint8Array.of(request.type, 0, 0, 0) },
    ...refuseSome(request, kernel),
  ])
  const probes = ask(...changes(11, 12, 222, 13))
  flush()
  kernel.deliver(conversation)
  t.same(
    probes.map(({ got }) => got),
    [[11], [12], [222], [13]],
  )
  t.match(probes[2]!.results, [{ code: 'EINVAL' }])
  for (const i of [0, 1, 3]) t.same(probes[i]!.results, [undefined])
})

t.test('one of a group may be abandoned, before and after it is sent', async t => {
  for (const which of [0, 1, 2]) {
    for (const sent of [false, true]) {
      const { kernel, conversation, flush, ask, abandon } = startGroup((request, kernel) => [
        { type: GET, payload: Uint8Array.of(request.type, 0, 0, 0) },
        ...kernel.acknowledge(request),
      ])
      const probes = ask(...changes(1, 2, 3))
      if (sent) flush()
      abandon(probes[which]!)
      flush()
      t.equal(kernel.requests.length, sent ? 3 : 2)
      t.equal(kernel.requests.at(-1)!.flags & NLM_F.ACK, NLM_F.ACK)
      const [late] = ask(emptyRequest(4))
      flush()
      kernel.deliver(conversation)
      for (const [i, each] of probes.entries()) {
        t.same([each.got, each.results], i === which ? [[], []] : [[i + 1], [undefined]])
      }
      t.same([late!.got, late!.results], [[4], [undefined]])
      t.notOk(conversation.waiting)
    }
  }
})

t.test('an overflow within a group: only what was heard of is known', async t => {
  for (const capacity of [0, 1, 2, 3]) {
    const { kernel, conversation, flush, ask } = startGroup(refuseSome)
    kernel.capacity = capacity
    const probes = ask(...changes(101, 222, 101, 217, 101))
    flush()
    kernel.capacity = 100
    const late = ask(...changes(101))
    kernel.deliver(conversation)
    flush()
    kernel.deliver(conversation)
    const lost = 'ERR_NETLINK_OVERFLOW'
    t.same(
      probes.map(({ results }) => results.map(result => (result as NetlinkError | undefined)?.code)),
      capacity === 3
        ? [[undefined], ['EINVAL'], [undefined], ['EEXIST'], [undefined]]
        : [[lost], [capacity > 0 ? 'EINVAL' : lost], [lost], [capacity > 1 ? 'EEXIST' : lost], [lost]],
    )
    t.same(late[0]!.results, [undefined])
    t.notOk(conversation.waiting)
  }
})

t.test('a refusal that was lost is no success, even where the acknowledgement came', async t => {
  const { kernel, conversation, flush, ask } = startGroup(refuseSome)
  kernel.losses = 1
  const probes = ask(...changes(101, 222, 101))
  flush()
  conversation.overflowed()
  kernel.deliver(conversation)
  conversation.drained()
  t.match(probes[0]!.results, [{ code: 'ERR_NETLINK_OVERFLOW' }])
  t.match(probes[1]!.results, [{ code: 'ERR_NETLINK_OVERFLOW' }])
  t.same(probes[2]!.results, [undefined])
})

t.test('a refused send and a close fail all of a group', async t => {
  const { kernel, conversation, flush, ask } = startGroup(acknowledgeAll)
  kernel.sendError = new SystemError({ errno: -105, syscall: 'sendto' })
  const refused = ask(...changes(1, 2, 3))
  flush()
  for (const each of refused) t.match(each.results, [{ code: 'ENOBUFS' }])
  const sent = ask(...changes(1, 2))
  flush()
  const queued = ask(...changes(3, 4))
  const closed = new NetloomError('ERR_INVALID_STATE', 'closed')
  conversation.fail(closed)
  flush()
  kernel.deliver(conversation)
  for (const each of [...sent, ...queued]) t.same(each.results, [closed])
  t.equal(kernel.requests.length, 2)
})

t.test('groups are bounded in bytes and by the budget', async t => {
  const { kernel, conversation, datagrams, flush, ask } = startGroup(acknowledgeAll, {
    budget: 10 * acknowledgementBytes,
  })
  const probes = ask(...Array.from({ length: 35 }, () => emptyRequest(CHANGE)))
  flush()
  t.equal(kernel.requests.length, 10)
  t.equal(datagrams.length, 1)
  kernel.deliver(conversation)
  t.same(
    datagrams.map(({ length }) => length / 16),
    [10, 10, 10, 5],
  )
  for (const each of probes) t.same(each.results, [undefined])

  const large = startGroup(acknowledgeAll)
  const sizes = [6000, 6000, 6000, 20_000, 16, 16]
  const all = large.ask(...sizes.map(size => emptyRequest(CHANGE, undefined, size)))
  large.flush()
  t.same(
    large.datagrams.map(({ length }) => length),
    [12_000, 6000, 20_000, 32],
  )
  large.kernel.deliver(large.conversation)
  for (const each of all) t.same(each.results, [undefined])
})

t.test('a transaction ends as one', async t => {
  const [OPEN, CLOSE] = [16, 17]
  const run = (refused: number[], deliver = (kernel: FakeKernel, to: Conversation) => kernel.deliver(to)) => {
    const { kernel, conversation, datagrams } = startGroup((request, kernel) => {
      if (request.type === CLOSE) return []
      return refused.includes(request.type) ? kernel.refuse(request, 22) : kernel.acknowledge(request)
    })
    const [open, ...rest] = changes(OPEN, 1, 2, 3).map(request => probe(request))
    conversation.startTransaction(open!, rest, emptyRequest(CLOSE, NLM_F.REQUEST).message)
    deliver(kernel, conversation)
    const code = (result: unknown) => (result as NetlinkError | undefined)?.code
    t.equal(datagrams.length, 1)
    t.notOk(conversation.waiting)
    return [open!, ...rest].map(({ results }) => results.map(code))
  }
  t.same(run([]), [[undefined], [undefined], [undefined], [undefined]])
  const refused = [['EINVAL'], ['EINVAL'], ['EINVAL'], ['EINVAL']]
  t.same(run([OPEN]), refused, 'it could not be opened, or not be committed')
  t.same(run([2]), [[undefined], [undefined], ['EINVAL'], [undefined]])
  t.same(run([1, 3]), [[undefined], ['EINVAL'], [undefined], ['EINVAL']])
  const lost = ['ERR_NETLINK_OVERFLOW']
  t.same(
    run([], (kernel, conversation) => {
      kernel.outbox = []
      conversation.overflowed()
      conversation.drained()
    }),
    [lost, lost, lost, lost],
  )
})
