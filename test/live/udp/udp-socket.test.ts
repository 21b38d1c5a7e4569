import dgram from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { Capture } from '../../../src/capture/index.js'
import { FrameBatch } from '../../../src/frames/index.js'
import { Network } from '../../../src/network/index.js'
import { cutFrames, packets } from '../../../src/port/index.js'
import { Tun } from '../../../src/tuntap/index.js'
import { type DatagramBatch, Endpoint, type UdpOptions, UdpSocket } from '../../../src/udp/index.js'
import { watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

/** `left` 10.0.0.1, fd00::1 - 10.0.0.2, fd00::2 `right`, by a veth pair. */
async function pair() {
  const left = await Network.create()
  const right = await Network.create()
  await left.links.create({ kind: 'veth', name: 'v', up: true, peer: { name: 'v', in: right } })
  await right.links.change('v', { up: true })
  for (const [network, host] of [
    [left, 1],
    [right, 2],
  ] as const) {
    await network.addresses.create({ link: 'v', address: `10.0.0.${host}/24` })
    await network.addresses.create({ link: 'v', address: `fd00::${host}/64`, dad: 'skip' })
  }
  const sockets: UdpSocket[] = []
  const open = async (network: Network, options: UdpOptions = {}) => {
    const socket = await UdpSocket.open({ in: network, receiveBuffer: 1 << 24, ...options })
    sockets.push(socket)
    return socket
  }
  return {
    left,
    right,
    open,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) await socket.close()
      await left.close()
      await right.close()
    },
  }
}

function batchOf(...lengths: number[]): FrameBatch {
  const bytes = lengths.reduce((sum, length) => sum + length, 0)
  const batch = FrameBatch.allocate({ linkType: 'user0', frames: lengths.length, bytes })
  for (const [i, length] of lengths.entries()) batch.append(new Uint8Array(length).fill(i + 1))
  return batch
}

async function receive(socket: UdpSocket, count: number): Promise<{ data: Uint8Array; from: Endpoint }[]> {
  const datagrams: { data: Uint8Array; from: Endpoint }[] = []
  for await (const batch of socket.batches()) {
    for (let i = 0; i < batch.count; i++) datagrams.push({ data: batch.copy(i), from: batch.endpoint(i) })
    if (datagrams.length >= count) break
  }
  return datagrams
}

