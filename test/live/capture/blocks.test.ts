import { readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { Capture, type CaptureBatch } from '../../../src/capture/index.js'
import { compileFilter, FilterProgram } from '../../../src/filter/index.js'
import { FrameBatch } from '../../../src/frames/index.js'
import { packetOf, portPair } from '../../../src/port/index.js'
import { tagged } from '../../support/captured.js'
import { runChild } from '../../support/child.js'
import { watchLeaks } from '../../support/leaks.js'
import { markedBatch, markedFrame, sequenceOf } from '../../support/marked-frames.js'
import { connectedNetworks } from '../../support/networks.js'
import { requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('blocks have what batches have', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    const frames = [60, 64, 1000, 1514].map((length, i) => markedFrame(i, length))
    frames.push(tagged(markedFrame(4), 100), tagged(tagged(markedFrame(5), 5), 6, 0x88a8))
    const nothing = Array.from({ length: 4096 }, () => ({ code: 0x07, jt: 0, jf: 0, k: 0 }))
    const here = new FilterProgram([...nothing, ...compileFilter('not vlan', { live: true }).instructions])
    for (const [count, options] of [
      [6, {}],
      [6, { vlan: 'metadata' }],
      [6, { linkType: 'linux-sll2' }],
      [6, { snapLength: 64 }],
      [2, { filter: 'vlan' }],
      [4, { filter: here }],
    ] as const) {
      const all = { in: cable.blue, interface: 'v0', ...options }
      await using copying = await Capture.open(all)
      await using lending = await Capture.open(all)
      await sender.send(FrameBatch.from('ethernet', frames))
      // The kernel may hand a block over between two frames.
      const read = async (batches: AsyncIterableIterator<CaptureBatch>) => {
        const got: object[] = []
        for await (const batch of batches) {
          for (const [i, frame] of [...batch].entries()) {
            const { timestamp, ...packet } = packetOf(batch, i)
            t.type(timestamp, 'bigint')
            t.same(Uint8Array.from(frame), packet.data)
            got.push(packet)
          }
          if (got.length >= count) break
        }
        return got
      }
      t.same(
        await read(lending.blocks()),
        await read(copying.batches()),
        JSON.stringify(Object.keys(options)),
      )
      t.same(lending.counters(), copying.counters())
    }
  })

  t.test('a block that went back shows nothing, and is filled again', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    await using capture = await Capture.open({ in: cable.blue, interface: 'v0', blockCount: 4, timeoutMs: 1 })
    const stale: Uint8Array[] = []
    const blocks = capture.blocks()
    t.equal(capture.owner, 'reader')
    t.throws(() => capture.blocks(), { code: 'ERR_PORT_LOCKED' })
    for (let i = 0; i < 12; i++) {
      await sender.send(markedFrame(i))
      const { value: batch } = await blocks.next()
      t.equal(sequenceOf(batch!.frame(0)), i)
      stale.push(batch!.frame(0))
      const last = i === 11 ? batch : undefined
      if (last) {
        last.release()
        last.release()
        t.throws(() => last.frame(0), { code: 'ERR_BATCH_RELEASED' })
        t.throws(() => last.slab, { code: 'ERR_BATCH_RELEASED' })
      }
    }
    t.ok(stale.every(view => view.length === 0))
    t.equal(capture.stats().dropped, 0n)
    await blocks.return!()
  })

  t.test('one that is kept stays, and the capture goes on until its turn comes again', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    await using capture = await Capture.open({ in: cable.blue, interface: 'v0', blockCount: 4, timeoutMs: 1 })
    const blocks = capture.blocks()
    await sender.send(markedFrame(7))
    const kept = (await blocks.next()).value!.keep()
    await t.rejects(capture.toFile('/dev/null'), { code: 'ERR_INVALID_STATE' })
    for (let i = 0; i < 3; i++) {
      const next = blocks.next()
      await sender.send(markedFrame(i))
      t.equal(sequenceOf((await next).value!.frame(0)), i)
    }
    while (capture.stats().dropped === 0n) {
      await sender.send(markedFrame(9, 1514))
      await nextTurn()
    }
    t.equal(sequenceOf(kept.frame(0)), 7)
    const view = kept.frame(0)
    kept.release()
    t.equal(view.length, 0)
    const next = blocks.next()
    // The kernel goes on with the next frame.
    const taken = () => capture.stats().received - capture.stats().dropped
    for (const before = taken(); taken() === before; await nextTurn()) await sender.send(markedFrame(8))
    const { value } = await next
    t.ok(value!.count > 0 && value!.dropped > 0)
    // It is sent on from where it lies.
    const [one, two] = portPair('ethernet')
    t.match(one.trySend(value! as FrameBatch<'ethernet'>), { sent: value!.count })
    t.equal(two.tryReceive()!.count, value!.count)
    await blocks.return!()
  })

  t.test('the end of the port takes all of them back', async t => {
    await using cable = await connectedNetworks()
    const before = mappings()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    const capture = await Capture.open({ in: cable.blue, interface: 'v0' })
    await sender.send(markedBatch(0, 10))
    const kept = (await capture.blocks().next()).value!.keep()
    const view = kept.frame(0)
    t.equal(view.length, 60)
    await capture.close()
    t.equal(view.length, 0)
    t.throws(() => kept.frame(0), { code: 'ERR_BATCH_RELEASED' })
    kept.release()
    await sender.close()
    t.ok(mappings() <= before + 1)
    t.match(await capture.blocks().next(), { done: true })
  })

  t.test('bytes that were moved away end the port, and stay whole', async t => {
    const { code, stdout, stderr } = await runChild(`
      const network = await Network.create()
      await network.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'v1' } })
      await network.links.change('v1', { up: true })
      const capture = await Capture.open({ in: network, interface: 'v0', filter: 'ether proto 0x88b5' })
      const sender = await Capture.open({ in: network, interface: 'v1' })
      const frame = new Uint8Array(60).fill(0x88)
      frame[13] = 0xb5
      sender.trySend(frame)
      const batch = (await capture.blocks().next()).value
      const { buffer } = batch.slab
      // Node copies what must not be transferred; the language itself does not ask (ArrayBuffer.prototype.transfer).
      const copy = structuredClone(buffer, { transfer: [buffer] })
      console.log('cloned', buffer.byteLength, new Uint8Array(copy).includes(0xb5))
      const moved = buffer.transfer?.()
      batch.release()
      console.log('released', buffer.byteLength)
      if (moved) {
        const { error } = await capture.closed
        console.log(error.code, new Uint8Array(moved).includes(0xb5))
      }
      await capture.close()
      await sender.close()
    `)
    t.equal(code, 0, stderr)
    t.match(stdout, /^cloned 524288 true\nreleased 0\n(ERR_INVALID_STATE true\n)?$/)
  })

  t.test('where there are no blocks', async t => {
    await using cable = await connectedNetworks()
    for (const options of [{ latency: 'low' }, { offload: 'split' }] as const) {
      await using capture = await Capture.open({ in: cable.blue, interface: 'v0', ...options })
      t.throws(() => capture.blocks(), { code: 'ERR_UNSUPPORTED' })
    }
    await using capture = await Capture.open({ in: cable.blue, interface: 'v0' })
    t.throws(() => capture.blocks({ frames: 1 } as object), { code: 'ERR_INVALID_ARG_VALUE' })
    const controller = new AbortController()
    const aborted = capture.blocks({ signal: controller.signal }).next()
    controller.abort()
    await t.rejects(aborted, { name: 'AbortError' })
  })

  t.test('nothing is left', leaks)
}

/** Rings of packet sockets that this process has mapped. */
function mappings(): number {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter(line => line.includes('socket:')).length
}
