import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import {
  type CaptureReader,
  type CaptureSource,
  PcapngWriter,
  PcapWriter,
  readCapture,
} from '../../../src/pcap/index.js'

const writer = new PcapngWriter()
const file = Buffer.concat([
  writer.section({ application: 'test' }),
  writer.interface({ linkType: 'ethernet', name: 'a' }),
  ...Array.from({ length: 1000 }, (_, i) =>
    writer.packet({ timestamp: BigInt(i), data: new Uint8Array(i % 100), comments: [`${i}`] }),
  ),
])

async function check(t: Test, capture: CaptureReader, what: string): Promise<void> {
  const comments: string[] = []
  for await (const packet of capture.packets()) comments.push(packet.comments![0]!)
  t.same(
    comments,
    Array.from({ length: 1000 }, (_, i) => `${i}`),
    what,
  )
  t.match(capture.interfaces, [{ name: 'a' }])
  t.equal(capture.section!.application, 'test')
  t.equal(capture.cut, undefined)
}

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** A Web stream that, as in some browsers, cannot be iterated. */
function plainStream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const sink = writable.getWriter()
  void (async () => {
    for (const piece of pieces(bytes, 1000)) await sink.write(piece)
    await sink.close()
  })()
  return { getReader: () => readable.getReader() } as ReadableStream<Uint8Array>
}

t.test('from any source, also compressed', async t => {
  for (const [how, bytes] of [
    ['plain', file],
    ['gzip', gzipSync(file)],
    ['two members of gzip', Buffer.concat([gzipSync(file.subarray(0, 5000)), gzipSync(file.subarray(5000))])],
  ] as const) {
    await check(t, readCapture(bytes), `${how}: bytes`)
    await check(t, readCapture(pieces(bytes, 777)), `${how}: chunks`)
    await check(t, readCapture(pieces(bytes, how === 'plain' ? 1 : 50)), `${how}: small chunks`)
    await check(t, readCapture(Readable.from(pieces(bytes, 1000))), `${how}: a stream of Node`)
    await check(t, readCapture(new Blob([bytes]).stream()), `${how}: a Web stream`)
    await check(t, readCapture(plainStream(bytes)), `${how}: a Web stream that is not iterable`)
  }
})

t.test('a capture is read once, in one way', async t => {
  const capture = readCapture(file)
  t.equal(capture.section, undefined)
  t.same(capture.interfaces, [])
  let count = 0
  for await (const batch of capture) count += batch.count
  t.equal(count, 1000)
  await t.rejects(capture.packets().next(), { code: 'ERR_INVALID_STATE' })
})

t.test('leaving the loop ends the source', async t => {
  for (const bytes of [file, gzipSync(file)]) {
    const ended = new Promise<void>(resolve => {
      async function* source() {
        try {
          for (;;) yield bytes.subarray(0, 500)
        } finally {
          resolve()
        }
      }
      void leave(source())
    })
    await ended
    const canceled = new Promise<void>(resolve => {
      const stream = new ReadableStream<Uint8Array>({
        pull: controller => controller.enqueue(bytes.subarray(0, 500)),
        cancel: () => resolve(),
      })
      void leave({ getReader: () => stream.getReader() } as typeof stream)
    })
    await canceled
  }
  t.pass('both ends were told')

  async function leave(source: CaptureSource): Promise<void> {
    for await (const batch of readCapture(source)) {
      t.ok(batch.count > 0)
      break
    }
  }
})

t.test('files that end too early', async t => {
  const capture = readCapture(file.subarray(0, -7))
  const types: string[] = []
  for await (const item of capture.items()) types.push(item.type)
  t.same(types.slice(0, 3), ['section', 'interface', 'packets'])
  t.equal(types.at(-1), 'cut')
  t.match(capture.cut, { type: 'cut', offset: Number, length: Number })

  const compressed = gzipSync(file)
  const cut = readCapture(pieces(compressed.subarray(0, compressed.length >> 1), 100))
  let count = 0
  for await (const batch of cut) count += batch.count
  t.ok(count > 0 && count < 1000, `${count} packets`)
  t.ok(cut.cut)
})

t.test('what is wrong with a file', async t => {
  const next = (bytes: Uint8Array) => readCapture(bytes).items().next()
  await t.rejects(next(new Uint8Array()), { code: 'ERR_CAPTURE_FILE_INVALID' })
  await t.rejects(next(Uint8Array.of(0x1f)), { code: 'ERR_CAPTURE_FILE_INVALID' })
  await t.rejects(next(gzipSync('')), { code: 'ERR_CAPTURE_FILE_INVALID' })
  await t.rejects(next(gzipSync(gzipSync(file))), { message: /compressed with gzip/ })
  const damaged = gzipSync(file)
  damaged.fill(0x55, 20, 60)
  await t.rejects(
    (async () => {
      for await (const _ of readCapture(damaged));
    })(),
    { code: 'ERR_CAPTURE_FILE_INVALID', message: /damaged/ },
  )
  const failing = readCapture(
    (async function* () {
      yield file.subarray(0, 100)
      throw new Error('of the source')
    })(),
  )
  await t.rejects(
    (async () => {
      for await (const _ of failing);
    })(),
    { message: 'of the source' },
  )
  for (const source of ['text', 5, null, {}]) {
    t.throws(() => readCapture(source as never), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  await t.rejects(
    readCapture(['text'] as never)
      .items()
      .next(),
    { code: 'ERR_INVALID_ARG_TYPE' },
  )
})

t.test('the first packet of a live file is not waited for', async t => {
  const pcap = new PcapWriter({ linkType: 'ip' })
  const first = Buffer.concat([pcap.header(), pcap.packet({ timestamp: 1n, data: Uint8Array.of(0x45) })])
  let asked = 0
  async function* source() {
    yield first
    asked++
    yield pcap.packet({ timestamp: 2n, data: Uint8Array.of(0x46) })
  }
  const packets = readCapture(source()).packets()
  t.match((await packets.next()).value, { timestamp: 1n })
  t.equal(asked, 0)
  t.match((await packets.next()).value, { timestamp: 2n })
  t.ok((await packets.next()).done)
})
