import {
  invalidArgumentType,
  invalidArgumentValue,
  NetloomError,
  outOfRange,
  requireInteger,
  requireOptions,
} from '../errors/index.js'
import type { FrameBatch } from '../frames/index.js'
import { BatchFrames, batchTimes, requireBatch } from './batch-frames.js'
import {
  blockTypes,
  type CaptureInterface,
  type CaptureItem,
  type CaptureNames,
  type CapturePacket,
  type CaptureSecrets,
  type CaptureSection,
  type CustomBlock,
  type InterfaceStatistics,
  packetOptions,
  type UnknownBlock,
} from './capture-items.js'
import { type FileBatch, FileFrames, requireItem } from './file-batch.js'
import { fileLinkType, linkTypeNumber } from './file-link-type.js'
import { interfaceScale } from './interface-scale.js'
import { requireBigint } from './option-codecs.js'
import { encodeOptions } from './option-table.js'
import { encodeBlock, encodeSection, makeBlock, type SectionInput } from './pcapng-blocks.js'
import { highWord, lowWord, nanoseconds, wordsOf } from './timestamp-scale.js'

/** An interface to describe: `snapLength` is 0, no limit, and times are in nanoseconds, unless it says otherwise. */
export type InterfaceInput = Omit<CaptureInterface, 'type' | 'snapLength'> & {
  snapLength?: number | undefined
}

/**
 * A packet to write. `interface` is 0 and `originalLength` the length of `data` unless it says otherwise. Without a
 * time it is a simple packet, which can have no options and belongs to interface 0.
 */
export type PacketInput = Omit<CapturePacket, 'type' | 'interface' | 'originalLength'> & {
  interface?: number | undefined
  originalLength?: number | undefined
}

export interface BatchOptions {
  /** The interface of each frame, by what the column `interfaces` says of it. Default the same number, or 0. */
  interfaceOf?: ((interfaceColumn: number | undefined) => number) | undefined
  /** Nanoseconds since 1970 for frames that come without a time. Default now. */
  timestamp?: bigint | undefined
}

/** What a block says beside its bytes and options. */
const packetOverhead = 32
const flagsLength = 12

/**
 * Makes the blocks of a pcapng file, whose concatenation is the file: first a {@link section}, then every
 * {@link interface} before its packets. Bad input is refused before anything is made.
 */
export class PcapngWriter {
  #began = false
  #little = true
  #interfaces: CaptureInterface[] = []
  /** The section of a file, if the blocks of this one have been exactly those of that one. */
  #copied: CaptureSection | undefined

  /** Begins the file, or one more section, whose interfaces count from 0 again. */
  section(section: SectionInput = {}): Uint8Array {
    if (typeof section !== 'object' || section === null)
      throw invalidArgumentType('section', 'an object', section)
    const little = section.littleEndian ?? true
    const bytes = encodeSection(section, little)
    this.#interfaces = []
    this.#little = little
    this.#began = true
    this.#copied = undefined
    return bytes
  }

  /** Describes one more interface: the first is number 0, the next 1, and so on. */
  interface(one: InterfaceInput): Uint8Array {
    if (typeof one !== 'object' || one === null) throw invalidArgumentType('interface', 'an object', one)
    const { timestampResolution = nanoseconds, snapLength = 0, ...rest } = one
    return this.#describe({ ...rest, type: 'interface', snapLength, timestampResolution })
  }

  packet(packet: PacketInput): Uint8Array {
    if (typeof packet !== 'object' || packet === null)
      throw invalidArgumentType('packet', 'an object', packet)
    const number = requireInteger('interface', packet.interface ?? 0, 0, 0xffffffff)
    const one = this.#interface(number)
    const { data, timestamp } = packet
    if (!(data instanceof Uint8Array)) throw invalidArgumentType('data', 'an instance of Uint8Array', data)
    const originalLength = requireInteger(
      'originalLength',
      packet.originalLength ?? data.length,
      0,
      0xffffffff,
    )
    const little = this.#little
    const options = encodeOptions(packetOptions, packet, little)
    if (timestamp === undefined && packet.ticks === undefined) {
      if (number !== 0 || options.length > 0) throw invalidArgumentType('timestamp', 'a bigint', timestamp)
      return this.#simplePacket(data, originalLength, one.snapLength)
    }
    const ticks =
      packet.ticks ??
      interfaceScale(one).units(requireBigint('timestamp', timestamp, -(1n << 127n), 1n << 127n))
    requireBigint('ticks', ticks, 0n, 1n << 64n)
    const { bytes, view } = makeBlock(blockTypes.enhancedPacket, 20 + data.length, options, little)
    view.setUint32(8, number, little)
    view.setUint32(12, Number(ticks >> 32n), little)
    view.setUint32(16, Number(ticks & 0xffffffffn), little)
    view.setUint32(20, data.length, little)
    view.setUint32(24, originalLength, little)
    bytes.set(data, 28)
    return bytes
  }

