import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import dnsPacket from 'dns-packet'
import t from 'tap'
import { formatIpv6, parseIpv6 } from '../../src/address/index.js'
import { hex } from '../../src/bytes/index.js'
import { type DnsMessage, type DnsResource, decode, encode, registerDns } from '../../src/frames/index.js'
import { PcapngWriter } from '../../src/pcap/index.js'
import { Random } from '../support/random.js'
import { RandomDns } from '../support/random-dns.js'
import { requires } from '../support/requires.js'

const seed = Number(process.env.NETLOOM_FRAMES_SEED ?? 1)
const count = 600

type Node = { [name: string]: string | Node }

/** What we have where tshark has a field of that name. tshark puts records of one name together. */
const fields: Record<string, (message: DnsMessage) => unknown[]> = {
  'dns.id': m => [m.id],
  'dns.flags.response': m => [m.type === 'response'],
  'dns.flags.truncated': m => [m.truncated],
  'dns.flags.recdesired': m => [m.recursionDesired],
  'dns.flags.authoritative': m => (m.type === 'response' ? [m.authoritative] : []),
  'dns.flags.recavail': m => (m.type === 'response' ? [m.recursionAvailable] : []),
  'dns.flags.authenticated': m => (m.type === 'response' || m.authenticData ? [m.authenticData] : []),
  'dns.flags.checkdisable': m => [m.checkingDisabled],
  'dns.flags.rcode': m => (m.type === 'response' ? [dnsCodes.indexOf(m.responseCode)] : []),
  'dns.count.queries': m => [m.questions.length],
  'dns.count.answers': m => [m.answers.length],
  'dns.count.auth_rr': m => [m.authorities.length],
  'dns.count.add_rr': m => [m.additionals.length],
  'dns.qry.name': m => m.questions.map(question => named(question.name)),
  // That of SRV is cut in pieces.
  'dns.resp.name': m => records(m).flatMap(record => (record.type === 'SRV' ? [] : named(record.name))),
  'dns.resp.ttl': m => records(m).flatMap(record => (record.type === 'OPT' ? [] : record.ttlSeconds)),
  'dns.rr.udp_payload_size': m =>
    records(m).flatMap(record => (record.type === 'OPT' ? record.udpPayloadSize : [])),
  'dns.resp.z.do': m => records(m).flatMap(record => (record.type === 'OPT' ? record.dnssecOk : [])),
  'dns.a': m => data(m, 'A'),
  'dns.aaaa': m => data(m, 'AAAA'),
  'dns.cname': m => data(m, 'CNAME').map(named),
  'dns.ns': m => data(m, 'NS').map(named),
  'dns.ptr.domain_name': m => data(m, 'PTR').map(named),
  'dns.mx.preference': m => data(m, 'MX').map(mx => mx.preference),
  'dns.mx.mail_exchange': m => data(m, 'MX').map(mx => named(mx.exchange)),
  'dns.srv.priority': m => data(m, 'SRV').map(srv => srv.priority),
  'dns.srv.weight': m => data(m, 'SRV').map(srv => srv.weight),
  'dns.srv.port': m => data(m, 'SRV').map(srv => srv.port),
  'dns.srv.target': m => data(m, 'SRV').map(srv => named(srv.target)),
  'dns.soa.mname': m => data(m, 'SOA').map(soa => named(soa.mname)),
  'dns.soa.rname': m => data(m, 'SOA').map(soa => named(soa.rname)),
  'dns.soa.serial_number': m => data(m, 'SOA').map(soa => soa.serial),
  'dns.soa.refresh_interval': m => data(m, 'SOA').map(soa => soa.refresh),
  'dns.txt.length': m => data(m, 'TXT').flatMap(texts => texts.map(bytes => bytes.length)),
}

const dnsCodes = [
  ...['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'],
  ...['YXDOMAIN', 'YXRRSET', 'NXRRSET', 'NOTAUTH', 'NOTZONE'],
]

