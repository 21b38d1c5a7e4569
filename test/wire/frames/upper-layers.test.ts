import t from 'tap'
import { checkCodec } from '../../support/check-codec.js'
import { fixture } from '../../support/fixture.js'

const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const noFlags = {
  fin: false,
  syn: false,
  rst: false,
  psh: false,
  ack: false,
  urg: false,
  ece: false,
  cwr: false,
  ae: false,
}

t.test('TCP SYN with options, captured', async t => {
  const segment = fixture(`
    db72            # source port: 56178
    0050            # destination port: 80
    6be2556e        # sequence number
    00000000        # acknowledgment number
    a002            # header length 10 words; SYN
    faf0            # window: 64240
    18cc            # checksum
    0000            # urgent pointer
    0204 05b4       # option: MSS 1460
    0402            # option: SACK permitted
    080a 5020330a 00000000 # option: timestamps
    01              # option: no operation
    0303 0a         # option: window scale 10
  `)
  checkCodec(
    t,
    'tcp',
    segment,
    {
      sourcePort: 56178,
      destinationPort: 80,
      sequence: 0x6be2556e,
      acknowledgment: 0,
      reserved: 0,
      flags: { ...noFlags, syn: true },
      window: 64240,
      checksum: 0x18cc,
      urgentPointer: 0,
      options: [
        { kind: 'mss', mss: 1460 },
        { kind: 'sackPermitted' },
        { kind: 'timestamps', value: 0x5020330a, echo: 0 },
        { kind: 'nop' },
        { kind: 'windowScale', shift: 10 },
      ],
      payload: new Uint8Array(),
    },
    ['checksum', 'reserved', 'urgentPointer', 'acknowledgment'],
    ipv4,
  )
})

t.test('TCP with SACK, an unknown option, an end of options and all flags, by hand', async t => {
  const segment = fixture(`
    9c40 0016       # ports 40000, 22
    00000001 00000002
    bfff            # header length 11 words; all reserved bits and flags
    0010            # window
    1234            # checksum, wrong
    0003            # urgent pointer
    050a 00000010 00000020 # option: SACK of one block
    fd06 cafe 0102  # option 253 (experiments), 4 bytes
    0303 07         # option: window scale 7
    00000000 00     # end of options, and padding
    68690a          # payload
  `)
  checkCodec(t, 'tcp', segment, {
    sourcePort: 40000,
    destinationPort: 22,
    sequence: 1,
    acknowledgment: 2,
    reserved: 7,
    flags: {
      fin: true,
      syn: true,
      rst: true,
      psh: true,
      ack: true,
      urg: true,
      ece: true,
      cwr: true,
      ae: true,
    },
    window: 16,
    checksum: 0x1234,
    urgentPointer: 3,
    options: [
      { kind: 'sack', blocks: [{ start: 16, end: 32 }] },
      { kind: 'unknown', number: 253, data: fixture('cafe0102') },
      { kind: 'windowScale', shift: 7 },
      { kind: 'end', length: 5 },
    ],
    payload: fixture('68690a'),
  })
})

t.test('UDP, captured', async t => {
  const datagram = fixture(`
    bba1            # source port: 48033
    270f            # destination port: 9999
    000a            # length: 10
    a0bd            # checksum
    6869            # payload
  `)
  const record = {
    sourcePort: 48033,
    destinationPort: 9999,
    length: 10,
    checksum: 0xa0bd,
    payload: fixture('6869'),
  }
  checkCodec(t, 'udp', datagram, record, ['length', 'checksum'], ipv4)
})

t.test('ICMP port unreachable, captured', async t => {
  const message = fixture(`
    03              # type: destination unreachable
    03              # code: port
    111b            # checksum
    00000000        # unused
    4500001ed89b400040114e310a0000010a000002 # IPv4 header in question
    bba1270f000aa0bd6869                     # and what followed it
  `)
  const record = { type: 3, code: 3, checksum: 0x111b, payload: message.subarray(8) }
  checkCodec(t, 'icmp', message, record, ['checksum'])
})

