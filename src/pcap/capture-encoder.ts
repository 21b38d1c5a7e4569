import { invalidArgumentType, invalidArgumentValue, outOfRange, requireOptions } from '../errors/index.js'
import type { FrameBatch } from '../frames/index.js'
import { requireBatch } from './batch-frames.js'
import type { CaptureInterface, CaptureItem, CapturePacket, CaptureSection } from './capture-items.js'
import { type FileBatch, FileFrames } from './file-batch.js'
import type { FileLinkType } from './file-link-type.js'
import { PcapWriter } from './pcap-writer.js'
import type { SectionInput } from './pcapng-blocks.js'
import { type InterfaceInput, PcapngWriter } from './pcapng-writer.js'
import type { TimestampResolution } from './timestamp-scale.js'

/**
 * What can be written to a capture file: batches of any source, and whatever a reader gives. The record of a packet
 * belongs to an interface that was given before.
 */
export type CaptureInput = FrameBatch | CaptureItem | CapturePacket

export interface CaptureFileOptions {
  /** Default `'pcapng'`. A pcap file takes packets of one link type only, and nothing but their bytes and times. */
  format?: 'pcap' | 'pcapng' | undefined
  /** Of pcapng: what the header says of the program, the machine, … */
  section?: SectionInput | undefined
  /**
   * Of pcapng: what is to be said of an interface (its name, …), by what the batches have in the column `interfaces`.
   * Asked once for each number and link type.
   */
  describe?:
    | ((interfaceColumn: number | undefined, linkType: FileLinkType) => Partial<InterfaceInput>)
    | undefined
  /** Most bytes that are kept of a frame; 0 is no limit. Default 262144. What a reader gives is kept as it is. */
  snapLength?: number | undefined
  /** Default `nanoseconds`, or that of the first interface that a reader gave. */
  timestampResolution?: TimestampResolution | undefined
  /** Of a pcap file that gets no packets. Default `'ethernet'`. */
  linkType?: FileLinkType | undefined
}

/**
 * Makes the bytes of a capture file from batches. Headers, and descriptions of interfaces as they turn up, come by
 * themselves. A reader's items may be given too, all of them in their order: then the file says what that one did.
 */
export class CaptureEncoder {
  readonly #file: PcapFile | PcapngFile

  constructor(options?: CaptureFileOptions) {
    const known = ['format', 'section', 'describe', 'snapLength', 'timestampResolution', 'linkType'] as const
    const checked = requireOptions('options', options, known)
    const { format = 'pcapng' } = checked
    if (format !== 'pcap' && format !== 'pcapng')
      throw invalidArgumentValue('options.format', format, "must be 'pcap' or 'pcapng'")
    this.#file = format === 'pcap' ? new PcapFile(checked) : new PcapngFile(checked)
  }

  /** The bytes that come next, in one piece or several. */
  encode(input: CaptureInput): Uint8Array[] {
    if (typeof input !== 'object' || input === null)
      throw invalidArgumentType('input', 'a FrameBatch, or something of a capture file', input)
    if (!('type' in input) || input.type === 'packets') requireBatch(input)
    return this.#file.encode(input).filter(bytes => bytes.length > 0)
  }

  /** What is missing at the end: the header, where nothing was written. */
  end(): Uint8Array[] {
    return this.#file.end()
  }
}

function isBatch(input: CaptureInput): input is FrameBatch | FileBatch {
  return !('type' in input) || input.type === 'packets'
}

class PcapFile {
  readonly #options: CaptureFileOptions
  #writer: PcapWriter | undefined
  #linkType: FileLinkType | undefined
  #first: CaptureSection | undefined
  #interface: CaptureInterface | undefined
  /** Those of the present section. */
  #interfaces: CaptureInterface[] = []

  constructor(options: CaptureFileOptions) {
    this.#options = options
    // Refuses what is wrong with the options now.
    this.#create(options.linkType ?? 'ethernet')
  }

