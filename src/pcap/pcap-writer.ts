import {
  invalidArgumentType,
  invalidArgumentValue,
  outOfRange,
  requireBoolean,
  requireInteger,
  requireOptions,
} from '../errors/index.js'
import type { FrameBatch } from '../frames/index.js'
import { BatchFrames, batchTimes, requireBatch } from './batch-frames.js'
import type { CaptureInterface } from './capture-items.js'
import { type FileBatch, FileFrames } from './file-batch.js'
import { type FileLinkType, linkTypeNumber } from './file-link-type.js'
import { encodePcapHeader } from './pcap-header.js'
import { nanoseconds, type TimestampResolution } from './timestamp-scale.js'

export interface PcapWriterOptions {
  linkType: FileLinkType
  /** Most bytes that are kept of a packet; 0 is no limit. Default 262144. */
  snapLength?: number | undefined
  /** `nanoseconds`, the default, or `microseconds`, which everything can read. */
  timestampResolution?: TimestampResolution | undefined
  /** Default true. */
  littleEndian?: boolean | undefined
  /** Bytes of frame check sequence at the end of each frame: even, at most 30. */
  fcsLength?: number | undefined
}

/** A packet for a pcap file, which keeps nothing else of it. */
export interface PcapPacket {
  /** Nanoseconds since 1970-01-01 UTC, up to the year 2106. */
  timestamp: bigint
  data: Uint8Array
  /** Bytes on the wire, if more than were captured. Default the length of `data`. */
  originalLength?: number | undefined
}

const headerLength = 16

/** Makes the parts of a pcap file: the {@link header}, then packets. */
export class PcapWriter {
  readonly #interface: CaptureInterface
  readonly #little: boolean
  /** Nanoseconds in a unit of the fractions. */
  readonly #unit: number
  /** The second of the last packet, in nanoseconds and in seconds. */
  #second = 0n
  #seconds = 0

  constructor(options: PcapWriterOptions) {
    if (options === undefined) throw invalidArgumentType('options', 'an object', options)
    const { linkType, snapLength, timestampResolution, littleEndian, fcsLength } = requireOptions(
      'options',
      options,
      ['linkType', 'snapLength', 'timestampResolution', 'littleEndian', 'fcsLength'],
    )
    linkTypeNumber(linkType)
    const { base, exponent } = timestampResolution ?? nanoseconds
    if (base !== 10 || (exponent !== 6 && exponent !== 9))
      throw invalidArgumentValue(
        'timestampResolution',
        `${base} ** ${exponent}`,
        'must be microseconds or nanoseconds',
      )
    this.#unit = exponent === 9 ? 1 : 1000
    this.#little = littleEndian === undefined || requireBoolean('littleEndian', littleEndian)
    this.#interface = {
      type: 'interface',
      linkType,
      snapLength: requireInteger('snapLength', snapLength ?? 262144, 0, 0xffffffff),
      timestampResolution: { base, exponent },
    }
    if (fcsLength !== undefined) {
      requireInteger('fcsLength', fcsLength, 0, 30)
      if (fcsLength % 2 !== 0) throw outOfRange('fcsLength', 'even', fcsLength)
      this.#interface.fcsLength = fcsLength
    }
  }

  header(): Uint8Array {
    return encodePcapHeader(this.#interface, this.#little)
  }

  packet(packet: PcapPacket): Uint8Array {
    if (typeof packet !== 'object' || packet === null)
      throw invalidArgumentType('packet', 'an object', packet)
    const { timestamp, data, originalLength } = packet
    if (!(data instanceof Uint8Array)) throw invalidArgumentType('data', 'an instance of Uint8Array', data)
    if (typeof timestamp !== 'bigint') throw invalidArgumentType('timestamp', 'a bigint', timestamp)
    const bytes = new Uint8Array(headerLength + data.length)
    const length = requireInteger('originalLength', originalLength ?? data.length, 0, 0xffffffff)
    this.#put(new DataView(bytes.buffer), 0, timestamp, data.length, length)
    bytes.set(data, headerLength)
    return bytes
  }

  /**
   * All frames of a batch. Tags that are beside the frames are put into them, and no more is kept of each than the
   * snapshot length. `timestamp`, nanoseconds since 1970, is for frames that come without a time; default now.
   */
  batch(batch: FrameBatch | FileBatch, options?: { timestamp?: bigint | undefined }): Uint8Array {
    requireBatch(batch)
    const { timestamp } = requireOptions('options', options, ['timestamp'])
    const { linkType } = this.#interface
    if (linkTypeNumber(batch.linkType) !== linkTypeNumber(linkType))
      throw invalidArgumentValue('batch.linkType', batch.linkType, `must be that of the file, ${linkType}`)
    if (batch instanceof FileFrames && this.#isAlike(batch)) return batch.bytes
    const frames = new BatchFrames(batch)
    const times = batchTimes(batch, timestamp)
    const { snapLength } = this.#interface
    let room = 0
    for (let i = 0; i < batch.count; i++) room += headerLength + frames.mostBytes(i, snapLength)
    const bytes = new Uint8Array(room)
    const view = new DataView(bytes.buffer)
    let at = 0
    for (let i = 0; i < batch.count; i++) {
      const frame = frames.frame(i, snapLength)
      this.#put(view, at, times[i]!, frame.length, frames.originalLength(i))
      bytes.set(frame, at + headerLength)
      at += headerLength + frame.length
    }
    return bytes.subarray(0, at)
  }

  /** Whether the bytes of a file can stand in this one. */
  #isAlike({ section }: FileFrames): boolean {
    const { timestampResolution, snapLength } = section.interfaces[0]!
    return (
      section.format === 'pcap' &&
      section.variant === 'standard' &&
      section.version[1] === 4 &&
      section.littleEndian === this.#little &&
      timestampResolution?.exponent === this.#interface.timestampResolution?.exponent &&
      snapLength <= this.#interface.snapLength
    )
  }

  #put(view: DataView, at: number, timestamp: bigint, length: number, originalLength: number): void {
    // Most packets are of the same second as the one before, which saves dividing.
    let since = Number(timestamp - this.#second)
    if (since < 0 || since >= 1e9) {
      const seconds = timestamp / 1_000_000_000n
      if (timestamp < 0n || seconds > 0xffffffffn)
        throw outOfRange('timestamp', 'between the years 1970 and 2106', timestamp)
      this.#second = seconds * 1_000_000_000n
      this.#seconds = Number(seconds)
      since = Number(timestamp - this.#second)
    }
    const little = this.#little
    view.setUint32(at, this.#seconds, little)
    view.setUint32(at + 4, Math.floor(since / this.#unit), little)
    view.setUint32(at + 8, length, little)
    view.setUint32(at + 12, originalLength, little)
  }
}
