import { createWriteStream } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'
import {
  invalidArgumentType,
  invalidArgumentValue,
  requireBoolean,
  requireInteger,
  requireOptions,
  SystemError,
} from '../errors/index.js'
import type { LinkType } from '../frames/index.js'
import { onAbort } from '../lifecycle/index.js'
import { PcapngWriter, PcapWriter } from '../pcap/index.js'
import { formatOfName } from './file-name.js'
import { closeDescriptor, disownDescriptor, type NativePacketPort, openPipe } from './handle.js'

/** Bounds; the first that is met counts. */
export interface RecordingBounds {
  packets?: number | undefined
  bytes?: number | undefined
  /** May be a fraction. */
  seconds?: number | undefined
}

export interface RecordingOptions {
  /** Default as the name ends (`.pcap`, `.pcap.gz`), else `pcapng`, which also says which way a packet went, and what was dropped. Times are in nanoseconds. */
  format?: 'pcap' | 'pcapng' | undefined
  /**
   * When the next file is begun. Files are numbered then: `trace.pcapng` gives `trace-00001.pcapng` and so on.
   * `bytes` are before compression.
   */
  rotate?: RecordingBounds | undefined
  /** With `rotate`: how many files are kept. The oldest is deleted when there would be more. Default all. */
  ring?: number | undefined
  /** When to end. Default never. */
  stop?: RecordingBounds | undefined
  /** Ends the recording, with what was captured by then: no error, since the files are as good as any. */
  signal?: AbortSignal | undefined
  /** Compresses, on threads of Node's own. Not to a descriptor. Default: where the name ends in `.gz`. */
  gzip?: boolean | undefined
}

export interface RecordingResult {
  packets: number
  /** Written, before compression. */
  bytes: number
  /** Frames that the kernel dropped meanwhile. */
  dropped: number
  /** Paths of the files that are there, oldest first; empty for a descriptor. */
  files: string[]
  /** What ended it. `ended`: the port. */
  reason: 'packets' | 'bytes' | 'seconds' | 'aborted' | 'ended'
}

/** What of a capture a recording needs. */
export interface RecordingSource {
  handle: NativePacketPort
  linkType: LinkType
  name: string
  snapLength: number
  ended(): boolean
  closed: Promise<unknown>
  occupy(): () => void
  /** Frames that are in the ring and shall not be seen. */
  unchecked(): number
  /** What is left to run of the filter, as `struct sock_filter`; empty where the kernel runs it. */
  filter: Uint8Array
}

/** 0 is none. */
interface Bounds {
  packets: number
  bytes: number
  seconds: number
}

interface FileBounds {
  packets: number
  bytes: number
  milliseconds: number
}

interface Settings {
  pcapng: boolean
  rotate: Bounds | undefined
  ring: number
  stop: Bounds
  gzip: boolean
}

// RecordResult::Reason of native/sys/packet_recorder.h.
const reasons = ['stopped', 'packets', 'bytes', 'seconds', 'failed'] as const

/** What became of one file. */
interface Written {
  reason: (typeof reasons)[number]
  packets: number
  bytes: number
  dropped: number
}

/** Begins at once; `stop()` ends it and waits for it. */
export function record(
  source: RecordingSource,
  given: string | URL | number,
  options: RecordingOptions | undefined,
): { done: Promise<RecordingResult>; stop(): Promise<unknown> } {
  const target = given instanceof URL ? fileURLToPath(given) : given
  const settings = recordingSettings(target, options)
  const leave = source.occupy()
  const recorder = new Recorder(source, target, settings)
  const forget = onAbort(options?.signal, () => recorder.stop('aborted'))
  const done = recorder.run().finally(() => {
    forget()
    leave()
  })
  return {
    done,
    stop: () => {
      recorder.stop('ended')
      return done.catch(() => {})
    },
  }
}

