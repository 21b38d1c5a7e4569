import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { equalBytes, hex } from '../../src/bytes/index.js'
import {
  CaptureDecoder,
  CaptureEncoder,
  CaptureFileError,
  type CaptureInterface,
  type CaptureItem,
  type CapturePacket,
  isFileBatch,
  microseconds,
  nanoseconds,
  PcapngWriter,
  PcapWriter,
} from '../../src/pcap/index.js'
import { sectionContents } from '../support/capture-arbitraries.js'
import { fuzz, fuzzRuns as runs, fuzzSeed as seed } from '../support/fuzz.js'
import { Mutator, Random } from '../support/random.js'

t.comment(`seed ${seed}`)
t.setTimeout(30_000 + runs)

const random = new Random(seed)

/** Everything in the file, which is given in chunks. */
function read(bytes: Uint8Array, chunked = false): CaptureItem[] {
  const decoder = new CaptureDecoder({ maxBlockLength: 1 << 20 })
  const items: CaptureItem[] = []
  for (let at = 0; at < bytes.length; ) {
    const next = chunked ? at + 1 + random.below(1 + random.below(200)) : bytes.length
    items.push(...decoder.push(bytes.slice(at, next)))
    at = next
  }
  return [...items, ...decoder.end()]
}

/** As records, which do not depend on how packets came to batches. */
function records(items: readonly CaptureItem[]): unknown[] {
  return items.flatMap((item): unknown[] => (isFileBatch(item) ? packetsOf(item) : [item]))
}

function packetsOf(batch: CaptureItem): CapturePacket[] {
  return isFileBatch(batch) ? Array.from({ length: batch.count }, (_, i) => batch.packet(i)) : []
}

type Content = typeof sectionContents extends fc.Arbitrary<infer V> ? V : never

function write(contents: Content): Uint8Array {
  const writer = new PcapngWriter()
  return Buffer.concat(
    contents.map(item => {
      if (item.type === 'packet') return writer.packet(item)
      return writer.item(item as CaptureItem)
    }),
  )
}

t.test('what was written is read, and written again the same', async t => {
  fc.assert(
    fc.property(fc.array(sectionContents, { minLength: 1, maxLength: 3 }), sections => {
      const written = Buffer.concat(sections.map(write))
      const items = read(written, true)
      const found = records(items)
      const expected = sections.flatMap(contents => {
        const described = contents.filter(item => item.type === 'interface') as CaptureInterface[]
        return contents.map(item => {
          if (item.type === 'section') return { ...item, interfaces: described }
          if (item.type !== 'packet') return item
          const { ticks, ...rest } = item
          const one = described[item.interface]!
          const { base, exponent } = one.timestampResolution ?? microseconds
          const units = BigInt(base) ** BigInt(exponent)
          const exact = (ticks! * 1_000_000_000n) % units === 0n
          const offset = (one.timestampOffsetSeconds ?? 0n) * 1_000_000_000n
          const timestamp = (ticks! * 1_000_000_000n) / units + offset
          return exact ? { ...rest, timestamp } : { ...rest, timestamp, ticks }
        })
      })
      if (!isDeepStrictEqual(found, structuredClone(expected))) return false
      const writer = new PcapngWriter()
      const copied = items.map(item => writer.item(item))
      const made = items.flatMap(item =>
        isFileBatch(item) ? packetsOf(item).map(packet => writer.packet(packet)) : [writer.item(item)],
      )
      return equalBytes(Buffer.concat(copied), written) && equalBytes(Buffer.concat(made), written)
    }),
    { seed, numRuns: 500 },
  )
  t.pass('500 runs')
})

t.test('columns say what records say', async t => {
  fc.assert(
    fc.property(sectionContents, contents => {
      for (const item of read(write(contents), true)) {
        if (!isFileBatch(item)) continue
        for (let i = 0; i < item.count; i++) {
          const packet = item.packet(i)
          const same =
            equalBytes(packet.data, item.frame(i)) &&
            packet.originalLength === item.originalLengths[i] &&
            packet.interface === item.interfaces[i] &&
            (packet.flags ?? 0) === item.flags![i] &&
            BigInt.asIntN(64, packet.timestamp!) === item.timestamps![i]
          if (!same) return false
        }
      }
      return true
    }),
    { seed, numRuns: 500 },
  )
  t.pass('500 runs')
})

