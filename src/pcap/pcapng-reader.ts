import { CaptureFileError } from './capture-error.js'
import { blockTypes, type CaptureItem, type CaptureSection, packetOptions } from './capture-items.js'
import type { FormatReader } from './format-reader.js'
import { interfaceScale } from './interface-scale.js'
import { PacketRun } from './packet-run.js'
import { decodeBlock, decodeSection } from './pcapng-blocks.js'
import type { TimestampScale } from './timestamp-scale.js'

const byteOrderMagic = 0x1a2b3c4d
const flagsCode = packetOptions.flags.code
/** A section that describes more interfaces, or in more bytes, is hostile: they take memory until its end. */
const mostInterfaces = 1 << 16
const mostInterfaceBytes = 1 << 26

/**
 * Reads pcapng. Offsets are within a block:
 *
 *   enhanced packet 6, packet 2          simple packet 3
 *    0   4  block type                    0   4  block type
 *    4   4  total length                  4   4  total length
 *    8   4  interface (2: 2, drops 2)     8   4  original length
 *   12   8  time stamp, upper half first 12      data, padding
 *   20   4  captured length                      total length
 *   24   4  original length
 *   28      data, padding, options, total length
 */
export class PcapngReader implements FormatReader {
  needed = 12
  section: CaptureSection | undefined
  readonly #maxBlockLength: number
  /** Those of the section's interfaces. */
  #scales: TimestampScale[] = []
  #interfaceBytes = 0
  #typical = 128

  constructor(maxBlockLength: number) {
    this.#maxBlockLength = maxBlockLength
  }

  read(bytes: Uint8Array, fileOffset: number, out: CaptureItem[]): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const run = new PacketRun(bytes, fileOffset, this.#typical, out)
    let at = 0
    let packets = 0
    try {
      for (;;) {
        const length = this.#blockLength(view, at, fileOffset)
        if (length === 0) break
        const section = this.section!
        const type = view.getUint32(at, section?.littleEndian)
        if (type === blockTypes.enhancedPacket || type === blockTypes.packet) {
          this.#packet(view, at, length, type === blockTypes.packet, run, fileOffset)
          packets++
        } else if (type === blockTypes.simplePacket) {
          this.#simplePacket(view, at, length, run, fileOffset)
          packets++
        } else {
          run.flush()
          this.#block(bytes, at, length, type, fileOffset, out)
        }
        at += length
      }
    } finally {
      run.flush()
    }
    if (packets > 0) this.#typical = Math.max(at / packets, 16)
    return at
  }

  /** The length of the block at `at`, checked; 0 when it is not all there. */
  #blockLength(view: DataView, at: number, fileOffset: number): number {
    const left = view.byteLength - at
    this.needed = 12
    if (left < 12) return 0
    let little = this.section?.littleEndian ?? true
    // Read the same in either byte order.
    if (view.getUint32(at, little) === blockTypes.section) {
      if (view.getUint32(at + 8, true) === byteOrderMagic) little = true
      else if (view.getUint32(at + 8, false) === byteOrderMagic) little = false
      else throw new CaptureFileError(fileOffset + at + 8, 'a section header without byte-order magic')
    }
    const length = view.getUint32(at + 4, little)
    if (length < 12 || length % 4 !== 0)
      throw new CaptureFileError(fileOffset + at + 4, `no block can have a length of ${length}`)
    if (length > this.#maxBlockLength)
      throw new CaptureFileError(fileOffset + at + 4, `a block of ${length} bytes is too long`)
    if (left < length) {
      this.needed = length
      return 0
    }
    if (view.getUint32(at + length - 4, little) !== length)
      throw new CaptureFileError(fileOffset + at + length - 4, 'the two lengths of a block differ')
    return length
  }

