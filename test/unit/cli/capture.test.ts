import t from 'tap'
import { hexDump } from '../../../src/cli/capture/hex-dump.js'
import { PacketText, type PacketTextOptions, type ShownPacket } from '../../../src/cli/capture/packet-text.js'
import { TimeText } from '../../../src/cli/capture/time-text.js'
import { Traffic } from '../../../src/cli/capture/traffic.js'
import { encode, frameFlags } from '../../../src/frames/index.js'

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const udp = (from: string, to: string, source: number, destination: number, length = 10) =>
  encode({
    ethernet,
    ...(from.includes(':')
      ? { ipv6: { source: from, destination: to } }
      : { ipv4: { source: from, destination: to } }),
    udp: { sourcePort: source, destinationPort: destination },
    payload: new Uint8Array(length),
  })

t.test('times', async t => {
  const zone = process.env.TZ
  t.teardown(() => {
    process.env.TZ = zone ?? ''
  })
  process.env.TZ = 'UTC'
  const times = [1_700_000_000_123_456_789n, 1_700_000_000_200_000_000n, 1_700_003_661_100_000_000n]
  const shown = (style: number, nano = false) => {
    const text = new TimeText(style, nano)
    return times.map(time => text.of(time))
  }
  t.same(shown(0), ['22:13:20.123456 ', '22:13:20.200000 ', '23:14:21.100000 '])
  t.same(shown(0, true)[0], '22:13:20.123456789 ')
  t.same(shown(1), ['', '', ''])
  t.same(shown(2), ['1700000000.123456 ', '1700000000.200000 ', '1700003661.100000 '])
  t.same(shown(3), ['00:00:00.000000 ', '00:00:00.076544 ', '01:01:00.900000 '])
  t.same(shown(4)[0], '2023-11-14 22:13:20.123456 ')
  t.same(shown(5), ['00:00:00.000000 ', '00:00:00.076544 ', '01:01:00.976544 '])
  const back = new TimeText(3, false)
  back.of(5_000_000_000n)
  t.equal(back.of(3_500_000_000n), '-00:00:01.500000 ')
  t.equal(new TimeText(0, false).of(undefined), '', 'simple packets have no time')
})

t.test('bytes', async t => {
  const bytes = Uint8Array.from({ length: 19 }, (_, i) => i + 0x38)
  t.equal(
    hexDump(bytes, true),
    '\t0x0000:  3839 3a3b 3c3d 3e3f 4041 4243 4445 4647  89:;<=>?@ABCDEFG\n' +
      '\t0x0010:  4849 4a                                  HIJ\n',
  )
  t.equal(hexDump(bytes.subarray(16), false), '\t0x0000:  4849 4a\n')
  t.equal(hexDump(new Uint8Array(), true), '')
})

const options: PacketTextOptions = {
  time: 1,
  nanoseconds: false,
  link: false,
  hex: 0,
  hexAndText: 0,
  json: false,
}
const packet: ShownPacket = {
  linkType: 'ethernet',
  data: udp('10.0.0.1', '10.0.0.2', 1000, 9),
  originalLength: 52,
  timestamp: 5n,
  flags: frameFlags.inbound,
  interface: undefined,
  comments: undefined,
}
const text = (some: Partial<PacketTextOptions>, more: Partial<ShownPacket> = {}) =>
  new PacketText({ ...options, ...some }).of({ ...packet, ...more })

