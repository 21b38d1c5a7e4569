import t from 'tap'
import { littleEndian, Payload, pathAt, readMessages } from '../../../src/netlink/core/index.js'
import { changeAddressRequest, readAddress } from '../../../src/netlink/route/address.js'
import { RTM } from '../../../src/netlink/route/constants.js'
import { readLink } from '../../../src/netlink/route/link.js'
import {
  changeLinkRequest,
  createLinkRequest,
  linkRequest,
  listLinksRequest,
} from '../../../src/netlink/route/link-request.js'
import { readNeighbor } from '../../../src/netlink/route/neighbors.js'
import { readRoute } from '../../../src/netlink/route/route.js'
import { changeRouteRequest, listRoutesRequest } from '../../../src/netlink/route/route-request.js'

/** Bytes with comments: `0a 0b  what it is`. */
function bytesOf(annotated: string): Uint8Array {
  const all = annotated
    .split('\n')
    .flatMap(line => /^\s*((?:[0-9a-f]{2} ?)+)(?:\s|$)/.exec(line)?.[1]?.trim().split(/ +/) ?? [])
  return Uint8Array.from(all, byte => Number.parseInt(byte, 16))
}

if (!littleEndian) {
  t.plan(0, 'the fixtures are little-endian')
} else {
  t.test('a bridge is made with this message', async t => {
    const { message: bytes } = createLinkRequest({
      kind: 'bridge',
      name: 'br0',
      up: true,
      mtu: 1400,
      macAddress: '02:00:00:00:00:01',
      master: 7,
      bridge: { ageingTimeMs: 5000, vlanProtocol: 0x8100 },
    })
    t.same(
      bytes,
      bytesOf(`
        68 00 00 00  length
        10 00        RTM_NEWLINK
        0d 06        REQUEST ACK ECHO EXCL CREATE
        00 00 00 00  sequence, set when it is sent
        00 00 00 00  port, likewise
        00 00 00 00  AF_UNSPEC, any type
        00 00 00 00  no index yet
        01 00 00 00  IFF_UP
        01 00 00 00  of which this is to change
        08 00 03 00  IFLA_IFNAME
        62 72 30 00  br0
        08 00 04 00  IFLA_MTU
        78 05 00 00
        0a 00 01 00  IFLA_ADDRESS
        02 00 00 00 00 01 00 00
        08 00 0a 00  IFLA_MASTER
        07 00 00 00
        24 00 12 80  IFLA_LINKINFO, nested
        0b 00 01 00  IFLA_INFO_KIND
        62 72 69 64 67 65 00 00
        14 00 02 80  IFLA_INFO_DATA, nested
        08 00 04 00  IFLA_BR_AGEING_TIME, hundredths of a second
        f4 01 00 00
        06 00 08 00  IFLA_BR_VLAN_PROTOCOL, network byte order
        81 00 00 00
      `),
    )
  })

  t.test('offsets in it have names', async t => {
    const request = createLinkRequest({
      kind: 'bridge',
      name: 'br0',
      mtu: 1400,
      bridge: { ageingTimeMs: 50 },
    })
    const paths = Array.from({ length: request.message.length }, (_, i) => pathAt(request.marks, i)).filter(
      Boolean,
    )
    t.same(paths, ['link.name', 'link.mtu', 'link', 'link.kind', 'link.bridge', 'link.bridge.ageingTimeMs'])
    const pair = createLinkRequest({ kind: 'veth', name: 'a', peer: { name: 'b', mtu: 1 } })
    const peers = Array.from({ length: pair.message.length }, (_, i) => pathAt(pair.marks, i)).filter(Boolean)
    t.same(peers, ['link.name', 'link', 'link.kind', 'link', 'link.peer', 'link.peer.name', 'link.peer.mtu'])
  })

  t.test('other requests', async t => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes.subarray(16)).toString('hex')
    t.equal(hex(linkRequest(RTM.GETLINK, 0, 7).message), `00000000${'07000000'}${'00000000'.repeat(2)}`)
    t.equal(hex(linkRequest(RTM.GETLINK, 0, 'lo').message), `${'00000000'.repeat(4)}070003006c6f0000`)
    t.equal(
      hex(linkRequest(RTM.GETLINK, 0, 'a-name-of-16-byt').message),
      `${'00000000'.repeat(4)}15003500${Buffer.from('a-name-of-16-byt').toString('hex')}00000000`,
      'IFLA_ALT_IFNAME',
    )
    t.equal(
      hex(changeLinkRequest(3, { ipv6LinkLocal: 'none', arp: true, promiscuous: true }).message),
      `00000000${'03000000'}${'00010000'}${'80010000'}10001a800c000a800500080001000000`,
    )
    t.equal(
      hex(listLinksRequest({ master: 4, kind: 'veth' }).message),
      `${'00'.repeat(16)}08000a0004000000100012800900010076657468000000${'00'}`,
    )
    t.equal(
      hex(changeAddressRequest(RTM.NEWADDR, 0, 5, { address: '10.0.0.1/24', dad: 'skip' }).message),
      `02180000${'05000000'}080002000a000001080001000a000001`,
    )
    t.equal(
      hex(changeAddressRequest(RTM.NEWADDR, 0, 5, { address: 'fd00::1/64', dad: 'skip' }).message),
      `0a400000${'05000000'}14000200fd0000000000000000000000000000011400010` +
        `0fd000000000000000000000000000001${'0800080002000000'}`,
    )
    t.equal(
      hex(
        changeRouteRequest(RTM.NEWROUTE, 0, { destination: 'default', gateway: '10.0.0.1' }, Number).message,
      ),
      `02000000fe4e0001${'00000000'}08000f00fe000000080005000a000001`,
    )
    t.equal(
      hex(listRoutesRequest(6, { table: 1000 }).message),
      `0a000000${'00000000'.repeat(2)}08000f00e8030000`,
    )
  })

  t.test('what the kernel says of a link', async t => {
    const link = readLink(
      new Payload(
        bytesOf(`
          00 00 01 00  ARPHRD_ETHER
          05 00 00 00  index
          43 10 01 00  UP BROADCAST RUNNING MULTICAST LOWER_UP
          00 00 00 00
          09 00 03 00  IFLA_IFNAME
          65 74 68 30 00 00 00 00
          08 00 04 00  IFLA_MTU
          dc 05 00 00
          05 00 10 00  IFLA_OPERSTATE
          06 00 00 00
          0a 00 01 00  IFLA_ADDRESS
          02 00 00 00 00 01 00 00
          08 00 05 00  IFLA_LINK
          09 00 00 00
          08 00 25 00  IFLA_LINK_NETNSID
          00 00 00 00
          14 00 12 00  IFLA_LINKINFO
          08 00 01 00  IFLA_INFO_KIND
          6e 65 77 00  new
          08 00 02 00  IFLA_INFO_DATA of a kind that nobody knows
          01 02 03 04
          05 00 2c 01  an attribute of the future, 300
          2a 00 00 00
          14 00 17 00  IFLA_STATS64 of a kernel with two counters
          01 00 00 00 00 00 00 00
          02 00 00 00 00 00 00 00
        `),
      ),
    )
    t.match(link, {
      index: 5,
      name: 'eth0',
      kind: 'new',
      up: true,
      carrier: true,
      operState: 'up',
      mtu: 1500,
      macAddress: '02:00:00:00:00:01',
      lower: 9,
      lowerNamespaceId: 0,
      statistics: { rxPackets: 1n, txPackets: 2n, rxBytes: 0n, rxNoHandler: 0n },
      raw: { settings: Uint8Array.of(1, 2, 3, 4), attributes: [{ type: 300, bytes: Uint8Array.of(42) }] },
    })
  })

  t.test('empty nests, short structs and odd lengths', async t => {
    const link = readLink(
      new Payload(
        bytesOf(`
          00 00 01 00
          01 00 00 00
          00 00 00 00
          00 00 00 00
          04 00 12 00  IFLA_LINKINFO, empty
          04 00 1a 00  IFLA_AF_SPEC, empty
          04 00 34 00  IFLA_PROP_LIST, empty
          08 00 01 00  IFLA_ADDRESS of a tunnel: an IPv4 address
          0a 00 00 01
        `),
      ),
    )
    t.match(link, { kind: undefined, altNames: [], ipv6LinkLocal: undefined, macAddress: undefined })
    for (const [what, bytes] of Object.entries({
      'no fixed part': bytesOf('00 00 01 00'),
      'an attribute of 3 bytes': Uint8Array.of(...new Uint8Array(16), 3, 0, 3, 0),
      'an attribute beyond the end': Uint8Array.of(...new Uint8Array(16), 9, 0, 3, 0, 0, 0, 0, 0),
      'a number of two bytes': Uint8Array.of(...new Uint8Array(16), 6, 0, 4, 0, 0, 0, 0, 0),
      'settings without a kind': Uint8Array.of(...new Uint8Array(16), 8, 0, 18, 0, 4, 0, 2, 0),
    })) {
      t.throws(() => readLink(new Payload(bytes)), { code: 'ERR_NETLINK_PROTOCOL' }, what)
    }
    t.throws(() => readMessages(Uint8Array.of(15, ...new Uint8Array(15)), () => {}), {
      code: 'ERR_NETLINK_PROTOCOL',
    })
    t.throws(() => readMessages(Uint8Array.of(17, ...new Uint8Array(15)), () => {}), {
      code: 'ERR_NETLINK_PROTOCOL',
    })
  })

  t.test('what the kernel says of addresses, routes and neighbors', async t => {
    t.match(
      readAddress(
        new Payload(
          bytesOf(`
            02 1e 80 00  AF_INET, /30, IFA_F_PERMANENT, universe
            03 00 00 00
            08 00 01 00  IFA_ADDRESS: the other end
            0a 00 00 02
            08 00 02 00  IFA_LOCAL
            0a 00 00 01
            08 00 08 00  IFA_FLAGS
            80 02 00 00  PERMANENT NOPREFIXROUTE
          `),
        ),
      ),
      { family: 4, address: '10.0.0.1', peer: '10.0.0.2', prefixLength: 30, noPrefixRoute: true, link: 3 },
    )
    const route = readRoute(
      new Payload(
        bytesOf(`
          02 08 00 00  AF_INET, /8
          00 04 00 01  table in an attribute, static, universe, unicast
          00 00 00 00
          08 00 0f 00  RTA_TABLE
          e8 03 00 00
          08 00 01 00  RTA_DST
          0a 00 00 00
          34 00 09 00  RTA_MULTIPATH
          10 00 00 01  16 bytes, no flags, weight 2
          03 00 00 00
          08 00 05 00  RTA_GATEWAY
          0a 00 00 01
          20 00 04 00  32 bytes, ONLINK, weight 1
          04 00 00 00
          16 00 12 00  RTA_VIA, AF_INET6
          0a 00 fd 00 00 00 00 00 00 00 00 00 00 00 00 00
          00 01 00 00
        `),
      ),
    )
    t.match(route, {
      destination: '10.0.0.0/8',
      table: 1000,
      protocol: 4,
      nextHops: [{ link: 3 }, { link: 4 }],
    })
    t.match(
      readNeighbor(
        new Payload(
          bytesOf(`
            02 00 00 00
            07 00 00 00
            80 00 08 01  NUD_PERMANENT, NTF_PROXY
            08 00 01 00  NDA_DST
            0a 00 00 09
          `),
        ),
      ),
      { address: '10.0.0.9', link: 7, state: 'permanent', proxy: true, macAddress: undefined },
    )
    const unknown = '08 00 7f 00 01 02 03 04'
    const address = readAddress(
      new Payload(bytesOf(`02 18 80 00 07 00 00 00 08 00 02 00 0a 00 00 01 ${unknown}`)),
    )
    const neighbor = readNeighbor(
      new Payload(bytesOf(`02 00 00 00 07 00 00 00 80 00 00 00 08 00 01 00 0a 00 00 01 ${unknown}`)),
    )
    const raw = [{ type: 0x7f, bytes: Uint8Array.of(1, 2, 3, 4) }]
    t.match(
      [address, neighbor],
      [
        { address: '10.0.0.1', raw },
        { address: '10.0.0.1', raw },
      ],
    )
    t.equal(readNeighbor(new Payload(bytesOf('07 00 00 00 07 00 00 00 80 00 00 00'))), undefined, 'AF_BRIDGE')
  })
}
