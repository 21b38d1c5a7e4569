import { execFileSync, spawnSync } from 'node:child_process'
import { createWriteStream, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import dnsPacket from 'dns-packet'
import t from 'tap'
import { encode, FrameBatch, frameFlags } from '../../../src/frames/index.js'
import { Network } from '../../../src/network/index.js'
import { captureBytes, PcapngWriter, readCapture } from '../../../src/pcap/index.js'
import { main, netloom, startNetloom } from '../../support/cli.js'
import { uniqueName, watchLeaks } from '../../support/leaks.js'
import { requires, requiresRoot } from '../../support/requires.js'

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const frame = (i: number) =>
  encode({
    ethernet,
    ipv4: { source: '192.0.2.1', destination: `192.0.2.${2 + (i % 3)}` },
    ...(i % 2
      ? { udp: { sourcePort: 1000 + i, destinationPort: 53 } }
      : { tcp: { sourcePort: 50_000 + i, destinationPort: 80 } }),
    payload: new Uint8Array(i),
  })
const start = 1_700_000_000_123_456_789n
const count = 100

async function makeFile(path: string, format: 'pcap' | 'pcapng'): Promise<string> {
  const batch = Object.assign(
    FrameBatch.from(
      'ethernet',
      Array.from({ length: count }, (_, i) => frame(i)),
    ),
    {
      timestamps: BigInt64Array.from({ length: count }, (_, i) => start + BigInt(i) * 1_234_567n),
      flags: Uint32Array.from({ length: count }, (_, i) =>
        i % 4 ? frameFlags.inbound : frameFlags.outbound,
      ),
      interfaces: new Uint32Array(count),
    },
  )
  await pipeline(captureBytes([batch], { format }), createWriteStream(path))
  return path
}

async function packetsIn(path: string): Promise<{ timestamp?: bigint | undefined; data: Uint8Array }[]> {
  const list = []
  for await (const { timestamp, data } of readCapture(readFileSync(path)).packets())
    list.push({ timestamp, data })
  return list
}

t.test('DNS is shown with dns-packet', async t => {
  const payload = dnsPacket.encode({ id: 7, flags: 0x100, questions: [{ name: 'example.org', type: 'MX' }] })
  const data = encode({
    ethernet,
    ipv4: { source: '192.0.2.1', destination: '192.0.2.53' },
    udp: { sourcePort: 1000, destinationPort: 53 },
    payload,
  })
  const writer = new PcapngWriter()
  const path = join(t.testdir(), 'dns.pcapng')
  const blocks = [
    writer.section(),
    writer.interface({ linkType: 'ethernet' }),
    writer.packet({ timestamp: 1n, data }),
  ]
  writeFileSync(path, Buffer.concat(blocks))
  t.equal(
    netloom('capture', '-t', '-r', path).stdout,
    'IP 192.0.2.1.1000 > 192.0.2.53.53: dns 7+ MX? example.org. (29)\n',
  )
  t.match(JSON.parse(netloom('capture', '--json', '-r', path).stdout), {
    dns: { id: 7, questions: [{ name: 'example.org', type: 'MX' }] },
  })
})

t.test('files are read as tcpdump reads them', async t => {
  if (!requires(t, 'tcpdump')) return
  const directory = t.testdir()
  for (const format of ['pcap', 'pcapng'] as const) {
    const file = await makeFile(join(directory, `a.${format}`), format)
    const tcpdump = (...args: string[]) =>
      spawnSync('tcpdump', ['-n', '-r', file, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 }).stdout
    const ours = (...args: string[]) => {
      const { status, stdout, stderr } = netloom('capture', '-n', '-r', file, ...args)
      t.equal(status, 0, stderr)
      return stdout
    }
    const lines = (text: string, pattern: RegExp) =>
      text.split('\n').flatMap(line => pattern.exec(line)?.[0] ?? [])
    const stamp = /^[\d:. -]+(?= IP )/
    for (const how of format === 'pcap' ? [['-tt']] : [['-tttt'], [], ['-ttt'], ['-ttttt']]) {
      const theirs = lines(tcpdump(...how), stamp).map(time => time.trim())
      t.equal(theirs.length, count)
      t.same(
        lines(ours(...how), stamp).map(time => time.trim()),
        theirs,
        `times ${how}`,
      )
    }
    t.same(lines(ours('-tt', '--nano'), stamp), lines(tcpdump('-tt', '--nano'), stamp))
    for (const how of format === 'pcap' ? ['-x', '-XX'] : ['-xx', '-X']) {
      const theirs = lines(tcpdump(how), /^\t.*/)
      t.ok(theirs.length > count)
      t.same(lines(ours(how), /^\t.*/), theirs, how)
    }
    for (const filter of ['port 53 and dst 192.0.2.3', 'tcp[2:2] = 80 or greater 120', 'arp']) {
      const theirs = lines(tcpdump('-tt', filter), stamp)
      t.same(lines(ours('-tt', filter), stamp), theirs, filter)
      t.equal(lines(ours('-tt', '-c', '7', ...filter.split(' ')), stamp).length, Math.min(7, theirs.length))
    }
    t.equal(lines(ours('-t', '-Q', 'out'), /^IP/).length, format === 'pcapng' ? count / 4 : 0)
    const objects = ours('--json', '-c', '2')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as object)
    t.match(objects, [
      {
        timestamp: String(start),
        linkType: 'ethernet',
        ipv4: { source: '192.0.2.1' },
        tcp: { destinationPort: 80 },
      },
      { udp: { sourcePort: 1001 } },
    ])
  }
})