class Recorder {
  readonly #source: RecordingSource
  readonly #target: string | number
  readonly #settings: Settings
  readonly #files: string[] = []
  #number = 0
  #stopped: 'aborted' | 'ended' | undefined
  #writing = false

  constructor(source: RecordingSource, target: string | number, settings: Settings) {
    this.#source = source
    this.#target = target
    this.#settings = settings
  }

  stop(reason: 'aborted' | 'ended'): void {
    if (this.#stopped) return
    this.#stopped = reason
    if (this.#writing && !this.#source.ended()) this.#source.handle.stopRecording(false)
  }

  async run(): Promise<RecordingResult> {
    const { rotate, stop } = this.#settings
    const total = { packets: 0, bytes: 0, dropped: 0 }
    const until = stop.seconds === 0 ? 0 : performance.now() + stop.seconds * 1000
    for (;;) {
      const left = {
        packets: rest(stop.packets, total.packets),
        bytes: rest(stop.bytes, total.bytes),
        milliseconds: rest(until, performance.now()),
      }
      const bounds = {
        packets: least(rotate?.packets, left.packets),
        bytes: least(rotate?.bytes, left.bytes),
        milliseconds: least((rotate?.seconds ?? 0) * 1000, left.milliseconds),
      }
      const { reason, packets, bytes, dropped } = await this.#file(bounds)
      total.packets += packets
      total.bytes += bytes
      total.dropped += dropped
      const done = (why: RecordingResult['reason']) => ({ ...total, files: this.#files, reason: why })
      if (this.#stopped || reason === 'stopped') return done(this.#stopped ?? 'ended')
      if (reason === 'packets' && bounds.packets === left.packets) return done('packets')
      if (reason === 'bytes' && bounds.bytes === left.bytes) return done('bytes')
      if (reason === 'seconds' && bounds.milliseconds === left.milliseconds) return done('seconds')
    }
  }

  async #file(bounds: FileBounds): Promise<Written> {
    if (typeof this.#target === 'number') return await this.#write(this.#target, bounds)
    const path = this.#nextPath(this.#target)
    const file = await open(path, 'w')
    this.#files.push(path)
    let written: Written
    if (this.#settings.gzip) {
      written = await this.#compress(file, bounds)
    } else {
      try {
        written = await this.#write(file.fd, bounds)
      } finally {
        await file.close()
      }
    }
    const { ring } = this.#settings
    while (ring > 0 && this.#files.length > ring) await unlink(this.#files.shift()!)
    return written
  }

  async #compress(file: FileHandle, bounds: FileBounds): Promise<Written> {
    const [from, to] = openPipe()
    disownDescriptor(from)
    const compressing = pipeline(
      new Socket({ fd: from, readable: true, writable: false }),
      createGzip(),
      createWriteStream('', { fd: file }),
    )
    compressing.catch(() => {
      // The native side then cannot write any more, and says so.
    })
    try {
      const writing = this.#write(to, bounds)
      // The writer has a descriptor of its own: with this one open the end would not be seen.
      closeDescriptor(to)
      const written = await writing
      await compressing
      return written
    } finally {
      await compressing.catch(() => {})
    }
  }

  #write(fd: number, bounds: FileBounds): Promise<Written> {
    const { handle, linkType, name, snapLength } = this.#source
    const { pcapng } = this.#settings
    const head = pcapng
      ? pcapngHead(linkType, name, snapLength)
      : new PcapWriter({ linkType, snapLength }).header()
    return new Promise((resolve, reject) => {
      if (this.#source.ended()) return resolve({ reason: 'stopped', packets: 0, bytes: 0, dropped: 0 })
      handle.record(
        fd,
        pcapng,
        head,
        this.#source.unchecked(),
        this.#source.filter,
        bounds.packets,
        bounds.bytes,
        Math.ceil(bounds.milliseconds),
        (reason, packets, bytes, dropped, errno, syscall) => {
          this.#writing = false
          if (errno) reject(new SystemError({ errno: -errno, syscall, subject: String(this.#target) }))
          else resolve({ reason: reasons[reason]!, packets, bytes, dropped })
        },
      )
      this.#writing = true
      if (this.#stopped) handle.stopRecording(false)
      // A port that ends takes the thread with it.
      void this.#source.closed.then(() => {
        if (this.#writing) resolve({ reason: 'stopped', packets: 0, bytes: 0, dropped: 0 })
      })
    })
  }

  #nextPath(path: string): string {
    if (!this.#settings.rotate) return path
    const number = String(++this.#number).padStart(5, '0')
    return path.replace(/(\.(?:pcapng|pcap|cap)(?:\.gz)?|\.[^./]*)?$/, suffix => `-${number}${suffix}`)
  }
}

/** What is left of a bound, at least 1; 0 is none. */
function rest(bound: number, used: number): number {
  return bound === 0 ? 0 : Math.max(1, bound - used)
}

/** The smaller of two bounds; 0 and undefined are none. */
function least(one: number | undefined, other: number): number {
  return one && other ? Math.min(one, other) : one || other
}

function pcapngHead(linkType: LinkType, name: string, snapLength: number): Uint8Array {
  const writer = new PcapngWriter()
  return Buffer.concat([
    writer.section({ application: 'netloom' }),
    writer.interface({ linkType, name, snapLength }),
  ])
}

function recordingSettings(target: string | number, given: RecordingOptions | undefined): Settings {
  const keys = ['format', 'rotate', 'ring', 'stop', 'signal', 'gzip'] as const
  const options = requireOptions('options', given, keys)
  const { rotate, stop } = options
  if (typeof target === 'number') requireInteger('target', target, 0, 2 ** 31 - 1)
  else if (typeof target !== 'string')
    throw invalidArgumentType('target', 'a path, a file: URL or a descriptor', target)
  else if (target === '' || target.includes('\0'))
    throw invalidArgumentValue('target', target, 'must be a path')
  const named = typeof target === 'string' ? formatOfName(target) : undefined
  const format = options.format ?? named?.format ?? 'pcapng'
  if (format !== 'pcap' && format !== 'pcapng') {
    throw invalidArgumentValue('options.format', format, "must be 'pcap' or 'pcapng'")
  }
  const gzip = requireBoolean('options.gzip', options.gzip ?? named?.gzip)
  if (typeof target === 'number' && (rotate || gzip)) {
    throw invalidArgumentValue(rotate ? 'options.rotate' : 'options.gzip', rotate ?? gzip, 'needs a path')
  }
  if (options.ring !== undefined && !rotate) {
    throw invalidArgumentValue('options.ring', options.ring, 'goes with options.rotate')
  }
  const rotation = rotate && bounds('options.rotate', rotate)
  if (rotation && !rotation.packets && !rotation.bytes && !rotation.seconds) {
    throw invalidArgumentValue('options.rotate', rotate, 'must have a bound')
  }
  return {
    pcapng: format === 'pcapng',
    rotate: rotation,
    ring: options.ring === undefined ? 0 : requireInteger('options.ring', options.ring, 1, 100_000),
    stop: bounds('options.stop', stop ?? {}),
    gzip,
  }
}

function bounds(name: string, given: RecordingBounds): Bounds {
  const { packets, bytes, seconds } = requireOptions(name, given, ['packets', 'bytes', 'seconds'])
  if (seconds !== undefined && (typeof seconds !== 'number' || !(seconds > 0) || seconds > 1e9)) {
    throw invalidArgumentValue(`${name}.seconds`, seconds, 'must be a number above 0')
  }
  const whole = (key: string, value: number | undefined) =>
    value === undefined ? 0 : requireInteger(`${name}.${key}`, value, 1, Number.MAX_SAFE_INTEGER)
  return { packets: whole('packets', packets), bytes: whole('bytes', bytes), seconds: seconds ?? 0 }
}
