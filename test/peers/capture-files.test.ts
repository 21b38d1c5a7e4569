/** Files that others write and we read, and the other way around. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { encode, FrameBatch, frameFlags } from '../../src/frames/index.js'
import {
  CaptureFileError,
  type CaptureFileOptions,
  type CaptureInterface,
  type CaptureItem,
  type CapturePacket,
  captureBytes,
  isFileBatch,
  microseconds,
  PcapngWriter,
  PcapWriter,
  readCapture,
} from '../../src/pcap/index.js'
import { shippedCaptures } from '../support/capture-files.js'
import { requires, requiresThat } from '../support/requires.js'

const count = 200

/** What `randpkt` makes: packets of any length, a second apart, and of this century. */
function generate(directory: string, type = 'dns', name = `${type}.pcap`): string {
  const file = join(directory, name)
  const early = `${file}-1970`
  execFileSync('randpkt', ['-b', '400', '-c', `${count}`, '-t', type, early], { stdio: 'ignore' })
  execFileSync('editcap', ['-F', 'pcap', '-t', '1700000000', early, file])
  return file
}

async function read(file: string): Promise<CaptureItem[]> {
  const items: CaptureItem[] = []
  for await (const item of readCapture(createReadStream(file)).items()) items.push(item)
  return items
}

const packetsOf = (items: CaptureItem[]): CapturePacket[] =>
  items.filter(isFileBatch).flatMap(batch => Array.from({ length: batch.count }, (_, i) => batch.packet(i)))

/** Custom blocks are frames too for tshark, of no link type. */
const isPacket = 'frame.encap_type'

/** Number, time, lengths and bytes of every frame, as tshark knows them. */
function seenByTshark(t: Test, file: string, broken = false): string[] {
  const fields = ['frame.time_epoch', 'frame.cap_len', 'frame.len', 'frame.interface_id']
  const { status, stdout, stderr } = spawnSync(
    'tshark',
    ['-n', '-r', file, '-Y', isPacket, '-T', 'fields', ...fields.flatMap(field => ['-e', field])],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  )
  const complaints = stderr.split('\n').filter(line => line !== '' && !line.startsWith('Running as user'))
  if (broken) t.ok(complaints.length > 0, 'tshark does not read all of it either')
  else t.same([status, complaints], [0, []], 'tshark has nothing to complain of')
  return stdout
    .split('\n')
    .slice(0, -1)
    .map(line => line.replace(/\t$/, '\t0'))
}

const epoch = (time: bigint) => `${time / 1_000_000_000n}.${`${time % 1_000_000_000n}`.padStart(9, '0')}`

/** The same, as we know them. Simple packets have no time. */
function seenByUs(items: CaptureItem[]): string[] {
  return packetsOf(items).map(({ timestamp, data, originalLength, interface: number }) =>
    [timestamp === undefined ? '' : epoch(timestamp), data.length, originalLength, number].join('\t'),
  )
}

/** The bytes of the first frames, from tshark and from us. */
function sameBytes(t: Test, file: string, packets: CapturePacket[]): void {
  const json = JSON.parse(
    spawnSync('tshark', ['-n', '-r', file, '-Y', isPacket, '-T', 'jsonraw', '-j', 'frame', '-c', '50'], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    }).stdout,
  ) as { _source: { layers: { frame_raw: [string] } } }[]
  t.same(
    json.map(frame => frame._source.layers.frame_raw[0]),
    packets.slice(0, json.length).map(packet => Buffer.from(packet.data).toString('hex')),
    'bytes',
  )
}

t.test('every format that editcap writes is read', async t => {
  if (!requires(t, 'tshark', 'editcap', 'randpkt')) return
  const directory = t.testdir()
  const source = generate(directory)
  const expected = packetsOf(await read(source))
  t.equal(expected.length, count)
  for (const [format, variant] of [
    ['pcap', 'standard'],
    ['nsecpcap', 'standard'],
    ['modpcap', 'modified'],
    ['nokiapcap', 'nokia'],
    ['rh6_1pcap', 'red-hat-6.1'],
    ['suse6_3pcap', 'suse-6.3'],
    ['pcapng', undefined],
  ] as const) {
    await t.test(format, async t => {
      const file = join(directory, `dns.${format}`)
      execFileSync('editcap', ['-F', format, source, file])
      for (const compressed of [false, true]) {
        if (compressed) writeFileSync(file, gzipSync(readFileSync(file)))
        const items = await read(file)
        const packets = packetsOf(items)
        t.match(items[0], { format: format === 'pcapng' ? 'pcapng' : 'pcap', variant })
        t.same(packets, expected)
        t.same(seenByUs(items), seenByTshark(t, file))
        sameBytes(t, file, packets)
      }
    })
  }
})

