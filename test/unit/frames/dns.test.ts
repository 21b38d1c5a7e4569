import dnsPacket, { type Packet } from 'dns-packet'
import t from 'tap'
import {
  type DnsInput,
  type DnsMessage,
  decode,
  decodeTree,
  describe,
  encode,
  type FrameNode,
  registerDns,
} from '../../../src/frames/index.js'

t.beforeEach(() => registerDns(dnsPacket))
t.afterEach(() => registerDns(undefined))

const addresses = { source: '10.0.0.1', destination: '10.0.0.53' }
const query: Packet = { id: 12345, flags: 0x100, questions: [{ name: 'example.org', type: 'A' }] }

function udp(payload: Uint8Array, sourcePort = 40000, destinationPort = 53): Uint8Array {
  return encode({ ipv4: addresses, udp: { sourcePort, destinationPort }, payload })
}

function tcp(payload: Uint8Array): Uint8Array {
  return encode({ ipv4: addresses, tcp: { sourcePort: 40000, destinationPort: 53 }, payload })
}

/** What is said of a message after the ports. */
function line(packet: Packet, ports?: [number, number]): string {
  return describe(udp(dnsPacket.encode(packet), ...(ports ?? [])), 'ip').replace(/^.*?: /, '')
}

t.test('without dns-packet it is payload', async t => {
  registerDns(undefined)
  const message = dnsPacket.encode(query)
  const frame = udp(message)
  const { dns, payload } = decode(frame, 'ip')
  t.equal(dns, undefined)
  t.same(payload, message)
  t.equal(describe(frame, 'ip'), 'IP 10.0.0.1.40000 > 10.0.0.53.53: udp length 29')
  t.equal(decodeTree(frame, 'ip').children.at(-1)!.name, 'payload')
})

t.test('lines are as readable as those of tcpdump', async t => {
  const name = 'example.org'
  t.equal(line(query), 'dns 12345+ A? example.org. (29)')
  t.equal(line({ ...query, flags: 0x10, additionals: [opt(1232)] }), 'dns 12345% [1au] A? example.org. (40)')
  t.equal(
    line({ ...query, type: 'response', flags: 0x180, answers: [{ name, type: 'A', data: '192.0.2.1' }] }),
    'dns 12345 1/0/0 A 192.0.2.1 (56)',
  )
  t.equal(line({ ...query, type: 'response', flags: 0x183 }), 'dns 12345 NXDOMAIN 0/0/0 (29)')
  t.equal(
    line({
      id: 1,
      type: 'response',
      flags: 0x620,
      answers: [
        { name, type: 'AAAA', data: '2001:db8:0:0:1::' },
        { name, type: 'CNAME', data: 'other.example.org' },
        { name, type: 'MX', data: { preference: 10, exchange: 'mail.example.org' } },
        { name, type: 'SRV', data: { port: 80, target: 'www.example.org', priority: 1, weight: 2 } },
        { name, type: 'TXT', data: ['one', 'two\u0007'] },
        { name: '.', type: 'SOA', data: { mname: 'a', rname: 'b' } },
        { name, type: 'UNKNOWN_65' as 'NULL', data: Buffer.of(1) },
      ],
      additionals: [opt(512)],
    }),
    'dns 1*-|$ [0q] 7/0/1 AAAA 2001:db8:0:0:1::, CNAME other.example.org., MX mail.example.org. 10, ' +
      'SRV www.example.org.:80 1 2, TXT "one" "two\\x07", SOA, HTTPS (286)',
  )
})

t.test('multicast DNS', async t => {
  const question = Buffer.from(dnsPacket.encode({ questions: [{ name: 'host.local', type: 'A' }] }))
  question[question.length - 2] = 0x80
  const frame = udp(question, 5353, 5353)
  t.match(describe(frame, 'ip'), /: dns 0 A \(QU\)\? host\.local\. \(28\)$/)
  t.same(decode(frame, 'ip').dns!.questions, [
    { name: 'host.local', type: 'A', class: 'IN', unicastResponse: true },
  ])
  t.equal(
    line(
      {
        type: 'response',
        flags: 0x400,
        answers: [{ name: 'host.local', type: 'A', data: '192.0.2.7', flush: true }],
      },
      [5353, 5353],
    ),
    'dns 0*- [0q] 1/0/0 (Cache flush) A 192.0.2.7 (38)',
  )
})