t.test('pcap, in every form', async t => {
  const packet = fc.record({
    seconds: fc.nat(1_000_000),
    fraction: fc.nat(999_999_999),
    data: fc.uint8Array({ maxLength: 40 }),
    // Where packets have more bytes than there were, or are years apart, older variants are thought of.
    originalLength: fc.integer({ min: 40, max: 0xffffffff }),
  })
  fc.assert(
    fc.property(
      fc.array(packet),
      fc.nat(4_290_000_000),
      fc.boolean(),
      fc.boolean(),
      (list, start, littleEndian, isFine) => {
        const timestampResolution = isFine ? nanoseconds : microseconds
        const writer = new PcapWriter({ linkType: 'ip', littleEndian, timestampResolution, snapLength: 0 })
        const packets = list.map(({ seconds, fraction, ...rest }) => ({
          ...rest,
          timestamp:
            BigInt(start + seconds) * 1_000_000_000n +
            BigInt(isFine ? fraction : fraction - (fraction % 1000)),
        }))
        const written = Buffer.concat([writer.header(), ...packets.map(one => writer.packet(one))])
        const items = read(written, true)
        const found = items.flatMap(packetsOf)
        const expected = packets.map(one => ({ type: 'packet', interface: 0, ...one }))
        const encoder = new CaptureEncoder({ format: 'pcap' })
        const again = [...items.flatMap(item => encoder.encode(item)), ...encoder.end()]
        const columns = items.flatMap(item => (isFileBatch(item) ? [...item.timestamps!] : []))
        return (
          isDeepStrictEqual(found, structuredClone(expected)) &&
          isDeepStrictEqual(
            columns,
            packets.map(one => one.timestamp),
          ) &&
          equalBytes(Buffer.concat(again), written)
        )
      },
    ),
    { seed, numRuns: 500 },
  )
  t.pass('500 runs')
})

t.test('broken files are refused with a capture file error, and nothing else', async t => {
  const ng = fc.sample(sectionContents, { seed, numRuns: 64 }).map(write)
  const writers = [true, false].flatMap(littleEndian =>
    [microseconds, nanoseconds].map(
      timestampResolution => new PcapWriter({ linkType: 'ip', littleEndian, timestampResolution }),
    ),
  )
  const plain = writers.map(writer => {
    const packet = writer.packet({ timestamp: 1_700_000_000_000_000_000n, data: new Uint8Array(30) })
    return Buffer.concat([writer.header(), packet, packet, packet])
  })
  const older = plain.map(file => Uint8Array.from(file))
  for (const [i, file] of older.entries())
    file.set(i < 2 ? [0x34, 0xcd, 0xb2, 0xa1] : [0xa1, 0xb2, 0xcd, 0x34])
  for (const [name, samples] of [
    ['pcapng', ng.filter(file => file.length < 4000)],
    ['pcap', [...plain, ...older]],
  ] as const) {
    const mutator = new Mutator(seed, samples)
    const each = Math.ceil(runs / 2)
    let whole = 0
    const passed = fuzz(t, name, each, i => {
      const bytes = mutator.next()
      const problem = tryFile(bytes, i % 8 === 0)
      if (problem === undefined) whole++
      return problem ? `${problem} on ${hex(bytes)}` : undefined
    })
    t.ok(passed && whole > each / 20, `${name}: ${each} inputs, ${whole} of them readable`)
  }
})

/** `undefined` when the file can be read, '' when it is refused as it should be, else what went wrong. */
function tryFile(bytes: Uint8Array, again: boolean): string | undefined {
  let items: CaptureItem[]
  let found: unknown[]
  try {
    items = read(bytes, again)
    found = records(items)
    const taken = items.reduce((sum, item) => sum + (isFileBatch(item) ? item.bytes.length : 12), 0)
    if (taken > bytes.length + 36) return `${taken} bytes came out`
  } catch (error) {
    return error instanceof CaptureFileError && error.code === 'ERR_CAPTURE_FILE_INVALID'
      ? ''
      : `threw ${error}`
  }
  if (!again) return undefined
  try {
    const encoder = new CaptureEncoder()
    const written = Buffer.concat([...items.flatMap(item => encoder.encode(item)), ...encoder.end()])
    const [first] = found as [{ format: string }]
    const wanted = (found as { type: string }[]).filter(({ type }) => type !== 'cut')
    if (first.format === 'pcapng' && !isDeepStrictEqual(records(read(written)), wanted))
      return `changed when written again: ${hex(written)}`
  } catch (error) {
    return `could not be written again: ${error}`
  }
  return undefined
}
