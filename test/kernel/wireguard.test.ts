import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  generateWireguardKeys,
  generateWireguardPresharedKey,
  wireguardPublicKey,
} from '../../src/netlink/generic/index.js'
import { Network } from '../../src/network/index.js'
import { watchLeaks } from '../support/leaks.js'
import { requires, requiresKernel, requiresRoot } from '../support/requires.js'

/** A network with a device `wg0`. */
async function prepare(): Promise<Network> {
  const network = await Network.create()
  await network.links.create({ kind: 'wireguard', name: 'wg0' })
  return network
}

async function wg(network: Network, ...args: string[]): Promise<string> {
  return (await network.namespace.exec('wg', args)).stdout
}

/** What `wg show wg0 dump` says. */
async function dump(network: Network) {
  const [device, ...peers] = (await wg(network, 'show', 'wg0', 'dump')).trim().split('\n')
  const none = (text: string | undefined) => (text === '(none)' || text === 'off' ? undefined : text)
  const [privateKey, publicKey, listenPort, mark] = device!.split('\t').map(none)
  return {
    privateKey,
    publicKey,
    listenPort: Number(listenPort),
    firewallMark: Number(mark ?? 0),
    peers: peers.map(line => {
      const [publicKey, presharedKey, endpoint, allowed, handshake, rx, tx, keepalive] = line
        .split('\t')
        .map(none)
      return {
        publicKey,
        presharedKey,
        endpoint,
        allowedAddresses: allowed?.split(',') ?? [],
        lastHandshake: handshake === '0' ? undefined : new Date(1000 * Number(handshake)),
        rxBytes: BigInt(rx!),
        txBytes: BigInt(tx!),
        keepaliveSeconds: Number(keepalive ?? 0),
        protocolVersion: 1,
      }
    }),
  }
}

async function ours(t: Test, network: Network) {
  const { link, name, ...device } = await network.wireguard.get('wg0')
  t.equal(name, 'wg0')
  t.equal(link, (await network.links.get('wg0')).index)
  return device
}

const addresses = Array.from({ length: 3000 }, (_, i) =>
  i % 2 ? `fd00:${i.toString(16)}::/64` : `10.${i >> 8}.${i & 255}.0/24`,
)

