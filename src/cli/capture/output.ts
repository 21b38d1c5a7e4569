import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Writes to a stream no faster than it takes. A reader that has gone ends it without a word. */
export class Output {
  /** Nobody reads any more. */
  closed = false
  readonly #stream: Writable
  #failure: Error | undefined

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.closed = true
      if (error.code !== 'EPIPE') this.#failure = error
    })
  }

  async write(bytes: string | Uint8Array): Promise<void> {
    this.#check()
    if (this.closed || bytes.length === 0) return
    if (this.#stream.write(bytes)) return
    const stop = new AbortController()
    const { signal } = stop
    const error = once(this.#stream, 'close', { signal })
    await Promise.race([once(this.#stream, 'drain', { signal }), error]).catch(() => {})
    stop.abort()
    error.catch(() => {})
    this.#check()
  }

  /** Waits until all is written; the standard output stays open. */
  async end(): Promise<void> {
    if (this.closed) return this.#check()
    await new Promise<void>(resolve => {
      this.#stream.once('error', () => resolve())
      if (this.#stream === process.stdout) this.#stream.write('', () => resolve())
      else this.#stream.end(() => resolve())
    })
    this.#check()
  }

  #check(): void {
    if (this.#failure) throw this.#failure
  }
}