t.test('TCP, with the length before the message', async t => {
  const frame = tcp(dnsPacket.streamEncode(query))
  const { dns, payload, issues } = decode(frame, 'ip')
  t.equal(dns!.questions[0]!.name, 'example.org')
  t.equal(payload.length, 31)
  t.same(issues, [])
  t.match(describe(frame, 'ip'), /tcp none .* length 31: dns 12345\+ A\? example\.org\. \(29\)$/)
  t.same(
    decodeTree(frame, 'ip')
      .children.at(-1)!
      .children.map(node => node.name),
    [
      ...['length', 'id', 'flags', 'questionCount', 'answerCount', 'authorityCount', 'additionalCount'],
      'question',
    ],
  )
  const part = tcp(dnsPacket.streamEncode(query).subarray(0, 20))
  t.equal(decode(part, 'ip').dns, undefined)
})

t.test('a record has everything; encode takes the frame back', async t => {
  const frame = udp(
    dnsPacket.encode({
      id: 7,
      type: 'response',
      flags: 0x8580,
      questions: [{ name: 'example.org', type: 'UNKNOWN_65' as 'A', class: 'CH' }],
      answers: [
        { name: 'example.org', type: 'TXT', data: ['text'], ttl: 60 },
        { name: 'example.org', type: 'UNKNOWN_65280' as 'NULL', data: Buffer.of(1, 2), ttl: 1 },
      ],
      additionals: [{ ...opt(1232), flags: 0x8000, options: [{ code: 10 as 12, data: Buffer.of(1, 2, 3) }] }],
    }),
  )
  const decoded = decode(frame, 'ip')
  const expected: DnsMessage = {
    id: 7,
    type: 'response',
    opcode: 'QUERY',
    responseCode: 'NOERROR',
    authoritative: true,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    authenticData: false,
    checkingDisabled: false,
    questions: [{ name: 'example.org', type: 'HTTPS', class: 'CH', unicastResponse: false }],
    answers: [
      {
        ...{ name: 'example.org', type: 'TXT', class: 'IN', ttlSeconds: 60, cacheFlush: false },
        data: [Buffer.from('text')],
      },
      {
        ...{ name: 'example.org', type: 'TYPE65280', class: 'IN', ttlSeconds: 1, cacheFlush: false },
        data: Buffer.of(1, 2),
      },
    ],
    authorities: [],
    additionals: [
      {
        name: '.',
        type: 'OPT',
        udpPayloadSize: 1232,
        extendedResponseCode: 0,
        version: 0,
        dnssecOk: true,
        options: [{ code: 10, data: Buffer.of(1, 2, 3) }],
      },
    ],
  }
  t.strictSame(decoded.dns, expected)
  t.same(encode(decoded), frame)
  const groups = decodeTree(frame, 'ip').children.at(-1)!.children.slice(6)
  t.same(groups.map(label), ['question', 'answer', 'answer', 'additional'])
})

t.test('what is no message is payload', async t => {
  const message = dnsPacket.encode(query)
  for (const length of [0, 1, 11, 12, 20, 28]) {
    const { dns, issues, payload } = decode(udp(message.subarray(0, length)), 'ip')
    t.equal(dns, undefined, `${length} bytes`)
    t.same([issues, payload.length], [[], length])
  }
  const answer = { name: 'a', type: 'A', data: '192.0.2.1' } as const
  const short = dnsPacket.encode({ type: 'response', answers: [answer] })
  short[short.length - 5] = 3
  t.equal(decode(udp(short), 'ip').dns, undefined, 'an address of three bytes')
  const gone = { name: 'a', type: 'NS', data: 'b' } as const
  const empty = Buffer.from(dnsPacket.encode({ type: 'response', answers: [gone, gone] }))
  // Its name would be read from the next record.
  const cut = Buffer.concat([empty.subarray(0, 23), empty.subarray(28)])
  cut.writeUInt16BE(0, 21)
  t.equal(decode(udp(cut), 'ip').dns, undefined, 'a name of no bytes')
})

t.test('names are followed so far as names can go', async t => {
  for (const [jumps, isRead] of [
    [100, true],
    [200, false],
  ] as const) {
    // A record without a type that anybody knows, full of pointers, each to the one before; and a question for the last.
    const message = Buffer.alloc(12 + 11 + 2 * jumps + 6)
    message.writeUInt16BE(0x8000, 2)
    message.writeUInt16BE(1, 6)
    message.writeUInt16BE(1, 8)
    message.set([0, 255, 1, 0, 1], 12)
    message.writeUInt16BE(2 * jumps, 21)
    for (let i = 0; i < jumps; i++) message.writeUInt16BE(0xc000 | (i === 0 ? 12 : 21 + 2 * i), 23 + 2 * i)
    const last = Buffer.alloc(12)
    last.writeUInt16BE(0xc000 | (21 + 2 * jumps), 0)
    last.writeUInt16BE(255, 2)
    last.writeUInt16BE(1, 4)
    const frame = udp(Buffer.concat([message.subarray(0, 23 + 2 * jumps), last]))
    t.equal(decode(frame, 'ip').dns !== undefined, isRead, `${jumps}`)
  }
})

