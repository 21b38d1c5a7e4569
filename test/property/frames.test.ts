import { isDeepStrictEqual } from 'node:util'
import dnsPacket from 'dns-packet'
import fc from 'fast-check'
import t from 'tap'
import { equalBytes, hex } from '../../src/bytes/index.js'
import {
  type DecodedFrame,
  decode,
  decodeTree,
  describe,
  encode,
  type FrameCodecName,
  FrameCursor,
  FrameEditor,
  FrameError,
  type FrameNode,
  frameCodecs,
  type LinkType,
  linkTypes,
  Reassembler,
  registerDns,
  verifyChecksums,
} from '../../src/frames/index.js'
import { recordArbitraries } from '../support/frame-arbitraries.js'
import { fuzz, fuzzRuns as runs, fuzzSeed as seed } from '../support/fuzz.js'
import { Mutator } from '../support/random.js'
import { RandomDns } from '../support/random-dns.js'
import { RandomFrames } from '../support/random-frames.js'

t.comment(`seed ${seed}`)
t.setTimeout(30_000 + runs)

type Codec = { decode(bytes: Uint8Array): object; encode(record: object): Uint8Array }
const codecs = Object.entries(frameCodecs) as unknown as [FrameCodecName, Codec][]

/** Codecs that keep every bit: what they encode is the beginning of what they decoded. */
const lossless: readonly FrameCodecName[] = [
  'ethernet',
  'vlan',
  'arp',
  'ipv4',
  'icmp',
  'icmpv6',
  'udp',
  'llc',
  'loopback',
  'mpls',
  'pppoe',
  'virtioNet',
  'wireguard',
]

t.test('decode inverts encode', async t => {
  t.same(Object.keys(recordArbitraries).sort(), Object.keys(frameCodecs).sort(), 'no codec is forgotten')
  for (const [name, codec] of codecs) {
    fc.assert(
      fc.property(recordArbitraries[name], record => {
        const bytes = codec.encode(record)
        const decoded = codec.decode(bytes)
        // fast-check's objects have no prototype; a clone has.
        return isDeepStrictEqual(decoded, structuredClone(record)) && equalBytes(codec.encode(decoded), bytes)
      }),
      { seed, numRuns: 500 },
    )
    t.pass(name)
  }
})

t.test('decoders throw nothing but frame errors', async t => {
  for (const [name, codec] of codecs) {
    const samples = fc.sample(recordArbitraries[name], { seed, numRuns: 64 }).map(codec.encode)
    const mutator = new Mutator(seed, samples)
    let decoded = 0
    const passed = fuzz(t, name, runs, i => {
      const bytes = mutator.next()
      const problem = tryCodec(name, codec, bytes, i % 8 === 0)
      if (problem === undefined) decoded++
      return problem ? `${problem} on ${hex(bytes)}` : undefined
    })
    if (!passed) return
    t.ok(decoded > runs / 20, `${name}: ${runs} inputs, ${decoded} of them valid`)
  }
})

/** `undefined` when the bytes are valid, '' when they are refused as they should be, else what went wrong. */
function tryCodec(name: FrameCodecName, codec: Codec, bytes: Uint8Array, again: boolean): string | undefined {
  let record: object
  try {
    record = codec.decode(bytes)
  } catch (error) {
    return isFrameError(error) ? '' : `threw ${error}`
  }
  if (!again) return undefined
  try {
    const encoded = codec.encode(record)
    if (lossless.includes(name) && !equalBytes(encoded, bytes.subarray(0, encoded.length)))
      return `encoded to ${hex(encoded)}`
    if (!isDeepStrictEqual(codec.decode(encoded), record)) return `not stable: ${hex(encoded)}`
  } catch (error) {
    return `could not be encoded again: ${error}`
  }
  return undefined
}

function isFrameError(error: unknown): boolean {
  return (
    error instanceof FrameError &&
    (error.code === 'ERR_FRAME_TRUNCATED' || error.code === 'ERR_FRAME_MALFORMED')
  )
}

const addresses4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const addresses6 = { source: 'fe80::1', destination: 'fe80::2' }

