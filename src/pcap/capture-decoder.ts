import { concatBytes } from '../bytes/index.js'
import { invalidArgumentType, NetloomError, requireInteger, requireOptions } from '../errors/index.js'
import { CaptureFileError } from './capture-error.js'
import type { CaptureItem, CaptureSection } from './capture-items.js'
import type { FormatReader } from './format-reader.js'
import { pcapByteOrder } from './pcap-header.js'
import { PcapReader } from './pcap-reader.js'
import { PcapngReader } from './pcapng-reader.js'

export interface CaptureDecoderOptions {
  /** Longer blocks and packets are refused; no more than this is kept between two calls. Default 16 MiB. */
  maxBlockLength?: number | undefined
}

/**
 * Reads a capture file, pcap or pcapng, from its bytes as they come. What it gives refers to the chunks, which must not
 * be written to any more; only a block that lies in two chunks is copied.
 *
 * Not for compressed files; see {@link readCapture}.
 */
export class CaptureDecoder {
  readonly #maxBlockLength: number
  #reader: FormatReader | undefined
  /** The beginning of a block, in pieces. */
  #pending: Uint8Array[] = []
  #pendingLength = 0
  /** Where `#pending` begins. */
  #offset = 0
  #failure: unknown
  #ended = false

  constructor(options?: CaptureDecoderOptions) {
    const { maxBlockLength } = requireOptions('options', options, ['maxBlockLength'])
    this.#maxBlockLength = requireInteger('maxBlockLength', maxBlockLength ?? 1 << 24, 64, 1 << 30)
  }

  /** The section that is being read. */
  get section(): CaptureSection | undefined {
    return this.#reader?.section
  }

  /**
   * The items that end in this chunk. A fault in the file is thrown once all before it has been given.
   * @throws CaptureFileError
   */
  push(chunk: Uint8Array): CaptureItem[] {
    if (!(chunk instanceof Uint8Array)) throw invalidArgumentType('chunk', 'an instance of Uint8Array', chunk)
    if (this.#ended) throw new NetloomError('ERR_INVALID_STATE', 'the end of the file has been told')
    if (this.#failure !== undefined) throw this.#failure
    const out: CaptureItem[] = []
    try {
      // Views of a Buffer of Node are Buffers, whose slice() is no copy.
      this.#read(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length), out)
    } catch (error) {
      this.#failure = error
      if (out.length === 0) throw error
    }
    return out
  }

  /** What remains to be said at the end of the file. @throws CaptureFileError also when there was no header */
  end(): CaptureItem[] {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#ended) return []
    this.#ended = true
    const out: CaptureItem[] = []
    if (this.#reader instanceof PcapReader) this.#reader.end(out)
    if (this.section === undefined) {
      const size = this.#pendingLength
      throw new CaptureFileError(0, size === 0 ? 'the file is empty' : `${size} bytes are no capture file`)
    }
    if (this.#pendingLength > 0) {
      out.push({ type: 'cut', offset: this.#offset, length: this.#pendingLength })
    }
    this.#pending = []
    return out
  }

  #read(chunk: Uint8Array, out: CaptureItem[]): void {
    let rest = chunk
    while (this.#pendingLength > 0 && rest.length > 0) {
      const wanted = this.#reader?.needed ?? 4
      const taken = rest.subarray(0, Math.max(wanted - this.#pendingLength, 0))
      this.#keep(taken)
      rest = rest.subarray(taken.length)
      if (this.#pendingLength < wanted) return
      const bytes = concatBytes(...this.#pending)
      const consumed = this.#readFrom(bytes, out)
      this.#pending = []
      this.#pendingLength = 0
      this.#keep(bytes.subarray(consumed))
    }
    if (rest.length === 0) return
    const consumed = this.#readFrom(rest, out)
    // A copy, since a few bytes of a chunk would keep all of it in memory.
    this.#keep(rest.slice(consumed))
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#pending.push(bytes)
    this.#pendingLength += bytes.length
  }

  #readFrom(bytes: Uint8Array, out: CaptureItem[]): number {
    this.#reader ??= this.#detect(bytes)
    const consumed = this.#reader?.read(bytes, this.#offset, out) ?? 0
    this.#offset += consumed
    return consumed
  }

  #detect(bytes: Uint8Array): FormatReader | undefined {
    if (bytes.length < 4) return undefined
    if (pcapByteOrder(bytes) !== undefined) return new PcapReader(this.#maxBlockLength)
    const [a, b, c, d] = bytes
    if (a === 0x0a && b === 0x0d && c === 0x0d && d === 0x0a) return new PcapngReader(this.#maxBlockLength)
    const [compression] = compressions.find(([, magic]) => magic.every((byte, i) => bytes[i] === byte)) ?? []
    throw new CaptureFileError(
      0,
      compression === undefined
        ? 'neither pcap nor pcapng'
        : `compressed with ${compression}: decompress it first`,
    )
  }
}

const compressions: readonly [string, readonly number[]][] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58]],
  ['bzip2', [0x42, 0x5a, 0x68]],
]
