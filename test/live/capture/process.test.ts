import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import { messageOf, runChild, startWorker } from '../../support/child.js'
import { watchLeaks } from '../../support/leaks.js'
import { wiredNetwork } from '../../support/networks.js'
import { requiresRoot } from '../../support/requires.js'

/** What each child and worker begins with: a capture of a cable on which something happens now and then. */
const prelude = `
  const network = await Network.create()
  await network.links.create({ kind: 'veth', name: 'v0', up: true, addresses: ['10.0.0.1/24'], peer: { name: 'v1' } })
  await network.links.change('v1', { up: true })
  const ring = { in: network, interface: 'v0', blockSize: 524288, blockCount: 4 }
  const capture = await Capture.open(ring)
  const sender = await Capture.open({ ...ring, interface: 'v1' })
  const frame = new Uint8Array(60).fill(255)
`

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('a process that captures and does not wait ends by itself', async t => {
    const { code, stdout, stderr } = await runChild(`${prelude}
      console.log('opened', capture.name)
      const batches = capture.batches()
      batches.next()
      await batches.return()
      capture.tryReceive()
    `)
    t.equal(code, 0, stderr)
    t.match(stdout, /opened v0/)
  })

  t.test('a process that waits goes on, unless told not to', async t => {
    const waiting = await runChild(`${prelude}
      setTimeout(() => { console.log('still here'); process.exit(3) }, 300).unref()
      for await (const batch of capture.batches()) batch.release()
    `)
    t.match(waiting, { code: 3, stdout: /still here/ })
    const unreferenced = await runChild(`${prelude}
      capture.unref()
      process.on('exit', () => console.log('no reason to stay'))
      capture.batches().next()
    `)
    t.match(unreferenced, { code: 0, stdout: /no reason to stay/ })
    const recording = await runChild(`${prelude}
      setTimeout(() => { console.log('recording'); process.exit(4) }, 100).unref()
      await capture.toFile('/dev/null')
    `)
    t.match(recording, { code: 4, stdout: /recording/ })
  })

  t.test('process.exit() in the middle of a read, and of a send', async t => {
    const { code, stderr } = await runChild(`${prelude}
      sender.trySend(frame)
      for await (const batch of capture.batches()) { batch.keep(); process.exit(7) }
    `)
    t.equal(code, 7, stderr)
  })

  t.test('what the loop throws is an ordinary uncaught exception', async t => {
    const { code, stderr } = await runChild(`${prelude}
      sender.trySend(frame)
      for await (const batch of capture.batches()) throw new Error('thrown by the user')
    `)
    t.equal(code, 1)
    t.match(stderr, /thrown by the user/)
    const inside = await runChild(`${prelude}
      process.on('uncaughtException', error => console.log('uncaught', error.message))
      Capture.prototype.onEnd = () => { throw new Error('from within the callback') }
      // For as long as it reads, the process lives.
      ;(async () => { for await (const _ of capture.batches()); })()
      await network.links.delete('v0')
      console.log(await capture.closed)
      await new Promise(resolve => setTimeout(resolve, 20))
      process.exit(0)
    `)
    t.equal(inside.code, 0, inside.stderr)
    t.match(inside.stdout, /uncaught from within the callback/)
  })

  t.test('no descriptor reaches a child process', async t => {
    const { stdout } = await runChild(`${prelude}
      capture.events().next()
      const recording = capture.toFile('/dev/null')
      const { spawnSync } = process.getBuiltinModule('node:child_process')
      const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })
      console.log(stdout, 'listed')
      process.exit(0)
    `)
    t.match(stdout, /listed/)
    const inherited = stdout.split('\n').filter(line => Number(/ (\d+) -> /.exec(line)?.[1]) > 2)
    t.notMatch(inherited.join('\n'), /net:|socket:|eventfd|\/dev\/null/)
  })

  t.test('workers are terminated in the middle of a read, a recording, an opening and a closing', async t => {
    const ways = [
      `parentPort.postMessage('ready')
       const timer = setInterval(() => sender.trySend(frame), 1)
       for await (const batch of capture.batches()) batch.keep()`,
      `const recording = capture.toFile('/dev/null').catch(() => {})
       parentPort.postMessage('ready')
       setInterval(() => sender.trySend(frame), 1)`,
      `parentPort.postMessage('ready')
       for (;;) { void Capture.open(ring); await new Promise(setImmediate) }`,
      `parentPort.postMessage('ready')
       for (;;) { const one = await Capture.open({ ...ring, latency: 'low' }); void one.events().next(); void one.close() }`,
      `const events = capture.events()
       await network.links.delete('v0')
       parentPort.postMessage('ready')
       for await (const event of events);`,
    ]
    for (let i = 0; i < 4 * ways.length; i++) {
      const worker = startWorker(prelude + ways[i % ways.length]!)
      await messageOf(worker)
      // At different moments of its life.
      await delay(3 * i)
      await worker.terminate()
    }
    t.pass('no crash')
    await using network = await wiredNetwork()
    await using capture = await Capture.open({ in: network, interface: 'v0' })
    t.equal(capture.name, 'v0', 'the addon works on in this thread')
    t.ok((await readFile('/proc/self/maps', 'utf8')).includes('socket:'))
  })

  t.test('nothing is left', leaks)
}
