import { invalidArgumentType, NetloomError } from '../errors/index.js'
import { CaptureDecoder, type CaptureDecoderOptions } from './capture-decoder.js'
import type {
  CaptureCut,
  CaptureInterface,
  CaptureItem,
  CapturePacket,
  CaptureSection,
} from './capture-items.js'
import { type FileBatch, isFileBatch } from './file-batch.js'
import { PlainBytes } from './plain-bytes.js'

/** Where the bytes of a file come from. Streams of Node and of the Web are `AsyncIterable`. */
export type CaptureSource =
  | Uint8Array
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>
  | ReadableStream<Uint8Array>

/**
 * A capture file that is being read: pcap, pcapng, or one of them compressed with gzip. It is read once, as batches, as
 * packets, or as items, which are everything that is in it; memory does not grow with the file.
 */
export class CaptureReader implements AsyncIterable<FileBatch> {
  readonly #source: CaptureSource
  readonly #decoder: CaptureDecoder
  #started = false
  #cut: CaptureCut | undefined

  /** @internal */
  constructor(source: CaptureSource, options?: CaptureDecoderOptions) {
    this.#source = source
    this.#decoder = new CaptureDecoder(options)
  }

  /** The section that is being read; `undefined` before the first one. */
  get section(): CaptureSection | undefined {
    return this.#decoder.section
  }

  /** The interfaces of that section that have been met. */
  get interfaces(): readonly CaptureInterface[] {
    return this.section?.interfaces ?? []
  }

  /** At the end: where the file ends within a packet or block, if it does. */
  get cut(): CaptureCut | undefined {
    return this.#cut
  }

  /** Packets in batches of one link type. @throws CaptureFileError */
  async *batches(): AsyncGenerator<FileBatch, void, undefined> {
    for await (const item of this.items()) if (isFileBatch(item)) yield item
  }

  /** Packets one by one, with everything that the file says of them. @throws CaptureFileError */
  async *packets(): AsyncGenerator<CapturePacket, void, undefined> {
    for await (const batch of this.batches()) for (let i = 0; i < batch.count; i++) yield batch.packet(i)
  }

  /** Sections, interfaces, batches of packets and all else, in the order of the file. @throws CaptureFileError */
  async *items(): AsyncGenerator<CaptureItem, void, undefined> {
    if (this.#started) throw new NetloomError('ERR_INVALID_STATE', 'a capture is read once')
    this.#started = true
    const decoder = this.#decoder
    const source = new PlainBytes(chunks(this.#source))
    for await (const chunk of source) yield* decoder.push(chunk)
    const rest = decoder.end()
    if (source.isCut && rest.at(-1)?.type !== 'cut')
      rest.push({ type: 'cut', offset: source.length, length: 0 })
    for (const item of rest) {
      if (item.type === 'cut') this.#cut = item
      yield item
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<FileBatch, void, undefined> {
    return this.batches()
  }
}

/**
 * Reads a capture file from anywhere: `readCapture(createReadStream('a.pcapng'))`, `readCapture(response.body)`. The
 * chunks must not be written to any more: packets are views of them.
 */
export function readCapture(source: CaptureSource, options?: CaptureDecoderOptions): CaptureReader {
  if (!isSource(source)) throw invalidArgumentType('source', 'bytes or a stream of them', source)
  return new CaptureReader(source, options)
}

function isSource(source: unknown): source is CaptureSource {
  if (typeof source !== 'object' || source === null) return false
  return Symbol.asyncIterator in source || Symbol.iterator in source || 'getReader' in source
}

/** One chunk of a whole file at a time, so that what a reader makes of it is bounded too. */
const pieceLength = 1 << 20

async function* chunks(source: CaptureSource): AsyncGenerator<Uint8Array, void, undefined> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += pieceLength) yield source.subarray(at, at + pieceLength)
  } else if (Symbol.asyncIterator in source || Symbol.iterator in source) {
    yield* source as AsyncIterable<Uint8Array>
  } else {
    // Not every browser's streams are iterable.
    const reader = (source as ReadableStream<Uint8Array>).getReader()
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        yield value
      }
    } finally {
      await reader.cancel()
    }
  }
}