/** Frames for a link of type `ip`, with one record of every codec inside an IP packet that fits it. */
function packets(): Uint8Array[] {
  const list: Uint8Array[] = []
  const records = (name: FrameCodecName) =>
    fc.sample(recordArbitraries[name], { seed, numRuns: 16 }).map(frameCodecs[name].encode as Codec['encode'])
  for (const [name, protocol] of [
    ['icmp', 1],
    ['tcp', 6],
    ['udp', 17],
    ['icmpv6', 58],
    ['neighborDiscovery', 58],
  ] as const) {
    for (const payload of records(name)) {
      list.push(encode({ ipv4: { ...addresses4, protocol }, payload }))
      list.push(encode({ ipv6: { ...addresses6, protocol }, payload }))
    }
  }
  const http = new TextEncoder().encode('GET /\u0007\u009b HTTP/1.1\r\n')
  list.push(encode({ ipv4: addresses4, tcp: { sourcePort: 1, destinationPort: 2 }, payload: http }))
  for (const payload of list.slice(0, 40)) {
    list.push(encode({ ipv4: addresses4, icmp: { type: 3, code: 3 }, payload }))
    list.push(encode({ ipv6: addresses6, icmpv6: { type: 1 }, payload }))
  }
  return [...list, ...records('ipv4'), ...records('ipv6')]
}

function linkFrames(linkType: LinkType): Uint8Array[] {
  const link = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
  return packets().flatMap(packet => {
    const type = packet[0]! >> 4 === 4 ? 0x0800 : 0x86dd
    const bytes = [type >> 8, type & 0xff]
    switch (linkType) {
      case 'ethernet':
        return [
          encode({ ethernet: { ...link, type }, payload: packet }),
          encode({ ethernet: link, vlans: [{ id: 1, type }], payload: packet }),
        ]
      case 'null':
        return Uint8Array.of(type === 0x0800 ? 2 : 10, 0, 0, 0, ...packet)
      case 'loop':
        return Uint8Array.of(0, 0, 0, type === 0x0800 ? 2 : 24, ...packet)
      case 'linux-sll':
        return Uint8Array.of(...Array(14).fill(0), ...bytes, ...packet)
      case 'linux-sll2':
        return Uint8Array.of(...bytes, ...Array(18).fill(0), ...packet)
      default:
        return packet
    }
  })
}

t.test('frames of all protocols are what they were, decoded and encoded again', async t => {
  const random = new RandomFrames(seed)
  for (const linkType of Object.keys(linkTypes) as LinkType[]) {
    for (let i = 0; i < 500; i++) {
      const frame = encode(random.next(linkType))
      if (frame.byteOffset !== 0 || frame.buffer.byteLength !== frame.length)
        return void t.fail(`the size was not foreseen: ${linkType} ${hex(frame)}`)
      // Of the links that know their version, only the packets of it.
      if ((linkType === 'ipv4' || linkType === 'ipv6') && frame[0]! >> 4 !== Number(linkType.at(-1))) continue
      const decoded = decode(frame, linkType)
      const issues = levels(decoded).flatMap(level => level.issues)
      if (issues.length > 0) return void t.fail(`${issues[0]!.message} in ${hex(frame)}`)
      if (!equalBytes(encode(decoded), frame)) return void t.fail(`not the same: ${linkType} ${hex(frame)}`)
      const verdicts = JSON.stringify(verifyChecksums(frame, linkType))
      if (/bad|unverifiable/.test(verdicts) && !levels(decoded).some(level => level.ipv4?.fragmentOffset))
        return void t.fail(`${verdicts} of ${hex(frame)}`)
    }
    t.pass(linkType)
  }
})

