import t from 'tap'
import { hex } from '../../../src/bytes/index.js'
import { encodeGre, verifyGreChecksum } from '../../../src/frames/index.js'
import { checkCodec } from '../../support/check-codec.js'
import { fixture } from '../../support/fixture.js'

const payload = fixture('cafe')

t.test('802.2 with SNAP, with a control field of two bytes, and neither', async t => {
  const snap = fixture(`
    aa aa           # both access points: SNAP
    03              # control: unnumbered information
    000000          # organization: EtherTypes
    0800            # protocol: IPv4
    cafe            # payload
  `)
  checkCodec(
    t,
    'llc',
    snap,
    { destination: 0xaa, source: 0xaa, control: 3, snap: { organization: 0, protocol: 0x0800 }, payload },
    ['destination', 'source', 'control'],
  )
  const numbered = fixture(`
    f0 f1           # NetBIOS, a response
    0204            # control: information, to send 1, to receive 2
    cafe
  `)
  checkCodec(t, 'llc', numbered, { destination: 0xf0, source: 0xf1, control: 0x0402, payload })
  const plain = fixture('42 42 03 cafe # spanning tree')
  checkCodec(t, 'llc', plain, { destination: 0x42, source: 0x42, control: 3, payload }, ['control'])
})

t.test('an MPLS label, not the last', async t => {
  const entry = fixture(`
    00064 a fe      # label 100; traffic class 5, not the bottom; time to live 254
    cafe
  `)
  const record = { label: 100, trafficClass: 5, bottom: false, ttl: 254, payload }
  checkCodec(t, 'mpls', entry, record)
  const last = fixture('00010 140 cafe')
  checkCodec(t, 'mpls', last, { label: 16, trafficClass: 0, bottom: true, ttl: 64, payload }, [
    'trafficClass',
    'bottom',
    'ttl',
  ])
})

t.test('PPPoE: an offer, and a session', async t => {
  const offer = fixture(`
    11 07           # version 1, type 1; code: PADO
    0000            # session: none yet
    0015            # length: 21
    0101 0000       # service name: any
    0102 0005 686f757273 # access concentrator's name: hours
    0103 0004 00000001   # host's own
  `)
  checkCodec(
    t,
    'pppoe',
    offer,
    {
      code: 7,
      sessionId: 0,
      length: 21,
      tags: [
        { type: 0x0101, data: new Uint8Array() },
        { type: 0x0102, data: fixture('686f757273') },
        { type: 0x0103, data: fixture('00000001') },
      ],
      payload: new Uint8Array(),
    },
    ['length', 'payload'],
  )
  const session = fixture(`
    11 00           # code: session
    002a            # session: 42
    0004            # length: 4
    0021            # PPP protocol: IPv4
    cafe
  `)
  checkCodec(t, 'pppoe', session, { code: 0, sessionId: 42, length: 4, protocol: 0x21, payload }, [
    'code',
    'length',
  ])
})

t.test('GRE with everything, and of version 1', async t => {
  const full = fixture(`
    b000            # checksum, key and sequence are there; version 0
    6558            # an Ethernet frame
    1f77 0000       # checksum, reserved
    0000002a        # key
    00000007        # sequence
    cafe
  `)
  const record = { version: 0, protocol: 0x6558, checksum: 0x1f77, key: 42, sequence: 7, payload }
  checkCodec(t, 'gre', full, record, ['version'])
  const pptp = fixture(`
    3081            # key, sequence, acknowledgment; version 1
    880b            # PPP
    0002 0001       # payload's length, call
    00000001        # sequence
    00000002        # acknowledgment
    cafe
  `)
  checkCodec(t, 'gre', pptp, {
    version: 1,
    protocol: 0x880b,
    key: 0x00020001,
    sequence: 1,
    acknowledgment: 2,
    payload,
  })
  checkCodec(t, 'gre', fixture('0000 0800 cafe'), { version: 0, protocol: 0x0800, payload }, ['version'])
})

t.test('VXLAN, with and without a group policy', async t => {
  const plain = fixture(`
    0800            # flags: the identifier is valid
    0000            # no group policy
    00002a 00       # VNI 42, reserved
    cafe
  `)
  checkCodec(t, 'vxlan', plain, { flags: 0x0800, groupPolicy: 0, vni: 42, payload }, ['flags', 'groupPolicy'])
  const policy = fixture('8808 0007 fffffe 00 cafe')
  checkCodec(t, 'vxlan', policy, { flags: 0x8808, groupPolicy: 7, vni: 0xfffffe, payload })
})

t.test('Geneve with options', async t => {
  const bytes = fixture(`
    03              # version 0; 3 words of options
    40              # not control; critical options are there
    6558            # an Ethernet frame
    00002a 00       # VNI 42, reserved
    0102 80 01 00000005 # class 0x0102, type 0x80 (critical), 1 word of data
    0103 01 00      # class 0x0103, type 1, no data
    cafe
  `)
  checkCodec(
    t,
    'geneve',
    bytes,
    {
      control: false,
      critical: true,
      protocol: 0x6558,
      vni: 42,
      options: [
        { class: 0x0102, type: 0x80, data: fixture('00000005') },
        { class: 0x0103, type: 1, data: new Uint8Array() },
      ],
      payload,
    },
    ['critical', 'control'],
  )
})