t.test('other ICMP messages, by hand', async t => {
  checkCodec(
    t,
    'icmp',
    fixture(`
      08 00 e1c8      # echo request, code 0, checksum
      1234 0001       # identifier, sequence
      0102 03         # data, of odd length
    `),
    { type: 8, code: 0, checksum: 0xe1c8, payload: fixture('010203'), identifier: 0x1234, sequence: 1 },
    ['checksum'],
  )
  checkCodec(
    t,
    'icmp',
    fixture(`
      03 04 f77b      # unreachable, fragmentation needed, checksum
      0008 0578       # unused but for the length of RFC 4884; MTU 1400
    `),
    { type: 3, code: 4, checksum: 0xf77b, payload: new Uint8Array(), mtu: 1400, rest: 0x00080000 },
    ['checksum'],
  )
  checkCodec(t, 'icmp', fixture('05 01 f000 0a0000fe'), {
    type: 5,
    code: 1,
    checksum: 0xf000,
    payload: new Uint8Array(),
    gateway: '10.0.0.254',
  })
  checkCodec(t, 'icmp', fixture('0c 00 dfff 14000000'), {
    type: 12,
    code: 0,
    checksum: 0xdfff,
    payload: new Uint8Array(),
    pointer: 20,
  })
})

t.test('neighbor solicitation with a nonce (duplicate address detection), captured', async t => {
  const message = fixture(`
    87              # type: neighbor solicitation
    00              # code
    48ca            # checksum
    00000000        # reserved
    fe80000000000000000000fffe000001 # target
    0e 01           # option: nonce (RFC 3971), 8 bytes
    8d8fc34dd574
  `)
  checkCodec(
    t,
    'neighborDiscovery',
    message,
    {
      type: 135,
      checksum: 0x48ca,
      target: 'fe80::ff:fe00:1',
      options: [{ kind: 'unknown', number: 14, data: fixture('8d8fc34dd574') }],
    },
    ['checksum'],
    { source: '::', destination: 'ff02::1:ff00:1' },
  )
})

t.test('router solicitation, captured', async t => {
  const message = fixture(`
    85 00 7b2c      # type: router solicitation, code, checksum
    00000000        # reserved
    01 01           # option: source link-layer address, 8 bytes
    020000000001
  `)
  checkCodec(
    t,
    'neighborDiscovery',
    message,
    { type: 133, checksum: 0x7b2c, options: [{ kind: 'source', macAddress: '02:00:00:00:00:01' }] },
    ['checksum'],
    { source: 'fe80::ff:fe00:1', destination: 'ff02::2' },
  )
})

t.test('router advertisement, by hand', async t => {
  const message = fixture(`
    86 00 1234      # type: router advertisement, code, checksum (wrong)
    40              # current hop limit: 64
    c0              # managed, other
    0708            # router lifetime: 1800 s
    00007530        # reachable time: 30000 ms
    000003e8        # retransmission timer: 1000 ms
    01 01 020000000001  # option: source link-layer address
    05 01 0000 000005dc # option: MTU 1500
    03 04           # option: prefix, 32 bytes
    40 c0           # prefix length 64; on-link, autonomous
    00278d00        # valid lifetime: 2592000 s
    ffffffff        # preferred lifetime: forever
    00000000        # reserved
    20010db8000000000000000000000000
  `)
  checkCodec(t, 'neighborDiscovery', message, {
    type: 134,
    checksum: 0x1234,
    hopLimit: 64,
    managed: true,
    other: true,
    lifetimeSeconds: 1800,
    reachableTimeMs: 30000,
    retransmitTimerMs: 1000,
    options: [
      { kind: 'source', macAddress: '02:00:00:00:00:01' },
      { kind: 'mtu', mtu: 1500 },
      {
        kind: 'prefix',
        prefix: '2001:db8::',
        length: 64,
        onLink: true,
        autonomous: true,
        validLifetimeSeconds: 2592000,
        preferredLifetimeSeconds: 0xffffffff,
      },
    ],
  })
})

t.test('neighbor advertisement and redirect, by hand', async t => {
  checkCodec(
    t,
    'neighborDiscovery',
    fixture(`
      88 00 0000      # neighbor advertisement, checksum left out
      e0000000        # router, solicited, override
      fe800000000000000000000000000002 # target
      02 01 020000000002 # option: target link-layer address
    `),
    {
      type: 136,
      checksum: 0,
      target: 'fe80::2',
      router: true,
      solicited: true,
      override: true,
      options: [{ kind: 'target', macAddress: '02:00:00:00:00:02' }],
    },
  )
  checkCodec(
    t,
    'neighborDiscovery',
    fixture(`
      89 00 0000 00000000              # redirect, checksum left out, reserved
      fe800000000000000000000000000001 # target
      20010db8000000000000000000000009 # destination
    `),
    { type: 137, checksum: 0, target: 'fe80::1', destination: '2001:db8::9', options: [] },
  )
})