t.test('files written again are the same', async t => {
  if (!requires(t, 'editcap', 'mergecap', 'randpkt')) return
  const directory = t.testdir()
  const [dns, arp, ethernet] = ['dns', 'arp', 'eth'].map(type => generate(directory, type)) as [
    string,
    string,
    string,
  ]
  const [ng, commented, merged, ring, secrets, keys] = [
    'ng',
    'commented',
    'merged',
    'ring',
    'secrets',
    'keys',
  ].map(name => join(directory, name)) as [string, string, string, string, string, string]
  execFileSync('editcap', ['-F', 'pcapng', dns, ng])
  execFileSync('editcap', ['-a', '1:one', '-a', '3:three', '--capture-comment', 'a file', ng, commented])
  execFileSync('mergecap', ['-F', 'pcapng', '-w', merged, ng, arp, ethernet])
  execFileSync('mergecap', ['-F', 'pcapng', '-I', 'none', '-w', ring, commented, ng, arp])
  writeFileSync(keys, `CLIENT_RANDOM ${'ab'.repeat(32)} ${'cd'.repeat(48)}\n`)
  execFileSync('editcap', ['--inject-secrets', `tls,${keys}`, merged, secrets])
  for (const file of [dns, ng, commented, merged, ring, secrets]) {
    const items = await read(file)
    const format = file === dns ? 'pcap' : 'pcapng'
    const parts: Uint8Array[] = []
    for await (const part of captureBytes(items, { format })) parts.push(part)
    t.ok(Buffer.concat(parts).equals(readFileSync(file)), file)
    if (format === 'pcap') continue
    const writer = new PcapngWriter()
    const made = items.map(item =>
      isFileBatch(item)
        ? Buffer.concat(packetsOf([item]).map(packet => writer.packet(packet)))
        : writer.item(item),
    )
    t.ok(Buffer.concat(made).equals(readFileSync(file)), `${file}, block by block`)
  }
  t.match(packetsOf(await read(commented))[2], { comments: ['three'] })
  t.match((await read(commented))[0], { comments: ['a file'] })
  t.match(
    (await read(secrets)).find(item => item.type === 'secrets'),
    { kind: 0x544c534b, data: { length: readFileSync(keys).length } },
  )
  t.equal((await read(ring)).filter(item => item.type === 'interface').length, 3)
})

const ethernet = { destination: '02:00:00:00:00:02', source: '02:00:00:00:00:01' }
const ipv4 = { source: '192.0.2.1', destination: '192.0.2.2' }
const frames = Array.from({ length: count }, (_, i) =>
  encode({ ethernet, ipv4, udp: { sourcePort: 1000 + i, destinationPort: 9 }, payload: new Uint8Array(i) }),
)
const start = 1_700_000_000_123_456_789n

function batch(): FrameBatch<'ethernet'> {
  return Object.assign(FrameBatch.from('ethernet', frames), {
    timestamps: BigInt64Array.from(frames, (_, i) => start + BigInt(i) * 1_000_003n),
    originalLengths: Uint32Array.from(frames, (frame, i) => frame.length + (i % 3)),
    flags: Uint32Array.from(frames, (_, i) => [0, frameFlags.inbound, frameFlags.outbound][i % 3]!),
    interfaces: Uint32Array.from(frames, (_, i) => 3 + (i % 2)),
  })
}

