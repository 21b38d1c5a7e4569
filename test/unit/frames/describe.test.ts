import t from 'tap'
import { describe, encode, type FrameLayers, type LinkType } from '../../../src/frames/index.js'
import { fixture } from '../../support/fixture.js'

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const ipv6 = { source: 'fe80::1', destination: 'fe80::2' }
const text = (line: string) => new TextEncoder().encode(line)
const tcp = { sourcePort: 40000, destinationPort: 80, sequence: 1, acknowledgment: 2, window: 512 }

const lines: [FrameLayers, string][] = [
  [
    {
      arp: {
        operation: 1,
        senderMacAddress: '02:00:00:00:00:01',
        senderIpAddress: '10.0.0.1',
        targetIpAddress: '10.0.0.2',
      },
    },
    'ARP who-has 10.0.0.2 tell 10.0.0.1',
  ],
  [
    {
      arp: {
        operation: 2,
        senderMacAddress: '02:00:00:00:00:02',
        senderIpAddress: '10.0.0.2',
        targetIpAddress: '10.0.0.1',
      },
    },
    'ARP reply 10.0.0.2 is-at 02:00:00:00:00:02',
  ],
  [
    {
      arp: {
        operation: 9,
        senderMacAddress: '02:00:00:00:00:02',
        senderIpAddress: '10.0.0.2',
        targetIpAddress: '10.0.0.1',
      },
    },
    'ARP operation 9 from 10.0.0.2 to 10.0.0.1',
  ],
  [
    {
      ipv4,
      tcp: {
        ...tcp,
        flags: { syn: true },
        options: [
          { kind: 'mss', mss: 1460 },
          { kind: 'sackPermitted' },
          { kind: 'timestamps', value: 7, echo: 0 },
          { kind: 'nop' },
          { kind: 'windowScale', shift: 7 },
        ],
      },
    },
    'IP 10.0.0.1.40000 > 10.0.0.2.80: tcp SYN seq 1 win 512 <mss 1460,sackOK,TS val 7 ecr 0,nop,wscale 7> length 0',
  ],
  [
    {
      ipv4,
      tcp: {
        ...tcp,
        flags: { ack: true, urg: true },
        options: [
          { kind: 'sack', blocks: [{ start: 5, end: 9 }] },
          { kind: 'unknown', number: 34, data: text('xx') },
        ],
      },
    },
    'IP 10.0.0.1.40000 > 10.0.0.2.80: tcp ACK URG ack 2 win 512 urg 0 <sack 5-9,option 34 length 4,eol> length 0',
  ],
  [{ ipv4, tcp: { ...tcp } }, 'IP 10.0.0.1.40000 > 10.0.0.2.80: tcp none win 512 length 0'],
  [
    {
      ipv4,
      tcp: { ...tcp, flags: { psh: true, ack: true } },
      payload: text('GET / HTTP/1.1\r\nHost: a\r\n'),
    },
    'IP 10.0.0.1.40000 > 10.0.0.2.80: tcp PSH ACK seq 1 ack 2 win 512 length 25: HTTP GET / HTTP/1.1',
  ],
  [
    { ipv6, tcp: { ...tcp, flags: { ack: true } }, payload: text('HTTP/1.1 200 OK\r\n') },
    'IP6 fe80::1.40000 > fe80::2.80: tcp ACK seq 1 ack 2 win 512 length 17: HTTP/1.1 200 OK',
  ],
  [
    { ipv4, tcp: { ...tcp, flags: { ack: true } }, payload: text('GET /\x1b[31m\\\r\x07é HTTP/1.1') },
    'IP 10.0.0.1.40000 > 10.0.0.2.80: tcp ACK seq 1 ack 2 win 512 length 24: HTTP GET /\\x1b[31m\\\\\\x0d\\x07\\xc3\\xa9 HTTP/1.1',
  ],
  [
    { ipv4, udp: { sourcePort: 5353, destinationPort: 53 }, payload: text('hello') },
    'IP 10.0.0.1.5353 > 10.0.0.2.53: udp length 5',
  ],
  [
    { ipv4, icmp: { type: 8, identifier: 1, sequence: 2 }, payload: new Uint8Array(56) },
    'IP 10.0.0.1 > 10.0.0.2: icmp echo request, id 1, seq 2, length 64',
  ],
  [
    { ipv4, icmp: { type: 0, identifier: 1, sequence: 2 } },
    'IP 10.0.0.1 > 10.0.0.2: icmp echo reply, id 1, seq 2, length 8',
  ],
  [
    {
      ipv4,
      icmp: { type: 3, code: 3 },
      payload: encode({ ipv4, udp: { sourcePort: 4000, destinationPort: 53 }, payload: text('hi') }).subarray(
        0,
        28,
      ),
    },
    'IP 10.0.0.1 > 10.0.0.2: icmp unreachable port for 10.0.0.1.4000 > 10.0.0.2.53 udp',
  ],
  [
    { ipv4, icmp: { type: 3, code: 4, mtu: 1400 }, payload: encode({ ipv4: { ...ipv4, protocol: 47 } }) },
    'IP 10.0.0.1 > 10.0.0.2: icmp fragmentation needed, mtu 1400 for 10.0.0.1 > 10.0.0.2 protocol 47',
  ],
  [{ ipv4, icmp: { type: 5, gateway: '10.0.0.254' } }, 'IP 10.0.0.1 > 10.0.0.2: icmp redirect to 10.0.0.254'],
  [{ ipv4, icmp: { type: 11 } }, 'IP 10.0.0.1 > 10.0.0.2: icmp time exceeded in transit'],
  [{ ipv4, icmp: { type: 42, code: 1 } }, 'IP 10.0.0.1 > 10.0.0.2: icmp type 42 code 1, length 8'],
  [
    {
      ipv6: { source: 'fe80::1', destination: 'ff02::1:ff00:2' },
      neighborDiscovery: { type: 135, target: 'fe80::2' },
    },
    'IP6 fe80::1 > ff02::1:ff00:2: icmp6 neighbor solicitation, who has fe80::2',
  ],
  [
    {
      ipv6,
      neighborDiscovery: {
        type: 136,
        target: 'fe80::1',
        router: false,
        solicited: true,
        override: true,
        options: [{ kind: 'target', macAddress: '02:00:00:00:00:01' }],
      },
    },
    'IP6 fe80::1 > fe80::2: icmp6 neighbor advertisement, fe80::1 is-at 02:00:00:00:00:01, solicited override',
  ],
  [
    {
      ipv6,
      neighborDiscovery: {
        type: 134,
        hopLimit: 64,
        managed: false,
        other: true,
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
            validLifetimeSeconds: 1,
            preferredLifetimeSeconds: 1,
          },
          { kind: 'mtu', mtu: 1500 },
        ],
      },
    },
    'IP6 fe80::1 > fe80::2: icmp6 router advertisement, lifetime 1800s, other, prefix 2001:db8::/64, mtu 1500',
  ],
  [{ ipv6, icmpv6: { type: 2, mtu: 1280 } }, 'IP6 fe80::1 > fe80::2: icmp6 packet too big, mtu 1280'],
  [{ ipv6, icmpv6: { type: 143 } }, 'IP6 fe80::1 > fe80::2: icmp6 multicast listener report v2'],
  [{ ipv4: { ...ipv4, protocol: 50 }, payload: text('esp!') }, 'IP 10.0.0.1 > 10.0.0.2: esp length 4'],
  [{ ipv4: { ...ipv4, protocol: 200 } }, 'IP 10.0.0.1 > 10.0.0.2: protocol 200 length 0'],
  [
    { ipv4: { ...ipv4, protocol: 17, identification: 7, fragmentOffset: 1480 }, payload: text('x') },
    'IP 10.0.0.1 > 10.0.0.2: fragment id 7 offset 1480, udp length 1',
  ],
  [
    {
      ipv4: { ...ipv4, identification: 7, moreFragments: true },
      udp: { sourcePort: 1, destinationPort: 2, length: 3008 },
      payload: new Uint8Array(1472),
    },
    'IP 10.0.0.1.1 > 10.0.0.2.2: udp length 3000 [fragment id 7 offset 0 more]',
  ],
  [
    { vlans: [{ id: 100 }, { id: 7 }], ipv4: { ...ipv4, protocol: 103 } },
    'vlan 100 vlan 7 IP 10.0.0.1 > 10.0.0.2: pim length 0',
  ],
  [
    { ethernet: { ...ethernet, type: 0x888e }, payload: text('abc') },
    'ethertype 0x888e eapol 02:00:00:00:00:01 > 02:00:00:00:00:02, length 3',
  ],
  [
    { ethernet: { ...ethernet, type: 0x9999 } },
    'ethertype 0x9999 02:00:00:00:00:01 > 02:00:00:00:00:02, length 0',
  ],
  [
    { ethernet, payload: fixture('060603 0000') },
    '802.3 02:00:00:00:00:01 > 02:00:00:00:00:02, llc 0x06 > 0x06, length 2',
  ],
]