t.test('packets as lines', async t => {
  t.equal(text({}), 'IP 10.0.0.1.1000 > 10.0.0.2.9: udp length 10\n')
  t.match(text({ link: true }), /^02:00:00:00:00:01 > 02:00:00:00:00:02 /)
  t.match(text({}, { originalLength: 1500 }), / \[52 of 1500 bytes\]\n$/)
  t.match(text({}, { interface: 'veth0' }), /^veth0 In {2}IP /)
  t.match(text({}, { interface: 'veth0', flags: frameFlags.outbound }), /^veth0 Out IP /)
  t.match(text({}, { interface: 'veth0', flags: 1 | frameFlags.broadcast }), /^veth0 B {3}IP /)
  t.match(text({}, { interface: 'veth0', flags: 1 | frameFlags.multicast }), /^veth0 M {3}IP /)
  t.match(text({}, { interface: 'veth0', flags: 1 | frameFlags.promiscuous }), /^veth0 P {3}IP /)
  t.match(text({}, { interface: 'veth0', flags: 0 }), /^veth0 IP /)
  t.match(text({}, { comments: ['one', 'two\n\x1b[2J'] }), /\n\t# one\n\t# two··\[2J\n$/)
  t.equal(text({}, { linkType: 105, timestamp: undefined }), 'ieee802.11, length 52\n')
  t.equal(text({}, { linkType: 65535 }), 'linktype-65535, length 52\n')
  t.match(text({ hex: 1 }), /\n\t0x0000: {2}4500 /)
  t.match(text({ hex: 2 }), /\n\t0x0000: {2}0200 0000 0002 /)
  t.match(text({ hexAndText: 1 }), /\n\t0x0000: {2}4500 .* {2}E/)
  t.match(text({ hex: 1 }, { linkType: 'ethernet', data: packet.data.subarray(0, 5) }), /^\[truncated/)
})

t.test('packets as JSON', async t => {
  const object = JSON.parse(text({ json: true }, { interface: 'veth0' })) as object
  t.match(object, {
    timestamp: '5',
    interface: 'veth0',
    linkType: 'ethernet',
    length: 52,
    direction: 'inbound',
    ipv4: { source: '10.0.0.1' },
    udp: { destinationPort: 9 },
    payload: '00'.repeat(10),
  })
  t.notHas((object as { udp: object }).udp, 'payload')
  t.match(JSON.parse(text({ json: true }, { linkType: 105 })), {
    linkType: 'ieee802.11',
    payload: Buffer.from(packet.data).toString('hex'),
  })
})

t.test('traffic by protocol and by pair of addresses', async t => {
  const traffic = new Traffic()
  const add = (frame: Uint8Array, times: number) => {
    for (let i = 0; i < times; i++) traffic.add(frame, 'ethernet', 1000)
  }
  add(udp('10.0.0.1', '10.0.0.2', 50000, 53), 3)
  add(udp('10.0.0.2', '10.0.0.1', 53, 50000), 2)
  add(udp('fd00::1', 'fd00::2', 50000, 60000), 6)
  add(
    encode({
      ethernet,
      arp: {
        operation: 1,
        senderMacAddress: ethernet.source,
        senderIpAddress: '10.0.0.1',
        targetIpAddress: '10.0.0.2',
      },
    }),
    1,
  )
  add(new Uint8Array(3), 1)
  traffic.add(new Uint8Array(30), 105, 30)
  t.same(traffic.total, { packets: 14, bytes: 13030 })
  t.match(traffic.protocols(9), [
    { protocol: 'udp', packets: 6 },
    { protocol: 'udp/53', packets: 5, bytes: 5000 },
    { protocol: 'other', packets: 2, bytes: 1030 },
    { protocol: 'arp', packets: 1 },
  ])
  t.same(traffic.talkers(4), [
    { source: 'fd00::1', destination: 'fd00::2', packets: 6, bytes: 6000 },
    { source: '10.0.0.1', destination: '10.0.0.2', packets: 3, bytes: 3000 },
    { source: '10.0.0.2', destination: '10.0.0.1', packets: 2, bytes: 2000 },
    { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02', packets: 1, bytes: 1000 },
  ])
  t.equal(traffic.protocols(1).length, 1)
})

t.test('pairs beyond what is kept are others', async t => {
  const traffic = new Traffic()
  const frame = udp('10.0.0.1', '10.0.0.2', 1, 2)
  for (let i = 0; i < 33_000; i++) {
    frame[30] = i >> 8
    frame[31] = i
    traffic.add(frame, 'ethernet', 1)
  }
  const talkers = traffic.talkers(2)
  t.equal(talkers.length, 3)
  t.same(talkers[2], { source: 'others', destination: '', packets: 33_000 - 32_768, bytes: 33_000 - 32_768 })
})