t.test('cooked captures of both kinds, and loopback', async t => {
  const sll = fixture(`
    0004            # packet type: sent by us
    0001            # ARPHRD_ETHER
    0006            # length of the address
    020000000001 0000 # address
    0800            # protocol: IPv4
    cafe
  `)
  checkCodec(
    t,
    'linuxSll',
    sll,
    {
      packetType: 4,
      hardwareType: 1,
      addressLength: 6,
      address: '02:00:00:00:00:01',
      protocol: 0x0800,
      payload,
    },
    ['hardwareType', 'addressLength'],
  )
  const sll2 = fixture(`
    86dd            # protocol: IPv6
    0000            # reserved
    00000002        # interface 2
    0304            # ARPHRD_LOOPBACK
    00              # packet type: to us
    00              # no address
    00000000 00000000
    cafe
  `)
  checkCodec(
    t,
    'linuxSll2',
    sll2,
    {
      interfaceIndex: 2,
      packetType: 0,
      hardwareType: 772,
      addressLength: 0,
      address: '',
      protocol: 0x86dd,
      payload,
    },
    ['packetType', 'addressLength', 'address'],
  )
  checkCodec(t, 'loopback', fixture('1e000000 cafe # AF_INET6 of macOS'), {
    family: 30,
    littleEndian: true,
    payload,
  })
  checkCodec(t, 'loopback', fixture('00000002 cafe'), { family: 2, littleEndian: false, payload }, [
    'littleEndian',
  ])
})

t.test('a virtio-net header before a frame to be segmented', async t => {
  const bytes = fixture(`
    01              # flags: the checksum is needed
    01              # segmentation: TCP over IPv4
    4200            # headers: 66 bytes
    a805            # segments: 1448 bytes
    2200            # checksum from byte 34
    1000            # to byte 16 of that
    cafe
  `)
  checkCodec(t, 'virtioNet', bytes, {
    flags: 1,
    segmentation: 1,
    headersLength: 66,
    segmentSize: 1448,
    checksumStart: 34,
    checksumOffset: 16,
    payload,
  })
})

t.test('the checksum of GRE', async t => {
  const record = { protocol: 0x6558, checksum: true, key: 42, sequence: 7, payload }
  const bytes = encodeGre(record)
  t.equal(hex(bytes.subarray(4, 6)), '1f77')
  t.equal(verifyGreChecksum(bytes), 'ok')
  t.equal(verifyGreChecksum(encodeGre({ ...record, checksum: 1 })), 'bad')
  t.equal(verifyGreChecksum(encodeGre({ ...record, checksum: false })), 'absent')
  t.equal(verifyGreChecksum(bytes.subarray(0, 4)), 'unverifiable')
})

t.test('messages of WireGuard', async t => {
  const key = (byte: string, length: number) => fixture(byte.repeat(length))
  const initiation = fixture(`
    01 000000       # type 1
    07000000        # sender
    ${'11'.repeat(32)} # ephemeral key
    ${'22'.repeat(48)} # static key, encrypted
    ${'33'.repeat(28)} # time stamp, encrypted
    ${'44'.repeat(16)} ${'55'.repeat(16)} # both MACs
  `)
  t.equal(initiation.length, 148)
  checkCodec(t, 'wireguard', initiation, {
    type: 1,
    sender: 7,
    ephemeral: key('11', 32),
    static: key('22', 48),
    timestamp: key('33', 28),
    mac1: key('44', 16),
    mac2: key('55', 16),
  })
  const response = fixture(`
    02 000000       # type 2
    08000000 07000000 # sender, receiver
    ${'11'.repeat(32)} # ephemeral key
    ${'22'.repeat(16)} # nothing, encrypted
    ${'44'.repeat(16)} ${'55'.repeat(16)}
  `)
  t.equal(response.length, 92)
  checkCodec(t, 'wireguard', response, {
    type: 2,
    sender: 8,
    receiver: 7,
    ephemeral: key('11', 32),
    empty: key('22', 16),
    mac1: key('44', 16),
    mac2: key('55', 16),
  })
  const cookie = fixture(`03 000000 07000000 ${'66'.repeat(24)} ${'77'.repeat(32)}`)
  t.equal(cookie.length, 64)
  checkCodec(t, 'wireguard', cookie, { type: 3, receiver: 7, nonce: key('66', 24), cookie: key('77', 32) })
  const data = fixture(`
    04 000000       # type 4
    07000000        # receiver
    0100000000000080 # counter
    ${'88'.repeat(16)} # nothing but its authentication
  `)
  checkCodec(t, 'wireguard', data, {
    type: 4,
    receiver: 7,
    counter: 0x8000000000000001n,
    payload: key('88', 16),
  })
})
