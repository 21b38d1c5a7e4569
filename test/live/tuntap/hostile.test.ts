import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import { GenericConnection, RouteConnection } from '../../../src/netlink/index.js'
import { Namespace } from '../../../src/netns/index.js'
import { Network } from '../../../src/network/index.js'
import {
  FrameBatch,
  frames,
  impair,
  NativeBatch,
  packets,
  portPair,
  tee,
  toDuplex,
  toReadable,
  toWritable,
} from '../../../src/port/index.js'
import { Tap, Tun } from '../../../src/tuntap/index.js'
import { runChild } from '../../support/child.js'
import { watchLeaks } from '../../support/leaks.js'
import { isMarked, markedBatch, markedFrame } from '../../support/marked-frames.js'
import { requiresRoot } from '../../support/requires.js'

// What TypeScript would refuse, and programs in JavaScript do all the same.
type Anything = never

const nonsense: unknown[] = [
  null,
  true,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 32,
  2 ** 53,
  10n,
  '',
  'x\0',
  Symbol('s'),
  {},
  [],
  () => {},
  Object.create(null),
  new Uint32Array(2),
  new DataView(new ArrayBuffer(60)),
  new Proxy({}, {}),
]

/** Errors are typed: those of Node and of Netloom have codes. */
async function typed(call: () => unknown): Promise<unknown> {
  try {
    return await call()
  } catch (error) {
    if (typeof (error as { code?: unknown }).code !== 'string') throw error
    return undefined
  }
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()
  const network = await Network.create()
  await network.links.create({ kind: 'bridge', name: 'br0', up: true, ipv6LinkLocal: 'none' })
  const onBridge = { in: network, master: 'br0', ipv6LinkLocal: 'none' } as const

  t.test('wrong types are typed errors, of open and of closed ports', async t => {
    const closed = await Tap.create({ in: network })
    await closed.close()
    await using tap = await Tap.create({ in: network, vnetHeaderSize: 10, multiQueue: true })
    await using tun = await Tun.create({ in: network })
    const methods = [
      'trySend',
      'send',
      'tryReceive',
      'setQueueEnabled',
      'setCarrier',
      'setPersist',
      'setOwner',
      'setGroup',
      'setSendBuffer',
      'setOffloads',
      'setVnetHeaderSize',
      'setVnetEndianness',
      'attachFilter',
      'setTxFilter',
      'setSteeringProgram',
      'setFilterProgram',
    ] as const
    for (const port of [closed, tap, tun] as Tap[]) {
      for (const method of methods) {
        if (port[method] === undefined) continue
        for (const value of nonsense) await typed(() => port[method](value as Anything))
      }
      for (const value of nonsense) {
        await typed(() => port.trySend(markedFrame(1), value as Anything))
        await typed(() => port.batches(value as Anything).return?.())
      }
    }
    for (const method of methods) {
      if (method !== 'send') t.throws(() => closed[method](undefined as Anything), { code: /^ERR_/ }, method)
    }
    for (const value of nonsense) {
      const port = await Tap.create({ in: network })
      await typed(() => port.takeDescriptor(value as Anything).close())
      await port.close()
    }
    t.pass()
  })

  t.test('wrong types where ports, batches and namespaces are made', async t => {
    const [a] = portPair('ethernet')
    await using namespace = await Namespace.create()
    const makers: ((value: Anything) => unknown)[] = [
      value => Tap.create(value),
      value => Tap.create({ in: value }),
      value => Tap.open(value),
      value => Tap.ensure(value),
      value => Tap.fromDescriptor(value),
      value => Tap.adopt(value),
      value => Tun.create(value),
      value => FrameBatch.allocate(value),
      value => FrameBatch.allocate({ linkType: 'ethernet', frames: value, bytes: value }),
      value => FrameBatch.from('ethernet', value),
      value => FrameBatch.from('ethernet', [value]),
      value => portPair(value),
      value => portPair('ethernet', value),
      value => a.trySend(value),
      value => a.send(value),
      value => frames(value).return?.(),
      value => packets(value).return?.(),
      value => toDuplex(value).destroy(),
      value => toReadable(value).cancel(),
      value => toWritable(value),
      value => tee(value),
      value => impair(value),
      value => FrameBatch.allocate({ linkType: value, frames: 1, bytes: 60 }),
      value => namespace.exec('true', value),
      value => namespace.spawn('true', value),
      value => Namespace.create(value),
      value => Namespace.open(value),
      value => Namespace.open({ fd: value }),
      value => Namespace.open({ pid: value }),
      value => Namespace.delete(value),
      value => namespace.socket(value),
      value => namespace.socket('udp4', value),
      value => namespace.listen(value),
      value => namespace.bind(value),
      value => namespace.connect(value),
      value => Network.create(value),
      value => network.links.get(value),
      value => network.links.change('lo', value),
    ]
    for (const make of makers) {
      for (const value of nonsense) {
        const made = (await typed(() => make(value as Anything))) as { close?: () => unknown } | undefined
        await made?.close?.()
      }
    }
    t.pass()
  })

  t.test('errors say which argument is wrong, and what it is to be', async t => {
    await using tap = await Tap.create({ in: network, name: 'told0', persist: true })
    const port = { code: 'ERR_INVALID_ARG_TYPE', message: /"port" argument must be a FramePort/ }
    for (const over of [frames, packets, toDuplex, toReadable, toWritable, tee, impair]) {
      for (const value of [undefined, null, 5, {}]) t.throws(() => over(value as Anything), port)
    }
    t.throws(() => tap.events(5 as Anything), { code: 'ERR_INVALID_ARG_TYPE' })
    t.throws(() => FrameBatch.allocate({ linkType: 'x', frames: 1, bytes: 1 } as Anything), /linkType/)
    for (const value of [[1, 2], new Uint16Array(2), new ArrayBuffer(2), new DataView(new ArrayBuffer(2))]) {
      t.throws(() => tap.trySend(value as Anything), { message: /"batch" argument must be a FrameBatch or/ })
    }
    const addresses = Array(65).fill('02:00:00:00:00:01')
    t.throws(() => tap.setTxFilter({ addresses }), { code: 'ERR_INVALID_ARG_TYPE', message: /at most 64/ })
    await using namespace = await Namespace.create()
    await t.rejects(namespace.exec('echo', { cwd: '/' } as Anything), { message: /"args"/ })
    await t.rejects(namespace.exec('sleep', ['9'], { timeoutMs: 1 }), { message: /SIGKILL after 1 ms/ })
    await t.rejects(Tap.create({ in: { fd: 0 } as Anything }), { message: /no network namespace/ })
    await t.rejects(Tap.create({ in: network, addresses: ['0.0.0.0/0'] }), { message: /unspecified/ })
    for (const [options, said] of [
      [{ mtu: 65535 }, /wrong0.*mtu: 65535/],
      [{ master: 'lo' }, /wrong0.*master: lo/],
      [{ master: 99999 }, /wrong0.*master: 99999/],
      [{ macAddress: '00:00:00:00:00:00' }, /wrong0.*macAddress: 00:00/],
    ] as const) {
      await t.rejects(Tap.create({ in: network, name: 'wrong0', ...options }), { message: said })
    }
    await tap.close()
    await t.rejects(tap.delete(), { code: 'ERR_PORT_CLOSED' })
    await (await Tap.open({ in: network, name: 'told0' })).delete()
  })

  t.test('what only its class constructs', t => {
    for (const each of [Tap, Tun, Capture, Namespace, Network, RouteConnection, GenericConnection]) {
      const open = each as unknown as new (given: unknown, more?: unknown) => unknown
      for (const value of [{ fd: 3, settings: {} }, 3, undefined, Symbol('netloom.construct')]) {
        t.throws(() => new open(value), { code: 'ERR_ILLEGAL_CONSTRUCTOR' })
        t.throws(() => new open(value, value), { code: 'ERR_ILLEGAL_CONSTRUCTOR' })
      }
    }
    t.end()
  })

  t.test('memory that may change or vanish is refused', async t => {
    await using tap = await Tap.create(onBridge)
    const shared = new Uint8Array(new SharedArrayBuffer(60))
    const resizable = new Uint8Array(
      new (ArrayBuffer as never as typeof BigBuffer)(60, { maxByteLength: 600 }),
    )
    const detached = new Uint8Array(60)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    for (const slab of [shared, resizable, detached]) {
      t.throws(() => tap.trySend(slab), { code: 'ERR_INVALID_ARG_VALUE' })
      // A view that lies about its buffer.
      Object.defineProperty(slab, 'buffer', { value: new ArrayBuffer(60) })
      Object.defineProperty(slab, 'length', { value: 1 << 20 })
      await typed(() => tap.trySend(slab))
      const offsets = Uint32Array.of(0, 0xffffffff, 0x80000000)
      const lengths = Uint32Array.of(60, 60, 0xffffffff)
      const batch = { linkType: 'ethernet', count: 3, slab, offsets, lengths }
      await t.rejects(tap.send(batch as Anything), { code: /^ERR_/ })
    }
    const slab = new Uint8Array(60)
    for (const [offset, length] of [
      [0, 61],
      [60, 1],
      [0xffffffff, 1],
      [1, 0xffffffff],
    ] as const) {
      const batch = { linkType: 'ethernet', count: 1, slab, offsets: [offset], lengths: [length] }
      const columns = { offsets: Uint32Array.of(offset), lengths: Uint32Array.of(length) }
      t.throws(() => tap.trySend({ ...batch, ...columns } as Anything), { code: 'ERR_OUT_OF_RANGE' })
      t.throws(() => tap.trySend(batch as Anything), { code: 'ERR_INVALID_ARG_TYPE' })
    }
  })

  t.test('getters that change things between the check and the use', async t => {
    await using tap = await Tap.create(onBridge)
    const vanishing = {
      slab: new Uint8Array(60),
      offsets: new Uint32Array(1),
      lengths: Uint32Array.of(60),
      count: 1,
      get linkType() {
        structuredClone(this.slab.buffer, { transfer: [this.slab.buffer] })
        return 'ethernet'
      },
    }
    t.throws(() => tap.trySend(vanishing as Anything), { code: /^ERR_/ })
    let looks = 0
    const growing = {
      ...markedBatch(1, 1),
      linkType: 'ethernet',
      slab: markedFrame(1),
      offsets: new Uint32Array(4),
      lengths: Uint32Array.of(60, 60, 60, 60),
      get count() {
        return ++looks > 1 ? 1 << 20 : 1
      },
    }
    await typed(() => tap.trySend(growing as Anything))
    await typed(() => tap.send(growing as Anything))
    // Another send, while the report of this one is read.
    let refused = 0
    const reentrant = {
      linkType: 'ethernet',
      count: 1,
      slab: new Uint8Array(70_000),
      offsets: new Uint32Array(1),
      get lengths() {
        if (++refused > 1) tap.trySend(markedFrame(2))
        return Uint32Array.of(70_000)
      },
    }
    t.match(tap.trySend(reentrant as Anything), {
      sent: 0,
      dropped: 1,
      failure: { index: 0, error: { code: 'ERR_FRAME_TOO_LONG' } },
    })
    const closing = {
      linkType: 'ethernet',
      slab: new Uint8Array(60),
      offsets: new Uint32Array(1),
      lengths: Uint32Array.of(60),
      get count() {
        tap.close()
        return 1
      },
    }
    await typed(() => tap.trySend(closing as Anything))
    t.same(await tap.closed, { type: 'closed' })
  })

  t.test('batches that pose as ones of a native port', async t => {
    await using tap = await Tap.create(onBridge)
    await using other = await Tap.create(onBridge)
    other.trySend(markedFrame(1))
    let batch = tap.tryReceive()
    while (!batch || ![...batch].some(isMarked)) batch = tap.tryReceive()
    t.ok(batch instanceof NativeBatch)
    const lies: Record<string, unknown> = { memory: { native: {} }, first: 5000, count: 1 }
    const posing = new Proxy(batch, {
      get(target, key) {
        if (key in lies) return lies[key as string]
        const value = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    await typed(() => tap.trySend(posing as Anything))
    t.throws(() => tap.trySend(Object.create(NativeBatch.prototype)), TypeError)
    Object.assign(batch, { count: 1 << 20 })
    await typed(() => tap.trySend(batch))
    batch.release()
    t.throws(() => tap.trySend(batch), { code: 'ERR_BATCH_RELEASED' })
  })

  t.test('memory that is taken away while a send waits', async t => {
    const [a, b] = portPair('ethernet', { queueFrames: 1 })
    const batch = markedBatch(1, 3)
    const sending = a.send(batch)
    const buffer = batch.slab.buffer as ArrayBuffer
    structuredClone(buffer, { transfer: [buffer] })
    b.tryReceive()
    await t.rejects(sending, { code: 'ERR_INVALID_ARG_VALUE' })
    await a.close()
  })

  t.test('columns that were moved away harm no later batch', async t => {
    const { code, stdout, stderr } = await runChild(`
      const network = await Network.create()
      await network.links.create({ kind: 'bridge', name: 'br0', up: true, ipv6LinkLocal: 'none' })
      const options = { in: network, master: 'br0', ipv6LinkLocal: 'none' }
      const a = await Tap.create(options)
      const b = await Tap.create(options)
      const frame = new Uint8Array(60).fill(0xff, 0, 6)
      frame.set([2, 0, 0, 0, 0, 9, 0x88, 0xb5], 6)
      for (let i = 0; i < 4; i++) {
        a.trySend(frame)
        let batch
        while (!(batch = b.tryReceive()));
        for (const column of [batch.offsets, batch.slab]) {
          if (column.buffer.transfer) column.buffer.transfer()
          else try { structuredClone(column.buffer, { transfer: [column.buffer] }) } catch {}
        }
        batch.release()
      }
      console.log('read on')
      process.exit(0)
    `)
    t.match({ code, stdout }, { code: 0, stdout: 'read on\n' }, stderr)
  })

  t.test('nothing is left', async t => {
    await network.close()
    await leaks(t)
  })
}

declare class BigBuffer extends ArrayBuffer {
  constructor(length: number, options: { maxByteLength: number })
}
