import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { decode, encode } from '../../../src/frames/index.js'
import { Network } from '../../../src/network/index.js'
import { FrameBatch, forward } from '../../../src/port/index.js'
import { Tap, Tun, type TunOptions } from '../../../src/tuntap/index.js'
import { UdpSocket } from '../../../src/udp/index.js'
import { runSnippet, snippets } from '../../support/doc-snippets.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

/** `Tun`, whose devices are in a network of the test's. */
function tunIn(network: Network, made: (tun: Tun) => void = () => {}) {
  return {
    async create(options: TunOptions) {
      const tun = await Tun.create({ in: network, ...options })
      made(tun)
      return tun
    },
    adopt: (token: string) => Tun.adopt(token),
  }
}

if (requiresRoot(t) && requires(t, 'ping')) {
  const leaks = watchLeaks()

  t.test('docs/forward.md', async t => {
    const [first, second, ...others] = snippets('docs/forward.md')
    t.equal(others.length, 0)
    const said: unknown[] = []
    const console = { log: (value: unknown) => said.push(value) }
    const made = await runSnippet(first!, { console })
    // What the kernel sends by itself may have passed already.
    const counters = { frames: BigInt, bytes: BigInt, filtered: 0n, dropped: BigInt }
    t.match(said, [{ aToB: counters, bToA: counters }])
    for (const name of ['tap', 'capture'] as const) t.equal((made[name] as Tap).owner, 'none')
    await (made.tap as Tap).close()
    await (made.capture as Tap).close()
    await (made.network as Network).close()

    said.length = 0
    await using red = await Network.create()
    await using blue = await Network.create()
    await using a = await Tap.create({ in: red, addresses: ['10.7.0.1/24'] })
    await using b = await Tap.create({ in: blue, addresses: ['10.7.0.2/24'] })
    const joined = forward(a, b)
    const looking = runSnippet(second!, { console, joined })
    await red.namespace.exec('ping', ['-c', '2', '-i', '0.02', '-W', '5', '10.7.0.2'])
    await joined.close()
    await looking
    const requests = said.filter(line =>
      /^IP 10\.7\.0\.1 > 10\.7\.0\.2: icmp echo request/.test(line as string),
    )
    t.equal(requests.length, 2)
  })

  t.test('docs/super-frames.md', async t => {
    const [split, header, look, send, ...others] = snippets('docs/super-frames.md')
    t.equal(others.length, 0)
    await using network = await Network.create()
    const { tun } = await runSnippet(split!, { Tun: tunIn(network) })
    t.equal((tun as Tun).offload, 'split')
    await (tun as Tun).close()

    await using peer = await UdpSocket.open({ in: network, address: '127.0.0.1' })
    await using socket = await UdpSocket.open({ in: network })
    let device: Tun | undefined
    const addressed = {
      create: (options: TunOptions) =>
        tunIn(network, made => (device = made)).create({ ...options, addresses: ['10.9.0.1/24'] }),
    }
    const tunnel = runSnippet(header!, { Tun: addressed, socket, peer: peer.address })
    while (!device) await nextTurn()
    const ping = network.namespace.exec('ping', ['-c', '1', '-W', '1', '10.9.0.2'], { reject: false })
    for await (const batch of peer.batches()) {
      const found = [...batch].map(bytes => bytes.slice())
      t.ok(found.every(bytes => bytes.subarray(0, 4).join() === '1,2,3,4'))
      if (found.some(bytes => decode(bytes.subarray(4), 'ip').icmp?.type === 8)) break
    }
    await ping
    await device!.close()
    await tunnel

    await using whole = await Tun.create({ in: network, offload: 'whole', addresses: ['10.0.0.1/24'] })
    const { batch } = await runSnippet(send!, { tun: whole })
    t.ok((batch as FrameBatch).gso!.isSuperFrame(0))
    await runSnippet(look!, { batch })
    t.ok(network.links.statistics(whole.name).rxBytes >= 5040n, 'the kernel took it, whole')
  })

  t.test('docs/queues.md', async t => {
    const [first, second, ...others] = snippets('docs/queues.md')
    t.equal(others.length, 0)
    await using network = await Network.create()
    const tokens: string[] = []
    class Worker {
      constructor(file: string, { workerData }: { workerData: string }) {
        t.equal(file, './serve.mjs')
        tokens.push(workerData)
      }
    }
    let device: Tun | undefined
    const Device = tunIn(network, made => (device = made))
    await runSnippet(first!, { Tun: Device, Worker })
    // So that all flows are the worker's.
    device!.setQueueEnabled(false)
    const served = runSnippet(second!, {
      workerData: tokens[0],
      // With the addresses in each other's place; the sums stay right.
      answers: (batch: FrameBatch<'ip'>) => {
        for (const packet of batch) {
          const source = packet.slice(12, 16)
          packet.copyWithin(12, 16, 20)
          packet.set(source, 16)
        }
        return batch
      },
    })
    await using socket = await UdpSocket.open({ in: network, address: '10.8.0.1', port: 7 })
    await socket.send(Buffer.from('hello'), { to: { address: '10.8.0.2', port: 7 } })
    for await (const batch of socket.batches()) {
      t.equal(`${Buffer.from(batch.frame(0))} from ${batch.endpoint(0)}`, 'hello from 10.8.0.2:7')
      break
    }
    await network.links.delete('tun0')
    await served
  })

  t.test('docs/udp.md', async t => {
    const [first, byPeer, ...others] = snippets('docs/udp.md')
    t.equal(others.length, 0)
    await using network = await Network.create()
    let server: UdpSocket | undefined
    const handled: string[] = []
    const serving = runSnippet(first!, {
      network,
      UdpSocket: {
        async open(options: object) {
          server = await UdpSocket.open(options)
          return server
        },
      },
      handle: (bytes: Uint8Array, from: object) => handled.push(`${Buffer.from(bytes)} from ${from}`),
    })
    await using client = await UdpSocket.open({ in: network, remote: { address: '127.0.0.1', port: 51820 } })
    await client.send(Buffer.from('hello'))
    for await (const batch of client.batches()) {
      t.equal(`${Buffer.from(batch.frame(0))}`, 'hello')
      break
    }
    t.same(handled, [`hello from 127.0.0.1:${client.address.port}`])
    await server!.close()
    await serving

    const packets = ['10.0.0.7', '10.0.0.8', 'fd00::9', '10.1.0.1'].map(destination =>
      encode(
        destination.includes(':')
          ? { ipv6: { source: 'fd00::2', destination }, udp: { sourcePort: 1, destinationPort: 2 } }
          : { ipv4: { source: '10.0.0.2', destination }, udp: { sourcePort: 1, destinationPort: 2 } },
      ),
    )
    const sent: unknown[] = []
    await runSnippet(byPeer!, {
      batch: FrameBatch.from('ip', [...packets, new Uint8Array(8)]),
      socket: {
        send: async (packet: Uint8Array, { to }: { to: { address: string } }) =>
          sent.push([packet, to.address]),
      },
    })
    t.same(sent, [
      [packets[0], '192.0.2.7'],
      [packets[1], '192.0.2.1'],
      [packets[2], '2001:db8::1'],
    ])
  })

  t.test('nothing is left', leaks)
}
