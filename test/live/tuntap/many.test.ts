import { readFile } from 'node:fs/promises'
import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { Tap, Tun } from '../../../src/tuntap/index.js'
import { descriptors, watchLeaks } from '../../support/leaks.js'
import { requiresRoot } from '../../support/requires.js'

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('64 idle devices take no thread: files are read beside them', async t => {
    await using network = await Network.create()
    const taps = await Promise.all(
      Array.from({ length: 64 }, () => Tap.create({ in: network, ipv6LinkLocal: 'none' })),
    )
    const reading = taps.map(tap => tap.batches().next())
    // Each would hold one of the pool's four threads, if it were read there.
    for (let i = 0; i < 16; i++) t.ok((await readFile('/proc/self/stat')).length > 0)
    await Promise.all(taps.map(tap => tap.close()))
    t.equal((await Promise.all(reading)).length, 64)
    t.equal((await network.links.list()).length, 1)
  })

  t.test('300 creates leave no device and no descriptor', async t => {
    await using network = await Network.create()
    const before = descriptors()
    for (let i = 0; i < 300; i++) {
      await using port = await (i % 2 ? Tap : Tun).create({ in: network, name: `made${i}` })
      if (i % 10 === 0) port.batches().next()
    }
    t.same(
      (await network.links.list()).map(link => link.name),
      ['lo'],
    )
    t.same(descriptors(), before)
  })

  t.test('10,000 attaches leave no descriptor and no memory', { timeout: 390_000 }, async t => {
    await using network = await Network.create()
    await using device = await Tap.create({ in: network, name: 'many0', persist: true })
    device.setPersist(true)
    await device.close()
    const attach = async (times: number) => {
      for (let i = 0; i < times; i++) {
        const port = await Tap.open({ in: network, name: 'many0' })
        port.tryReceive()?.release()
        await port.close()
      }
    }
    // What the first ones warm up (code, caches, slabs) stays.
    await attach(2000)
    const before = { descriptors: descriptors(), memory: await memory() }
    await attach(8000)
    const after = { descriptors: descriptors(), memory: await memory() }
    t.same(after.descriptors, before.descriptors)
    // One lost port would be some 400 bytes, one lost slab 320 KiB.
    t.ok(after.memory - before.memory < 8e6, `${((after.memory - before.memory) / 1e6).toFixed(1)} MB more`)
    await (await Tap.open({ in: network, name: 'many0' })).delete()
  })

  t.test('nothing is left', leaks)
}

/** Bytes that this process holds outside the heap of V8, and in it after a collection. */
async function memory(): Promise<number> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 4; i++) {
    collect()
    await new Promise(setImmediate)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