t.test('what we write of batches, others read', async t => {
  if (!requires(t, 'tshark', 'capinfos', 'tcpdump')) return
  const directory = t.testdir()
  for (const [name, type, options] of [
    ['ng', 'pcapng', {}],
    ['ng-us', 'pcapng', { timestampResolution: microseconds }],
    ['ng-big', 'pcapng', { section: { littleEndian: false } }],
    ['ng-binary', 'pcapng', { timestampResolution: { base: 2, exponent: 33 } }],
    ['nsec', 'nsecpcap', { format: 'pcap' }],
    ['usec', 'pcap', { format: 'pcap', timestampResolution: microseconds }],
    ['snap', 'pcapng', { snapLength: 50 }],
  ] as [string, string, CaptureFileOptions][]) {
    await t.test(name, async t => {
      const file = join(directory, name)
      const describe = (column: number | undefined) => ({ name: `veth${column}` })
      const all = options.format === 'pcap' ? options : { describe, ...options }
      await pipeline(captureBytes([batch()], all), createWriteStream(file))
      const items = await read(file)
      const packets = packetsOf(items)
      t.equal(packets.length, count)
      t.same(seenByTshark(t, file), seenByUs(items))
      if (options.timestampResolution === undefined)
        t.same(
          packets.map(packet => packet.timestamp),
          [...batch().timestamps!],
        )
      sameBytes(t, file, packets)
      const info = execFileSync('capinfos', ['-M', '-t', '-c', file], { encoding: 'utf8' })
      t.match(info, new RegExp(`Number of packets: +${count}`))
      t.match(info, new RegExp(`File type: +${type}\n`))
      // tcpdump takes one snapshot length and resolution for all interfaces, which these files have.
      const dump = spawnSync('tcpdump', ['-n', '-tt', '--nano', '-r', file], { encoding: 'utf8' })
      t.equal(dump.status, 0, dump.stderr)
      const times = dump.stdout.split('\n').flatMap(line => /^\d+\.\d+/.exec(line)?.[0] ?? [])
      t.same(
        times,
        packets.map(packet => epoch(packet.timestamp!)),
        'tcpdump',
      )
    })
  }
})

t.test('options that we write, tshark and capinfos show', async t => {
  if (!requires(t, 'tshark', 'capinfos')) return
  const file = join(t.testdir(), 'options.pcapng')
  const writer = new PcapngWriter()
  const interfaces: Omit<CaptureInterface, 'type'>[] = [
    {
      linkType: 'ethernet',
      snapLength: 128,
      name: 'veth0',
      description: 'the first',
      macAddress: '02:00:00:00:00:01',
      speedBitsPerSecond: 10_000_000_000n,
      filter: { kind: 0, value: Buffer.from('udp port 9') },
      operatingSystem: 'Linux 6.18',
      hardware: 'virtual',
      fcsLength: 4,
      timestampOffsetSeconds: 1_000_000n,
    },
    {
      linkType: 'ip',
      snapLength: 0,
      name: 'tun0',
      timestampResolution: { base: 10, exponent: 7 },
      timestampOffsetSeconds: 1_690_000_000n,
    },
  ]
  const data = frames[60]!
  const packet = {
    timestamp: start,
    data,
    flags: frameFlags.outbound | frameFlags.multicast,
    comments: ['first', 'second'],
    dropCount: 7n,
    packetId: 0x1122334455667788n,
    queue: 3,
    hashes: [{ kind: 2, value: Uint8Array.of(1, 2, 3, 4) }],
    verdicts: [{ kind: 2, value: Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0) }],
  }
  writeFileSync(
    file,
    Buffer.concat([
      writer.section({
        application: 'netloom',
        hardware: 'a machine',
        operatingSystem: 'Linux',
        comments: ['all'],
      }),
      ...interfaces.map(one => writer.interface(one)),
      writer.block({
        type: 'names',
        records: [
          { kind: 'ipv4', address: '192.0.2.1', names: ['left.example'] },
          { kind: 'ipv6', address: '2001:db8::1', names: ['six.example'] },
        ],
      }),
      writer.block({ type: 'secrets', kind: 0x544c534b, data: Buffer.from('# none\n') }),
      writer.packet(packet),
      writer.packet({ interface: 1, timestamp: start + 1n, data: data.subarray(14) }),
      writer.packet({ data }),
      writer.block({ type: 'custom', copy: true, enterprise: 32473, data: new Uint8Array(8) }),
      writer.block({ type: 'unknown', blockType: 0x77, body: new Uint8Array(4) }),
      writer.block({ type: 'statistics', interface: 0, ticks: start, received: 10n, dropped: 7n }),
    ]),
  )
  const fields = [
    'frame.time_epoch',
    'frame.interface_name',
    'frame.comment',
    'frame.packet_flags_direction',
    'frame.packet_flags_reception_type',
    'frame.drop_count',
    'frame.packet_id',
    'frame.interface_queue',
    'frame.verdict.ebpf_xdp',
    'ip.src_host',
  ]
  const { stdout, stderr, status } = spawnSync(
    'tshark',
    ['-r', file, '-N', 'm', '-T', 'fields', ...fields.flatMap(field => ['-e', field])],
    { encoding: 'utf8' },
  )
  t.equal(status, 0, stderr)
  const [one, two, three] = stdout.split('\n').map(line => line.split('\t'))
  one![3] = `${Number(one![3])}`
  const shown = (time: bigint) => epoch(time)
  t.same(one!.slice(0, 6), [shown(start), 'veth0', 'first,second', '2', '2', '7'])
  t.equal(BigInt(one![6]!), 0x1122334455667788n)
  t.equal(one![7], '3')
  t.same(two!.slice(0, 2), [shown(start - 89n), 'tun0'])
  t.equal(three![1], 'veth0')
  const info = execFileSync('capinfos', [file], { encoding: 'utf8' })
  for (const line of [
    'Number of packets:   3',
    'Capture hardware:    a machine',
    'Capture oper-sys:    Linux',
    'Capture application: netloom',
    'Capture comment:     all',
    'Number of interfaces in file: 2',
    'Name = veth0',
    'Description = the first',
    'Speed = 10000000000',
    'Hardware = virtual',
    'Operating system = Linux 6.18',
    'Capture length = 128',
    'Time ticks per second = 10000000',
    'Number of stat entries = 1',
    'Number of decryption secrets in file: 1',
    'Number of resolved IPv4 addresses in file: 1',
    'Number of resolved IPv6 addresses in file: 1',
  ])
    t.ok(info.includes(line), line)
  const items = await read(file)
  t.match(packetsOf(items)[0], packet)
  t.match(
    items.filter(item => item.type === 'interface'),
    interfaces,
  )
})