if (requiresRoot(t) && requires(t, 'socat')) {
  const leaks = watchLeaks()

  t.test('datagrams of all lengths, in order, by both families', async t => {
    await using nets = await pair()
    const server = await nets.open(nets.right, { port: 5000 })
    t.ok(server.coalesces && server.segments, 'this kernel joins datagrams')
    t.equal(`${server.address}`, '[::]:5000')
    const client = await nets.open(nets.left)
    const lengths = [
      ...Array.from({ length: 300 }, () => 1200),
      0,
      1,
      700,
      700,
      699,
      9000,
      ...Array.from({ length: 20 }, () => 3000),
      0,
      0,
      65487,
      5,
      ...Array.from({ length: 400 }, (_, i) => i),
      ...Array.from({ length: 200 }, () => 16),
    ]
    for (const address of ['10.0.0.2', 'fd00::2']) {
      const to = { address, port: 5000 }
      const received = receive(server, lengths.length)
      t.match(await client.send(batchOf(...lengths), { to }), { sent: lengths.length, dropped: 0 })
      const datagrams = await received
      t.same(
        datagrams.map(({ data }) => data.length),
        lengths,
      )
      t.ok(datagrams.every(({ data }, i) => data.every(byte => byte === ((i + 1) & 255))))
      const [first] = datagrams
      t.ok(
        datagrams.every(({ from }) => from === first!.from),
        'one sender is one object',
      )
      t.match(first!.from, {
        address: address === '10.0.0.2' ? '10.0.0.1' : 'fd00::1',
        port: client.address.port,
      })
    }
    t.match(client.counters(), { sentFrames: BigInt(2 * lengths.length), sentDropped: 0n })
    t.match(server.counters(), {
      receivedFrames: BigInt(2 * lengths.length),
      receivedBytes: client.counters().sentBytes,
      receivedDropped: 0n,
    })
  })

  t.test('without joining it is the same', async t => {
    await using nets = await pair()
    const server = await nets.open(nets.right, { port: 5000, coalesce: false })
    const client = await nets.open(nets.left, { segment: false, remote: { address: '10.0.0.2', port: 5000 } })
    t.equal(server.coalesces, false)
    t.equal(client.segments, false)
    t.equal(`${client.remote}`, '10.0.0.2:5000')
    const lengths = Array.from({ length: 500 }, (_, i) => (i * 37) % 1473)
    const received = receive(server, lengths.length)
    await client.send(batchOf(...lengths))
    t.same(
      (await received).map(({ data }) => data.length),
      lengths,
    )
  })

  t.test('with node:dgram and socat on the other side', async t => {
    await using nets = await pair()
    const socket = await nets.open(nets.left, { port: 5000 })
    using descriptor = nets.right.namespace.socket('udp4', { bind: { address: '10.0.0.2', port: 6000 } })
    const other = dgram.createSocket('udp4')
    const listening = once(other, 'listening')
    other.bind({ fd: descriptor.take() })
    await listening
    const messages: string[] = []
    const all = new Promise<void>(resolve => {
      other.on('message', (message, from) => {
        messages.push(`${message} ${from.address}:${from.port}`)
        if (messages.length === 3) resolve()
      })
    })
    const to = new Endpoint({ address: '10.0.0.2', port: 6000 })
    await socket.send(Buffer.from('one'), { to })
    await socket.send(FrameBatch.from('user0', [Buffer.from('two'), Buffer.from('six')]), { to })
    await all
    t.same(messages, ['one 10.0.0.1:5000', 'two 10.0.0.1:5000', 'six 10.0.0.1:5000'])
    const back = receive(socket, 2)
    other.send('a', 5000, '10.0.0.1')
    other.send('bc', 5000, '10.0.0.1')
    t.same(
      (await back).map(({ data, from }) => `${Buffer.from(data)} ${from}`),
      ['a 10.0.0.2:6000', 'bc 10.0.0.2:6000'],
    )
    await new Promise<void>(resolve => other.close(() => resolve()))

    const echoing = (async () => {
      for await (const batch of socket.batches()) {
        await socket.send(batch, { to: 'senders' })
        break
      }
    })()
    const { stdout } = await nets.right.namespace.exec('socat', ['-t2', '-', 'UDP6:[fd00::1]:5000'], {
      input: 'hello',
    })
    await echoing
    t.equal(stdout, 'hello')
  })

  t.test('each to an endpoint of its own, and back to where it came from', async t => {
    await using nets = await pair()
    const servers = await Promise.all([5001, 5002, 5003].map(port => nets.open(nets.right, { port })))
    const client = await nets.open(nets.left)
    const to = Array.from({ length: 30 }, (_, i) => ({ address: '10.0.0.2', port: 5001 + (i % 3) }))
    const answered = receive(client, 30)
    const echoes = servers.map(async (server, i) => {
      let seen = 0
      for await (const batch of server.batches()) {
        for (const frame of batch) t.equal((frame[0]! - 1) % 3, i)
        seen += batch.count
        t.match(await server.send(batch, { to: 'senders' }), { sent: batch.count, dropped: 0 })
        if (seen === 10) break
      }
    })
    t.match(await client.send(batchOf(...to.map(() => 100)), { to }), { sent: 30 })
    await Promise.all(echoes)
    const ports = (await answered).map(({ from }) => from.port)
    t.same(ports.filter(port => port === 5002).length, 10)
    t.throws(() => client.trySend(batchOf(1, 2), { to: to.slice(0, 1) }), { code: 'ERR_OUT_OF_RANGE' })
    const mapped = new Endpoint({ address: '::ffff:10.0.0.1', port: 1 })
    t.match(mapped, { family: 4, address: '10.0.0.1' })
    t.throws(() => new Endpoint({ address: '10.0.0.1', port: 1, scope: 3 }), { code: 'ERR_OUT_OF_RANGE' })
  })

  t.test('what is known of a datagram beside its bytes', async t => {
    await using nets = await pair()
    await nets.right.addresses.create({ link: 'v', address: '10.0.0.3/24' })
    const { index } = await nets.right.links.get('v')
    const server = await nets.open(nets.right, { port: 5000, information: true })
    const client = await nets.open(nets.left, { typeOfService: 0xb8, information: true })
    const next = async (socket: UdpSocket, check: (batch: DatagramBatch) => Promise<void> | void) => {
      for await (const batch of socket.batches()) {
        await check(batch)
        break
      }
    }
    for (const [address, local] of [
      ['10.0.0.3', '10.0.0.3'],
      ['fd00::2', 'fd00::2'],
    ] as const) {
      await client.send(batchOf(10, 10), { to: { address, port: 5000 } })
      await next(server, async batch => {
        t.match(batch.local(0), { address: local, port: 0 })
        t.equal(batch.interfaces![0], index)
        t.equal(batch.typesOfService![0], 0xb8)
        // From the address that was asked, with a mark of congestion.
        await server.send(batch, { to: 'senders', from: batch.local(0), typeOfService: 0x03 })
      })
      await next(client, batch => {
        t.equal(batch.endpoint(0).address, address)
        t.equal(batch.typesOfService![0], 0x03)
      })
    }
  })

  t.test('a mark and a device choose the way', async t => {
    await using network = await Network.create()
    const to = { address: '192.0.2.9', port: 9 }
    const cables = ['v', 'w'] as const
    for (const [i, name] of cables.entries()) {
      await network.links.create({ kind: 'veth', name, up: true, peer: { name: `${name}1` } })
      await network.links.change(`${name}1`, { up: true })
      await network.addresses.create({ link: name, address: `10.${i}.0.1/24` })
      await network.routes.create({ destination: '192.0.2.0/24', link: name, metric: 10 + i })
      await network.neighbors.create({ link: name, address: to.address, macAddress: '02:00:00:00:00:09' })
    }
    await network.routes.create({ destination: '192.0.2.0/24', link: 'w', table: 100 })
    await network.rules.create({ family: 4, mark: 7, table: 100 })
    await network.rules.create({ family: 4, mark: 0xffff_ffff, table: 100 })
    const options = { in: network, linkType: 'ethernet', filter: 'udp port 9', latency: 'low' } as const
    for (const [given, way] of [
      [{}, 'v'],
      [{ mark: 7 }, 'w'],
      [{ mark: 8 }, 'v'],
      [{ mark: 0xffff_ffff }, 'w'],
      [{ device: 'w' }, 'w'],
    ] as const) {
      await using capture = await Capture.open({ ...options, interface: `${way}1` })
      await using socket = await UdpSocket.open({ in: network, ...given })
      await socket.send(Buffer.from(JSON.stringify(given)), { to })
      for await (const { data } of packets(capture)) {
        t.equal(
          `${Buffer.from(data.subarray(42))}`,
          JSON.stringify(given),
          `${way} for ${JSON.stringify(given)}`,
        )
        break
      }
    }
  })

  t.test('several sockets share a port', async t => {
    await using nets = await pair()
    const servers = [
      await nets.open(nets.right, { port: 5000, reusePort: true }),
      await nets.open(nets.right, { port: 5000, reusePort: true }),
    ]
    await t.rejects(nets.open(nets.right, { port: 5000 }), { code: 'EADDRINUSE', syscall: 'bind' })
    for (let i = 0; i < 40; i++) {
      const client = await nets.open(nets.left)
      await client.send(Buffer.from([i]), { to: { address: '10.0.0.2', port: 5000 } })
    }
    let seen = 0
    const ended = new AbortController()
    const counts = await Promise.all(
      servers.map(async server => {
        let count = 0
        try {
          for await (const batch of server.batches({ signal: ended.signal })) {
            count += batch.count
            seen += batch.count
            if (seen === 40) ended.abort()
          }
        } catch {}
        return count
      }),
    )
    t.equal(counts[0]! + counts[1]!, 40)
    t.ok(
      counts.every(count => count > 0),
      `${counts}`,
    )
  })

  t.test('what becomes of datagrams on their way', async t => {
    await using nets = await pair()
    const router = nets.right
    await using far = await Network.create()
    await router.links.create({ kind: 'veth', name: 'w', up: true, peer: { name: 'w', in: far } })
    await far.links.change('w', { up: true, mtu: 1280 })
    await router.links.change('w', { mtu: 1280 })
    await router.addresses.create({ link: 'w', address: '10.0.1.1/24' })
    await far.addresses.create({ link: 'w', address: '10.0.1.2/24' })
    await router.sysctl.set('net.ipv4.ip_forward', 1)
    await nets.left.routes.create({ destination: '10.0.1.0/24', gateway: '10.0.0.2' })
    await far.routes.create({ destination: '10.0.0.0/24', gateway: '10.0.1.1' })

    const socket = await nets.open(nets.left, { pathMtu: 'do' })
    const events = socket.events()
    const to = { address: '10.0.1.2', port: 7 }
    await socket.send(new Uint8Array(1400), { to })
    t.match(await events.next(), {
      value: { type: 'path-mtu', endpoint: { address: '10.0.1.2', port: 7 }, mtu: 1280 },
    })
    const refused = socket.trySend(batchOf(1400, 1200), { to })
    t.match(refused, { sent: 1, dropped: 1, next: 2, failure: { index: 0, error: { code: 'EMSGSIZE' } } })
    // What ICMP said of an earlier one is not of the next, whoever that is to.
    const probing = await nets.open(nets.left, { pathMtu: 'probe' })
    await using listening = await UdpSocket.open({ in: far, port: 8 })
    const far8 = { address: '10.0.1.2', port: 8 }
    for (const next of [far8, { address: '10.0.0.2', port: 5000 }]) {
      // The answer of the router is there when send() returns: all happens on one processor, within the system call.
      t.match(probing.trySend(new Uint8Array(1400), { to: far8 }), { sent: 1 })
      t.match(probing.trySend(new Uint8Array(100), { to: next }), { sent: 1, dropped: 0 })
    }
    t.equal((await receive(listening, 1)).length, 1)
    // Refused one by one, and told of once.
    const many = socket.trySend(batchOf(...Array.from({ length: 300 }, () => 1400)), { to })
    t.match(many, { sent: 0, dropped: 300 })
    // The refusal is told here as well; and nobody listens at the far port.
    const seen: string[] = []
    for await (const event of events) {
      seen.push(event.type)
      if (event.type !== 'unreachable') continue
      t.match(event, { endpoint: { port: 7 }, error: { code: 'ECONNREFUSED' }, icmp: { type: 3, code: 3 } })
      break
    }
    t.match(seen.at(-1), 'unreachable')
    t.notOk(seen.includes('resync'))
    const later = nets.open(nets.left, { remote: { address: 'fd00::2', port: 9 } })
    const connected = await later
    const told = connected.events()
    await connected.send(new Uint8Array(1))
    t.match(await told.next(), { value: { type: 'unreachable', icmp: { type: 1, code: 4 } } })
    t.match(connected.trySend(new Uint8Array(1)), { sent: 1 }, 'an old error is not of the next datagram')
    t.match(await told.next(), { value: { type: 'unreachable' } })
    await told.return?.()
    const nowhere = socket.trySend(batchOf(1), { to: { address: '203.0.113.1', port: 1 } })
    t.match(nowhere, { sent: 0, dropped: 1, failure: { error: { code: 'ENETUNREACH' } } })
  })

  t.test('more senders than there are numbers for', async t => {
    await using nets = await pair()
    await nets.left.addresses.create({ link: 'v', address: '10.0.0.5/24' })
    const servers = [
      await nets.open(nets.right, { port: 5000, information: true }),
      await nets.open(nets.right, { port: 5001 }),
    ] as const
    const client = await nets.open(nets.left)
    const [first, second] = [5000, 5001].map(port => new Endpoint({ address: '10.0.0.2', port }))
    const from = new Endpoint({ address: '10.0.0.5', port: 0 })
    // Endpoints that nobody is at: only their numbers count.
    const forget = (count: number) => {
      for (let i = 0; i < count; i += 1000) {
        const to = Array.from({ length: 1000 }, (_, j) => ({
          address: `203.0.${((i + j) >> 8) & 255}.${(i + j) & 255}`,
          port: 1 + ((i + j) >> 16),
        }))
        t.match(client.trySend(batchOf(...to.map(() => 1)), { to }), { sent: 0, dropped: 1000 })
      }
    }
    await client.send(new Uint8Array(1), { to: first!, from })
    await client.send(new Uint8Array(1), { to: second! })
    t.equal((await receive(servers[0], 1))[0]!.from.address, '10.0.0.5')
    t.equal((await receive(servers[1], 1)).length, 1)
    forget(140_000)
    t.match(await client.send(new Uint8Array(2), { to: first! }), { sent: 1, dropped: 0 })
    t.equal((await receive(servers[0], 1))[0]!.from.address, '10.0.0.1')
    t.match(await client.send(new Uint8Array(2), { to: first!, from }), { sent: 1, dropped: 0 })
    t.equal((await receive(servers[0], 1))[0]!.from.address, '10.0.0.5')
    forget(140_000)
    // Those that are known go down once, the others as well.
    t.match(await client.send(new Uint8Array(2), { to: second! }), { sent: 1 })
    const before = client.counters().sentFrames
    const to = [second!, first!, second!, first!]
    t.match(client.trySend(batchOf(1, 2, 3, 4), { to }), { sent: 4, dropped: 0, next: 4 })
    t.equal(client.counters().sentFrames - before, 4n)
    await client.send(new Uint8Array(9), { to: first! })
    await client.send(new Uint8Array(9), { to: second! })
    t.same(
      (await receive(servers[0], 3)).map(({ data }) => data.length),
      [2, 4, 9],
    )
    t.same(
      (await receive(servers[1], 4)).map(({ data }) => data.length),
      [2, 1, 3, 9],
    )
    // A list that is longer than the table.
    const crowd = Array.from({ length: 70_000 }, (_, i) => ({
      address: '10.0.0.2',
      port: i % 10_000 === 9_999 ? 5001 : 10_000 + (i % 50_000),
    }))
    t.match(client.trySend(batchOf(...crowd.map((_, i) => (i % 10_000 === 9_999 ? 7 : 0))), { to: crowd }), {
      sent: 70_000,
      dropped: 0,
    })
    t.equal((await receive(servers[1], 7)).length, 7)
  })

  t.test('answers by another socket go to the same senders', async t => {
    await using nets = await pair()
    const [asked, other] = [
      await nets.open(nets.right, { port: 5000 }),
      await nets.open(nets.right, { port: 5001 }),
    ]
    const [asking, stranger] = [await nets.open(nets.left), await nets.open(nets.left)]
    // Both know somebody by their first number, not the same.
    await stranger.send(new Uint8Array(1), { to: { address: '10.0.0.2', port: 5001 } })
    t.equal((await receive(other, 1)).length, 1)
    await asking.send(batchOf(3, 4), { to: { address: '10.0.0.2', port: 5000 } })
    for await (const batch of asked.batches()) {
      t.match(await other.send(batch, { to: 'senders' }), { sent: batch.count, dropped: 0 })
      batch.keep()
      await asked.close()
      t.equal(batch.endpoint(0).port, asking.address.port, 'known also after the end')
      t.throws(() => batch.endpoint(2), { code: 'ERR_OUT_OF_RANGE' })
      batch.release()
      break
    }
    const answers = await receive(asking, 2)
    t.same(
      answers.map(({ data, from }) => `${data.length} ${from}`),
      ['3 10.0.0.2:5001', '4 10.0.0.2:5001'],
    )
    t.equal(stranger.tryReceive(), undefined)
  })

  t.test('what long and short ones say stays as it came, whatever comes after', async t => {
    await using nets = await pair()
    const server = await nets.open(nets.right, { port: 5000 })
    const client = await nets.open(nets.left, { remote: { address: '10.0.0.2', port: 5000 } })
    // Runs of one length come joined, and behind one another in memory; single ones go between them.
    const lengths = Array.from({ length: 400 }, (_, i) => (i % 21 === 20 ? 30 + (i % 7) : 1200))
    await client.send(batchOf(...lengths))
    const kept: DatagramBatch[] = []
    let seen = 0
    for await (const batch of server.batches({ frames: 30 })) {
      kept.push(batch.keep())
      seen += batch.count
      if (seen === lengths.length) break
    }
    let i = 0
    for (const batch of kept) {
      for (const data of batch) {
        t.equal(data.length, lengths[i])
        const fill = (i + 1) & 255
        t.ok(data.every(byte => byte === fill))
        i++
      }
      batch.release()
    }
  })

  t.test('the last one is told of also where it has no room behind the others', async t => {
    await using network = await Network.create()
    const from = await UdpSocket.open({ in: network, address: '127.0.0.1', segment: false })
    const to = await UdpSocket.open({ in: network, address: '127.0.0.1', receiveBuffer: 1 << 24 })
    const kept: DatagramBatch[] = []
    // Each way in which the memory may be filled when it comes.
    for (const before of [160, 166, 172, 178]) {
      for (let i = 0; i < before; i++) from.trySend(new Uint8Array(1400), { to: to.address })
      for (let seen = 0; seen < before; ) {
        const batch = to.tryReceive({ frames: 1 })!
        kept.push(batch)
        seen += batch.count
      }
      from.trySend(new Uint8Array(60_000), { to: to.address })
      const last = to.tryReceive()
      t.equal(last?.lengths[0], 60_000, `after ${before}`)
      if (last) kept.push(last)
    }
    for (const batch of kept) batch.release()
    await from.close()
    await to.close()
  })

  t.test('a batch of a device that has to wait is let go of', async t => {
    await using network = await Network.create()
    await using tun = await Tun.create({ in: network, addresses: ['10.2.0.1/24'], ipv6LinkLocal: 'none' })
    const socket = await UdpSocket.open({ in: network, address: '10.2.0.1' })
    const to = { address: '10.2.0.2', port: 7 }
    for (let i = 0; i < 200; i++) socket.trySend(new Uint8Array(100), { to })
    const batch = tun.tryReceive()! as unknown as { memory: { live: number } } & FrameBatch
    const { memory } = batch
    await Promise.all(Array.from({ length: 20 }, () => socket.send(batch, { to })))
    batch.release()
    t.equal(memory.live, 0)
    await socket.close()
  })

  t.test('beside super-frames of a device, whose batches share the memory', async t => {
    await using network = await Network.create()
    await using tun = await Tun.create({
      in: network,
      addresses: ['10.2.0.1/24'],
      ipv6LinkLocal: 'none',
      offload: 'whole',
    })
    const out = await UdpSocket.open({ in: network, address: '10.2.0.1' })
    const [from, to] = [
      await UdpSocket.open({ in: network, address: '127.0.0.1' }),
      await UdpSocket.open({ in: network, address: '127.0.0.1', information: true }),
    ]
    out.trySend(batchOf(...Array.from({ length: 10 }, () => 1000)), { to: { address: '10.2.0.2', port: 7 } })
    const whole = tun.tryReceive()!
    const asked = whole.gso!.get(0)
    t.match(asked, { segmentSize: 1000 })
    for (let i = 0; i < 8; i++) from.trySend(new Uint8Array(10), { to: to.address })
    const batch = to.tryReceive()!
    t.equal(batch.count, 8)
    t.same(whole.gso!.get(0), asked)
    t.equal(cutFrames(whole).count, 10)
    // And the other way round.
    out.trySend(batchOf(...Array.from({ length: 20 }, () => 1000)), { to: { address: '10.2.0.2', port: 7 } })
    const later = tun.tryReceive()!
    t.match(later.gso!.get(0), { segmentSize: 1000 })
    for (let i = 0; i < 8; i++) {
      t.equal(`${batch.endpoint(i)}`, `${from.address}`)
      t.equal(`${batch.local(i)}`, '127.0.0.1:0')
      t.equal(batch.interfaces![i], 1)
    }
    for (const each of [whole, later, batch]) each.release()
    for (const socket of [out, from, to]) await socket.close()
  })

  t.test('readers, aborts and ends', async t => {
    await using nets = await pair()
    const socket = await nets.open(nets.left)
    t.equal(socket.tryReceive(), undefined)
    const iterator = socket.batches()
    t.throws(() => socket.batches(), { code: 'ERR_PORT_LOCKED' })
    t.throws(() => socket.tryReceive(), { code: 'ERR_PORT_LOCKED' })
    const step = iterator.next()
    const events = socket.events().next()
    await socket.close()
    await socket.close()
    t.same(await step, { done: true, value: undefined })
    t.same(await events, { done: true, value: undefined })
    t.same(await socket.closed, { type: 'closed' })
    t.equal(socket.fd, -1)
    await t.rejects(socket.send(new Uint8Array(1), { to: { address: '10.0.0.2', port: 1 } }), {
      code: 'ERR_PORT_CLOSED',
    })
    t.throws(() => socket.tryReceive(), { code: 'ERR_PORT_CLOSED' })
    const other = await nets.open(nets.left)
    const signal = AbortSignal.abort()
    await t.rejects(other.batches({ signal }).next(), { name: 'AbortError' })
    const to = { address: '10.0.0.2', port: 5000 }
    await t.rejects(other.send(new Uint8Array(1), { to, signal }), { name: 'AbortError' })
    const owned = await nets.open(nets.right, { port: 5000 })
    await other.send(batchOf(5, 5), { to })
    for await (const batch of owned.batches({ lifetime: 'owned' })) {
      const view = batch.frame(1)
      batch.release()
      t.equal(view.length, 5)
      break
    }
  })

  t.test('bad input is refused before anything is done', async t => {
    await using network = await Network.create()
    const bad: UdpOptions[] = [
      { port: 65536 },
      { port: '5' as never },
      { port: null as never },
      { device: null as never },
      { mark: 2 ** 32 },
      { address: 'localhost' },
      { typeOfService: 256 },
      { ttl: 0 },
      { pathMtu: 'never' as never },
      { device: 'a-name-that-is-too-long' },
      { receiveBuffer: 0 },
      { reusePort: 1 as never },
      { remote: { address: '10.0.0.1', port: -1 } },
      { remote: { address: '::1', port: 1 }, address: '127.0.0.1' },
      { ipv6Only: true, address: '127.0.0.1' },
      { nonsense: 1 } as never,
    ]
    for (const options of bad) {
      await t.rejects(UdpSocket.open({ in: network, ...options }), { code: /ERR_(INVALID_ARG|OUT_OF_RANGE)/ })
    }
    await t.rejects(UdpSocket.open({ in: network, address: '192.0.2.1' }), { code: 'EADDRNOTAVAIL' })
    await t.rejects(UdpSocket.open({ in: network, device: 'nope' }), { code: 'ENODEV' })
    await using socket = await UdpSocket.open({ in: network, address: '127.0.0.1' })
    const to = socket.address
    const shared = new Uint8Array(new SharedArrayBuffer(4))
    const outside = {
      ...batchOf(4),
      linkType: 'user0',
      offsets: Uint32Array.of(9),
      lengths: Uint32Array.of(9),
      count: 1,
    }
    for (const data of [undefined, 'text', shared, outside, {}]) {
      await t.rejects(socket.send(data as never, { to }), { code: /ERR_(INVALID_ARG|OUT_OF_RANGE)/ })
    }
    await t.rejects(socket.send(batchOf(1)), { code: 'ERR_INVALID_ARG_VALUE', message: /not connected/ })
    await t.rejects(socket.send(batchOf(1), { to: { address: '127.0.0.1', port: 0 } }), {
      code: 'ERR_OUT_OF_RANGE',
    })
    await t.rejects(socket.send(batchOf(1), { to: [{ address: '::1', port: 0 }] }), {
      code: 'ERR_OUT_OF_RANGE',
      message: /to\[0\]\.port/,
    })
    await using connected = await UdpSocket.open({ in: network, remote: { address: '127.0.0.1', port: 9 } })
    t.throws(() => connected.trySend(batchOf(1, 1), { to: new Array(2) }), { code: /ERR_INVALID_ARG/ })
    await t.rejects(socket.send(batchOf(1), { to, from: to }), { message: /options\.from\.port/ })
    await t.rejects(socket.send(batchOf(1), { to: 'senders' }), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(socket.send(batchOf(1), { to: 'everybody' as never }), { code: 'ERR_INVALID_ARG_TYPE' })
    await t.rejects(socket.send(batchOf(1), { to, typeOfService: 256 }), { code: 'ERR_OUT_OF_RANGE' })
    await t.rejects(socket.send(batchOf(1), { to, nonsense: 1 } as never), { code: 'ERR_INVALID_ARG_VALUE' })
    t.match(socket.trySend(batchOf(65508), { to }), { dropped: 1, failure: { error: { code: 'EMSGSIZE' } } })
    t.equal(socket.tryReceive(), undefined)
    await using four = await UdpSocket.open({ in: network, address: '127.0.0.1' })
    t.match(four.trySend(batchOf(1), { to: { address: '::1', port: 1 } }), {
      dropped: 1,
      failure: { error: { code: 'EAFNOSUPPORT' } },
    })
    await using six = await UdpSocket.open({ in: network })
    for (const data of [batchOf(1), new Uint8Array(1)]) {
      t.match(six.trySend(data, { to, from: { address: '::1', port: 0 } }), {
        dropped: 1,
        failure: { error: { code: 'EAFNOSUPPORT' } },
      })
    }
    t.match(four.trySend(batchOf(1), { to, from: { address: '192.0.2.1', port: 0 } }), {
      dropped: 1,
      failure: { error: { message: /is 192\.0\.2\.1 of this host\?/ } },
    })
  })

  t.test('nothing is left', leaks)
}