t.test('files from files', async t => {
  const directory = t.testdir()
  const ng = await makeFile(join(directory, 'a.pcapng'), 'pcapng')
  const pcap = await makeFile(join(directory, 'a.pcap'), 'pcap')
  const to = (name: string) => join(directory, name)
  for (const [from, name] of [
    [ng, 'b.pcapng'],
    [pcap, 'b.pcap'],
    [ng, 'b'],
    [pcap, 'c'],
  ] as const) {
    t.match(netloom('capture', '-r', from, '-w', to(name)), {
      status: 0,
      stdout: '',
      stderr: /100 packets read/,
    })
    t.ok(readFileSync(to(name)).equals(readFileSync(from)), `${name} is the same file`)
  }
  t.match(netloom('capture', '-q', '-r', ng, '-w', to('d.pcap')), { status: 0, stderr: '' })
  t.same(await packetsIn(to('d.pcap')), await packetsIn(ng), 'in the other format')
  netloom('capture', '-r', ng, '-w', to('e.pcapng'), '-c', '5', 'udp')
  const some = await packetsIn(to('e.pcapng'))
  t.same(some, (await packetsIn(ng)).filter((_, i) => i % 2 === 1).slice(0, 5))
  const both = netloom('capture', '-r', ng, '-w', to('f.pcapng'), '--print', '-t', 'src port 1001')
  t.match(both.stdout, /^IP 192\.0\.2\.1\.1001 > 192\.0\.2\.3\.53: .*\n$/)
  t.equal((await packetsIn(to('f.pcapng'))).length, 1)
  const piped = spawnSync(process.execPath, [main, 'capture', '-r', '-', '-t', '-c', '1'], {
    input: readFileSync(ng),
  })
  t.match(piped.stdout.toString(), /^IP 192\.0\.2\.1\.50000 > 192\.0\.2\.2\.80: tcp/)
  const out = spawnSync(process.execPath, [main, 'capture', '-r', ng, '-w', '-'])
  t.ok(out.stdout.equals(readFileSync(ng)))
})

