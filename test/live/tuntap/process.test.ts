import { closeSync, fstatSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Network } from '../../../src/network/index.js'
import { NativePort } from '../../../src/port/index.js'
import { Tap } from '../../../src/tuntap/index.js'
import { messageOf, runChild, startWorker } from '../../support/child.js'
import { watchLeaks } from '../../support/leaks.js'
import { markedBatch, readMarked } from '../../support/marked-frames.js'
import { requiresRoot } from '../../support/requires.js'

/** What each child and worker begins with: a TAP on which frames keep coming. */
const prelude = `
  const network = await Network.create()
  const tap = await Tap.create({ in: network, addresses: ['10.0.0.1/24'] })
`

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('a process that opens and does not wait ends by itself', async t => {
    const { code, stdout, stderr } = await runChild(`${prelude}
      console.log('opened', tap.name)
      const batches = tap.batches()
      batches.next()
      await batches.return()
      tap.tryReceive()
    `)
    t.equal(code, 0, stderr)
    t.match(stdout, /opened tap0/)
  })

  t.test('a process that sent more than a turn takes ends by itself', async t => {
    const { code, stdout, stderr } = await runChild(`${prelude}
      const { sent } = await tap.send(FrameBatch.from('ethernet', Array(40_000).fill(new Uint8Array(60))))
      console.log('sent', sent)
      process.on('exit', () => console.log('no reason to stay'))
    `)
    t.equal(code, 0, stderr)
    t.match(stdout, /sent 40000\nno reason to stay/)
  })

  t.test('a process that waits for frames goes on, unless told not to', async t => {
    const waiting = await runChild(`${prelude}
      setTimeout(() => { console.log('still here'); process.exit(3) }, 300).unref()
      for await (const batch of tap.batches()) batch.release()
    `)
    t.match(waiting, { code: 3, stdout: /still here/ })
    const unreferenced = await runChild(`${prelude}
      tap.unref()
      process.on('exit', () => console.log('no reason to stay'))
      tap.batches().next()
    `)
    t.match(unreferenced, { code: 0, stdout: /no reason to stay/ })
  })

  t.test('process.exit() in the middle of a read', async t => {
    const { code, stderr } = await runChild(`${prelude}
      await network.namespace.exec('ping', ['-c1', '-W1', '10.0.0.2'], { reject: false })
      for await (const batch of tap.batches()) { batch.keep(); process.exit(7) }
    `)
    t.equal(code, 7, stderr)
  })

  t.test('what the loop throws is an ordinary uncaught exception', async t => {
    const { code, stderr } = await runChild(`${prelude}
      tap.trySend(new Uint8Array(60))
      await network.namespace.exec('ping', ['-c1', '-W1', '10.0.0.2'], { reject: false })
      for await (const batch of tap.batches()) throw new Error('thrown by the user')
    `)
    t.equal(code, 1)
    t.match(stderr, /thrown by the user/)
    const caught = await runChild(`${prelude}
      process.on('unhandledRejection', error => { console.log('heard', error.message); process.exit(5) })
      await network.namespace.exec('ping', ['-c1', '-W1', '10.0.0.2'], { reject: false })
      ;(async () => { for await (const _ of tap.batches()) throw new Error('in the loop') })()
    `)
    t.match(caught, { code: 5, stdout: /heard in the loop/ })
  })

  t.test('an exception within a callback of the loop is an uncaught one, and the loop goes on', async t => {
    const { code, stdout, stderr } = await runChild(`${prelude}
      process.on('uncaughtException', error => console.log('uncaught', error.message))
      // Called from within the native readiness callback, when the device is gone.
      Tap.prototype.onEnd = () => { throw new Error('from within the callback') }
      // For as long as it reads, the process lives.
      ;(async () => { for await (const _ of tap.batches()); })()
      await network.links.delete('tap0')
      console.log(await tap.closed)
      await new Promise(resolve => setTimeout(resolve, 20))
      const other = await Tap.create({ in: network })
      console.log('went on with', other.name)
      process.exit(0)
    `)
    t.equal(code, 0, stderr)
    t.match(stdout, /uncaught from within the callback/)
    t.match(stdout, /went on with tap0/)
  })

  t.test('no descriptor reaches a child process', async t => {
    const { stdout } = await runChild(`${prelude}
      tap.events().next()
      const { spawnSync } = process.getBuiltinModule('node:child_process')
      const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })
      console.log(stdout, 'listed')
      process.exit(0)
    `)
    t.match(stdout, /listed/)
    // 0 to 2 are the child's own streams.
    const inherited = stdout.split('\n').filter(line => Number(/ (\d+) -> /.exec(line)?.[1]) > 2)
    t.notMatch(inherited.join('\n'), /net:|socket:|\/dev\/net\/tun/)
  })

  t.test('workers use the addon side by side, and are terminated in the middle of a read', async t => {
    const workers = Array.from({ length: 4 }, () =>
      startWorker(`${prelude}
        const flood = setInterval(() => network.namespace.exec('ping', ['-c1', '-W1', '10.0.0.2'], { reject: false }), 20)
        parentPort.postMessage('reading')
        for await (const batch of tap.batches()) { batch.keep(); parentPort.postMessage(batch.count) }
      `),
    )
    for (const worker of workers) while (typeof (await messageOf(worker)) !== 'number');
    await Promise.all(workers.map(worker => worker.terminate()))
    t.pass('all ended')
    await using network = await Network.create()
    await using tap = await Tap.create({ in: network })
    t.equal(tap.name, 'tap0', 'the addon works on in this thread')
  })

  t.test('a worker that is terminated again and again', async t => {
    for (let i = 0; i < 12; i++) {
      const worker = startWorker(`${prelude}
        const events = tap.events()
        await events.next()
        events.next()
        tap.batches().next()
        parentPort.postMessage('waiting')
      `)
      await messageOf(worker)
      // At different moments of its life.
      if (i % 3) await delay(i)
      await worker.terminate()
    }
    t.pass('no crash')
  })

  t.test('workers are terminated in the middle of native calls', async t => {
    const { code, signal, stdout, stderr } = await runChild(`
      const { Worker } = await import('node:worker_threads')
      const { setTimeout: sleep } = await import('node:timers/promises')
      const { readdirSync } = await import('node:fs')
      const library = ${JSON.stringify(new URL('../../../lib/index.js', import.meta.url).href)}
      const bodies = [
        \`for (;;) {
          const network = await Network.create()
          const tap = await Tap.create({ in: network })
          tap.takeDescriptor().close()
          await network.close()
        }\`,
        \`const tap = await Tap.create({ in: await Network.create() })
        parentPort.postMessage('ready')
        for (;;) tap.tryReceive()\`,
      ]
      let before
      for (let i = 0; i < 30; i++) {
        const source = \`const { parentPort } = require('node:worker_threads')
        import('\${library}').then(async ({ Network, Tap }) => { parentPort.postMessage('ready')
        \${bodies[i % 2]} })\`
        const worker = new Worker(source, { eval: true })
        worker.on('error', error => console.log(error))
        for (let told = 0; told <= i % 2; told++) await new Promise(resolve => worker.once('message', resolve))
        for (const until = performance.now() + (i * 7) % 10; performance.now() < until; );
        await worker.terminate()
        // The first one opens what the process keeps.
        await sleep(1)
        before ??= readdirSync('/proc/self/fd').length
      }
      console.log('left:', readdirSync('/proc/self/fd').length - before)
    `)
    t.match({ code, signal, stdout }, { code: 0, signal: null, stdout: 'left: 0\n' }, stderr.slice(0, 600))
  })

  t.test('a descriptor that was taken and adopted again is closed once', async t => {
    const worker = startWorker(`${prelude}
      const taken = tap.takeDescriptor()
      const again = await Tap.fromDescriptor(taken.fd)
      parentPort.postMessage(taken.fd)
      await new Promise(resolve => parentPort.once('message', resolve))
      await again.close()
      parentPort.postMessage('closed')
      setInterval(() => {}, 1000)
    `)
    const fd = Number(await messageOf(worker))
    worker.postMessage('close')
    await messageOf(worker)
    const mine: number[] = []
    while (mine.at(-1) !== fd) mine.push(openSync('/dev/null', 'r'))
    await worker.terminate()
    t.doesNotThrow(() => fstatSync(fd), 'the number is somebody else’s by now')
    for (const each of mine) closeSync(each)
  })

  t.test('a descriptor that cannot be waited on is closed with the port that it does not become', async t => {
    class FilePort extends NativePort<'ethernet'> {
      constructor(fd: number, lent: boolean) {
        super(fd, {
          linkType: 'ethernet',
          name: 'file',
          ethernet: true,
          packetInformation: false,
          vnetHeaderSize: 0,
          maxFrameLength: 1514,
          lent,
        })
      }
      events(): never {
        throw new Error('no events')
      }
      kernelDrops() {
        return 0n
      }
      onEnd() {}
    }
    const fd = openSync('/etc/hostname', 'r')
    t.throws(() => new FilePort(fd, true), { code: 'EPERM', syscall: 'epoll_ctl' })
    t.doesNotThrow(() => fstatSync(fd), 'lent')
    t.throws(() => new FilePort(fd, false), { code: 'EPERM', syscall: 'epoll_ctl' })
    t.throws(() => fstatSync(fd), { code: 'EBADF' })
  })

  t.test('a port moves to another worker by its token', async t => {
    await using network = await Network.create()
    await network.links.create({ kind: 'bridge', name: 'br0', up: true, ipv6LinkLocal: 'none' })
    const options = { in: network, master: 'br0', ipv6LinkLocal: 'none', packetInformation: true } as const
    await using here = await Tap.create(options)
    const there = await Tap.create(options)
    const reading = (async () => {
      for await (const batch of there.batches()) batch.release()
    })()
    const token = there.detach()
    await reading
    t.same(await there.closed, { type: 'detached' })
    t.throws(() => there.detach(), { code: 'ERR_PORT_CLOSED' })
    const worker = startWorker(
      `
      const wrong = await Tun.adopt(workerData).catch(error => error.code)
      const tap = await Tap.adopt(workerData)
      const again = await Tap.adopt(workerData).catch(error => error.code)
      parentPort.postMessage({ wrong, again, name: tap.name, packetInformation: tap.packetInformation })
      for await (const batch of tap.batches()) await tap.send(batch)
      `,
      token,
    )
    const told = await messageOf(worker)
    t.match(told, {
      wrong: 'ERR_LINK_MISMATCH',
      again: 'ERR_DETACHED_TOKEN',
      name: 'tap1',
      packetInformation: true,
    })
    await here.send(markedBatch(1, 3))
    t.equal((await readMarked(here, 3)).length, 3, 'echoed by the worker')
    await worker.terminate()
    t.match(
      (await network.links.list()).map(link => link.name),
      ['lo', 'br0', 'tap0'],
      'the device went with the worker',
    )
  })

  t.test('nothing is left', leaks)
}
