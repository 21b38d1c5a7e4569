import { CaptureFileError } from './capture-error.js'
import type { CaptureItem, CaptureSection, PcapVariant } from './capture-items.js'
import type { FormatReader } from './format-reader.js'
import { PacketRun } from './packet-run.js'
import { decodePcapHeader, pcapHeaderLength } from './pcap-header.js'
import { storeSeconds } from './timestamp-scale.js'

/** Bytes before each packet. */
const headerLengths: Record<PcapVariant, number> = {
  standard: 16,
  modified: 24,
  'red-hat-6.1': 24,
  'suse-6.3': 28,
  nokia: 20,
}

/** Variants whose files begin with the same magic number, the usual one first. */
const alike: Record<'standard' | 'modified', readonly PcapVariant[]> = {
  standard: ['standard', 'red-hat-6.1', 'nokia'],
  modified: ['modified', 'suse-6.3'],
}

/**
 * Reads pcap. Each packet is
 *
 *   0   4  seconds since 1970, without sign
 *   4   4  microseconds or nanoseconds
 *   8   4  captured length; swapped with the next before version 2.3
 *  12   4  original length
 *          more, in other variants
 *          data
 */
export class PcapReader implements FormatReader {
  needed = pcapHeaderLength
  section: CaptureSection | undefined
  readonly #maxBlockLength: number
  #headerLength = 0
  #swapped = false
  #nanoseconds = 1000
  #typical = 128

  constructor(maxBlockLength: number) {
    this.#maxBlockLength = maxBlockLength
  }

  read(bytes: Uint8Array, fileOffset: number, out: CaptureItem[]): number {
    let at = 0
    if (this.section === undefined) {
      if (bytes.length < pcapHeaderLength) return 0
      this.section = decodePcapHeader(bytes)
      this.#swapped = this.section.version[1] < 3
      const { timestampResolution } = this.section.interfaces[0]!
      this.#nanoseconds = timestampResolution?.exponent === 9 ? 1 : 1000
      at = pcapHeaderLength
    }
    if (this.#headerLength === 0) {
      const variant = this.#recognize(bytes.subarray(at))
      if (variant === undefined) return at
      this.section.variant = variant
      this.#headerLength = headerLengths[variant]
      out.push(this.section, this.section.interfaces[0]!)
    }
    return this.#packets(bytes, at, fileOffset, out)
  }

  /** What is known of a file that ends before its first packet does. */
  end(out: CaptureItem[]): void {
    if (this.section === undefined || this.#headerLength > 0) return
    this.#headerLength = headerLengths[this.section.variant!]
    out.push(this.section, this.section.interfaces[0]!)
  }

  #packets(bytes: Uint8Array, start: number, fileOffset: number, out: CaptureItem[]): number {
    const section = this.section!
    const little = section.littleEndian
    const linkType = section.interfaces[0]!.linkType
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const run = new PacketRun(bytes, fileOffset, this.#typical, out)
    const headerLength = this.#headerLength
    const nanoseconds = this.#nanoseconds
    const capturedAt = this.#swapped ? 12 : 8
    let at = start
    let packets = 0
    try {
      for (;;) {
        this.needed = headerLength
        if (bytes.length - at < headerLength) break
        const captured = view.getUint32(at + capturedAt, little)
        if (captured > this.#maxBlockLength)
          throw new CaptureFileError(
            fileOffset + at + capturedAt,
            `a packet of ${captured} bytes is too long`,
          )
        const length = headerLength + captured
        this.needed = length
        if (bytes.length - at < length) break
        run.expect(section, linkType, true, at)
        const { columns, at: entry } = run
        storeSeconds(
          columns.timestampWords,
          entry,
          view.getUint32(at, little),
          view.getUint32(at + 4, little) * nanoseconds,
        )
        columns.offsets[entry] = at + headerLength
        columns.lengths[entry] = captured
        columns.originalLengths[entry] = view.getUint32(at + 20 - capturedAt, little)
        at += length
        packets++
        run.added(at)
      }
    } finally {
      run.flush()
    }
    if (packets > 0) this.#typical = (at - start) / packets
    return at
  }

  /**
   * Tells variants with the same magic number apart: it is not the usual one where that has no header of a second packet,
   * and another variant has. Nobody shall wait for a second packet.
   * `undefined` when more bytes are needed.
   */
  #recognize(bytes: Uint8Array): PcapVariant | undefined {
    const [usual, ...others] = alike[this.section!.variant as keyof typeof alike] as [
      PcapVariant,
      ...PcapVariant[],
    ]
    this.needed = headerLengths[usual]
    if (bytes.length < this.needed) return undefined
    const captured = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, this.section!.littleEndian)
    if (captured > this.#maxBlockLength || this.#swapped) return usual
    this.needed = captured + headerLengths[usual]
    if (bytes.length < this.needed) return undefined
    const fits = (variant: PcapVariant) => {
      const next = captured + headerLengths[variant]
      return bytes.length - next >= 16 && this.#isHeader(bytes, next)
    }
    if (bytes.length - this.needed < headerLengths[usual] || fits(usual)) return usual
    return others.find(fits) ?? usual
  }

  /** Whether there could be the header of a packet: about the time of the first, and no more bytes than it had. */
  #isHeader(bytes: Uint8Array, at: number): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const little = this.section!.littleEndian
    const captured = view.getUint32(at + 8, little)
    return (
      Math.abs(view.getUint32(at, little) - view.getUint32(0, little)) < 1e8 &&
      view.getUint32(at + 4, little) * this.#nanoseconds < 1e9 &&
      captured <= 262144 &&
      captured <= view.getUint32(at + 12, little)
    )
  }
}