const udp = (sourcePort: number, destinationPort: number) => ({ udp: { sourcePort, destinationPort } })
const ping: FrameLayers = {
  ipv4: { source: '192.168.0.1', destination: '192.168.0.2' },
  icmp: { type: 8, identifier: 1, sequence: 2 },
}
const pinged = 'IP 192.168.0.1 > 192.168.0.2: icmp echo request, id 1, seq 2, length 8'

const tunnels: [FrameLayers, string][] = [
  [
    { ipv4, ...udp(49152, 4789), vxlan: { vni: 5 }, inner: { ethernet, vlans: [{ id: 7 }], ...ping } },
    `IP 10.0.0.1.49152 > 10.0.0.2.4789: vxlan vni 5: vlan 7 ${pinged}`,
  ],
  [
    {
      ipv6,
      ...udp(49152, 6081),
      geneve: { vni: 5, options: [{ class: 1, type: 1, data: new Uint8Array(4) }] },
      inner: ping,
    },
    `IP6 fe80::1.49152 > fe80::2.6081: geneve vni 5 options 1: ${pinged}`,
  ],
  [{ ipv4, gre: { key: 7, sequence: 1 }, inner: ping }, `IP 10.0.0.1 > 10.0.0.2: gre key 7 seq 1: ${pinged}`],
  [
    { ipv4, gre: { protocol: 0x88be }, payload: text('span') },
    'IP 10.0.0.1 > 10.0.0.2: gre ethertype 0x88be, length 4',
  ],
  [{ ipv4, inner: ping }, `IP 10.0.0.1 > 10.0.0.2: ${pinged}`],
  [{ mpls: [{ label: 16 }, { label: 17, ttl: 3 }], ...ping }, `mpls 16 ttl 64 mpls 17 ttl 3 ${pinged}`],
  [{ pppoe: { sessionId: 5 }, ...ping }, `pppoe session 5: ${pinged}`],
  [{ pppoe: { sessionId: 5, protocol: 0xc021 }, payload: text('abc') }, 'pppoe session 5 ppp lcp length 3'],
  [
    {
      pppoe: {
        sessionId: 0,
        code: 7,
        tags: [
          { type: 0x0102, data: text('hours\n') },
          { type: 0x0103, data: text('x') },
        ],
      },
    },
    'pppoe PADO session 0, concentrator "hours"',
  ],
  [{ llc: { snap: { organization: 0, protocol: 0x0800 } }, ...ping }, pinged],
  [
    { llc: { snap: { organization: 0x00000c, protocol: 0x2000 } }, payload: text('cdp') },
    '802.3 02:00:00:00:00:01 > 02:00:00:00:00:02, llc 0xaa > 0xaa snap 0x00000c 0x2000, length 3',
  ],
  [
    {
      stp: {
        type: 2,
        configuration: {
          flags: 1,
          root: { priority: 32768, macAddress: '02:00:00:00:00:01' },
          rootPathCost: 4,
          bridge: { priority: 32769, macAddress: '02:00:00:00:00:02' },
          portId: 0x8001,
          messageAgeSeconds: 1,
          maxAgeSeconds: 20,
          helloTimeSeconds: 2,
          forwardDelaySeconds: 15,
        },
      },
    },
    'STP rapid root 32768.02:00:00:00:00:01 cost 4 bridge 32769.02:00:00:00:00:02 port 0x8001, topology change',
  ],
  [{ stp: { type: 0x80 } }, 'STP topology change notification'],
  [
    {
      lldp: {
        elements: [
          { kind: 'chassisId', subtype: 4, id: fixture('020000000001') },
          { kind: 'portId', subtype: 5, id: text('eth0') },
          { kind: 'timeToLive', seconds: 120 },
          { kind: 'systemName', text: 'sw\u0007' },
          {
            kind: 'managementAddress',
            family: 1,
            address: fixture('0a000001'),
            interfaceNumbering: 2,
            interfaceNumber: 1,
            object: new Uint8Array(),
          },
        ],
      },
    },
    'LLDP chassis 02:00:00:00:00:01, port "eth0", ttl 120s, system "sw\\x07", management 10.0.0.1',
  ],
  [{ ipv4, igmp: { type: 0x11, maxResponseCode: 100 } }, 'IP 10.0.0.1 > 10.0.0.2: igmp query v2'],
  [{ ipv4, igmp: { type: 0x17, group: '239.1.1.1' } }, 'IP 10.0.0.1 > 10.0.0.2: igmp leave 239.1.1.1'],
  [
    { ipv4, igmp: { type: 0x22, records: [{ type: 4, group: '239.1.1.1', sources: ['10.0.0.9'] }] } },
    'IP 10.0.0.1 > 10.0.0.2: igmp report v3, 239.1.1.1 toExclude {10.0.0.9}',
  ],
  [
    { ipv6, mld: { type: 143, records: [{ type: 4, group: 'ff02::fb', sources: [] }] } },
    'IP6 fe80::1 > fe80::2: icmp6 multicast listener report v2, ff02::fb toExclude {}',
  ],
  [
    { ipv6, mld: { type: 131, group: 'ff02::fb' } },
    'IP6 fe80::1 > fe80::2: icmp6 multicast listener report for ff02::fb',
  ],
  [
    {
      ipv4,
      ...udp(67, 68),
      dhcpv4: {
        operation: 2,
        transactionId: 1,
        hardwareAddress: '02:00:00:00:00:01',
        yourAddress: '10.0.0.5',
        options: [
          { kind: 'messageType', value: 2 },
          { kind: 'serverIdentifier', value: '10.0.0.1' },
          { kind: 'leaseTimeSeconds', value: 3600 },
          { kind: 'hostName', value: 'a\nb' },
        ],
      },
    },
    'IP 10.0.0.1.67 > 10.0.0.2.68: dhcp offer 10.0.0.5 to 02:00:00:00:00:01, server 10.0.0.1, lease 3600s, host "a"',
  ],
  [
    {
      ipv6,
      ...udp(547, 546),
      dhcpv6: {
        type: 7,
        transactionId: 0x1a2b3c,
        options: [
          {
            kind: 'iaNa',
            value: {
              iaid: 1,
              renewalSeconds: 0,
              rebindingSeconds: 0,
              options: [
                {
                  kind: 'iaAddress',
                  value: {
                    address: '2001:db8::5',
                    preferredLifetimeSeconds: 1,
                    validLifetimeSeconds: 1,
                    options: [],
                  },
                },
              ],
            },
          },
          { kind: 'status', value: { code: 0, message: 'fine' } },
        ],
      },
    },
    'IP6 fe80::1.547 > fe80::2.546: dhcp6 reply xid 0x1a2b3c, address 2001:db8::5, status 0 "fine"',
  ],
  [
    {
      ipv6,
      ...udp(547, 547),
      dhcpv6: {
        type: 12,
        relay: { hops: 0, linkAddress: '2001:db8::1', peerAddress: 'fe80::5' },
        options: [{ kind: 'relayMessage', value: fixture('01 000005') }],
      },
    },
    'IP6 fe80::1.547 > fe80::2.547: dhcp6 relayForward link 2001:db8::1 peer fe80::5: solicit xid 0x000005',
  ],
  [
    {
      ipv4,
      ...udp(40000, 51820),
      wireguard: { type: 4, receiver: 7, counter: 5n, payload: new Uint8Array(48) },
    },
    'IP 10.0.0.1.40000 > 10.0.0.2.51820: wireguard data receiver 0x00000007 counter 5 length 48',
  ],
  [
    {
      ipv4,
      ...udp(40000, 51820),
      wireguard: { type: 4, receiver: 7, counter: 6n, payload: new Uint8Array(16) },
    },
    'IP 10.0.0.1.40000 > 10.0.0.2.51820: wireguard keepalive receiver 0x00000007 counter 6',
  ],
]

