import t from 'tap'
import { decodeTree, encode, type FrameNode } from '../../../src/frames/index.js'

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
const ports = { sourcePort: 1000, destinationPort: 53 }

const lines = (node: FrameNode, depth = 0): string[] => [
  `${' '.repeat(depth)}${node.label} [${node.offset}, ${node.offset + node.length})`,
  ...node.children.flatMap(child => lines(child, depth + 1)),
]

t.test('headers, fields, payload and what pads them', async t => {
  const frame = new Uint8Array(50)
  frame.set(
    encode({ ethernet, vlans: [{ id: 5, priority: 1 }], ipv4, udp: ports, payload: Uint8Array.of(1, 2) }),
  )
  t.same(lines(decodeTree(frame)), [
    'frame: 50 bytes [0, 50)',
    ' ethernet 02:00:00:00:00:01 > 02:00:00:00:00:02 [0, 14)',
    '  destination: 02:00:00:00:00:02 [0, 6)',
    '  source: 02:00:00:00:00:01 [6, 12)',
    '  type: 0x8100 (vlan) [12, 14)',
    ' vlan [14, 18)',
    '  tag: priority 1, dropEligible 0, id 5 [14, 16)',
    '  type: 0x0800 (ipv4) [16, 18)',
    ' ipv4 10.0.0.1 > 10.0.0.2 [18, 38)',
    '  versionAndLength: version 4, header length 20 [18, 19)',
    '  trafficClass: dscp 0, ecn 0 [19, 20)',
    '  totalLength: 30 [20, 22)',
    '  identification: 0x0000 [22, 24)',
    '  fragment: dontFragment 0, moreFragments 0, offset 0 [24, 26)',
    '  ttl: 64 [26, 27)',
    '  protocol: 17 (udp) [27, 28)',
    '  checksum: 0x66cd [28, 30)',
    '  source: 10.0.0.1 [30, 34)',
    '  destination: 10.0.0.2 [34, 38)',
    ' udp 1000 > 53 [38, 46)',
    '  sourcePort: 1000 [38, 40)',
    '  destinationPort: 53 [40, 42)',
    '  length: 10 [42, 44)',
    '  checksum: 0xe6b8 [44, 46)',
    ' payload: 0102 [46, 48)',
    ' padding: 0000 [48, 50)',
  ])
})

t.test('values, options, and what cannot be read', async t => {
  const options = [{ kind: 'mss', mss: 1460 }, { kind: 'nop' }] as const
  const frame = encode({ ethernet, ipv4, tcp: { ...ports, options: [...options] } })
  const tree = decodeTree(frame)
  const tcp = tree.children[2]!
  t.equal(tcp.children[0]?.value, 1000)
  t.same(
    tcp.children.slice(8).map(({ name, offset, length }) => [name, offset, length]),
    [
      ['option', 54, 4],
      ['nop', 58, 1],
      ['end', 59, 3],
    ],
  )
  const cut = decodeTree(frame.subarray(0, 40))
  t.match(cut.children.at(-1), { label: 'tcp [truncated or malformed]', offset: 34, length: 6 })
  t.same(decodeTree(new Uint8Array()).children[0]?.name, 'ethernet')
  t.match(decodeTree(Uint8Array.of(0x50, 1), 'ip'), { children: [{ name: 'payload', length: 2 }] })
  t.throws(() => decodeTree('x' as never), { code: 'ERR_INVALID_ARG_TYPE' })
})