t.test('several interfaces, comments, link types without a decoder, and an early end', async t => {
  const directory = t.testdir()
  const file = join(directory, 'a.pcapng')
  const writer = new PcapngWriter()
  const parts = [
    writer.section(),
    writer.interface({ linkType: 'ethernet', name: 'veth0' }),
    writer.interface({ linkType: 105 }),
    writer.packet({ timestamp: start, data: frame(1), flags: frameFlags.outbound, comments: ['look'] }),
    writer.packet({ interface: 1, timestamp: start, data: frame(2) }),
  ]
  const stream = createWriteStream(file)
  for (const part of parts) stream.write(part)
  await new Promise<void>(resolve =>
    stream.end(writer.packet({ timestamp: start, data: frame(3) }).subarray(0, 40), resolve),
  )
  const { status, stdout, stderr } = netloom('capture', '-r', file, '-t')
  t.equal(status, 0)
  t.match(stdout, /^veth0 Out IP 192\.0\.2\.1\.1001 > .*\n\t# look\n#1 ieee802\.11, length \d+\n$/)
  t.match(stderr, /ends within a packet, at byte \d+/)
  t.match(netloom('capture', '-r', file, 'udp'), {
    status: 2,
    stderr: /no filters for packets of ieee802\.11/,
  })
})

t.test('who reads no further ends it without a word', async t => {
  const file = await makeFile(join(t.testdir(), 'a.pcapng'), 'pcapng')
  const script = `for i in 1 2 3 4 5 6 7 8; do cat '${file}'; done | '${process.execPath}' '${main}' capture -r - -XX | head -n 1`
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
  t.match(stdout, /^\d\d:\d\d:\d\d\.\d{6} IP .*\n$/)
  t.equal(stderr, '')
})

t.test('the view of --follow', async t => {
  const file = await makeFile(join(t.testdir(), 'a.pcapng'), 'pcapng')
  const { status, stdout } = netloom('capture', '-r', file, '--follow')
  t.equal(status, 0)
  t.match(stdout, /packets\/s .*bit\/s .*100 packets .* 0 dropped .* most tcp\/80\n/)
  t.match(stdout, /\ntcp\/80 +50 .*\nudp\/53 +50 /)
  t.match(stdout, /\n192\.0\.2\.1 +→ 192\.0\.2\.4 +33 /)
  t.notOk(stdout.includes('\x1b'))
  if (!requires(t, 'script')) return
  const command = `'${process.execPath}' '${main}' capture -r '${file}' --follow`
  const terminal = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8' })
  t.ok(terminal.stdout.includes('\x1b[J'), 'is redrawn on a terminal')
  t.match(terminal.stdout, /packets\/s/)
})

t.test('what does not go together', async t => {
  const file = await makeFile(join(t.testdir(), 'a.pcapng'), 'pcapng')
  for (const [args, message] of [
    [[], /either an interface/],
    [['-i', 'lo', '-r', file], /either an interface/],
    [['-r', file, '--in', 'x'], /--in goes with an interface/],
    [['-r', file, '-s', '100'], /--snapshot-length goes with/],
    [['-r', file, '--print'], /--print goes with -w/],
    [['-r', file, '-w', file], /would overwrite/],
    [['-r', file, '--follow', '--json'], /neither --json/],
    [['-r', file, '-w', '-', '--print'], /needs the standard output/],
    [['-i', 'lo', '-w', 'x', '-W', '3'], /--files goes with/],
    [['-i', 'lo', '-w', '-', '-C', '3'], /--megabytes goes with/],
    [['-i', 'lo', '-c', '0'], /--count 0/],
    [['-r', file, '-w', 'x.pcap.gz'], /a compressed file goes with -i/],
    [['-i', 'lo', '-F', file, 'udp'], /-F goes without/],
    [['-i', 'lo', '-B', '1048577'], /from 1 to 1048576/],
    [['-i', 'lo', '-Q', 'up'], /must be one of in, out, inout/],
    [['-r', file, 'udp', 'prot', '53'], />>prot<</],
    [['-r', file, 'host', 'example.org'], /example\.org/],
  ] as const)
    t.match(netloom('capture', ...args), { status: 2, stdout: '', stderr: message }, args.join(' '))
  t.match(netloom('capture', '-r', '/nowhere/at/all'), { status: 1, stderr: /^netloom: ENOENT.*\n$/ })
  t.match(netloom('capture', '-r', main), { status: 1, stderr: /^netloom: neither pcap nor pcapng.*\n$/ })
})

if (requiresRoot(t) && requires(t, 'ping')) {
  const leaks = watchLeaks()

  t.test('live', async t => {
    const name = uniqueName()
    const network = await Network.create({ name })
    t.teardown(() => network.delete())
    await using other = await Network.create()
    await network.links.create({
      kind: 'veth',
      name: 'left',
      up: true,
      addresses: ['10.0.0.1/24'],
      peer: { name: 'right', in: other },
    })
    await other.addresses.create({ link: 'right', address: '10.0.0.2/24' })
    await other.links.change('right', { up: true })
    const ping = (times = 1) =>
      network.namespace.exec('ping', ['-c', String(times), '-i', '0.01', '-W', '5', '10.0.0.2'])
    const directory = t.testdir()

    await t.test('prints, until Ctrl-C', async t => {
      const running = startNetloom('capture', '-i', 'left', '--in', name, '-t', 'icmp')
      await running.complaint(/listening on left, link type ethernet, snapshot length 262144 bytes/)
      await ping()
      await running.line(/^IP 10\.0\.0\.1 > 10\.0\.0\.2: icmp echo request/)
      await running.line(/^IP 10\.0\.0\.2 > 10\.0\.0\.1: icmp echo reply/)
      t.equal(await running.stop('SIGINT'), 0)
      t.equal(
        await running.complaint(/captured/),
        'netloom: 2 captured, 2 passed the filter, 0 dropped by the kernel',
      )
    })

    await t.test('of all interfaces, with names', async t => {
      const running = startNetloom(
        'capture',
        '-i',
        'any',
        '--in',
        name,
        '-t',
        '--immediate-mode',
        '-q',
        'icmp',
      )
      // Quiet: there is nothing that says when it is ready.
      const pings = new AbortController()
      const pinging = (async () => {
        while (!pings.signal.aborted) await ping()
      })()
      await running.line(/^left Out IP 10\.0\.0\.1 > 10\.0\.0\.2: icmp echo request/)
      await running.line(/^left In {2}IP 10\.0\.0\.2 > 10\.0\.0\.1: icmp echo reply/)
      t.equal(await running.stop('SIGTERM'), 0)
      pings.abort()
      await pinging
    })

    for (const how of [['-w'], ['--print', '-w']]) {
      await t.test(`into a file, ${how.join(' ')}`, async t => {
        const file = join(directory, `${how.length}.pcapng`)
        const running = startNetloom('capture', '-i', 'left', '--in', name, '-c', '4', ...how, file, 'icmp')
        await running.complaint(/listening/)
        await ping(3)
        t.equal(await running.ended, 0)
        const capture = readCapture(readFileSync(file))
        const packets = []
        for await (const packet of capture.packets()) packets.push(packet)
        t.match(capture.interfaces, [{ name: 'left', linkType: 'ethernet', snapLength: 262144 }])
        t.match(packets, [{ flags: 2 }, { flags: /[159]$/ }, { flags: 2 }, { flags: /[159]$/ }])
        if (!requires(t, 'tshark')) return
        const output = execFileSync('tshark', ['-n', '-r', file], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        })
        t.match(output, /10\.0\.0\.1 → 10\.0\.0\.2 .*Echo \(ping\) request/)
        t.equal(output.trim().split('\n').length, 4)
      })
    }

    await t.test('into tshark', async t => {
      if (!requires(t, 'tshark')) return
      const script = `'${process.execPath}' '${main}' capture -i left --in ${name} -c 2 -w - icmp | tshark -l -n -r - -T fields -e ip.src 2>/dev/null`
      const running = network.namespace.exec('sh', ['-c', script])
      const pings = new AbortController()
      const pinging = (async () => {
        while (!pings.signal.aborted) await ping()
      })()
      const { stdout } = await running
      pings.abort()
      await pinging
      t.same(stdout.trim().split('\n').sort(), ['10.0.0.1', '10.0.0.2'])
    })

    await t.test('into a ring of files', async t => {
      const file = join(directory, 'ring.pcapng')
      const running = startNetloom(
        'capture',
        '-i',
        'left',
        '--in',
        name,
        '-w',
        file,
        '-C',
        '1',
        '-W',
        '2',
        'icmp',
      )
      await running.complaint(/listening/)
      while (!existsSync(join(directory, 'ring-00003.pcapng')))
        await network.namespace.exec('ping', ['-c', '20', '-f', '-s', '40000', '10.0.0.2'])
      t.equal(await running.stop('SIGINT'), 0)
      const files = readdirSync(directory).filter(name => name.startsWith('ring-'))
      t.equal(files.length, 2)
      t.notOk(existsSync(join(directory, 'ring-00001.pcapng')), 'the oldest has gone')
    })

    await t.test('into compressed files, with a filter that the kernel refuses', async t => {
      const file = join(directory, 'refused.pcap.gz')
      // An access list of six thousand ranges of ports.
      const ranges = Array.from({ length: 6000 }, (_, i) => `udp portrange ${i * 10 + 1}-${i * 10 + 3}`)
      const filter = join(directory, 'filter')
      writeFileSync(filter, `icmp or ${ranges.join(' or ')}`)
      const running = startNetloom(
        ...['capture', '-i', 'left', '--in', name, '-w', file, '-C', '1', '-c', '2', '-F', filter],
      )
      await running.complaint(/listening/)
      await ping()
      t.equal(await running.ended, 0)
      const made = readdirSync(directory).filter(name => name.startsWith('refused-'))
      t.same(made, ['refused-00001.pcap.gz'])
      const bytes = readFileSync(join(directory, made[0]!))
      t.equal(bytes.readUInt16BE(), 0x1f8b, 'is gzip')
      t.equal((await packetsIn(join(directory, made[0]!))).length, 2)
    })

    await t.test('followed', async t => {
      const running = startNetloom('capture', '-i', 'left', '--in', name, '--follow', 'icmp')
      await running.complaint(/listening/)
      await ping(3)
      await running.line(/packets\/s .* 6 packets .* most icmp$/)
      t.equal(await running.stop('SIGINT'), 0)
      await running.line(/^10\.0\.0\.1 +→ 10\.0\.0\.2 +3 /)
    })

    await t.test('an interface that goes', async t => {
      await network.links.create({ kind: 'veth', name: 'gone', up: true, peer: { name: 'gone1' } })
      const running = startNetloom('capture', '-i', 'gone', '--in', name)
      await running.complaint(/listening/)
      await network.links.delete('gone')
      await running.complaint(/gone is no longer there/)
      t.equal(await running.ended, 1)
    })

    t.match(netloom('capture', '-i', 'nobody', '--in', name), { status: 1, stderr: /nobody/ })
  })

  t.test('leaves nothing behind', async t => leaks(t))
}
