import { concatBytes } from '../bytes/index.js'
import { CaptureFileError } from './capture-error.js'

/** The bytes of a source, or what is inside where they begin as gzip does (RFC 1952). */
export class PlainBytes implements AsyncIterable<Uint8Array> {
  /** The compressed bytes end too early. */
  isCut = false
  /** Bytes that came out. */
  length = 0
  readonly #source: AsyncGenerator<Uint8Array>
  /** What the source failed with. */
  #failure: { error: unknown } | undefined

  constructor(source: AsyncGenerator<Uint8Array>) {
    this.#source = source
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let first: Uint8Array = new Uint8Array()
    while (first.length < 2) {
      const { done, value } = await this.#source.next()
      if (done) break
      // The decoder refuses what is no bytes.
      first = value instanceof Uint8Array && first.length > 0 ? concatBytes(first, value) : value
    }
    if (first[0] === 0x1f && first[1] === 0x8b) {
      yield* this.#inflated(first)
      return
    }
    try {
      if (first.length > 0) yield first
      yield* this.#source
    } finally {
      await this.#source.return(undefined)
    }
  }

  async *#inflated(first: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = this.#compressed(first).pipeThrough(new DecompressionStream('gzip')).getReader()
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        this.length += value.length
        yield value
      }
    } catch (cause) {
      if (this.#failure !== undefined) throw this.#failure.error
      // The name that zlib has for an early end; browsers tell it from damage in words only.
      this.isCut = (cause as { code?: unknown } | undefined)?.code === 'Z_BUF_ERROR'
      if (!this.isCut) throw new CaptureFileError(this.length, 'the compressed bytes are damaged', { cause })
    } finally {
      // Not waited for: the source may have been asked for more, and be silent.
      reader.cancel().catch(() => {})
    }
  }

  #compressed(first: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      start: controller => controller.enqueue(first as Uint8Array<ArrayBuffer>),
      pull: async controller => {
        try {
          const { done, value } = await this.#source.next()
          if (done) controller.close()
          else controller.enqueue(value as Uint8Array<ArrayBuffer>)
        } catch (error) {
          this.#failure = { error }
          throw error
        }
      },
      cancel: async () => {
        await this.#source.return(undefined)
      },
    })
  }
}
