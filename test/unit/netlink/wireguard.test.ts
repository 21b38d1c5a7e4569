import t from 'tap'
import { MessageWriter, writeTable } from '../../../src/netlink/core/index.js'
import { planMessages, type WireguardChange } from '../../../src/netlink/generic/wireguard/change.js'
import { generateWireguardKeys, wireguardPublicKey } from '../../../src/netlink/generic/wireguard/keys.js'
import { deviceTable } from '../../../src/netlink/generic/wireguard/tables.js'

const key = (i: number) => Buffer.alloc(32, i + 1).toString('base64')

t.test('keys: a vector of RFC 7748, section 6.1', async t => {
  const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')
  t.equal(
    wireguardPublicKey(base64('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb')),
    base64('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'),
  )
  const { privateKey, publicKey } = generateWireguardKeys()
  t.equal(wireguardPublicKey(privateKey), publicKey)
  const bytes = Buffer.from(privateKey, 'base64')
  t.equal(bytes[0]! & 7, 0, 'clamped')
  t.equal(bytes[31]! & 0xc0, 0x40)
  for (const bad of [
    '',
    'AAAA',
    privateKey.slice(0, -1),
    ` ${privateKey}`,
    privateKey.replace(/.=$/, 'B='),
  ]) {
    t.throws(() => wireguardPublicKey(bad), { code: 'ERR_INVALID_ARG_VALUE' })
  }
})

t.test('a small change is one message', async t => {
  t.same(planMessages({ listenPort: 5, peers: [{ publicKey: key(0), allowedAddresses: ['10.0.0.0/8'] }] }), [
    {
      listenPort: 5,
      peers: [
        {
          publicKey: key(0),
          allowedAddresses: ['10.0.0.0/8'],
          flags: { replaceAllowedAddresses: undefined, remove: undefined, updateOnly: undefined },
        },
      ],
    },
  ])
  t.same(planMessages({ privateKey: null }), [{ privateKey: null, peers: [] }])
})

t.test('a large change is split: each message fits, and together they are all of it', async t => {
  const addresses = Array.from({ length: 20_000 }, (_, i) => `fd00::${i.toString(16)}/128`)
  const messages = planMessages({
    replacePeers: true,
    firewallMark: 7,
    peers: [
      ...Array.from({ length: 100 }, (_, i) => ({ publicKey: key(i), keepaliveSeconds: i })),
      { publicKey: key(150), replaceAllowedAddresses: true, allowedAddresses: addresses },
      ...Array.from({ length: 50 }, (_, i) => ({ publicKey: key(200 + i), presharedKey: key(0) })),
    ],
  })
  t.ok(messages.length > 10)
  t.match(messages[0], { firewallMark: 7, flags: { replacePeers: true } })
  for (const message of messages.slice(1)) t.same(Object.keys(message), ['peers'])
  const parts = messages.flatMap(message => message.peers!.filter(peer => peer.publicKey === key(150)))
  t.same(
    parts.flatMap(peer => peer.allowedAddresses ?? []),
    addresses,
  )
  t.same(
    parts.map(peer => [peer.flags?.replaceAllowedAddresses === true, peer.flags?.updateOnly === true]),
    parts.map((_, i) => [i === 0, i > 0]),
    'the first replaces, the others go on',
  )
  t.equal(new Set(messages.flatMap(message => message.peers!.map(peer => peer.publicKey))).size, 151)
  for (const values of messages) {
    const writer = new MessageWriter({ type: 1, flags: 0, header: { length: 4, write() {} }, name: 'x' })
    writeTable(writer, deviceTable, values, 'x')
    t.ok(writer.finish().message.length < 65_536)
  }
})

t.test('bad input is refused before anything is sent', async t => {
  const bad: [unknown, string][] = [
    [5, 'ERR_INVALID_ARG_TYPE'],
    [{ port: 5 }, 'ERR_INVALID_ARG_VALUE'],
    [{ privateKey: 'short' }, 'ERR_INVALID_ARG_VALUE'],
    [{ peers: {} }, 'ERR_INVALID_ARG_TYPE'],
    [{ replacePeers: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ peers: [{}] }, 'ERR_INVALID_ARG_TYPE'],
    [{ peers: [{ publicKey: 'x' }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ peers: [{ publicKey: key(0) }, { publicKey: key(0) }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ peers: [{ publicKey: key(0), allowedAddresses: ['10.0.0.0/33'] }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ peers: [{ publicKey: key(0), allowedAddresses: '10.0.0.0/8' }] }, 'ERR_INVALID_ARG_TYPE'],
    [{ peers: [{ publicKey: key(0), remove: 'yes' }] }, 'ERR_INVALID_ARG_TYPE'],
    [{ peers: [{ publicKey: key(0), endpoint: 5 }] }, 'ERR_INVALID_ARG_TYPE'],
    [{ peers: [{ publicKey: key(0), endpoint: '10.0.0.1' }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ peers: [{ publicKey: key(0), endpoint: 'fd00::1:5' }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ peers: [{ publicKey: key(0), endpoint: '[10.0.0.1]:5' }] }, 'ERR_INVALID_ARG_VALUE'],
    [{ peers: [{ publicKey: key(0), keepaliveSeconds: 65_536 }] }, 'ERR_OUT_OF_RANGE'],
    [{ listenPort: -1 }, 'ERR_OUT_OF_RANGE'],
  ]
  for (const [change, code] of bad) {
    t.throws(() => planMessages(change as WireguardChange), { code }, JSON.stringify(change))
  }
  const peers = [{ publicKey: key(0) }, { publicKey: key(1), endpoint: 'vpn.example.org:51820' }]
  t.throws(() => planMessages({ peers }), { message: /"change\.peers\[1\]\.endpoint"/ }, 'it says where')
})