  /**
   * The blocks of all frames of a batch, with what its columns say. Tags that are beside the frames are put into them,
   * and no more is kept of each than the snapshot length of its interface.
   */
  batch(batch: FrameBatch | FileBatch, options?: BatchOptions): Uint8Array {
    requireBatch(batch)
    const { interfaceOf, timestamp } = requireOptions('options', options, ['interfaceOf', 'timestamp'])
    if (batch instanceof FileFrames) {
      if (interfaceOf === undefined && batch.section === this.#copied) return batch.bytes
      if (batch.section.format === 'pcapng') return this.#packets(batch, interfaceOf)
    }
    return this.#columns(batch, interfaceOf ?? (number => number ?? 0), timestamp)
  }

  /** Names of addresses, secrets, statistics of an interface, or a block of another kind. */
  block(block: InterfaceStatistics | CaptureNames | CaptureSecrets | CustomBlock | UnknownBlock): Uint8Array {
    this.#begun()
    requireItem(block)
    if (block.type === 'statistics') this.#interface(block.interface)
    else if (!['names', 'secrets', 'custom', 'unknown'].includes(block.type))
      throw invalidArgumentValue('block.type', (block as CaptureItem).type, 'is none of a block')
    return encodeBlock(block, this.#little)
  }

  /**
   * Writes what a reader gave. When all items of a file are written in their order the result is that file, but for
   * what it need not have: padding other than zeros, options that are not grouped by name, obsolete packets in a section
   * of which another item was written otherwise.
   */
  item(item: CaptureItem): Uint8Array {
    requireItem(item)
    switch (item.type) {
      case 'section': {
        const bytes = this.section(item.format === 'pcapng' ? item : { littleEndian: item.littleEndian })
        this.#copied = item.format === 'pcapng' ? item : undefined
        return bytes
      }
      case 'interface': {
        const copied = this.#copied
        const bytes = this.#describe(item)
        if (copied?.interfaces[this.#interfaces.length - 1] === item) this.#copied = copied
        return bytes
      }
      case 'packets':
        return this.batch(item)
      case 'cut':
        return new Uint8Array()
      default:
        return this.block(item)
    }
  }

  #describe(one: CaptureInterface): Uint8Array {
    this.#begun()
    const linkType = fileLinkType(linkTypeNumber(one.linkType))
    const bytes = encodeBlock(one, this.#little)
    // Its own, since the caller may change the object.
    this.#interfaces.push({ ...one, linkType })
    this.#copied = undefined
    return bytes
  }

  #simplePacket(data: Uint8Array, originalLength: number, snapLength: number): Uint8Array {
    const expected = snapLength > 0 ? Math.min(originalLength, snapLength) : originalLength
    if (data.length !== expected)
      throw outOfRange('data.length', `${expected} in a simple packet`, data.length)
    const { bytes, view } = makeBlock(blockTypes.simplePacket, 4 + data.length, [], this.#little)
    view.setUint32(8, originalLength, this.#little)
    bytes.set(data, 12)
    return bytes
  }

  #packets(batch: FileFrames, interfaceOf: BatchOptions['interfaceOf']): Uint8Array {
    const blocks: Uint8Array[] = []
    let length = 0
    for (let i = 0; i < batch.count; i++) {
      const packet = batch.packet(i)
      if (interfaceOf !== undefined) packet.interface = interfaceOf(packet.interface)
      const block = this.packet(packet)
      blocks.push(block)
      length += block.length
    }
    const bytes = new Uint8Array(length)
    let at = 0
    for (const block of blocks) {
      bytes.set(block, at)
      at += block.length
    }
    return bytes
  }

  #columns(
    batch: FrameBatch | FileBatch,
    interfaceOf: (column: number | undefined) => number,
    timestamp: bigint | undefined,
  ): Uint8Array {
    const little = this.#little
    const { count, interfaces, flags } = batch
    const frames = new BatchFrames(batch)
    const times = batchTimes(batch, timestamp)
    const ticks = new BigInt64Array(count)
    const numbers = new Uint32Array(count)
    const snapLengths = new Uint32Array(count)
    let room = count * (packetOverhead + flagsLength + 3)
    for (let i = 0; i < count; i++) {
      const number = interfaceOf(interfaces?.[i])
      const one = this.#interface(number)
      if (one.linkType !== batch.linkType)
        throw invalidArgumentValue(
          'batch.linkType',
          batch.linkType,
          `must be that of its interface, ${one.linkType}`,
        )
      const scale = interfaceScale(one)
      const time = times[i]!
      ticks[i] = scale.isNanoseconds && time >= 0n ? time : scale.units(time)
      numbers[i] = number
      snapLengths[i] = one.snapLength
      room += frames.mostBytes(i, one.snapLength)
    }
    const halves = wordsOf(ticks)
    const bytes = new Uint8Array(room)
    const view = new DataView(bytes.buffer)
    let at = 0
    for (let i = 0; i < count; i++) {
      const frame = frames.frame(i, snapLengths[i]!)
      const flag = flags?.[i] ?? 0
      const padded = (frame.length + 3) & ~3
      const length = packetOverhead + padded + (flag === 0 ? 0 : flagsLength)
      view.setUint32(at, blockTypes.enhancedPacket, little)
      view.setUint32(at + 4, length, little)
      view.setUint32(at + 8, numbers[i]!, little)
      view.setUint32(at + 12, halves[i * 2 + highWord]!, little)
      view.setUint32(at + 16, halves[i * 2 + lowWord]!, little)
      view.setUint32(at + 20, frame.length, little)
      view.setUint32(at + 24, frames.originalLength(i), little)
      bytes.set(frame, at + 28)
      if (flag !== 0) {
        view.setUint16(at + 28 + padded, packetOptions.flags.code, little)
        view.setUint16(at + 30 + padded, 4, little)
        view.setUint32(at + 32 + padded, flag, little)
      }
      view.setUint32(at + length - 4, length, little)
      at += length
    }
    return bytes.subarray(0, at)
  }

  #begun(): void {
    if (!this.#began) throw new NetloomError('ERR_INVALID_STATE', 'the section comes first')
  }

  #interface(number: number): CaptureInterface {
    this.#begun()
    const one = Number.isInteger(number) ? this.#interfaces[number] : undefined
    if (one === undefined)
      throw outOfRange('interface', 'the number of an interface described before', number)
    return one
  }
}
