import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import { compileFilter, FilterProgram, parseFilterProgram } from '../../../src/filter/index.js'
import { FrameBatch } from '../../../src/frames/index.js'
import { readCapture } from '../../../src/pcap/index.js'
import type { PortEvent } from '../../../src/port/index.js'
import { captured, tagged } from '../../support/captured.js'
import { watchLeaks } from '../../support/leaks.js'
import { markedBatch, markedFrame, sequenceOf } from '../../support/marked-frames.js'
import { connectedNetworks } from '../../support/networks.js'
import { requiresRoot } from '../../support/requires.js'

const latencies = ['batched', 'low'] as const

const expressions = [
  'ether proto 0x88b5',
  'vlan',
  'vlan 100',
  'vlan and vlan 3',
  'len > 200 or vlan 7',
  'inbound and not vlan',
  'outbound',
  'ether multicast and greater 100',
]

/** With more instructions than the kernel takes. */
function long(expression: string, linkType: 'ethernet' | 'linux-sll2' = 'ethernet'): FilterProgram {
  const nothing = Array.from({ length: 4096 }, () => ({ code: 0x07, jt: 0, jf: 0, k: 0 }))
  const { instructions } = compileFilter(expression, { live: true, linkType })
  return new FilterProgram([...nothing, { code: 0x01, jt: 0, jf: 0, k: 0 }, ...instructions])
}

function mixedFrames(): Uint8Array[] {
  return [60, 100, 300].flatMap(length => {
    const frame = markedFrame(length, length)
    return [frame, tagged(frame, 100), tagged(frame, 7, 0x88a8), tagged(tagged(frame, 3), 9)]
  })
}