t.test('whatever the bytes, nothing throws, and all say the same', async t => {
  const random = new RandomFrames(seed)
  const cursor = new FrameCursor()
  const editor = new FrameEditor()
  const reassembler = new Reassembler()
  // Each frame goes through all that reads frames: the inputs are shared out.
  const each = Math.ceil(runs / Object.keys(linkTypes).length)
  for (const linkType of Object.keys(linkTypes) as LinkType[]) {
    const made = Array.from({ length: 300 }, () => encode(random.next(linkType)))
    const mutator = new Mutator(seed, [...linkFrames(linkType), ...made.filter(frame => frame.length < 4000)])
    const passed = fuzz(t, `frames of ${linkType}`, each, i => {
      const bytes = mutator.next()
      try {
        const decoded = decode(bytes, linkType)
        const line = describe(bytes, linkType)
        if (line === '' || /[^\x20-\x7e…]/.test(line))
          return `bad line ${JSON.stringify(line)} on ${hex(bytes)}`
        if (decoded.issues.length > 0 && !/truncated|malformed|802\.3|\[/.test(line))
          return `no word of ${decoded.issues[0]!.message}: ${line} on ${hex(bytes)}`
        const problem =
          checkCursor(cursor.set(bytes, linkType), decoded) ?? checkTree(decodeTree(bytes, linkType))
        if (problem) return `${problem} on ${hex(bytes)}`
        if (i % 4 === 0) verifyChecksums(bytes, linkType)
        if (i % 8 === 0 && cursor.isIp) editor.open(bytes.slice(), linkType).ttl = 1
        if (linkType === 'ip') reassembler.add(bytes, i)
      } catch (error) {
        return `${error} on ${hex(bytes)}`
      }
      return undefined
    })
    t.ok(passed, `${linkType}: ${each} inputs`)
  }
})

t.test('whatever is on the ports of DNS, nothing throws', async t => {
  registerDns(dnsPacket)
  t.teardown(() => registerDns(undefined))
  const messages = new RandomDns(seed)
  const mutator = new Mutator(
    seed,
    Array.from({ length: 300 }, () => messages.next()).filter(message => message.length < 4000),
  )
  const ports = { sourcePort: 5353, destinationPort: 53 }
  let read = 0
  const each = Math.ceil(runs / 5)
  const passed = fuzz(t, 'DNS', each, i => {
    const message = mutator.next()
    const inTcp = i % 4 === 0
    const length = Uint8Array.of(message.length >> 8, message.length)
    const payload = inTcp ? Buffer.concat([length, message]) : message
    const frame = encode({ ipv4: addresses4, ...(inTcp ? { tcp: ports } : { udp: ports }), payload })
    try {
      const decoded = decode(frame, 'ip')
      if (decoded.dns) read++
      if (!equalBytes(decoded.payload, payload)) return `the payload of ${hex(frame)} is not whole`
      const line = describe(frame, 'ip')
      if (/[^\x20-\x7e…]/.test(line)) return `bad line ${JSON.stringify(line)}`
      if (decoded.issues.length > 0 !== /malformed dns/.test(line)) return `${line} on ${hex(frame)}`
      const problem = checkTree(decodeTree(frame, 'ip'))
      if (problem) return `${problem} on ${hex(frame)}`
    } catch (error) {
      return `${error} on ${hex(frame)}`
    }
    return undefined
  })
  t.ok(passed && read > each / 20, `${each} inputs, ${read} of them read`)
})

function levels(frame: DecodedFrame): DecodedFrame[] {
  return frame.inner ? [frame, ...levels(frame.inner)] : [frame]
}

/** What is wrong with a cursor, going by the first packet of IP that `decode` found. */
function checkCursor(cursor: FrameCursor, decoded: DecodedFrame): string | undefined {
  const packet = levels(decoded).find(level => level.ipv4 ?? level.ipv6)
  const ip = packet?.ipv4 ?? packet?.ipv6
  const transport = packet?.udp ?? packet?.tcp
  const expected: [string, unknown, unknown][] = [
    ['version', cursor.ipVersion, packet?.ipv4 ? 4 : packet?.ipv6 ? 6 : -1],
    ['protocol', cursor.protocol, ip?.protocol ?? -1],
    ['source', cursor.source, ip?.source],
    ['destination', cursor.destination, ip?.destination],
    ['VLAN', cursor.vlanId, decoded.vlans[0]?.id ?? -1],
  ]
  if (transport || !packet || packet.issues.length === 0) {
    expected.push(['source port', cursor.sourcePort, transport?.sourcePort ?? -1])
    expected.push(['destination port', cursor.destinationPort, transport?.destinationPort ?? -1])
  }
  if (transport)
    expected.push(['payload', cursor.payloadEnd - cursor.payloadOffset, transport.payload.length])
  const wrong = expected.find(([, found, wanted]) => found !== wanted)
  return wrong && `the cursor's ${wrong[0]} is ${wrong[1]}, not ${wrong[2]}`
}

/** A node whose parts leave bytes out or share them. */
function checkTree(node: FrameNode): string | undefined {
  if (node.children.length === 0) return undefined
  let at = node.offset
  for (const child of node.children) {
    if (child.offset !== at) return `${child.name} of ${node.name} begins at ${child.offset}, not ${at}`
    const problem = checkTree(child)
    if (problem) return problem
    at += child.length
  }
  const end = node.offset + node.length
  return at === end ? undefined : `${node.name} ends at ${end}, its parts at ${at}`
}
