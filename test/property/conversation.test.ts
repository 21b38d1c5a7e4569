import t from 'tap'
import { isNetloomError } from '../../src/errors/index.js'
import {
  Conversation,
  type Exchange,
  type NetlinkError,
  NLM_F,
  type Ongoing,
  RequestList,
} from '../../src/netlink/core/index.js'
import { emptyRequest, FakeKernel } from '../../src/testing/fake-kernel.js'
import { fuzz, fuzzRuns, fuzzSeed as seed } from '../support/fuzz.js'
import { Random } from '../support/random.js'

const runs = Math.min(Math.ceil(fuzzRuns / 10), 100_000)

t.comment(`seed ${seed}`)
t.setTimeout(30_000 + runs)

/** What happens to a conversation, one step after the other. */
type Step =
  /** `echoes`: messages that come before the acknowledgement. */
  | { do: 'ask'; errno: number; echoes: number; length: number }
  | { do: 'list'; items: number; interruptions: number }
  | { do: 'several'; errnos: number[] }
  | { do: 'flush' }
  | { do: 'deliver'; count: number }
  | { do: 'abandon'; which: number }
  | { do: 'capacity'; datagrams: number }

function step(random: Random): Step {
  const below = (limit: number) => random.below(limit)
  switch (below(7)) {
    case 0:
      return {
        do: 'ask',
        errno: below(2) === 0 ? 0 : [1, 17, 22][below(3)]!,
        echoes: below(3),
        length: [16, 20, 3000][below(3)]!,
      }
    case 1:
      return { do: 'list', items: below(6), interruptions: below(3) }
    case 2:
      return { do: 'flush' }
    case 3:
      return { do: 'deliver', count: below(7) }
    case 4:
      return { do: 'abandon', which: below(0x7fffffff) }
    case 5:
      return { do: 'several', errnos: Array.from({ length: 1 + below(12) }, () => [0, 0, 0, 17][below(4)]!) }
    default:
      return { do: 'capacity', datagrams: 1 + below(12) }
  }
}

interface Asked {
  list: boolean
  errno: number
  messages: number
  got: number
  results: unknown[]
  abandoned: boolean
  sent: boolean
}

t.test('whatever happens, everyone is told the truth, once, or that it is not known', async t => {
  let told = 0
  let unknown = 0
  const random = new Random(seed)
  const passed = fuzz(t, 'conversations', runs, () => {
    const steps = Array.from({ length: 5 + random.below(56) }, () => step(random))
    const budget = 1024 + random.below(38_977)
    try {
      const probes: Asked[] = []
      const flushes: (() => void)[] = []
      const kernel: FakeKernel = new FakeKernel(request => {
        const probe = probes[request.payload.u32(0)]!
        probe.sent = true
        const payload = Uint8Array.from(new Uint8Array(Uint32Array.of(request.payload.u32(0)).buffer))
        const messages = Array.from({ length: probe.messages }, () => payload)
        if (probe.list) return kernel.dump(100, messages)
        const end = probe.errno ? kernel.refuse(request, probe.errno) : kernel.acknowledge(request)
        return [...messages.map(payload => ({ type: 100, payload })), ...end]
      })
      const conversation = new Conversation({
        send: kernel.send,
        schedule: flush => flushes.push(flush),
        port: 7,
        budget,
      })
      const ongoing: (Ongoing | undefined)[] = []
      const request = (id: number, flags: number, length = 20) =>
        emptyRequest(100, flags, length, view => {
          new Uint32Array(view.buffer, 16, 1)[0] = id
        })
      const asked = (list: boolean, errno: number, messages: number): Asked => {
        const probe = { list, errno, messages, got: 0, results: [], abandoned: false, sent: false }
        probes.push(probe)
        return probe
      }
      const ask = (settings: { list: boolean; errno: number; messages: number; length: number }) => {
        const id = probes.length
        const flags = NLM_F.REQUEST | (settings.list ? NLM_F.DUMP : NLM_F.ACK)
        const probe = asked(settings.list, settings.errno, settings.messages)
        const exchange: Exchange = {
          operation: 'test',
          request: request(id, flags, Math.max(20, settings.length)),
          replyBytes: settings.list ? 0 : 1024,
          onMessage: message => {
            if (message.payload.u32(0) !== id) throw new Error('an answer to somebody else')
            if (probe.abandoned || probe.results.length > 0) throw new Error('after the end')
            probe.got++
          },
          onRestart: () => {
            probe.got = 0
          },
          onDone: failure => void probe.results.push(failure),
        }
        ongoing.push(conversation.start(exchange))
      }
      const askSeveral = (errnos: number[]) => {
        const list = new RequestList()
        const several = errnos.map((errno, i) => {
          const flags = NLM_F.REQUEST | NLM_F.ACK
          list.add({ request: request(probes.length, flags), operation: 'test', subject: `${i}` })
          ongoing.push(undefined)
          return asked(false, errno, 0)
        })
        const onRefused = (i: number, failure: unknown) => {
          const { results } = several[i]!
          if (results.length > 0 && !isNetloomError(failure, 'ERR_NETLINK_OVERFLOW')) throw new Error('twice')
          if (results.length === 0) results.push(failure)
        }
        conversation.start({
          operation: 'test',
          request: list.part(0, errnos.length),
          parts: {
            count: errnos.length,
            context: i => list.context(i),
            marks: i => list.marks(i),
            onRefused,
          },
          replyBytes: 1024 * errnos.length,
          onMessage: () => {
            throw new Error('an answer to somebody else')
          },
          onDone: failure => {
            for (const { results } of several) if (results.length === 0) results.push(failure)
          },
        })
      }
      const flush = () => {
        for (const each of flushes.splice(0)) each()
      }
      for (const each of steps) {
        if (each.do === 'ask') ask({ ...each, list: false, messages: each.echoes })
        else if (each.do === 'list') {
          kernel.interruptions += each.interruptions
          ask({ list: true, errno: 0, messages: each.items, length: 20 })
        } else if (each.do === 'several') askSeveral(each.errnos)
        else if (each.do === 'flush') flush()
        else if (each.do === 'deliver') kernel.deliver(conversation, each.count)
        else if (each.do === 'capacity') kernel.capacity = each.datagrams
        else {
          const which = each.which % (probes.length || 1)
          const probe = probes[which]
          const one = ongoing[which]
          if (!probe || !one || probe.results.length > 0) continue
          conversation.abandon(one)
          probe.abandoned = true
        }
      }
      kernel.capacity = Number.POSITIVE_INFINITY
      kernel.interruptions = 0
      flush()
      kernel.deliver(conversation)
      if (conversation.waiting || conversation.queued) throw new Error('it has not ended')
      for (const { results, abandoned, errno, list, got, messages, sent } of probes) {
        if (results.length !== (abandoned ? 0 : 1)) throw new Error(`told ${results.length} times`)
        if (abandoned) continue
        if (!sent) throw new Error('never sent')
        const [result] = results
        told++
        if (isNetloomError(result, 'ERR_NETLINK_OVERFLOW')) unknown++
        else if (list && isNetloomError(result, 'ERR_NETLINK_DUMP_INTERRUPTED')) continue
        else if (-((result as NetlinkError | undefined)?.errno ?? 0) !== errno)
          throw new Error('not the truth')
        else if (got !== messages) throw new Error(`${got} messages of ${messages}`)
      }
    } catch (error) {
      return `${error} of ${JSON.stringify({ budget, steps })}`
    }
    return undefined
  })
  t.ok(passed && told > 100 && unknown > 0 && unknown < told / 2, `${unknown} of ${told}`)
})