t.test('tunnels, and what programs and switches tell each other', async t => {
  for (const [layers, expected] of tunnels) t.equal(describe(encode({ ethernet, ...layers })), expected)
})

t.test('one line per frame', async t => {
  for (const [layers, expected] of lines) t.equal(describe(encode({ ethernet, ...layers })), expected)
})

t.test('other link types, and the link itself', async t => {
  const packet = encode({ ipv4: { ...ipv4, protocol: 103 } })
  const line = 'IP 10.0.0.1 > 10.0.0.2: pim length 0'
  const prefixes: [LinkType, string][] = [
    ['ip', ''],
    ['null', '02000000'],
    ['null', '00000002'],
    ['linux-sll', '0000 0001 0006 0200000000010000 0800'],
    ['linux-sll2', '0800 0000 00000002 0001 00 06 0200000000010000'],
  ]
  for (const [linkType, prefix] of prefixes)
    t.equal(describe(Uint8Array.of(...fixture(prefix), ...packet), linkType), line, linkType)
  t.equal(describe(encode({ ipv6 }), 'ip'), 'IP6 fe80::1 > fe80::2: none length 0')
  t.equal(
    describe(encode({ ethernet, ipv4: { ...ipv4, protocol: 103 } }), 'ethernet', { link: true }),
    `02:00:00:00:00:01 > 02:00:00:00:00:02 ${line}`,
  )
})

