import { createWriteStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { formatOfName } from '../../capture/index.js'
import { registerDns } from '../../frames/index.js'
import { LiveCapture, type LiveSummary, nameInFile } from '../capture/capture-live.js'
import { Output } from '../capture/output.js'
import { FileSink, type PacketSink, TextSink, TrafficSink } from '../capture/packet-sink.js'
import { readCaptureFile } from '../capture/read-file.js'
import { Traffic } from '../capture/traffic.js'
import { TrafficView } from '../capture/traffic-view.js'
import { type Command, UsageError, type Values } from '../command.js'
import { inNamespace, integer, json, oneOf } from '../options.js'
import { openNetwork } from '../place.js'

const text = (text: string) => text

const options = {
  interface: { help: 'capture this interface, or any', value: 'LINK', short: 'i', parse: text },
  in: inNamespace,
  read: {
    help: 'read a file, pcap or pcapng, also in gzip; - is the standard input',
    value: 'FILE',
    short: 'r',
    parse: text,
  },
  write: { help: 'write a file; - is the standard output', value: 'FILE', short: 'w', parse: text },
  format: {
    help: 'of the file: pcapng, or pcap (default by its name, else as what is read, else pcapng)',
    value: 'FORMAT',
    parse: oneOf(['pcap', 'pcapng']),
  },
  gzip: { help: 'compress the file; one whose name ends in .gz is' },
  print: { help: 'print packets although they are written to a file' },
  count: { ...integer('COUNT', 'end after so many packets', 1, Number.MAX_SAFE_INTEGER), short: 'c' },
  'snapshot-length': {
    ...integer('BYTES', 'keep so many of each packet, 64 to 262144', 0, 262144),
    short: 's',
  },
  'no-promiscuous': { help: 'only what is for this host', short: 'p' },
  direction: {
    help: 'in, out, or inout (default)',
    value: 'WAY',
    short: 'Q',
    parse: oneOf(['in', 'out', 'inout']),
  },
  'immediate-mode': { help: 'every packet at once: more work' },
  'buffer-size': {
    ...integer('KIB', 'of the ring that the kernel fills (default 32768)', 1, 2 ** 20),
    short: 'B',
  },
  'filter-file': { help: 'read the filter from a file', value: 'FILE', short: 'F', parse: text },
  netmask: { help: 'mask of the IPv4 network, which "ip broadcast" needs', value: 'MASK', parse: text },
  megabytes: {
    ...integer('SIZE', 'begin another file after so many million bytes', 1, 1_000_000),
    short: 'C',
  },
  seconds: { ...integer('SECONDS', 'begin another file after so long', 1, 1_000_000_000), short: 'G' },
  files: { ...integer('COUNT', 'keep so many files, the newest', 1, 100_000), short: 'W' },
  follow: { help: 'show rates, protocols and who sends most, instead of packets' },
  interval: integer('SECONDS', 'between the views of --follow (default 1)', 1, 3600),
  json: { ...json, help: 'a JSON object a line for each packet' },
  hex: { help: 'print bytes too; -xx with the header of the link', short: 'x', counted: true },
  'hex-text': {
    help: 'print bytes and what is printable of them; -XX with the header of the link',
    short: 'X',
    counted: true,
  },
  link: { help: 'print MAC addresses', short: 'e' },
  time: {
    help: 'times: -t none, -tt seconds since 1970, -ttt since the packet before, -tttt with the date, -ttttt since the first',
    short: 't',
    counted: true,
  },
  nano: { help: 'times with nine digits' },
  numeric: { help: 'numbers instead of names: always so', short: 'n', counted: true },
  'line-buffered': { help: 'lines as they come: always so', short: 'l' },
  unbuffered: { help: 'files as packets come: always so', short: 'U' },
  quiet: { help: 'no words on the standard error but of failures', short: 'q' },
} as const

type Given = Values<typeof options>

export const capture: Command<typeof options> = {
  name: 'capture',
  summary: 'what passes an interface or is in a file: print it, write it, or follow it',
  words: 'FILTER',
  options,
  notes: `FILTER is an expression of tcpdump's language: netloom capture -i eth0 udp port 53
Into Wireshark: netloom capture -i eth0 -w - | wireshark -k -i -`,
  async run(values, words) {
    check(values)
    await readDns()
    const stop = new AbortController()
    const end = () => stop.abort()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
    try {
      const filter = await filterOf(values, words)
      return await (values.read === undefined
        ? fromInterface(values, filter, stop.signal)
        : fromFile(values, values.read, filter, stop.signal))
    } finally {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
    }
  },
}

/** @throws UsageError for what does not go together */
function check(values: Given): void {
  const { read, write } = values
  if ((read === undefined) === (values.interface === undefined)) {
    throw new UsageError('it takes either an interface (-i) or a file to read (-r)')
  }
  const only = (names: readonly (keyof Given)[], condition: boolean, what: string) => {
    const name = names.find(name => values[name] !== undefined && values[name] !== false)
    if (name !== undefined && !condition) throw new UsageError(`--${name} ${what}`)
  }
  const live = ['in', 'snapshot-length', 'no-promiscuous', 'immediate-mode', 'buffer-size'] as const
  only(live, read === undefined, 'goes with an interface')
  only(['format', 'gzip', 'print'], write !== undefined, 'goes with -w')
  only(
    ['megabytes', 'seconds', 'gzip'],
    write !== '-' && write !== undefined && read === undefined,
    'goes with -i, and -w with a path',
  )
  only(['megabytes', 'seconds', 'gzip'], !values.print && !values.follow, 'goes without --print and --follow')
  if (
    write !== undefined &&
    formatOfName(write).gzip &&
    (read !== undefined || values.print || values.follow)
  ) {
    throw new UsageError('a compressed file goes with -i, and without --print and --follow')
  }
  only(['files'], values.megabytes !== undefined || values.seconds !== undefined, 'goes with -C or -G')
  only(['interval'], values.follow, 'goes with --follow')
  if (values.follow && (values.json || values.print)) {
    throw new UsageError('--follow shows no packets: neither --json nor --print goes with it')
  }
  if (write === '-') {
    if (values.print || values.follow) throw new UsageError('-w - needs the standard output for itself')
    if (process.stdout.isTTY) throw new UsageError('-w - writes bytes, and the standard output is a terminal')
  }
}

async function filterOf({ 'filter-file': path }: Given, words: string[]): Promise<string> {
  if (path === undefined) return words.join(' ')
  if (words.length > 0) throw new UsageError('-F goes without another filter')
  return (await readFile(path, 'utf8')).trim()
}

/** DNS is shown where dns-packet is installed. */
async function readDns(): Promise<void> {
  const found = await import('dns-packet').catch(() => undefined)
  registerDns(found?.default)
}

async function fromInterface(values: Given, filter: string, signal: AbortSignal): Promise<number> {
  const { write, count, 'buffer-size': buffer, 'immediate-mode': immediate } = values
  await using network = await openNetwork(values.in)
  const snapLength = values['snapshot-length'] || undefined
  await using live = await LiveCapture.open(network, {
    interface: values.interface!,
    filter: filter === '' ? undefined : filter,
    netmask: values.netmask,
    snapLength,
    promiscuous: !values['no-promiscuous'],
    direction: values.direction === 'inout' ? undefined : values.direction,
    latency: immediate ? 'low' : 'batched',
    blockCount: buffer === undefined ? undefined : Math.max(1, Math.ceil(buffer / 512)),
    signal,
  })
  const { capture } = live
  say(
    values,
    `listening on ${capture.name}, link type ${capture.linkType}, snapshot length ${capture.maxFrameLength} bytes`,
  )
  const format = formatOf(values)
  if (write !== undefined && !values.print && !values.follow) {
    await live.record(write === '-' ? 1 : write, {
      format,
      rotate: rotation(values),
      ring: values.files,
      stop: { packets: count },
      signal,
      gzip: write === '-' ? undefined : values.gzip || undefined,
    })
  } else {
    const describe = (index: number | undefined) => live.describe(index)
    const sinks: PacketSink[] = []
    if (write !== undefined) sinks.push(new FileSink(await sinkOf(write), { format, describe, snapLength }))
    await into(
      values,
      sinks,
      live.nameOf,
      () => capture.stats().dropped,
      sinks => live.read(sinks, count, signal),
    )
  }
  const summary = await live.end()
  tell(values, summary)
  if (!summary.removed) return 0
  process.stderr.write(`netloom: ${capture.name} is no longer there\n`)
  return 1
}

async function fromFile(values: Given, path: string, filter: string, signal: AbortSignal): Promise<number> {
  const { write, count, netmask, direction } = values
  const sinks: PacketSink[] = []
  if (write !== undefined) {
    if (path !== '-' && write !== '-' && (await isSameFile(path, write)))
      throw new UsageError('-w would overwrite the file that is read')
    const format = values.format ?? formatOf(values, await formatIn(path))
    sinks.push(new FileSink(await sinkOf(write), { format }))
  }
  let packets = 0
  const reading = {
    path,
    filter,
    netmask,
    count,
    direction: direction === 'inout' ? undefined : direction,
    signal,
  }
  await into(
    values,
    sinks,
    nameInFile,
    () => 0n,
    async sinks => {
      packets = await readCaptureFile(reading, sinks)
    },
  )
  if (write !== undefined || values.follow)
    say(values, `${packets} ${packets === 1 ? 'packet' : 'packets'} read`)
  return 0
}

/** Adds what shows packets to the sinks, reads into all of them, and ends them. */
async function into(
  values: Given,
  sinks: PacketSink[],
  nameOf: ConstructorParameters<typeof TextSink>[1],
  dropped: () => bigint,
  read: (sinks: readonly PacketSink[]) => Promise<void>,
): Promise<void> {
  if (!values.follow && (values.write === undefined || values.print)) {
    const { time, nano, link, hex, 'hex-text': hexAndText, json } = values
    sinks.push(new TextSink({ time, nanoseconds: nano, link, hex, hexAndText, json }, nameOf))
  }
  const following = values.follow ? new Following(values, dropped) : undefined
  if (following) sinks.push(new TrafficSink(following.traffic))
  try {
    await read(sinks)
  } finally {
    await following?.end()
    for (const sink of sinks) await sink.end()
  }
}

/** The view of --follow, at intervals. */
class Following {
  readonly traffic = new Traffic()
  readonly #output = new Output(process.stdout)
  readonly #inPlace = process.stdout.isTTY === true
  readonly #view = new TrafficView(this.traffic, this.#output, this.#inPlace)
  readonly #dropped: () => bigint
  readonly #timer: NodeJS.Timeout
  #since = performance.now()
  #showing: Promise<void> = Promise.resolve()

  constructor({ interval = 1 }: Given, dropped: () => bigint) {
    this.#dropped = dropped
    this.#timer = setInterval(() => this.#show(), interval * 1000)
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    this.#show()
    await this.#showing
    if (!this.#inPlace) await this.#output.write(`\n${this.#view.tables()}`)
  }

  #show(): void {
    const seconds = (performance.now() - this.#since) / 1000
    this.#since = performance.now()
    this.#showing = this.#showing.then(() => this.#view.show(seconds, this.#dropped()))
  }
}

function formatOf({ format, write }: Given, otherwise: 'pcap' | 'pcapng' = 'pcapng'): 'pcap' | 'pcapng' {
  if (format !== undefined) return format
  return formatOfName(write ?? '').format ?? otherwise
}

/** What a file is in, by its first bytes; where they are not to be had twice, pcapng, which can say everything. */
async function formatIn(path: string): Promise<'pcap' | 'pcapng'> {
  if (path === '-') return 'pcapng'
  await using file = await open(path)
  const { buffer } = await file.read(new Uint8Array(4), 0, 4, 0)
  const magic = Buffer.from(buffer).toString('hex')
  return /^(?:d4c3b2a1|a1b2c3d4|4d3cb2a1|a1b23c4d)$/.test(magic) ? 'pcap' : 'pcapng'
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map(path => stat(path).catch(() => undefined)))
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
}

async function sinkOf(path: string): Promise<Writable> {
  return path === '-' ? process.stdout : createWriteStream('', { fd: await open(path, 'w') })
}

function rotation({ megabytes, seconds }: Given) {
  if (megabytes === undefined && seconds === undefined) return undefined
  return { bytes: megabytes === undefined ? undefined : megabytes * 1_000_000, seconds }
}

function tell(values: Given, { packets, received, dropped }: LiveSummary): void {
  say(values, `${packets} captured, ${received} passed the filter, ${dropped} dropped by the kernel`)
}

function say({ quiet }: Given, text: string): void {
  if (!quiet) process.stderr.write(`netloom: ${text}\n`)
}
