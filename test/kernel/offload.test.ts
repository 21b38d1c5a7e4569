import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { release } from 'node:os'
import t, { type Test } from 'tap'
import { Capture } from '../../src/capture/index.js'
import { Network } from '../../src/network/index.js'
import { FrameBatch, packets } from '../../src/port/index.js'
import { Tap, Tun } from '../../src/tuntap/index.js'
import { type UdpEvent, UdpSocket } from '../../src/udp/index.js'
import { joinPorts } from '../support/join-ports.js'
import { watchLeaks } from '../support/leaks.js'
import { wiredNetwork } from '../support/networks.js'
import { requiresRoot } from '../support/requires.js'

const data = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 31) >> 4)
const hash = createHash('sha256').update(data).digest('hex')

/** Sends the data by TCP from red to an address of blue's, and compares what comes. */
async function transfer(red: Network, blue: Network, host: string): Promise<boolean> {
  const received = createHash('sha256')
  const server = createServer()
  const done = once(server, 'connection').then(async ([socket]) => {
    for await (const chunk of socket) received.update(chunk)
  })
  await blue.namespace.listen(server, { host, port: 7000 })
  const connect = red.namespace.connector()
  const socket = connect({ host, port: 7000 })
  // While there is a way between them.
  const closed = once(socket, 'close')
  socket.end(data)
  await done
  await closed
  await new Promise(resolve => server.close(resolve))
  return received.digest('hex') === hash
}

/** Datagrams that are joined to one where the device takes that, and cut again on the way. */
async function datagramsArrive(t: Test, red: Network, blue: Network): Promise<void> {
  await using to = await UdpSocket.open({ in: blue, address: '10.0.0.2', receiveBuffer: 1 << 20 })
  await using from = await UdpSocket.open({ in: red, address: '10.0.0.1' })
  const datagrams = Array.from({ length: 7 }, (_, i) => new Uint8Array(500).fill(i))
  t.match(await from.send(FrameBatch.from('user0', datagrams), { to: to.address }), { sent: 7 })
  const seen: number[] = []
  for await (const batch of to.batches()) {
    for (const datagram of batch) seen.push(datagram.length === 500 ? datagram[499]! : -1)
    if (seen.length === 7) break
  }
  t.same(
    seen,
    datagrams.map(([i]) => i),
  )
}

const isUserMode = /User Mode Linux/.test(readFileSync('/proc/cpuinfo', 'utf8'))

if (requiresRoot(t)) {
  const leaks = watchLeaks()
  const [major = 0, minor = 0] = release().split('.').map(Number)
  const hasUso = major > 6 || (major === 6 && minor >= 2)

  t.test('super-frames between TUNs, whole, cut and mixed', async t => {
    for (const [ours, theirs] of [
      ['whole', 'whole'],
      ['split', 'split'],
      ['whole', 'off'],
      ['off', 'split'],
    ] as const) {
      await using red = await Network.create()
      await using blue = await Network.create()
      const a = await Tun.create({ in: red, name: 't0', addresses: ['10.0.0.1/24'], offload: ours })
      const b = await Tun.create({ in: blue, name: 't0', addresses: ['10.0.0.2/24'], offload: theirs })
      if (ours !== 'off') t.equal(a.accepts.has('uso4'), hasUso, 'UDP is what the kernel says')
      const passing = joinPorts(a, b)
      t.ok(await transfer(red, blue, '10.0.0.2'), `TCP, ${ours} and ${theirs}`)
      // User-mode Linux loses a datagram whose checksum it verifies while it copies it across the border of two pages.
      if (!isUserMode) await datagramsArrive(t, red, blue)
      await Promise.all([a.close(), b.close()])
      const whole = await passing
      t.equal(whole > 0, ours === 'whole', 'super-frames were seen where they are handed on')
    }
  })

  t.test('super-frames between a TAP and a cable', async t => {
    for (const [tapOffload, cableOffload] of [
      ['whole', 'whole'],
      ['off', 'split'],
      ['split', 'whole'],
    ] as const) {
      await using red = await Network.create()
      await using blue = await Network.create()
      await using middle = await Network.create()
      const tap = await Tap.create({ in: red, addresses: ['10.1.0.1/24'], offload: tapOffload })
      await middle.links.create({ kind: 'veth', name: 'v0', up: true, peer: { name: 'e0', in: blue } })
      await blue.links.change('e0', { up: true })
      await blue.addresses.create({ link: 'e0', address: '10.1.0.2/24' })
      const cable = await Capture.open({
        in: middle,
        interface: 'v0',
        linkType: 'ethernet',
        direction: 'in',
        latency: 'low',
        offload: cableOffload,
      })
      const passing = joinPorts<'ethernet'>(tap, cable)
      t.ok(await transfer(red, blue, '10.1.0.2'), `to the cable: ${tapOffload} and ${cableOffload}`)
      t.ok(await transfer(blue, red, '10.1.0.1'), 'and from it')
      await Promise.all([tap.close(), cable.close()])
      await passing
    }
  })

  t.test('joined datagrams on a way out without checksum offload', async t => {
    await using network = await wiredNetwork()
    const to = { address: '192.0.2.2', port: 9 }
    await network.neighbors.create({ link: 'v0', address: to.address, macAddress: '02:00:00:00:00:02' })
    await network.ethtool.features.set('v0', { tx: false })
    await using capture = await Capture.open({
      in: network,
      interface: 'v1',
      filter: 'udp port 9',
      latency: 'low',
    })
    const socket = await UdpSocket.open({ in: network })
    const events: UdpEvent[] = []
    const watched = (async () => {
      for await (const event of socket.events()) events.push(event)
    })()
    for (let round = 0; round < 2; round++) {
      const datagrams = Array.from({ length: 10 }, (_, i) => new Uint8Array(500).fill(10 * round + i))
      t.match(await socket.send(FrameBatch.from('user0', datagrams), { to }), {
        sent: 10,
        dropped: 0,
        next: 10,
      })
      const seen: Uint8Array[] = []
      for await (const { data } of packets(capture)) {
        seen.push(data.slice(42))
        if (seen.length === 10) break
      }
      t.same(seen, datagrams, 'all leave, each alone')
    }
    await socket.close()
    await watched
    // Kernels before 6.11 refuse them there (EIO): that is told once. Later ones make the checksums themselves.
    const refuses = major < 6 || (major === 6 && minor < 11)
    t.same(events, refuses ? [{ type: 'segmentation-disabled' }] : [])
  })

  t.test('nothing is left', leaks)
}