t.test('what cannot be read is said to be so', async t => {
  const syn = encode({ ethernet, ipv4, tcp: { ...tcp, flags: { syn: true } } })
  t.equal(describe(new Uint8Array()), '[truncated ethernet: 14 bytes needed, 0 there]')
  t.equal(describe(syn.subarray(0, 20)), 'IP [truncated ipv4: 20 bytes needed, 6 there]')
  t.equal(
    describe(syn.subarray(0, 40)),
    'IP 10.0.0.1 > 10.0.0.2: [truncated tcp: 20 bytes needed, 6 there] [truncated ipv4]',
  )
  t.equal(
    describe(Uint8Array.of(0x50), 'ip'),
    '[malformed link: the packet is neither IPv4 nor IPv6: its version is 5]',
  )
  const bad = syn.slice()
  bad[46] = 0x40
  t.equal(describe(bad), 'IP 10.0.0.1 > 10.0.0.2: [malformed tcp: the header length is 16]')
  t.equal(
    describe(
      encode({ ethernet, ipv4: { ...ipv4, totalLength: 1500 }, udp: { sourcePort: 1, destinationPort: 2 } }),
    ),
    'IP 10.0.0.1.1 > 10.0.0.2.2: udp length 0 [truncated ipv4]',
  )
  t.equal(
    describe(fixture('ffffffffffff 020000000001 0806 0006 0800 0604 0001')),
    '[malformed arp: only Ethernet and IPv4 addresses are understood]',
  )
  t.throws(() => describe('x' as never), { code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => describe(syn, 'token-ring' as never), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => describe(syn, 'ethernet', { color: true } as never), { code: 'ERR_INVALID_ARG_VALUE' })
})
