import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { encode } from '../../../src/frames/index.js'
import { Network } from '../../../src/network/index.js'
import { PcapWriter } from '../../../src/pcap/index.js'
import { UdpSocket } from '../../../src/udp/index.js'
import { commandLine, folder, start, tested } from '../../support/examples.js'
import { watchLeaks } from '../../support/leaks.js'
import { connectedNetworks } from '../../support/networks.js'
import { requires, requiresRoot } from '../../support/requires.js'

function ping(network: Network, address: string) {
  return network.namespace.exec('ping', ['-c', '2', '-i', '0.2', '-W', '1', address], { reject: false })
}

if (requiresRoot(t)) {
  const leaks = watchLeaks()

  t.test('print-frames', async t => {
    if (!requires(t, 'ping')) return
    await using network = await Network.create()
    const example = start(network, 'print-frames')
    await example.says(/^tap0 is up$/m)
    await ping(network, '192.0.2.2')
    t.ok(await example.says(/^ARP who-has 192\.0\.2\.2 tell 192\.0\.2\.1$/m))
    t.equal(await example.stop(), 0)
  })

  t.test('answer-ping', async t => {
    if (!requires(t, 'ping')) return
    await using network = await Network.create()
    const example = start(network, 'answer-ping')
    await example.says(/^tun0 is up$/m)
    t.match(await ping(network, '192.0.2.77'), { code: 0, stdout: / 2 received, 0% packet loss/ })
    t.equal(await example.stop(), 0)
  })

  t.test('udp-tunnel', async t => {
    await using networks = await connectedNetworks('198.51.100.1/24', '198.51.100.2/24')
    const { red, blue } = networks
    const ends = [
      start(red, 'udp-tunnel', '10.8.0.1/24', '198.51.100.2'),
      start(blue, 'udp-tunnel', '10.8.0.2/24', '198.51.100.1'),
    ]
    for (const end of ends) await end.says(/tun0 is up\n/)
    const server = http.createServer((request, response) => response.end(request.socket.remoteAddress))
    await red.namespace.listen(server, { host: '10.8.0.1', port: 80 })
    const createConnection = blue.namespace.connector()
    const [response] = (await once(http.get('http://10.8.0.1/', { createConnection }), 'response')) as [
      http.IncomingMessage,
    ]
    t.equal(await text(response), '10.8.0.2', 'the other end is seen at its address in the tunnel')
    await promisify(server.close.bind(server))()
    for (const end of ends) t.equal(await end.stop(), 0)
  })

  t.test('tunnel', async t => {
    if (!requires(t, 'ping')) return
    await using networks = await connectedNetworks('198.51.100.1/24', '198.51.100.2/24')
    const { red, blue } = networks
    process.env.SECRET = 'known to both'
    t.teardown(() => delete process.env.SECRET)
    const addresses = ['10.9.0.1/24,fd09::1/64', '10.9.0.2/24,fd09::2/64'] as const
    let server = start(red, 'tunnel', addresses[0], '51820')
    await server.says(/tun0 is up\n/)
    const client = start(blue, 'tunnel', addresses[1], '51820', '198.51.100.1')
    await client.says(/in session with 198\.51\.100\.1:51820/)
    await server.says(/in session with 198\.51\.100\.2:51820/)
    const passes = async () => (await ping(blue, '10.9.0.1')).code === 0
    t.ok(await passes())
    t.equal((await ping(red, 'fd09::2')).code, 0)
    const large = ['-c', '1', '-W', '2', '-M', 'do', '-s', '1392', '10.9.0.1']
    t.equal((await blue.namespace.exec('ping', large, { reject: false })).code, 0, 'up to the MTU')

    await blue.addresses.delete({ link: 'v0', address: '198.51.100.2/24' })
    await blue.addresses.create({ link: 'v0', address: '198.51.100.77/24' })
    t.ok(await passes(), 'from another address')

    process.env.SECRET = 'a guess'
    const stranger = start(red, 'tunnel', '10.9.1.1/24', '51821', '198.51.100.77', '51820')
    await stranger.says(/is up\n/)
    process.env.SECRET = 'known to both'
    t.equal(await server.stop(), 0)
    server = start(red, 'tunnel', addresses[0], '51820')
    await server.says(/is up\n/)
    await passes()
    await server.says(/in session with 198\.51\.100\.77:51820/)
    t.ok(await passes(), 'after a restart')
    for (const end of [client, server, stranger]) t.equal(await end.stop(), 0)
  })

  t.test('tunnel over IPv6, whose listening side moves, and starts again where it was', async t => {
    if (!requires(t, 'ping')) return
    await using networks = await connectedNetworks('2001:db8::1/64', '2001:db8::2/64')
    const { red, blue } = networks
    process.env.SECRET = 'known to both'
    t.teardown(() => delete process.env.SECRET)
    let server = start(red, 'tunnel', '10.9.0.1/24', '51820')
    await server.says(/tun0 is up\n/)
    const client = start(blue, 'tunnel', '10.9.0.2/24', '51820', '2001:db8::1')
    await client.says(/in session with \[2001:db8::1\]:51820/)
    await server.says(/in session with \[2001:db8::2\]:51820/)
    const large = ['-c', '1', '-W', '2', '-M', 'do', '-s', '1392', '10.9.0.1']
    t.equal((await blue.namespace.exec('ping', large, { reject: false })).code, 0, 'up to the MTU')

    const move = async (from: string, to: string) => {
      await red.addresses.create({ link: 'v0', address: to, dad: 'skip' })
      await red.addresses.delete({ link: 'v0', address: from })
    }
    await move('2001:db8::1/64', '2001:db8::77/64')
    t.equal((await ping(red, '10.9.0.2')).code, 0, 'it is heard from its new address')
    t.equal((await ping(blue, '10.9.0.1')).code, 0, 'and there it is sent to')

    t.equal(await server.stop(), 0)
    await move('2001:db8::77/64', '2001:db8::1/64')
    server = start(red, 'tunnel', '10.9.0.1/24', '51820')
    await server.says(/is up\n/)
    let passes = false
    for (let i = 0; i < 30 && !passes; i++) passes = (await ping(blue, '10.9.0.1')).code === 0
    t.ok(passes, 'where it was first it is asked for again')
    await client.says(/in session with \[2001:db8::1\]:51820/)
    for (const end of [client, server]) t.equal(await end.stop(), 0)
  })

  t.test('tunnel, whose words are sent back to it, and again', async t => {
    if (!requires(t, 'ping')) return
    await using networks = await connectedNetworks('198.51.100.1/24', '198.51.100.2/24')
    const { red, blue } = networks
    process.env.SECRET = 'known to both'
    t.teardown(() => delete process.env.SECRET)
    const mirror = await UdpSocket.open({ in: red, port: 51820 })
    const client = start(blue, 'tunnel', '10.9.0.2/24', '51820', '198.51.100.1')
    const heard: Buffer[] = []
    const types: number[] = []
    for await (const batch of mirror.batches()) {
      for (let i = 0; i < batch.count; i++) {
        const datagram = Buffer.from(batch.copy(i))
        types.push(datagram.readUInt32LE())
        heard.push(datagram)
        for (const each of heard) mirror.trySend(each, { to: batch.endpoint(i) })
      }
      if (heard.length >= 3) break
    }
    t.same(types, [1, 1, 1], 'it greets, and answers none of its own greetings')
    await mirror.close()
    const server = start(red, 'tunnel', '10.9.0.1/24', '51820')
    await server.says(/is up\n/)
    t.match(await client.says(/in session with .*\n/), '198.51.100.1:51820')
    await server.says(/in session with 198\.51\.100\.2:51820/)
    t.equal((await ping(blue, '10.9.0.1')).code, 0)
    for (const end of [client, server]) t.equal(await end.stop(), 0)
  })

  t.test('capture', async t => {
    if (!requires(t, 'ping')) return
    await using networks = await connectedNetworks('192.0.2.1/24', '192.0.2.2/24')
    const { red } = networks
    const example = start(red, 'capture', 'v0', 'icmp')
    await example.says(/^capturing v0$/m)
    await ping(red, '192.0.2.2')
    t.ok(await example.says(/192\.0\.2\.2 > 192\.0\.2\.1: icmp echo reply/))
    t.equal(await example.stop(), 0)
    const directory = await mkdtemp(join(tmpdir(), 'netloom-example-'))
    t.teardown(() => rm(directory, { recursive: true }))
    const file = join(directory, 'trace.pcapng')
    const writer = start(red, 'capture', 'v0', '', file)
    await writer.says(/^capturing v0$/m)
    await ping(red, '192.0.2.2')
    t.equal(await writer.stop(), 0)
    t.equal((await readFile(file)).readUint32LE(0), 0x0a0d0d0a)
  })

  t.test('write-pcapng', async t => {
    if (!requires(t, 'ping')) return
    await using network = await Network.create()
    const directory = await mkdtemp(join(tmpdir(), 'netloom-example-'))
    t.teardown(() => rm(directory, { recursive: true }))
    const file = join(directory, 'tap.pcapng')
    const example = start(network, 'write-pcapng', file)
    await example.says(/^tap0 is up$/m)
    await ping(network, '192.0.2.2')
    t.equal(await example.stop(), 0)
    t.equal((await readFile(file)).readUint32LE(0), 0x0a0d0d0a)
    if (!requires(t, 'tshark')) return
    const { stdout, status } = spawnSync('tshark', ['-nr', file, '-Y', 'arp'], { encoding: 'utf8' })
    t.equal(status, 0)
    t.match(stdout, 'Who has 192.0.2.2? Tell 192.0.2.1')
  })

  t.test('read-capture', async t => {
    const file = join(t.testdir(), 'dns.pcapng')
    const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
    const ipv4 = { source: '10.0.0.1', destination: '10.0.0.2' }
    const frames = [53, 54, 53].map(destinationPort =>
      encode({ ethernet, ipv4, udp: { sourcePort: 1024, destinationPort }, payload: new Uint8Array(3) }),
    )
    const writer = new PcapWriter({ linkType: 'ethernet' })
    const packets = frames.map(data => writer.packet({ timestamp: 0n, data }))
    await writeFile(file, [writer.header(), ...packets, new Uint8Array(5)])
    const { status, stdout, stderr } = run('read-capture', [], [file])
    t.equal(status, 0, stderr)
    const line = /^IP 10\.0\.0\.1\.1024 > 10\.0\.0\.2\.53: udp length 3$/
    t.match(stdout.split('\n'), [line, line, '3 packets', /^the file ends within a packet, at byte \d+$/, ''])
  })

  t.test('lossy-cable', async t => {
    const { status, stdout, stderr } = run('lossy-cable')
    t.equal(status, 0, stderr)
    const [good, bad] = [...stdout.matchAll(/^loss \d+ %: (\d+) of 100 datagrams arrived$/gm)].map(match =>
      Number(match[1]),
    )
    t.equal(good, 100)
    t.ok(bad! > 40 && bad! < 100, `${bad} of 100`)
  })

  t.test('queues', async t => {
    const { status, stdout, stderr } = run('queues', [], ['2', '1'])
    t.equal(status, 0, stderr)
    const flows = [...stdout.matchAll(/^queue \d: (\d+) flows, [1-9]\d* frames$/gm)].map(match =>
      Number(match[1]),
    )
    t.equal(flows.length, 2)
    t.equal(flows[0]! + flows[1]!, 32, 'none was seen on two queues')
  })

  t.test('forward', async t => {
    if (!requires(t, 'ping')) return
    const { status, stdout, stderr } = run('forward')
    t.equal(status, 0, stderr)
    const lines = stdout.split('\n')
    t.match(lines.slice(0, 4).sort(), [
      /^cable: ARP reply 10\.0\.0\.2 is-at/,
      /^cable: IP 10\.0\.0\.2 > 10\.0\.0\.1: icmp echo reply/,
      /^tap: ARP who-has 10\.0\.0\.2 tell 10\.0\.0\.1$/,
      /^tap: IP 10\.0\.0\.1 > 10\.0\.0\.2: icmp echo request/,
    ])
    t.match(lines[4], /^aToB: \d+ bytes in \d+ frames, 3 were filtered out$/)
    const [, bytes, frames] = /^bToA: (\d+) bytes in (\d+) frames, 0 were filtered out$/.exec(lines[5]!)!
    t.ok(
      Number(bytes) > 32 << 20 && Number(bytes) / Number(frames) > 1514,
      `${bytes} bytes in ${frames} frames`,
    )
  })

  t.test('two-networks', async t => greets(t, []))
  t.test('two-networks, as an ordinary user', async t => {
    if (requires(t, 'setpriv')) greets(t, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'])
  })

  t.test('router, as root and as an ordinary user', async t => {
    const said = 'added: 0.0.0.0/0 via 10.0.0.1\nHello, 192.0.2.1!\n'
    t.match(run('router'), { status: 0, stdout: said })
    if (!requires(t, 'setpriv')) return
    t.match(run('router', ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']), {
      status: 0,
      stdout: said,
    })
  })

  t.test('every example was run', async t => {
    const examples = readdirSync(folder).filter(name => name.endsWith('.mjs'))
    t.same(
      examples.filter(name => !tested.has(name)),
      [],
    )
  })

  t.test('nothing is left', leaks)
}

/** An example that ends by itself. */
function run(name: string, before: string[] = [], given: string[] = []) {
  const [program, args] = commandLine(name, given)
  const [first, ...rest] = [...before, program, ...args]
  return spawnSync(first!, rest, { encoding: 'utf8', timeout: 30_000 })
}

function greets(t: Test, before: string[]): void {
  const { status, stdout, stderr } = run('two-networks', before)
  t.equal(status, 0, stderr)
  t.equal(stdout, 'Hello, 10.0.0.2!\n')
}