t.test('what dns-packet refuses is payload with an issue', async t => {
  const pointer = Buffer.from(dnsPacket.encode({ questions: [{ name: 'a', type: 'A' }] }))
  pointer.writeUInt16BE(0xc00c, 12)
  const loop = Buffer.concat([pointer.subarray(0, 14), Buffer.of(0, 1, 0, 1)])
  const frame = udp(loop)
  const { dns, issues, payload } = decode(frame, 'ip')
  t.equal(dns, undefined)
  t.equal(payload.length, loop.length)
  t.match(issues, [{ layer: 'dns', code: 'ERR_FRAME_MALFORMED', message: /bad pointer/ }])
  t.match(describe(frame, 'ip'), /\[malformed dns: .*bad pointer/)

  const cname = dnsPacket.encode({ type: 'response', answers: [{ name: 'a', type: 'CNAME', data: 'b' }] })
  const longer = Buffer.concat([cname, Buffer.of(0)])
  longer[cname.length - 4]! += 1
  t.match(decode(udp(longer), 'ip').issues, [{ message: /another length than it says/ }])
})

t.test('registerDns refuses what is not dns-packet', async t => {
  for (const value of [null, {}, 'dns-packet', { decode() {} }])
    t.throws(() => registerDns(value as never), { code: 'ERR_INVALID_ARG_TYPE' })
})

function opt(udpPayloadSize: number) {
  const fixed = {
    type: 'OPT',
    name: '.',
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
  } as const
  return { ...fixed, udpPayloadSize, options: [] }
}

function label(node: FrameNode): string {
  return node.label
}

t.test('messages are encoded, over UDP and TCP', async t => {
  const ports = { sourcePort: 40000, destinationPort: 53 }
  const data = { preference: 10, exchange: 'mail.example.org' }
  const dns: DnsInput = {
    id: 7,
    type: 'response',
    opcode: 'NOTIFY',
    responseCode: 'NXDOMAIN',
    authoritative: true,
    recursionDesired: true,
    questions: [
      { name: 'example.org', type: 'MX' },
      { name: 'printer.local', type: 'HTTPS', class: 'CLASS77', unicastResponse: true },
    ],
    answers: [
      { name: 'example.org', type: 'MX', data, ttlSeconds: 60, cacheFlush: true },
      { name: 'example.org', type: 'TXT', data: [new Uint8Array([104, 105])], class: 'CH' },
    ],
    authorities: [{ name: 'example.org', type: 'TYPE65534', data: new Uint8Array([1, 2]), class: 'NONE' }],
    additionals: [{ type: 'OPT', udpPayloadSize: 1232, dnssecOk: true }],
  }
  for (const transport of [{ udp: ports }, { tcp: ports }]) {
    const frame = encode({ ipv4: addresses, ...transport, dns })
    const decoded = decode(frame, 'ip')
    t.same(decoded.issues, [])
    t.match(decoded.dns, dns)
    t.same(encode(decoded), frame, 'what was decoded is encoded again')
    t.same(encode({ ...decoded, payload: undefined }), frame, 'the message itself, too')
  }
  const plain = encode({ ipv4: addresses, udp: ports, dns: { questions: [{ name: 'a.b', type: 'A' }] } })
  t.same(
    decode(plain, 'ip').payload,
    dnsPacket.encode({ questions: [{ name: 'a.b', type: 'A' }] }),
    'the defaults are those of a query',
  )
  const wrong: object[] = [
    { dns: { type: 'answer' } },
    { dns: { opcode: 'RUN' } },
    { dns: { responseCode: 'RCODE_16' } },
    { dns: { id: 65536 } },
    { dns: { questions: 'example.org' } },
    { dns: { questions: [{ name: 'a', type: 'NONSENSE' }] } },
    { dns: { questions: [{ name: 'a', type: 'A', class: 'OUT' }] } },
    { dns: { questions: [{ name: 'a'.repeat(64), type: 'A' }] } },
    { dns: { answers: [{ name: 'a', type: 'A' }] } },
    { dns: { answers: [{ name: 'a', type: 'A', data: 'nowhere' }] } },
    { dns: { query: [] } },
    { udp: undefined, dns: {} },
    { dns: {}, inner: {} },
  ]
  for (const layers of wrong) {
    const all = { ipv4: addresses, udp: ports, ...layers }
    t.throws(() => encode(all), { code: /^ERR_(INVALID_ARG_|OUT_OF_RANGE)/ }, JSON.stringify(layers))
  }
  registerDns(undefined)
  t.throws(() => encode({ ipv4: addresses, udp: ports, dns }), { code: 'ERR_UNSUPPORTED' })
})