  #packet(
    view: DataView,
    at: number,
    length: number,
    obsolete: boolean,
    run: PacketRun,
    fileOffset: number,
  ): void {
    const section = this.section!
    const little = section.littleEndian
    if (length < 32) throw tooShort(fileOffset + at, 'packet')
    const number = obsolete ? view.getUint16(at + 8, little) : view.getUint32(at + 8, little)
    const one = section.interfaces[number]
    if (one === undefined) throw noInterface(fileOffset + at + 8, number)
    const captured = view.getUint32(at + 20, little)
    if (captured > length - 32) throw tooLong(fileOffset + at + 20, captured)
    run.expect(section, one.linkType, true, at)
    const { columns, at: entry } = run
    this.#scales[number]!.store(
      columns.timestampWords,
      entry,
      view.getUint32(at + 12, little),
      view.getUint32(at + 16, little),
    )
    columns.offsets[entry] = at + 28
    columns.lengths[entry] = captured
    columns.originalLengths[entry] = view.getUint32(at + 24, little)
    columns.interfaces[entry] = number
    const options = at + 28 + ((captured + 3) & ~3)
    const end = at + length - 4
    if (end - options >= 4) columns.flags[entry] = findFlags(view, options, end, little, fileOffset)
    run.added(at + length)
  }

  #simplePacket(view: DataView, at: number, length: number, run: PacketRun, fileOffset: number): void {
    const section = this.section!
    if (length < 16) throw tooShort(fileOffset + at, 'simple packet')
    const one = section.interfaces[0]
    if (one === undefined) throw noInterface(fileOffset + at, 0)
    const original = view.getUint32(at + 8, section.littleEndian)
    const captured = one.snapLength > 0 ? Math.min(original, one.snapLength) : original
    if (captured > length - 16) throw tooLong(fileOffset + at + 8, captured)
    run.expect(section, one.linkType, false, at)
    const { columns, at: entry } = run
    columns.offsets[entry] = at + 12
    columns.lengths[entry] = captured
    columns.originalLengths[entry] = original
    run.added(at + length)
  }

  #block(
    bytes: Uint8Array,
    at: number,
    length: number,
    type: number,
    fileOffset: number,
    out: CaptureItem[],
  ): void {
    const block = bytes.subarray(at, at + length)
    if (type === blockTypes.section) {
      this.section = decodeSection(block, fileOffset + at)
      this.#scales = []
      this.#interfaceBytes = 0
      out.push(this.section)
      return
    }
    const section = this.section!
    const item = decodeBlock(block, type, section, fileOffset + at)
    if (item.type === 'interface') {
      if (section.interfaces.length === mostInterfaces)
        throw new CaptureFileError(fileOffset + at, `a section with more than ${mostInterfaces} interfaces`)
      this.#interfaceBytes += length
      if (this.#interfaceBytes > mostInterfaceBytes)
        throw new CaptureFileError(
          fileOffset + at,
          `interfaces described in more than ${mostInterfaceBytes} bytes`,
        )
      section.interfaces.push(item)
      this.#scales.push(interfaceScale(item))
    }
    out.push(item)
  }
}

/** The value of the option `flags`, 0 where there is none. */
function findFlags(view: DataView, start: number, end: number, little: boolean, fileOffset: number): number {
  let at = start
  while (end - at >= 4) {
    const code = view.getUint16(at, little)
    if (code === 0) return 0
    const length = view.getUint16(at + 2, little)
    if (length > end - at - 4)
      throw new CaptureFileError(fileOffset + at, `an option of ${length} bytes leads out of its block`)
    if (code === flagsCode) return length === 4 ? view.getUint32(at + 4, little) : 0
    at += 4 + ((length + 3) & ~3)
  }
  return 0
}

function tooShort(offset: number, what: string): CaptureFileError {
  return new CaptureFileError(offset, `too short for a ${what}`)
}

function tooLong(offset: number, captured: number): CaptureFileError {
  return new CaptureFileError(offset, `a packet of ${captured} bytes leads out of its block`)
}

function noInterface(offset: number, number: number): CaptureFileError {
  return new CaptureFileError(offset, `there is no interface ${number} in this section`)
}
