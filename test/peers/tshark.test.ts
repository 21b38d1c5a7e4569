import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  encode,
  type FrameLayers,
  frameFlags,
  type Ipv6Extension,
  type TcpOption,
} from '../../src/frames/index.js'
import { PcapngWriter } from '../../src/pcap/index.js'
import { requires } from '../support/requires.js'

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const ipv6 = { source: 'fe80::1', destination: 'fe80::2', hopLimit: 255 }
const text = (line: string) => new TextEncoder().encode(line)
const ports = { sourcePort: 40000, destinationPort: 40001 }
const tcp = { ...ports, sequence: 1, window: 512 }
const arp = {
  senderMacAddress: ethernet.source,
  senderIpAddress: ipv4.source,
  targetIpAddress: ipv4.destination,
}
const synOptions: TcpOption[] = [
  { kind: 'mss', mss: 1460 },
  { kind: 'sackPermitted' },
  { kind: 'timestamps', value: 1, echo: 0 },
  { kind: 'nop' },
  { kind: 'windowScale', shift: 7 },
]
const extensions: Ipv6Extension[] = [
  { type: 0, body: Uint8Array.of(1, 4, 0, 0, 0, 0) },
  { type: 60, body: Uint8Array.of(1, 4, 0, 0, 0, 0) },
]

// Expert information from PI_WARN on; below are remarks about what a conversation looks like.
const warning = 0x00600000

/** What tshark calls the frame, and the frame. */
const frames: [string, FrameLayers][] = [
  ['arp', { arp: { ...arp, operation: 1 } }],
  ['arp', { arp: { ...arp, operation: 2, targetMacAddress: '02:00:00:00:00:02' } }],
  ['tcp', { ipv4, tcp: { ...tcp, flags: { syn: true }, options: synOptions } }],
  ['tcp', { ipv6, tcp: { ...tcp, flags: { syn: true }, options: synOptions }, payload: text('odd') }],
  ['udp', { ipv4, udp: ports, payload: text('hello') }],
  ['udp', { ipv6: { ...ipv6, extensions }, udp: ports, payload: text('hello') }],
  ['udp', { vlans: [{ id: 100, priority: 3 }], ipv4, udp: ports, payload: text('tagged') }],
  ['icmp', { ipv4, icmp: { type: 8, identifier: 1, sequence: 1 }, payload: text('0123456789abcdef') }],
  [
    'icmp',
    {
      ipv4: { source: '10.0.0.2', destination: '10.0.0.1' },
      icmp: { type: 3, code: 3 },
      payload: encode({ ipv4, udp: ports, payload: text('hello') }),
    },
  ],
  ['icmpv6', { ipv6, icmpv6: { type: 128, identifier: 1, sequence: 1 }, payload: text('ping') }],
  [
    'icmpv6',
    {
      ipv6: { ...ipv6, destination: 'ff02::1:ff00:2' },
      neighborDiscovery: {
        type: 135,
        target: 'fe80::2',
        options: [{ kind: 'source', macAddress: '02:00:00:00:00:01' }],
      },
    },
  ],
  [
    'icmpv6',
    {
      ipv6,
      neighborDiscovery: {
        type: 136,
        target: 'fe80::1',
        router: true,
        solicited: true,
        override: true,
        options: [{ kind: 'target', macAddress: '02:00:00:00:00:01' }],
      },
    },
  ],
  ['icmpv6', { ipv6: { ...ipv6, destination: 'ff02::2' }, neighborDiscovery: { type: 133 } }],
  [
    'icmpv6',
    {
      ipv6: { ...ipv6, destination: 'ff02::1' },
      neighborDiscovery: {
        type: 134,
        hopLimit: 64,
        managed: false,
        other: false,
        lifetimeSeconds: 1800,
        reachableTimeMs: 0,
        retransmitTimerMs: 0,
        options: [
          {
            kind: 'prefix',
            prefix: '2001:db8::',
            length: 64,
            onLink: true,
            autonomous: true,
            validLifetimeSeconds: 2592000,
            preferredLifetimeSeconds: 604800,
          },
          { kind: 'mtu', mtu: 1500 },
        ],
      },
    },
  ],
]

// Payloads of every length, so that sums over odd and long ones are judged by somebody else too.
for (const payload of fc.sample(fc.uint8Array({ maxLength: 1400 }), { seed: 1, numRuns: 100 })) {
  frames.push(['udp', { ipv4, udp: ports, payload }], ['udp', { ipv6, udp: ports, payload }])
}

t.test('tshark reads our file and finds nothing wrong with our frames', async t => {
  if (!requires(t, 'tshark')) return
  const file = join(t.testdir(), 'frames.pcapng')
  const writer = new PcapngWriter()
  const start = 1_700_000_000_123_456_789n
  const blocks = [
    writer.section({ application: 'netloom test' }),
    writer.interface({ linkType: 'ethernet', name: 'veth0' }),
    writer.interface({ linkType: 'ip', name: 'tun0', snapLength: 65535 }),
  ]
  const expected: (string | number)[][] = []
  frames.forEach(([protocol, layers], i) => {
    const overIp = i % 2 === 1 && !layers.arp && !layers.vlans
    blocks.push(
      writer.packet({
        interface: overIp ? 1 : 0,
        timestamp: start + BigInt(i),
        data: encode(overIp ? layers : { ethernet, ...layers }),
        flags: i % 3 === 0 ? frameFlags.inbound : frameFlags.outbound,
        comments: [`frame ${i}`],
      }),
    )
    expected.push([
      overIp ? 'tun0' : 'veth0',
      `1700000000.${123456789 + i}`,
      i % 3 === 0 ? 1 : 2,
      `frame ${i}`,
      protocol,
      '',
      '',
    ])
  })
  writeFileSync(file, Buffer.concat(blocks))

  const fields = [
    'frame.interface_name',
    'frame.time_epoch',
    'frame.packet_flags_direction',
    'frame.comment',
    'frame.protocols',
    '_ws.malformed',
    '_ws.expert.severity',
  ]
  const lines = tshark(file, ...fields.flatMap(field => ['-e', field])).map(line => {
    const columns = line.split('\t')
    const inner = columns[4]!.split(':').find(name => /^(?:arp|tcp|udp|icmp|icmpv6)$/.test(name))
    const warnings = columns[6]!.split(',').filter(severity => Number(severity) >= warning)
    const [name, time, direction, comment, protocols, broken] = columns
    return [name, time, Number(direction), comment, inner ?? protocols, broken, warnings.join(',')]
  })
  t.equal(lines.length, frames.length)
  t.strictSame(lines, expected)

  const states = ['ip', 'tcp', 'udp', 'icmp', 'icmpv6'].map(name => `${name}.checksum.status`)
  const sums = tshark(file, ...states.flatMap(field => ['-e', field]))
    .join('\t')
    .split(/[\t,]/)
  t.ok(sums.filter(status => status === '1').length > frames.length, 'checksums were verified')
  t.same(new Set(sums), new Set(['', '1']), 'and all are good')
})

function tshark(file: string, ...fields: string[]): string[] {
  const options = ['ip', 'tcp', 'udp'].flatMap(name => ['-o', `${name}.check_checksum:TRUE`])
  const output = execFileSync('tshark', ['-r', file, '-n', ...options, '-T', 'fields', ...fields], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  })
  return output.replace(/\n$/, '').split('\n')
}