t.test('tshark reads in messages what we read', async t => {
  if (!requires(t, 'tshark')) return
  t.comment(`seed ${seed}`)
  registerDns(dnsPacket)
  t.teardown(() => registerDns(undefined))
  const messages = new RandomDns(seed)
  const random = new Random(seed)
  const writer = new PcapngWriter()
  const blocks = [writer.section(), writer.interface({ linkType: 'ip' })]
  const frames = Array.from({ length: count }, () => packet(messages.next(), random.below(3)))
  frames.forEach((data, i) => {
    blocks.push(writer.packet({ timestamp: BigInt(i) * 1_000_000_000n, data }))
  })
  const file = join(t.testdir({}), 'dns.pcapng')
  writeFileSync(file, Buffer.concat(blocks))
  const packets = tshark(file)
  t.equal(packets.length, count)
  const seen = new Set<string>()
  let wrong = 0
  for (const [
    i,
    {
      _source: { layers },
    },
  ] of packets.entries()) {
    const message = decode(frames[i]!, 'ip').dns
    const theirs = layers.dns ?? layers.mdns
    if (!message || !theirs) return void t.fail(`no DNS in ${hex(frames[i]!)}`)
    for (const [field, read] of Object.entries(fields)) {
      const found = valuesOf(theirs, field).map(normal).sort()
      if (found.length > 0) seen.add(field)
      const ours = read(message).map(normal).sort()
      if (found.join('|') !== ours.join('|') && wrong++ < 20)
        t.same(ours, found, `${field} of ${hex(frames[i]!)}`)
    }
  }
  t.equal(wrong, 0, 'all fields agree')
  t.same(
    Object.keys(fields).filter(field => !seen.has(field)),
    [],
    'every field was compared',
  )
})

/** In UDP, as multicast DNS, or in TCP. */
function packet(message: Buffer, how: number): Uint8Array {
  const ipv4 = { source: '10.0.0.1', destination: '10.0.0.53' }
  if (how === 2) {
    const payload = Buffer.concat([Buffer.of(message.length >> 8, message.length), message])
    return encode({ ipv4, tcp: { sourcePort: 61000, destinationPort: 53 }, payload })
  }
  const port = how === 0 ? 53 : 5353
  return encode({
    ipv4,
    udp: { sourcePort: how === 0 ? 61000 : port, destinationPort: port },
    payload: message,
  })
}

function tshark(file: string): { _source: { layers: { dns?: Node; mdns?: Node } } }[] {
  // Each segment by itself.
  const options = ['-o', 'tcp.desegment_tcp_streams:FALSE', '-o', 'tcp.analyze_sequence_numbers:FALSE']
  const output = execFileSync('tshark', ['-r', file, '-n', '-T', 'json', '--no-duplicate-keys', ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  })
  return JSON.parse(output)
}

/** All values of that name in the tree, in its order. */
function valuesOf(node: Node | Node[] | string, name: string): string[] {
  if (typeof node === 'string') return []
  return Object.entries(node).flatMap(([key, value]) =>
    key === name ? [value as string | string[]].flat() : valuesOf(value as Node, name),
  )
}

function records({ answers, authorities, additionals }: DnsMessage): DnsResource[] {
  return [...answers, ...authorities, ...additionals]
}

function data<T extends Exclude<DnsResource['type'], 'OPT'>>(message: DnsMessage, type: T) {
  type Found = Extract<DnsResource, { type: T; data: unknown }>['data']
  return records(message).flatMap(record =>
    record.type === type && 'data' in record ? [record.data as Found] : [],
  )
}

/** As tshark writes the root. */
function named(name: string): string {
  return name === '.' ? '<Root>' : name
}

function normal(value: unknown): string {
  const text = typeof value === 'boolean' ? String(Number(value)) : String(value)
  if (text === 'True' || text === 'False') return text === 'True' ? '1' : '0'
  if (/^(?:0x[0-9a-f]+|\d+)$/i.test(text)) return String(BigInt(text))
  return /^[0-9a-f:]*:[0-9a-f:]*$/.test(text) ? formatIpv6(parseIpv6(text)) : text
}
