import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { Network } from '../../src/network/index.js'
import { Tap, Tun } from '../../src/tuntap/index.js'
import { watchLeaks } from '../support/leaks.js'
import { markedFrame } from '../support/marked-frames.js'
import { requires, requiresRoot } from '../support/requires.js'

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** Waits for a condition of another program's making, for ten seconds at most. */
async function eventually(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await delay(50)
  if (!condition()) throw new Error('it never came')
}

const ping = (network: Network, address: string) =>
  network.namespace.exec('ping', ['-c', '3', '-i', '0.2', '-W', '2', address])

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('socat joins two TUN descriptors that were opened here', async t => {
    if (!requires(t, 'socat', 'ping')) return
    await using red = await Network.create()
    await using blue = await Network.create()
    const left = await Tun.create({ in: red, addresses: ['10.0.0.1/24'] })
    const right = await Tun.create({ in: blue, addresses: ['10.0.0.2/24'] })
    using a = left.takeDescriptor()
    using b = right.takeDescriptor()
    t.same(await left.closed, { type: 'detached' })
    const socat = red.namespace.spawn('socat', ['-b', '65536', 'FD:3', 'FD:4'], {
      stdio: ['ignore', 'ignore', 'inherit', a.fd, b.fd],
    })
    a.close()
    b.close()
    t.equal(a.fd, -1)
    t.match((await ping(red, '10.0.0.2')).stdout, /3 received/)
    await end(socat)
    t.match(await red.links.list(), [{ name: 'lo' }], 'the device went with the last descriptor')
  })

  t.test('wireguard-go takes TUN descriptors with packet information', async t => {
    if (!requires(t, 'wireguard-go', 'wg', 'ping')) return
    await using red = await Network.create()
    await using blue = await Network.create()
    await red.links.create({
      kind: 'veth',
      name: 'wire',
      up: true,
      addresses: ['172.16.0.1/24'],
      peer: { name: 'wire', in: blue },
    })
    await blue.addresses.create({ link: 'wire', address: '172.16.0.2/24' })
    await blue.links.change('wire', { up: true })
    const children: ChildProcess[] = []
    const folder = await mkdtemp(join(tmpdir(), 'netloom-'))
    try {
      const keys: { name: string; secret: string; open: string }[] = []
      for (const [network, end] of [
        [red, 1],
        [blue, 2],
      ] as const) {
        const name = `nlwg${process.pid}-${end}`
        const tun = await Tun.create({
          in: network,
          name,
          mtu: 1420,
          packetInformation: true,
          addresses: [`10.9.0.${end}/24`],
        })
        using descriptor = tun.takeDescriptor()
        const child = network.namespace.spawn('wireguard-go', ['-f', name], {
          stdio: ['ignore', 'ignore', 'ignore', descriptor.fd],
          env: {
            ...process.env,
            WG_TUN_FD: '3',
            WG_PROCESS_FOREGROUND: '1',
            WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: '1',
          },
        })
        children.push(child)
        await eventually(() => existsSync(`/var/run/wireguard/${name}.sock`) || child.exitCode !== null)
        const secret = execFileSync('wg', ['genkey'], { encoding: 'utf8' })
        keys.push({
          name,
          secret,
          open: execFileSync('wg', ['pubkey'], { input: secret, encoding: 'utf8' }).trim(),
        })
      }
      for (const [i, { name, secret }] of keys.entries()) {
        const peer = keys[1 - i]!
        const file = join(folder, name)
        await writeFile(file, secret, { mode: 0o600 })
        const settings = ['private-key', file, 'listen-port', '51820', 'peer', peer.open]
        const reach = ['allowed-ips', '10.9.0.0/24', 'endpoint', `172.16.0.${2 - i}:51820`]
        execFileSync('wg', ['set', name, ...settings, ...reach])
      }
      t.match((await ping(red, '10.9.0.2')).stdout, /3 received/)
      t.match(
        execFileSync('wg', ['show', keys[0]!.name, 'transfer'], { encoding: 'utf8' }),
        /\t[1-9]\d*\t[1-9]/,
      )
    } finally {
      await Promise.all(children.map(end))
      await rm(folder, { recursive: true })
    }
  })

  t.test('a device of `ip tuntap` is opened here, and the reverse', async t => {
    if (!requires(t, 'ip')) return
    await using network = await Network.create()
    const ip = (...args: string[]) => network.namespace.exec('ip', args)
    await ip('tuntap', 'add', 'dev', 'theirs0', 'mode', 'tap', 'user', 'root')
    const tap = await Tap.open({ in: network, name: 'theirs0' })
    t.match(tap.trySend(markedFrame(1)), { sent: 1 })
    t.match((await ip('-j', 'link', 'show', 'theirs0')).stdout, /LOWER_UP/)
    await tap.close()
    await ip('tuntap', 'del', 'dev', 'theirs0', 'mode', 'tap')
    await ip('tuntap', 'add', 'dev', 'many0', 'mode', 'tun', 'multi_queue', 'pi')
    await t.rejects(Tun.open({ in: network, name: 'many0' }), { code: 'EINVAL' })
    const tun = await Tun.open({ in: network, name: 'many0', multiQueue: true, packetInformation: true })
    await using second = await tun.openQueue()
    t.equal(second.name, 'many0')
    await tun.close()
    const ours = await Tun.create({ in: network, name: 'ours0', persist: true })
    await ours.close()
    t.match((await ip('-d', 'link', 'show', 'ours0')).stdout, /tun type tun pi off vnet_hdr off persist on/)
    await ip('tuntap', 'del', 'dev', 'ours0', 'mode', 'tun')
    t.equal(await network.links.find('ours0'), undefined)
  })

  t.test('a descriptor that another program opened is adopted, its framing read back', async t => {
    await using network = await Network.create()
    for (const options of [
      {},
      { packetInformation: true },
      { vnetHeaderSize: 12 },
      { packetInformation: true, vnetHeaderSize: 10 },
    ] as const) {
      const made = await Tap.create({ in: network, name: 'handed0', addresses: ['10.0.0.1/24'], ...options })
      const handed = made.takeDescriptor()
      await t.rejects(Tun.fromDescriptor(handed.fd), { code: 'ERR_LINK_MISMATCH' })
      t.ok(handed.fd >= 0, 'what is refused stays the caller’s')
      const tap = await Tap.fromDescriptor(handed.fd)
      t.match(tap, {
        name: 'handed0',
        packetInformation: 'packetInformation' in options,
        vnetHeaderBytes: 'vnetHeaderSize' in options ? options.vnetHeaderSize : 0,
      })
      t.match(tap.trySend(markedFrame(1)), { sent: 1 })
      await network.namespace.exec('ping', ['-c1', '-W1', '10.0.0.2'], { reject: false })
      for await (const batch of tap.batches()) {
        t.ok(
          [...batch].some(frame => frame.length === 42 && frame[12] === 0x08 && frame[13] === 0x06),
          'ARP, whole',
        )
        break
      }
      await tap.close()
    }
  })

  t.test('nothing is left', leaks)
}
