import t from 'tap'
import { checkCodec } from '../../support/check-codec.js'
import { fixture } from '../../support/fixture.js'

t.test('Ethernet II with an ARP request, captured on a veth pair', async t => {
  const arp = fixture(`
    0001            # hardware type: Ethernet
    0800            # protocol type: IPv4
    06              # length of a hardware address
    04              # length of a protocol address
    0001            # operation: request
    020000000001    # sender's MAC address
    0a000001        # sender's IPv4 address
    000000000000    # target's MAC address: asked for
    0a000002        # target's IPv4 address
  `)
  const frame = fixture(`
    ffffffffffff    # destination: broadcast
    020000000001    # source
    0806            # type: ARP
  `)
  checkCodec(t, 'arp', arp, {
    operation: 1,
    senderMacAddress: '02:00:00:00:00:01',
    senderIpAddress: '10.0.0.1',
    targetMacAddress: '00:00:00:00:00:00',
    targetIpAddress: '10.0.0.2',
  })
  checkCodec(t, 'ethernet', Uint8Array.of(...frame, ...arp), {
    destination: 'ff:ff:ff:ff:ff:ff',
    source: '02:00:00:00:00:01',
    type: 0x0806,
    payload: arp,
  })
})

t.test('ARP reply, captured', async t => {
  const reply = fixture(`
    0001 0800 06 04
    0002            # operation: reply
    020000000002    # sender's MAC address
    0a000002        # sender's IPv4 address
    020000000001    # target's MAC address
    0a000001        # target's IPv4 address
  `)
  checkCodec(t, 'arp', reply, {
    operation: 2,
    senderMacAddress: '02:00:00:00:00:02',
    senderIpAddress: '10.0.0.2',
    targetMacAddress: '02:00:00:00:00:01',
    targetIpAddress: '10.0.0.1',
  })
})

t.test('802.3 with LLC and padding: a spanning tree BPDU, by hand', async t => {
  const frame = fixture(`
    0180c2000000    # destination: bridges
    020000000001    # source
    0026            # length: 38
    42 42 03        # LLC: DSAP, SSAP, unnumbered information
    ${'ab'.repeat(35)} # BPDU
    ${'00'.repeat(8)}  # padding to 60 bytes
  `)
  checkCodec(
    t,
    'ethernet',
    frame,
    {
      destination: '01:80:c2:00:00:00',
      source: '02:00:00:00:00:01',
      length: 38,
      payload: frame.subarray(14, 52),
      trailer: new Uint8Array(8),
    },
    ['length'],
  )
})

t.test('802.1Q tag, by hand', async t => {
  const tag = fixture(`
    b064            # priority 5, drop eligible, VLAN 100
    0800            # type: IPv4
    ff              # payload
  `)
  checkCodec(t, 'vlan', tag, {
    priority: 5,
    dropEligible: true,
    id: 100,
    type: 0x0800,
    payload: Uint8Array.of(0xff),
  })
})

t.test('IPv4 with options and a fragment, by hand', async t => {
  const packet = fixture(`
    46              # version 4, header length 6 words
    b9              # DSCP 46 (expedited forwarding), ECN 1
    001a            # total length: 26
    1234            # identification
    60b9            # don't fragment, more fragments, offset 185 * 8 = 1480
    3f              # time to live: 63
    11              # protocol: UDP
    86f1            # header checksum
    c0000201        # source: 192.0.2.1
    c6336402        # destination: 198.51.100.2
    94040000        # option: router alert (RFC 2113)
    beef            # payload
  `)
  checkCodec(
    t,
    'ipv4',
    packet,
    {
      dscp: 46,
      ecn: 1,
      totalLength: 26,
      identification: 0x1234,
      reservedFlag: false,
      dontFragment: true,
      moreFragments: true,
      fragmentOffset: 1480,
      ttl: 63,
      protocol: 17,
      checksum: 0x86f1,
      source: '192.0.2.1',
      destination: '198.51.100.2',
      options: Uint8Array.of(0x94, 4, 0, 0),
      payload: Uint8Array.of(0xbe, 0xef),
    },
    ['totalLength', 'checksum'],
  )
})

t.test('IPv6 with a hop-by-hop header: a multicast listener report, captured', async t => {
  const message = fixture(`
    8f              # type: multicast listener report v2
    00              # code
    6f89            # checksum
    0000            # reserved
    0001            # records: 1
    04000000        # change to exclude mode, no auxiliary data, no sources
    ff0200000000000000000001ff000001 # group
  `)
  const header = fixture(`
    60000000        # version 6, traffic class 0, flow label 0
    0024            # payload length: 36
    00              # next header: hop-by-hop options
    01              # hop limit
    ${'00'.repeat(16)}                # source: unspecified
    ff020000000000000000000000000016 # destination
    3a              # hop-by-hop: next header ICMPv6
    00              # hop-by-hop: 8 bytes
    05020000        # option: router alert, for MLD
    0100            # option: padding
  `)
  const record = {
    dscp: 0,
    ecn: 0,
    flowLabel: 0,
    length: 36,
    hopLimit: 1,
    source: '::',
    destination: 'ff02::16',
    extensions: [{ type: 0, body: fixture('05020000 0100') }],
    protocol: 58,
    payload: message,
  }
  checkCodec(t, 'ipv6', Uint8Array.of(...header, ...message), record, ['length'])
  const addresses = { source: '::', destination: 'ff02::16' }
  checkCodec(
    t,
    'icmpv6',
    message,
    { type: 143, code: 0, checksum: 0x6f89, payload: message.subarray(8), rest: 1 },
    ['checksum'],
    addresses,
  )
})

t.test('IPv6 with every kind of extension header, by hand', async t => {
  const packet = fixture(`
    6ebabcde        # version 6, DSCP 58, ECN 3, flow label 0xabcde
    0032            # payload length: 50
    00              # next header: hop-by-hop options
    40              # hop limit: 64
    20010db8000000000000000000000001
    20010db8000000000000000000000002
    3c 00 0104 00000000         # hop-by-hop: 8 bytes, padding; next destination options
    2b 00 0104 00000000         # destination options: 8 bytes, padding; next routing
    33 00 0400 00000000         # routing: type 4, no segments left; next AH
    2c 02 0000 00000001         # AH: 16 bytes, SPI 1; next fragment
    00000007 deadbeef           #     sequence 7, integrity check value
    3b 00 0010 01020304         # fragment: next no header, offset 16, no more
    6869                        # payload
  `)
  checkCodec(
    t,
    'ipv6',
    packet,
    {
      dscp: 58,
      ecn: 3,
      flowLabel: 0xabcde,
      length: 50,
      hopLimit: 64,
      source: '2001:db8::1',
      destination: '2001:db8::2',
      extensions: [
        { type: 0, body: fixture('0104 00000000') },
        { type: 60, body: fixture('0104 00000000') },
        { type: 43, body: fixture('0400 00000000') },
        { type: 51, body: fixture('0000 00000001 00000007 deadbeef') },
        { type: 44, fragmentOffset: 16, moreFragments: false, identification: 0x01020304 },
      ],
      protocol: 59,
      payload: fixture('6869'),
    },
    ['length'],
  )
})
