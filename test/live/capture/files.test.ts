import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import t from 'tap'
import { Capture, type RecordingOptions } from '../../../src/capture/index.js'
import { FrameBatch } from '../../../src/frames/index.js'
import { captured, tagged } from '../../support/captured.js'
import { watchLeaks } from '../../support/leaks.js'
import { markedBatch, markedFrame } from '../../support/marked-frames.js'
import { connectedNetworks, wiredNetwork } from '../../support/networks.js'
import { readPcapFile } from '../../support/pcap-file.js'
import { requires, requiresRoot } from '../../support/requires.js'
import { startTcpdump } from '../../support/tcpdump.js'

const run = promisify(execFile)
const latencies = ['batched', 'low'] as const

/** The packets of a file, as editcap gives them: frames and times. */
async function packetsOf(path: string) {
  const { stdout } = await run('editcap', ['-F', 'nsecpcap', path, '-'], {
    encoding: 'buffer',
    maxBuffer: 1 << 28,
  })
  return readPcapFile(stdout).packets
}

if (requiresRoot(t) && requires(t, 'editcap', 'tshark', 'capinfos', 'tcpdump')) {
  const leaks = watchLeaks()
  const folder = await mkdtemp(join(tmpdir(), 'netloom-files-'))

  t.test('a file has what a reader sees, and tshark has nothing to say of it', async t => {
    const sizes = [60, 61, 62, 63, 1513, 1514]
    const frames = Array.from({ length: 300 }, (_, i) => markedFrame(i, sizes[i % sizes.length]!))
    frames.push(tagged(markedFrame(300, 90), 100), tagged(tagged(markedFrame(301, 90), 5), 6, 0x88a8))
    for (const format of ['pcapng', 'pcap'] as const) {
      for (const latency of latencies) {
        await using cable = await connectedNetworks()
        await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
        await using capture = await Capture.open({ in: cable.blue, interface: 'v0', latency })
        // It has the kernel stamp each frame once for all who capture it.
        const theirs = await startTcpdump(cable.blue, 'v0', frames.length, '--time-stamp-precision=nano')
        const path = join(folder, `all-${latency}.${format}`)
        const stop = { packets: frames.length }
        const recording = capture.toFile(path, { format, stop })
        t.equal(capture.owner, 'forward')
        t.throws(() => capture.batches(), { code: 'ERR_PORT_LOCKED' })
        await t.rejects(capture.toFile(path), { code: 'ERR_PORT_LOCKED' })
        for (let i = 0; i < frames.length; i += 50) {
          await sender.send(FrameBatch.from('ethernet', frames.slice(i, i + 50)))
        }
        const result = await recording
        t.match(result, { packets: frames.length, dropped: 0, files: [path], reason: 'packets' })
        t.equal(result.bytes, (await stat(path)).size)
        t.equal(capture.owner, 'none')
        const seen = (await theirs()).packets
        t.same(
          seen.map(({ data }) => data),
          frames,
        )
        t.same(await packetsOf(path), seen, 'bytes, lengths and times')
        const { stdout, stderr } = await run('tshark', [
          '-n',
          '-r',
          path,
          '-T',
          'fields',
          '-e',
          'frame.number',
        ])
        t.equal(stdout.trim().split('\n').length, frames.length)
        t.notMatch(stderr, /damaged|corrupt|cut short|Error/i)
        if (format === 'pcap') t.same(readPcapFile(await readFile(path)).packets, seen)
        // And the capture goes on.
        await sender.send(markedFrame(1))
        t.equal((await capture.batches().next()).value!.count, 1)
      }
    }
  })

  t.test('directions, statistics and the name of the interface are in the file', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    await using back = await Capture.open({ in: cable.blue, interface: 'v0', linkType: 'ethernet' })
    await using capture = await Capture.open({ in: cable.blue, interface: 'v0' })
    const path = join(folder, 'directions.pcapng')
    const recording = capture.toFile(path, { stop: { packets: 2 } })
    await sender.send(markedFrame(1))
    await back.send(markedFrame(2))
    await recording
    const fields = [
      'frame.interface_name',
      'frame.packet_flags_direction',
      'frame.packet_flags_reception_type',
    ]
    const { stdout } = await run('tshark', [
      ...['-n', '-r', path, '-T', 'fields'],
      ...fields.flatMap(field => ['-e', field]),
    ])
    t.same(
      stdout
        .trim()
        .split('\n')
        .map(line => line.split('\t').map(word => (/^0x/.test(word) ? Number(word) : word))),
      [
        ['v0', 1, 3],
        ['v0', 2, 0],
      ],
    )
    const report = (await run('capinfos', ['-M', path])).stdout
    t.match(report, /Number of packets:\s*2\b/i)
    t.match(report, /Number of stat entries\s*=\s*1/i)
  })

  t.test('VLAN tags are in the file, also of a capture that has them beside its frames', async t => {
    const frames = [tagged(markedFrame(0, 90), 100), tagged(tagged(markedFrame(1, 90), 5), 6, 0x88a8)]
    for (const latency of latencies) {
      await using cable = await connectedNetworks()
      await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
      await using capture = await Capture.open({
        in: cable.blue,
        interface: 'v0',
        vlan: 'metadata',
        latency,
      })
      const path = join(folder, `tags-${latency}.pcapng`)
      const recording = capture.toFile(path, { stop: { packets: 2 } })
      for (const frame of frames) await sender.send(frame)
      await recording
      t.same(
        (await packetsOf(path)).map(({ data }) => data),
        frames,
      )
      // And the capture goes on as it was.
      await sender.send(frames[0]!)
      const [packet] = await captured(capture, 1)
      t.match(packet, { vlan: 0x81000064 })
      t.same(packet!.data, markedFrame(0, 90))
    }
  })

  t.test('the name says format and compression', async t => {
    await using network = await wiredNetwork()
    await using sender = await Capture.open({ in: network, interface: 'v1', linkType: 'ethernet' })
    await using capture = await Capture.open({ in: network, interface: 'v0', latency: 'low' })
    const cases: [name: string, options: RecordingOptions, pcapng: boolean, gzip: boolean][] = [
      ['n.pcap', {}, false, false],
      ['n.pcapng', {}, true, false],
      ['n.pcap.gz', {}, false, true],
      ['n.pcapng.gz', {}, true, true],
      ['n.gz', {}, true, true],
      ['n', {}, true, false],
      ['m.pcap', { format: 'pcapng' }, true, false],
      ['m.pcap.gz', { gzip: false }, false, false],
    ]
    for (const [name, options, pcapng, gzip] of cases) {
      const path = join(folder, name)
      const recording = capture.toFile(pathToFileURL(path), { ...options, stop: { packets: 1 } })
      await sender.send(markedFrame(1))
      t.same((await recording).files, [path])
      const bytes = await readFile(path)
      t.equal(bytes.readUInt16BE() === 0x1f8b, gzip, name)
      const plain = gzip ? await promisify(gunzip)(bytes) : bytes
      t.equal(plain.readUInt32LE() === 0x0a0d0d0a, pcapng, name)
    }
    await t.rejects(capture.toFile(new URL('http://a/b.pcap')), { code: 'ERR_INVALID_URL_SCHEME' })
  })

  t.test('what was dropped is in the file', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    const ring = { blockSize: 4096, blockCount: 4, snapLength: 1514 }
    await using capture = await Capture.open({ in: cable.blue, interface: 'v0', ...ring })
    // Into a pipe that nobody reads yet: the writer waits, and the ring overflows.
    const fifo = join(folder, 'fifo')
    await run('mkfifo', [fifo])
    const cat = spawn('sh', ['-c', `exec 4<>${fifo}; read wait; exec cat <&4`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const out: Buffer[] = []
    cat.stdout!.on('data', chunk => out.push(chunk))
    const fd = openSync(fifo, 'r+')
    const controller = new AbortController()
    const recording = capture.toFile(fd, { signal: controller.signal })
    for (let i = 0; i < 1000; i += 10) await sender.send(markedBatch(i, 10, 1000))
    const taken = () => {
      const { received, dropped } = capture.stats()
      return received - dropped
    }
    const before = taken()
    t.ok(before < 1000n)
    cat.stdin!.write('\n')
    // Until one fits in again, which then tells of those before it.
    while (taken() === before) {
      await sender.send(markedFrame(0, 1000))
      await nextTurn()
    }
    controller.abort()
    const result = await recording
    const { dropped } = capture.stats()
    t.match(result, { reason: 'aborted', dropped: Number(dropped), packets: Number(taken()) })
    const length = () => out.reduce((sum, chunk) => sum + chunk.length, 0)
    while (length() < result.bytes) await once(cat.stdout!, 'data')
    cat.kill()
    await once(cat, 'close')
    closeSync(fd)
    t.equal(length(), result.bytes)
    const path = join(folder, 'dropped.pcapng')
    await writeFile(path, Buffer.concat(out))
    const { stdout } = await run('tshark', ['-n', '-r', path, '-T', 'fields', '-e', 'frame.drop_count'])
    const counts = stdout.split('\n').slice(0, -1).map(Number)
    t.equal(counts.length, result.packets)
    t.equal(
      counts.reduce((sum, count) => sum + count, 0),
      result.dropped,
    )
  })

  t.test('rotates, keeps the last files, and stops', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    await using capture = await Capture.open({ in: cable.blue, interface: 'v0', latency: 'low' })
    const frames = Array.from({ length: 100 }, (_, i) => markedFrame(i, 100))
    const cases = [
      { name: 'count.pcapng', options: { rotate: { packets: 30 } }, counts: [30, 30, 30, 10] },
      { name: 'ring.pcap', options: { rotate: { packets: 30 }, ring: 2, format: 'pcap' }, counts: [30, 10] },
      // A pcap packet has 16 bytes more, the file 24.
      {
        name: 'bytes.pcap',
        options: { rotate: { bytes: 24 + 40 * 116 }, format: 'pcap' },
        counts: [40, 40, 20],
      },
      { name: 'gzip.pcapng.gz', options: { rotate: { packets: 60 }, gzip: true }, counts: [60, 40] },
    ] as const
    for (const { name, options, counts } of cases) {
      const recording = capture.toFile(join(folder, name), { ...options, stop: { packets: 100 } })
      for (let i = 0; i < 100; i += 20)
        await sender.send(FrameBatch.from('ethernet', frames.slice(i, i + 20)))
      const result = await recording
      t.match(result, { packets: 100, reason: 'packets', dropped: 0 })
      const base = name.slice(0, name.indexOf('.'))
      const suffix = name.slice(name.indexOf('.'))
      const first = base === 'ring' ? 3 : 1
      t.same(
        result.files,
        counts.map((_, i) => join(folder, `${base}-0000${i + first}${suffix}`)),
      )
      t.same(
        readdirSync(folder)
          .filter(file => file.startsWith(`${base}-`))
          .sort(),
        result.files.map(file => file.slice(folder.length + 1)),
      )
      const all: Uint8Array[] = []
      for (const [i, file] of result.files.entries()) {
        let path = file
        if (name.endsWith('.gz')) {
          path = `${file}.plain`
          await writeFile(path, await promisify(gunzip)(await readFile(file)))
        }
        const packets = await packetsOf(path)
        t.equal(packets.length, counts[i])
        all.push(...packets.map(({ data }) => data))
      }
      t.same(all, frames.slice(100 - all.length), 'nothing is lost from one file to the next')
    }
  })

  t.test('bounds of bytes and seconds, an abort, and the end of the port', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    const open = () => Capture.open({ in: cable.blue, interface: 'v0' })
    await using capture = await open()
    const path = join(folder, 'bounds.pcap')
    const bytes = capture.toFile(path, { format: 'pcap', stop: { bytes: 24 + 5 * 116 + 100 } })
    await sender.send(markedBatch(0, 10, 100))
    t.match(await bytes, { packets: 5, bytes: 24 + 5 * 116, reason: 'bytes' })
    const seconds = await capture.toFile(path, { format: 'pcap', stop: { seconds: 0.01 } })
    t.match(seconds, { reason: 'seconds' })
    const controller = new AbortController()
    const aborted = capture.toFile(path, { signal: controller.signal })
    await sender.send(markedBatch(0, 10, 100))
    controller.abort()
    const result = await aborted
    t.match(result, { reason: 'aborted' })
    t.equal(seconds.packets + result.packets, 15, 'what the kernel has by then is written')
    const already = await capture.toFile(path, { signal: AbortSignal.abort() })
    t.match(already, { packets: 0, reason: 'aborted' })
    t.same(await packetsOf(path), [])
    const closing = capture.toFile(path)
    await sender.send(markedBatch(0, 10, 100))
    await capture.close()
    t.match(await closing, { packets: 10, reason: 'ended' }, 'close() completes the file')
    await t.rejects(capture.toFile(path), { code: 'ERR_PORT_CLOSED' })
    t.equal((await packetsOf(path)).length, 10)
  })

  t.test('an interface that is removed meanwhile', async t => {
    await using network = await wiredNetwork()
    await using capture = await Capture.open({ in: network, interface: 'v0' })
    await using sender = await Capture.open({ in: network, interface: 'v1', linkType: 'ethernet' })
    const path = join(folder, 'removed.pcapng')
    const recording = capture.toFile(path)
    await sender.send(markedBatch(0, 10, 100))
    await network.links.delete('v0')
    const result = await recording
    t.equal(result.reason, 'ended')
    t.same(await capture.closed, { type: 'removed' })
    t.equal((await packetsOf(path)).length, result.packets)
    t.ok(result.packets >= 10)
  })

  t.test('what cannot be written is an error, and the capture goes on', async t => {
    await using cable = await connectedNetworks()
    await using sender = await Capture.open({ in: cable.red, interface: 'v0', linkType: 'ethernet' })
    await using capture = await Capture.open({ in: cable.blue, interface: 'v0', latency: 'low' })
    const missing = join(folder, 'none', 'a.pcap')
    await t.rejects(capture.toFile(missing), { code: 'ENOENT' })
    const full = capture.toFile('/dev/full', { format: 'pcap' })
    await t.rejects(full, { code: 'ENOSPC', syscall: 'write' })
    const cases: [string | number, object, string][] = [
      ['', {}, 'ERR_INVALID_ARG_VALUE'],
      ['a\0b', {}, 'ERR_INVALID_ARG_VALUE'],
      [-1, {}, 'ERR_OUT_OF_RANGE'],
      [1, { gzip: true }, 'ERR_INVALID_ARG_VALUE'],
      [1, { rotate: { packets: 1 } }, 'ERR_INVALID_ARG_VALUE'],
      ['a', { format: 'erf' }, 'ERR_INVALID_ARG_VALUE'],
      ['a', { ring: 2 }, 'ERR_INVALID_ARG_VALUE'],
      ['a', { rotate: {} }, 'ERR_INVALID_ARG_VALUE'],
      ['a', { rotate: { packets: 0 } }, 'ERR_OUT_OF_RANGE'],
      ['a', { stop: { seconds: 0 } }, 'ERR_INVALID_ARG_VALUE'],
      ['a', { stop: { hours: 1 } }, 'ERR_INVALID_ARG_VALUE'],
    ]
    for (const [target, options, code] of cases) {
      await t.rejects(capture.toFile(target, options), { code }, JSON.stringify([target, options]))
    }
    t.notOk(existsSync('a'))
    t.equal(capture.owner, 'none')
    await sender.send(markedFrame(1))
    t.equal((await capture.batches().next()).value!.count, 1)
  })

  t.test('nothing is left', async t => {
    await rm(folder, { recursive: true })
    await leaks(t)
  })
}
