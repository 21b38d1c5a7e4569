import t from 'tap'
import { checkCodec } from '../../support/check-codec.js'
import { fixture } from '../../support/fixture.js'

const none = new Uint8Array()

t.test('IGMP of all versions', async t => {
  const general = fixture(`
    11              # query
    64              # answer within 10 s
    ee9b            # checksum
    00000000        # all groups
  `)
  checkCodec(
    t,
    'igmp',
    general,
    { type: 0x11, maxResponseCode: 100, checksum: 0xee9b, group: '0.0.0.0', payload: none },
    ['checksum', 'group', 'payload'],
  )
  const query = fixture(`
    11 14           # query, answer within 2 s
    ea69            # checksum
    ef010101        # 239.1.1.1
    0a              # suppress; robustness 2
    7d              # query interval: 125 s
    0001            # 1 source
    0a000001
  `)
  checkCodec(
    t,
    'igmp',
    query,
    {
      type: 0x11,
      maxResponseCode: 20,
      checksum: 0xea69,
      group: '239.1.1.1',
      query: { suppress: true, robustness: 2, queryIntervalCode: 125, sources: ['10.0.0.1'] },
      payload: none,
    },
    ['checksum'],
  )
  const report = fixture(`
    22 00           # report of version 3, reserved
    ecf3            # checksum
    0000 0002       # reserved; 2 records
    04 00 0000      # to exclude, no auxiliary data, no sources
    ef010101        # 239.1.1.1
    03 01 0001      # to include, a word of auxiliary data, 1 source
    ef010102        # 239.1.1.2
    0a000001
    00000000        # auxiliary data
  `)
  checkCodec(
    t,
    'igmp',
    report,
    {
      type: 0x22,
      maxResponseCode: 0,
      checksum: 0xecf3,
      records: [
        { type: 4, group: '239.1.1.1', sources: [] },
        { type: 3, group: '239.1.1.2', sources: ['10.0.0.1'], auxiliaryData: fixture('00000000') },
      ],
      payload: none,
    },
    ['checksum', 'maxResponseCode'],
  )
})

t.test('MLD of both versions', async t => {
  const addresses = { source: 'fe80::1', destination: 'ff02::16' }
  const report = fixture(`
    8f 00           # report of version 2
    7106            # checksum
    0000 0001       # reserved; 1 record
    04 00 0000      # to exclude, no sources
    ff0200000000000000000001ff000002
  `)
  checkCodec(
    t,
    'mld',
    report,
    {
      type: 143,
      checksum: 0x7106,
      records: [{ type: 4, group: 'ff02::1:ff00:2', sources: [] }],
      payload: none,
    },
    ['payload', 'checksum'],
    addresses,
  )
  const done = fixture(`
    84 00 1234      # done; checksum, wrong
    0000 0000       # maximum response code, reserved
    ff020000000000000000000000000005
  `)
  checkCodec(
    t,
    'mld',
    done,
    { type: 132, checksum: 0x1234, maxResponseCode: 0, group: 'ff02::5', payload: none },
    ['payload', 'maxResponseCode'],
  )
  const query = fixture(`
    82 00 1234      # query
    2710 0000       # answer within 10 s
    ${'00'.repeat(16)} # all groups
    02 7d 0000      # robustness 2, query interval 125 s, no sources
  `)
  checkCodec(t, 'mld', query, {
    type: 130,
    checksum: 0x1234,
    maxResponseCode: 10000,
    group: '::',
    query: { suppress: false, robustness: 2, queryIntervalCode: 125, sources: [] },
    payload: none,
  })
})

t.test('spanning tree: rapid, with a topology change', async t => {
  const rapid = fixture(`
    0000 02 02      # protocol; RSTP; rapid
    3d              # forwarding, learning, designated, topology change
    8000 020000000001 # root
    00004e20        # cost: 20000
    8001 020000000002 # bridge
    8003            # port 3
    0100 1400 0200 0f00 # message age 1 s, maximum 20 s, hello 2 s, forward delay 15 s
    00              # length of version 1
  `)
  checkCodec(
    t,
    'stp',
    rapid,
    {
      version: 2,
      type: 2,
      configuration: {
        flags: 0x3d,
        root: { priority: 0x8000, macAddress: '02:00:00:00:00:01' },
        rootPathCost: 20000,
        bridge: { priority: 0x8001, macAddress: '02:00:00:00:00:02' },
        portId: 0x8003,
        messageAgeSeconds: 1,
        maxAgeSeconds: 20,
        helloTimeSeconds: 2,
        forwardDelaySeconds: 15,
      },
      payload: none,
    },
    ['version', 'payload'],
  )
  checkCodec(t, 'stp', fixture('0000 00 80'), { version: 0, type: 0x80, payload: none }, ['version'])
})