/** Takes frames of 100 bytes and more, after more instructions than the kernel takes. */
function tooLong(): FilterProgram {
  const nothing = Array.from({ length: 4096 }, () => ({ code: 0x07, jt: 0, jf: 0, k: 0 }))
  return new FilterProgram([...nothing, ...compileFilter('len >= 100', { live: true }).instructions])
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('nothing passes that the filter refuses, from the first frame on', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    let open = true
    let sent = 0
    const flood = (async () => {
      while (open) {
        await sender.send(markedBatch(1, 64))
        sent += 64
        await new Promise(setImmediate)
      }
    })()
    for (let i = 0; i < 12; i++) {
      await using capture = await Capture.open({
        in: cable.blue,
        interface: 'v0',
        latency: latencies[i % 2]!,
        filter: 'not ether proto 0x88b5',
        ...(i % 3 === 0 && { fanout: { mode: 'hash' } as const }),
      })
      t.equal(capture.stats().received, 0n)
    }
    open = false
    await flood
    t.ok(sent > 0)
  })

  t.test('programs of other makers', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    // tcpdump -ddd 'len >= 100', cut to 60 bytes.
    const text = '4\n128 0 0 0\n53 0 1 100\n6 0 0 60\n6 0 0 0\n'
    for (const filter of [text, parseFilterProgram(text)]) {
      await using capture = await Capture.open({ in: cable.blue, interface: 'v0', filter })
      t.ok(capture.filterInKernel)
      await sender.send(FrameBatch.from('ethernet', [markedFrame(1, 99), markedFrame(2, 100)]))
      const [packet] = await captured(capture, 1)
      t.same(packet!.data, markedFrame(2, 100).subarray(0, 60))
      t.equal(packet!.originalLength, 100)
    }
  })

  t.test('what the kernel refuses is run here, and said', async t => {
    await using cable = await connectedNetworks()
    for (const latency of latencies) {
      await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
      await using capture = await Capture.open({
        in: cable.blue,
        interface: 'v0',
        latency,
        filter: tooLong(),
      })
      t.equal(capture.filterInKernel, false)
      const events = capture.events()
      t.match((await events.next()).value, { type: 'state' })
      t.match((await events.next()).value, {
        type: 'filter-fallback',
        error: { code: 'EINVAL', request: 'SO_ATTACH_FILTER' },
      })
      for (let i = 0; i < 40; i++) await sender.send(markedFrame(i, i % 2 ? 80 : 120))
      const got = await captured(capture, 20)
      t.same(
        got.map(({ data }) => sequenceOf(data)),
        Array.from({ length: 20 }, (_, i) => 2 * i),
      )
      t.ok(got.every(({ data, originalLength }) => data.length === 120 && originalLength === 120))
      t.equal(capture.stats().received, 40n)
      t.equal(capture.counters().receivedFrames, 20n)
      t.equal(capture.counters().receivedBytes, 2400n)
      capture.setFilter('len < 100')
      t.ok(capture.filterInKernel)
    }
  })

  t.test('a file is complete with its last packet, whatever else keeps coming', async t => {
    await using cable = await connectedNetworks()
    for (const latency of latencies) {
      await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
      const options = { in: cable.blue, interface: 'v0', latency, filter: tooLong() } as const
      await using capture = await Capture.open(options)
      let over = false
      const recording = capture.toFile('/dev/null', { stop: { packets: 1 } }).finally(() => {
        over = true
      })
      await sender.send(markedFrame(0, 120))
      while (!over) {
        await sender.send(markedBatch(1, 64))
        await new Promise(setImmediate)
      }
      t.match(await recording, { reason: 'packets', packets: 1n })
    }
  })

  t.test('the same frames pass here as in the kernel', async t => {
    await using cable = await connectedNetworks()
    const frames = mixedFrames()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    for (const vlan of ['inline', 'metadata'] as const) {
      for (const expression of expressions) {
        const options = { in: cable.blue, interface: 'v0', vlan } as const
        await using kernel = await Capture.open({ ...options, filter: expression })
        await using here = await Capture.open({ ...options, filter: long(expression) })
        await sender.send(FrameBatch.from('ethernet', frames))
        const count = Number(kernel.stats().received)
        const [theirs, ours] = [await captured(kernel, count), await captured(here, count)]
        const plain = (all: typeof ours) => all.map(({ data, vlan }) => [data, vlan])
        t.same(plain(ours), plain(theirs), `${expression}: ${count}`)
      }
    }
  })

  t.test('into a file go the frames that the kernel would let through', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    const cases = [
      ...expressions.map(expression => ({ expression, linkType: 'ethernet' as const })),
      ...['ether proto 0x88b5', 'not ether proto 0x88b5', 'ip or arp', 'inbound and greater 100'].map(
        expression => ({
          expression,
          linkType: 'linux-sll2' as const,
        }),
      ),
    ]
    const path = join(t.testdir(), 'file.pcapng')
    for (const { expression, linkType } of cases) {
      for (const latency of latencies) {
        const options = { in: cable.blue, interface: 'v0', linkType, latency } as const
        await using kernel = await Capture.open({ ...options, filter: expression })
        await using here = await Capture.open({ ...options, filter: long(expression, linkType) })
        const events = here.events()
        const seen = [(await events.next()).value, (await events.next()).value]
        t.match(seen, [{ type: 'state' }, { type: 'filter-fallback', error: { code: 'EINVAL' } }])
        const stop = new AbortController()
        const recording = here.toFile(path, { signal: stop.signal })
        // Of packets without link header, newer kernels tell the innermost protocol (vlan_get_protocol_dgram of
        // net/packet/af_packet.c), and filters the one behind the first tag.
        const tags = linkType === 'linux-sll2' ? 1 : 2
        const frames = mixedFrames().filter((_, i) => i % 4 < 2 + tags)
        await sender.send(FrameBatch.from('ethernet', frames))
        const theirs = await captured(kernel, Number(kernel.stats().received))
        stop.abort()
        t.match(await recording, { reason: 'aborted', packets: theirs.length, dropped: 0 })
        const ours: Uint8Array[] = []
        for await (const { data } of readCapture(readFileSync(path)).packets()) ours.push(data)
        t.same(
          ours,
          theirs.map(({ data }) => data),
          `${linkType} ${expression} ${latency}: ${ours.length}`,
        )
      }
    }
  })

  t.test('another filter while it runs: frames of the old one do not come any more', async t => {
    await using cable = await connectedNetworks()
    for (const latency of latencies) {
      await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
      await using capture = await Capture.open({ in: cable.blue, interface: 'v0', latency })
      await sender.send(
        FrameBatch.from(
          'ethernet',
          [60, 100, 60, 100].map((n, i) => markedFrame(i, n)),
        ),
      )
      capture.setFilter('len = 100')
      await sender.send(
        FrameBatch.from(
          'ethernet',
          [60, 100, 60, 100].map((n, i) => markedFrame(i + 4, n)),
        ),
      )
      t.same(
        (await captured(capture, 4)).map(({ data }) => sequenceOf(data)),
        [1, 3, 5, 7],
      )
      t.throws(() => capture.setFilter('len ='), { code: 'ERR_FILTER_INVALID' })
      t.throws(() => capture.setFilter(7 as never), { code: 'ERR_INVALID_ARG_TYPE' })
      await sender.send(FrameBatch.from('ethernet', [markedFrame(8, 60), markedFrame(9, 100)]))
      t.same(
        (await captured(capture, 1)).map(({ data }) => sequenceOf(data)),
        [9],
        'the filter stayed',
      )
      capture.setFilter(tooLong())
      const events = capture.events()
      const seen: PortEvent[] = []
      for (let i = 0; i < 2; i++) seen.push((await events.next()).value)
      t.match(seen, [{ type: 'state' }, { type: 'filter-fallback' }])
      capture.setFilter(undefined)
      await sender.send(markedFrame(10, 60))
      t.same(
        (await captured(capture, 1)).map(({ data }) => sequenceOf(data)),
        [10],
      )
    }
  })

  t.test('nothing is left', leaks)
}
