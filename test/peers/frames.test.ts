import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { formatIpv6, parseIpv6 } from '../../src/address/index.js'
import { hex } from '../../src/bytes/index.js'
import {
  type ChecksumVerdicts,
  type DecodedFrame,
  decode,
  encode,
  type FrameLayers,
  type LinkType,
  verifyChecksums,
} from '../../src/frames/index.js'
import { PcapngWriter } from '../../src/pcap/index.js'
import { RandomFrames } from '../support/random-frames.js'
import { requires } from '../support/requires.js'
import { tsharkFields } from '../support/tshark-fields.js'

const seed = Number(process.env.NETLOOM_FRAMES_SEED ?? 1)
const counts: [LinkType, number][] = [
  ['ethernet', 1500],
  ['ip', 400],
  ['linux-sll', 300],
  ['linux-sll2', 300],
  ['null', 200],
  ['loop', 100],
]

t.test('tshark reads in our frames what we wrote, and we read what it does', async t => {
  if (!requires(t, 'tshark')) return
  t.comment(`seed ${seed}`)
  const random = new RandomFrames(seed)
  const seen = new Set<string>()
  for (const [linkType, count] of counts) {
    const frames = Array.from({ length: count }, () => encode(random.next(linkType)))
    const file = join(t.testdir({}), `${linkType}.pcapng`)
    writeFileSync(file, capture(linkType, frames))
    const lines = tshark(file, Object.keys(tsharkFields))
    t.equal(lines.length, count, `${linkType}: ${count} frames`)
    let wrong = 0
    frames.forEach((frame, i) => {
      const packets = levels(decode(frame, linkType))
      const columns = lines[i]!.split('\t')
      Object.entries(tsharkFields).forEach(([field, read], column) => {
        const ours = packets.flatMap(packet => read(packet) ?? []).map(normal)
        const theirs = columns[column] === '' ? [] : columns[column]!.split('|').map(normal)
        if (theirs.length > 0) seen.add(field)
        if (ours.join('|') === theirs.join('|')) return
        if (wrong++ < 20) t.same(ours, theirs, `${linkType} ${field} of ${hex(frame)}`)
      })
    })
    t.equal(wrong, 0, `${linkType}: all fields agree`)
  }
  t.same(
    Object.keys(tsharkFields).filter(field => !seen.has(field)),
    [],
    'every field was compared',
  )
})

t.test('tshark finds the same checksums right and wrong', async t => {
  if (!requires(t, 'tshark')) return
  const random = new RandomFrames(seed)
  const whole = Array.from({ length: 1200 }, () => random.next('ethernet')).filter(layers => !quotes(layers))
  const frames = whole.map((layers, i) => {
    const frame = encode(layers)
    // The last byte is of the innermost packet; the checksum of a header is not its business.
    if (i % 2 === 0) frame[frame.length - 1]! ^= 0x10
    return frame
  })
  const file = join(t.testdir({}), 'sums.pcapng')
  writeFileSync(file, capture('ethernet', frames))
  const protocols = ['ip', 'udp', 'tcp', 'icmp', 'icmpv6', 'igmp'] as const
  const names = { ip: 'ipv4', udp: 'udp', tcp: 'tcp', icmp: 'icmp', icmpv6: 'icmpv6', igmp: 'igmp' } as const
  const lines = tshark(
    file,
    protocols.map(name => `${name}.checksum.status`),
    ['ip', 'udp', 'tcp'].map(name => `${name}.check_checksum:TRUE`),
  )
  const counts = { ok: 0, bad: 0 }
  let wrong = 0
  frames.forEach((frame, i) => {
    const columns = lines[i]!.split('\t')
    const verdicts = innermost(verifyChecksums(frame))
    protocols.forEach((name, column) => {
      const theirs = columns[column]!.split('|').filter(status => status === '0' || status === '1')
      const ours = verdicts
        .map(level => level[names[name]])
        .filter(verdict => verdict === 'ok' || verdict === 'bad')
      for (const verdict of ours) counts[verdict as 'ok' | 'bad']++
      if (theirs.join() === ours.map(verdict => (verdict === 'ok' ? '1' : '0')).join()) return
      if (wrong++ < 10) t.same(ours, theirs, `${name} of ${hex(frame)}`)
    })
  })
  t.equal(wrong, 0)
  t.ok(counts.ok > 400 && counts.bad > 100, JSON.stringify(counts))
})

function innermost(verdicts: ChecksumVerdicts): ChecksumVerdicts[] {
  return verdicts.inner ? [verdicts, ...innermost(verdicts.inner)] : [verdicts]
}

/** Whether an ICMP error quotes a packet, whose sums tshark looks at and we do not. */
function quotes(layers: FrameLayers): boolean {
  const { inner, icmp, icmpv6 } = layers
  return inner !== undefined && (icmp !== undefined || icmpv6 !== undefined || quotes(inner))
}

function levels(frame: DecodedFrame): DecodedFrame[] {
  return frame.inner ? [frame, ...levels(frame.inner)] : [frame]
}

/** Numbers, truth and IPv6 addresses are written in several ways. */
function normal(value: unknown): string {
  const text = typeof value === 'boolean' ? String(Number(value)) : String(value)
  if (/^(?:0x[0-9a-f]+|\d+)$/i.test(text)) return String(BigInt(text))
  if (text === 'True' || text === 'False') return text === 'True' ? '1' : '0'
  return /^[0-9a-f.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text) && !/^..(?::..){5}$/.test(text)
    ? formatIpv6(parseIpv6(text))
    : text
}

function capture(linkType: LinkType, frames: readonly Uint8Array[]): Uint8Array {
  const writer = new PcapngWriter()
  const blocks = [writer.section(), writer.interface({ linkType })]
  frames.forEach((data, i) => {
    blocks.push(writer.packet({ timestamp: BigInt(i) * 1_000_000_000n, data }))
  })
  return Buffer.concat(blocks)
}

function tshark(file: string, names: readonly string[], preferences: readonly string[] = []): string[] {
  const fields = names.flatMap(field => ['-e', field])
  // Each frame by itself: nothing is put together from several.
  const off = [
    'ip.defragment',
    'ipv6.defragment',
    'tcp.desegment_tcp_streams',
    'tcp.analyze_sequence_numbers',
  ]
  const options = [...off.map(name => `${name}:FALSE`), ...preferences].flatMap(option => ['-o', option])
  const how = ['-n', '-T', 'fields', '-E', 'occurrence=a', '-E', 'aggregator=|', ...options]
  const output = execFileSync('tshark', ['-r', file, ...how, ...fields], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  })
  return output.replace(/\n$/, '').split('\n')
}