  encode(input: CaptureInput): Uint8Array[] {
    if (isBatch(input)) {
      const header = this.#header(input.linkType)
      return [...header, this.#writer!.batch(input)]
    }
    if (input.type === 'packet') return this.#packet(input)
    if (input.type === 'section') {
      this.#first ??= input
      this.#interfaces = []
    } else if (input.type === 'interface') {
      this.#interface ??= input
      this.#interfaces.push(input)
    }
    return []
  }

  end(): Uint8Array[] {
    return this.#header(this.#interface?.linkType ?? this.#options.linkType ?? 'ethernet')
  }

  #packet(packet: CapturePacket): Uint8Array[] {
    const linkType = this.#interfaces[packet.interface]?.linkType
    if (linkType === undefined)
      throw outOfRange('interface', 'the number of an interface described before', packet.interface)
    const header = this.#header(linkType)
    if (linkType !== this.#linkType)
      throw invalidArgumentValue('linkType', linkType, `must be that of the file, ${this.#linkType}`)
    const { timestamp = 0n, data, originalLength } = packet
    return [...header, this.#writer!.packet({ timestamp, data, originalLength })]
  }

  #header(linkType: FileLinkType): Uint8Array[] {
    if (this.#writer !== undefined) return []
    this.#linkType = linkType
    this.#writer = this.#create(linkType)
    return [this.#writer.header()]
  }

  #create(linkType: FileLinkType): PcapWriter {
    const { snapLength, timestampResolution } = this.#options
    const one = this.#interface
    return new PcapWriter({
      linkType,
      snapLength: snapLength ?? one?.snapLength,
      timestampResolution: timestampResolution ?? pcapResolution(one),
      littleEndian: this.#first?.littleEndian,
      fcsLength: one?.fcsLength,
    })
  }
}

/** Microseconds where these say it all, otherwise nanoseconds. */
function pcapResolution(one: CaptureInterface | undefined): TimestampResolution | undefined {
  if (one === undefined) return undefined
  const { base, exponent } = one.timestampResolution ?? { base: 10, exponent: 6 }
  return { base: 10, exponent: base === 10 && exponent <= 6 ? 6 : 9 }
}

class PcapngFile {
  readonly #options: CaptureFileOptions
  readonly #writer = new PcapngWriter()
  #began = false
  #interfaces = 0
  /** The section whose items are written one after the other. */
  #copied: CaptureSection | undefined
  /** Numbers of interfaces in the file, by section or none, link type, and number in the batch. */
  #numbers = new Map<CaptureSection | undefined, Map<string, number>>()

  constructor(options: CaptureFileOptions) {
    this.#options = options
    new PcapngWriter().section(options.section)
  }

  encode(input: CaptureInput): Uint8Array[] {
    if (!isBatch(input)) return this.#item(input)
    if (input instanceof FileFrames && input.section === this.#copied) return [this.#writer.item(input)]
    const parts = this.end()
    const section = input instanceof FileFrames ? input.section : undefined
    let known = this.#numbers.get(section)
    if (known === undefined) {
      known = new Map()
      this.#numbers.set(section, known)
    }
    const numbers = new Map<number | undefined, number>()
    const { interfaces, count, linkType } = input
    for (let i = 0; i < count; i++) {
      const column = interfaces?.[i]
      if (numbers.has(column)) continue
      const key = `${linkType} ${column}`
      let number = known.get(key)
      if (number === undefined) {
        number = this.#interfaces
        parts.push(this.#writer.interface(this.#description(section, column, linkType)))
        this.#interfaces++
        known.set(key, number)
      }
      numbers.set(column, number)
    }
    parts.push(this.#writer.batch(input, { interfaceOf: column => numbers.get(column)! }))
    return parts
  }

  end(): Uint8Array[] {
    if (this.#began) return []
    this.#began = true
    return [this.#writer.section(this.#options.section)]
  }

  #item(item: Exclude<CaptureItem, FileBatch> | CapturePacket): Uint8Array[] {
    if (item.type === 'cut') return []
    if (item.type === 'packet') return [this.#writer.packet(item)]
    if (item.type === 'section') {
      this.#began = true
      this.#interfaces = 0
      this.#numbers = new Map()
      this.#copied = item
      return [this.#writer.item(item)]
    }
    const parts = this.end()
    parts.push(this.#writer.item(item))
    if (item.type === 'interface') this.#interfaces++
    return parts
  }

  #description(
    section: CaptureSection | undefined,
    column: number | undefined,
    linkType: FileLinkType,
  ): InterfaceInput {
    const { snapLength = 262144, timestampResolution, describe } = this.#options
    const one = section?.interfaces[column ?? 0]
    if (one !== undefined) {
      const { type, ...rest } = one
      return { ...rest, timestampResolution: one.timestampResolution ?? { base: 10, exponent: 6 } }
    }
    return { snapLength, timestampResolution, ...describe?.(column, linkType), linkType }
  }
}