t.test('LLDP', async t => {
  const bytes = fixture(`
    0207 04 020000000001 # chassis: a MAC address
    0405 05 65746830     # port: its name, eth0
    0602 0078            # time to live: 120 s
    0a02 7377            # system name: sw
    0e04 0014 0004       # capabilities: bridge and router; bridge enabled
    100c 05 01 0a000001 02 00000002 00 # management address 10.0.0.1, of interface 2
    fe06 00120f 01 0300  # organization 802.3, subtype 1
    0000                 # end
  `)
  checkCodec(t, 'lldp', bytes, {
    elements: [
      { kind: 'chassisId', subtype: 4, id: fixture('020000000001') },
      { kind: 'portId', subtype: 5, id: fixture('65746830') },
      { kind: 'timeToLive', seconds: 120 },
      { kind: 'systemName', text: 'sw' },
      { kind: 'capabilities', available: 0x14, enabled: 4 },
      {
        kind: 'managementAddress',
        family: 1,
        address: fixture('0a000001'),
        interfaceNumbering: 2,
        interfaceNumber: 2,
        object: none,
      },
      { kind: 'organization', organization: 0x00120f, subtype: 1, data: fixture('0300') },
    ],
  })
})

t.test('DHCP: an offer', async t => {
  const bytes = fixture(`
    02 01 06 00     # reply; Ethernet, 6 bytes; no hops
    3903f326        # transaction
    0001 8000       # 1 second; broadcast
    00000000        # client's address
    c0a8010a        # your address
    c0a80101        # next server
    00000000        # relay
    020000000001 ${'00'.repeat(10)} # hardware address
    626f6f74 ${'00'.repeat(60)} # server's name: boot
    ${'00'.repeat(128)} # boot file
    63825363        # magic cookie
    35 01 02        # message type: offer
    01 04 ffffff00  # subnet mask
    03 04 c0a80101  # router
    33 04 00000e10  # lease: 3600 s
    79 08 18 0a0000 c0a80101 # route 10.0.0.0/24
    e0 01 07        # 224: private use
    ff              # end
  `)
  checkCodec(
    t,
    'dhcpv4',
    bytes,
    {
      operation: 2,
      hardwareType: 1,
      hops: 0,
      transactionId: 0x3903f326,
      seconds: 1,
      broadcast: true,
      clientAddress: '0.0.0.0',
      yourAddress: '192.168.1.10',
      serverAddress: '192.168.1.1',
      relayAddress: '0.0.0.0',
      hardwareAddress: '02:00:00:00:00:01',
      serverName: 'boot',
      bootFile: '',
      options: [
        { kind: 'messageType', value: 2 },
        { kind: 'subnetMask', value: '255.255.255.0' },
        { kind: 'routers', value: ['192.168.1.1'] },
        { kind: 'leaseTimeSeconds', value: 3600 },
        { kind: 'classlessRoutes', value: [{ destination: '10.0.0.0/24', gateway: '192.168.1.1' }] },
        { kind: 'unknown', number: 224, data: fixture('07') },
      ],
    },
    ['hardwareType', 'hops', 'clientAddress', 'relayAddress', 'bootFile'],
  )
})

t.test('DHCPv6: a reply, and one through a relay', async t => {
  const bytes = fixture(
    `
    07 1a2b3c       # reply; transaction
    0001 0004 00030001 # client
    0003 0028       # identity association, 40 bytes
      00000001 00000e10 00001c20 # number, renewal, rebinding
      0005 0018     # address, 24 bytes
        20010db8000000000000000000000005
        00001c20 00002a30 # lifetimes: preferred, valid
    0017 0010 20010db8000000000000000000000053 # name server
    0018 000b 04686f6d65 0461727061 00 # search: home.arpa
    000d 0002 0000  # status: success
    000e 0000       # rapid commit
  `,
  )
  checkCodec(t, 'dhcpv6', bytes, {
    type: 7,
    transactionId: 0x1a2b3c,
    options: [
      { kind: 'clientId', value: fixture('00030001') },
      {
        kind: 'iaNa',
        value: {
          iaid: 1,
          renewalSeconds: 3600,
          rebindingSeconds: 7200,
          options: [
            {
              kind: 'iaAddress',
              value: {
                address: '2001:db8::5',
                preferredLifetimeSeconds: 7200,
                validLifetimeSeconds: 10800,
                options: [],
              },
            },
          ],
        },
      },
      { kind: 'dnsServers', value: ['2001:db8::53'] },
      { kind: 'domainSearch', value: ['home.arpa'] },
      { kind: 'status', value: { code: 0, message: '' } },
      { kind: 'rapidCommit', value: true },
    ],
  })
  const relayed = fixture(`
    0c 01           # relay forward; 1 hop
    20010db8000000000000000000000001 # link
    fe800000000000000000000000000005 # peer
    0009 0004 01000001 # relayed: a solicitation
  `)
  checkCodec(t, 'dhcpv6', relayed, {
    type: 12,
    relay: { hops: 1, linkAddress: '2001:db8::1', peerAddress: 'fe80::5' },
    options: [{ kind: 'relayMessage', value: fixture('01000001') }],
  })
})