// One test for all, which a kernel without WireGuard leaves out.
t.test('WireGuard devices', async t => {
  if (!requiresRoot(t) || !requires(t, 'wg') || !requiresKernel(t, 'wireguard')) return
  const leaks = watchLeaks()

  t.test('keys are those of wg', async t => {
    await using network = await prepare()
    const { privateKey, publicKey } = generateWireguardKeys()
    const file = await mkdtemp(join(tmpdir(), 'netloom-'))
    try {
      writeFileSync(join(file, 'key'), privateKey)
      const { stdout } = await network.namespace.exec('sh', ['-c', `wg pubkey < ${join(file, 'key')}`])
      t.equal(stdout.trim(), publicKey)
    } finally {
      await rm(file, { recursive: true })
    }
    const theirs = (await wg(network, 'genkey')).trim()
    await network.wireguard.set('wg0', { privateKey: theirs })
    t.equal((await network.wireguard.get('wg0')).publicKey, wireguardPublicKey(theirs))
  })

  t.test('what we set they see', async t => {
    await using network = await prepare()
    t.match(await ours(t, network), { privateKey: undefined, publicKey: undefined, listenPort: 0, peers: [] })
    const keys = generateWireguardKeys()
    const peers = [generateWireguardKeys(), generateWireguardKeys(), generateWireguardKeys()]
    await network.wireguard.set('wg0', {
      privateKey: keys.privateKey,
      listenPort: 51821,
      firewallMark: 0x1234,
      peers: [
        {
          publicKey: peers[0]!.publicKey,
          presharedKey: generateWireguardPresharedKey(),
          endpoint: '10.0.0.9:1234',
          keepaliveSeconds: 25,
          allowedAddresses: ['10.0.0.0/8', 'fd00::/64', '192.168.7.9'],
        },
        {
          publicKey: peers[1]!.publicKey,
          endpoint: '[fd00::9]:65535',
          allowedAddresses: ['0.0.0.0/0', '::/0'],
        },
        { publicKey: peers[2]!.publicKey },
      ],
    })
    let theirs = await dump(network)
    t.match(theirs, { ...keys, listenPort: 51821, firewallMark: 0x1234 })
    t.match(
      theirs.peers.map(peer => [peer.publicKey, peer.endpoint, peer.keepaliveSeconds]),
      [
        [peers[0]!.publicKey, '10.0.0.9:1234', 25],
        [peers[1]!.publicKey, '[fd00::9]:65535', 0],
        [peers[2]!.publicKey, undefined, 0],
      ],
    )
    t.same(theirs.peers[0]!.allowedAddresses.sort(), ['10.0.0.0/8', '192.168.7.9/32', 'fd00::/64'])
    t.same(await ours(t, network), await dump(network), 'and we as they')

    await network.wireguard.set('wg0', {
      peers: [
        {
          publicKey: peers[0]!.publicKey,
          presharedKey: null,
          keepaliveSeconds: 0,
          allowedAddresses: ['1.0.0.0/8'],
        },
        { publicKey: peers[1]!.publicKey, replaceAllowedAddresses: true, allowedAddresses: ['2.0.0.0/8'] },
        { publicKey: peers[2]!.publicKey, remove: true },
        { publicKey: generateWireguardKeys().publicKey, updateOnly: true },
      ],
    })
    theirs = await dump(network)
    t.equal(theirs.peers.length, 2)
    t.match(theirs.peers[0], { presharedKey: undefined, keepaliveSeconds: 0 })
    t.equal(theirs.peers[0]!.allowedAddresses.length, 4, 'added')
    t.same(theirs.peers[1]!.allowedAddresses, ['2.0.0.0/8'], 'replaced')
    await network.wireguard.set('wg0', { replacePeers: true, peers: [{ publicKey: peers[2]!.publicKey }] })
    theirs = await dump(network)
    t.same(
      theirs.peers.map(peer => peer.publicKey),
      [peers[2]!.publicKey],
    )
    await network.wireguard.set('wg0', { privateKey: null, firewallMark: 0, replacePeers: true })
    t.match(await dump(network), { privateKey: undefined, publicKey: undefined, firewallMark: 0, peers: [] })
  })

  t.test('what they set we see', async t => {
    await using network = await prepare()
    const peer = generateWireguardKeys().publicKey
    const line = `set wg0 listen-port 999 fwmark 7 peer ${peer} endpoint [fe80::1%lo]:9 persistent-keepalive 3 allowed-ips`
    await wg(network, ...line.split(' '), '10.0.0.0/24,fd00::/8')
    const device = await ours(t, network)
    t.match(device, {
      listenPort: 999,
      firewallMark: 7,
      peers: [{ publicKey: peer, endpoint: '[fe80::1%1]:9', keepaliveSeconds: 3 }],
    })
    t.same([...device.peers[0]!.allowedAddresses].sort(), ['10.0.0.0/24', 'fd00::/8'])
  })

  t.test('3,000 allowed addresses and hundreds of peers, both ways', async t => {
    await using network = await prepare()
    const peers = Array.from({ length: 400 }, (_, i) => ({
      publicKey: generateWireguardPresharedKey(),
      keepaliveSeconds: i,
      allowedAddresses: [`11.${i >> 8}.${i & 255}.0/24`],
    }))
    const large = generateWireguardKeys().publicKey
    await network.wireguard.set('wg0', {
      replacePeers: true,
      peers: [...peers.slice(0, 200), { publicKey: large, allowedAddresses: addresses }, ...peers.slice(200)],
    })
    let theirs = await dump(network)
    t.equal(theirs.peers.length, 401)
    const find = <T extends { publicKey?: string | undefined }>(all: readonly T[]) =>
      all.find(each => each.publicKey === large)!
    t.same([...find(theirs.peers).allowedAddresses].sort(), [...addresses].sort())
    t.same(await ours(t, network), theirs)
    for (const peer of peers) {
      const their = theirs.peers.find(each => each.publicKey === peer.publicKey)
      if (their?.keepaliveSeconds !== peer.keepaliveSeconds) t.fail(`peer ${peer.keepaliveSeconds}`)
    }

    // And theirs.
    const directory = await mkdtemp(join(tmpdir(), 'netloom-'))
    try {
      const file = join(directory, 'wg0.conf')
      writeFileSync(file, `[Peer]\nPublicKey = ${large}\nAllowedIPs = ${addresses.join(', ')}\n`)
      await wg(network, 'setconf', 'wg0', file)
    } finally {
      await rm(directory, { recursive: true })
    }
    theirs = await dump(network)
    t.equal(theirs.peers.length, 1)
    t.same(await ours(t, network), theirs)
    t.equal(theirs.peers[0]!.allowedAddresses.length, 3000)
  })

  t.test('a tunnel that works', async t => {
    await using red = await prepare()
    await using blue = await prepare()
    await red.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v0', in: blue } })
    const [redKeys, blueKeys] = [generateWireguardKeys(), generateWireguardKeys()]
    for (const [i, network] of [red, blue].entries()) {
      await network.links.change('v0', { up: true })
      await network.addresses.create({ link: 'v0', address: `10.0.0.${i + 1}/24` })
      await network.wireguard.set('wg0', {
        privateKey: [redKeys, blueKeys][i]!.privateKey,
        listenPort: 51820,
        peers: [
          {
            publicKey: [blueKeys, redKeys][i]!.publicKey,
            endpoint: `10.0.0.${2 - i}:51820`,
            allowedAddresses: ['10.9.0.0/24'],
          },
        ],
      })
      await network.links.change('wg0', { up: true })
      await network.addresses.create({ link: 'wg0', address: `10.9.0.${i + 1}/24` })
    }
    await red.namespace.exec('ping', ['-c', '1', '-W', '20', '10.9.0.2'])
    const [peer] = (await red.wireguard.get('wg0')).peers
    t.ok(peer!.lastHandshake! > new Date(0))
    t.ok(peer!.rxBytes > 0n && peer!.txBytes > 0n)
    t.same((await ours(t, red)).peers[0]!.rxBytes, (await dump(red)).peers[0]!.rxBytes)
  })

  t.test('what cannot be', async t => {
    await using network = await prepare()
    const { wireguard } = network
    await t.rejects(wireguard.get('none'), { code: 'ERR_LINK_NOT_FOUND' })
    await t.rejects(wireguard.set('none', { listenPort: 5 }), { code: 'ERR_LINK_NOT_FOUND' })
    await t.rejects(wireguard.get('lo'), {
      code: 'ERR_LINK_MISMATCH',
      message: 'lo is no link of kind wireguard',
    })
    await t.rejects(wireguard.set('wg0', { listenPort: 65_536 }), { code: 'ERR_OUT_OF_RANGE' })
  })

  t.test('nothing is left', leaks)
})