t.test('frame check sequences of a pcap header are where tshark takes them to be', async t => {
  if (!requires(t, 'tshark')) return
  const file = join(t.testdir(), 'fcs.pcap')
  const writer = new PcapWriter({ linkType: 'ethernet', fcsLength: 4 })
  const data = Uint8Array.from([...frames[60]!, 1, 2, 3, 4])
  writeFileSync(file, Buffer.concat([writer.header(), writer.packet({ timestamp: start, data })]))
  const output = execFileSync('tshark', ['-n', '-r', file, '-T', 'fields', '-e', 'eth.fcs'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.equal(output.trim(), '0x01020304')
  t.match((await read(file))[1], { fcsLength: 4 })
})

t.test('tcpdump writes again what it has read of us, and we read that', async t => {
  if (!requires(t, 'tcpdump')) return
  const directory = t.testdir()
  for (const options of [{}, { format: 'pcap' }] as const) {
    const [ours, theirs] = [join(directory, 'ours'), join(directory, 'theirs')] as const
    await pipeline(captureBytes([batch()], options), createWriteStream(ours))
    const { status, stderr } = spawnSync('tcpdump', ['-r', ours, '--nano', '-w', theirs], {
      encoding: 'utf8',
    })
    t.equal(status, 0, stderr)
    const kept = ({ timestamp, data, originalLength }: CapturePacket) => ({ timestamp, data, originalLength })
    t.same(packetsOf(await read(theirs)).map(kept), packetsOf(await read(ours)).map(kept))
  }
})

t.test('files of Debian packages', async t => {
  if (!requires(t, 'tshark')) return
  const files = shippedCaptures()
  const reason = 'needs capture files, such as those in golang-github-google-gopacket-dev'
  if (!requiresThat(t, files.length > 0, reason)) return
  for (const file of files) {
    await t.test(file, async t => {
      const items: CaptureItem[] = []
      let error: unknown
      try {
        for await (const item of readCapture(createReadStream(file)).items()) items.push(item)
      } catch (thrown) {
        error = thrown
      }
      t.same(seenByUs(items), seenByTshark(t, file, error instanceof CaptureFileError))
      sameBytes(t, file, packetsOf(items))
      const [section] = items
      if (error !== undefined || section?.type !== 'section' || section.format === 'pcap') return
      const parts: Uint8Array[] = []
      for await (const part of captureBytes(items)) parts.push(part)
      const again: CaptureItem[] = []
      for await (const item of readCapture(parts).items()) again.push(item)
      const records = (list: CaptureItem[]) =>
        list.flatMap((item): object[] => (isFileBatch(item) ? packetsOf([item]) : [item]))
      t.strictSame(records(again), records(items), 'written again it says the same')
    })
  }
})
