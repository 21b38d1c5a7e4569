import { Duplex } from 'node:stream'
import { invalidArgumentValue, requireInteger, requireOptions } from '../errors/index.js'
import { FrameBatch, type LinkType } from '../frames/index.js'
import { FrameIterator } from './frame-iterator.js'
import { batchesAs } from './ownership.js'
import type { FramePort } from './port.js'
import { requirePort } from './require-port.js'

export interface DuplexOptions {
  /** Frames that are buffered in each direction, 1 to 65536. Default 64. */
  highWaterMark?: number
  /** What becomes of the port when the stream is destroyed. Default `close`. */
  onDestroy?: 'close' | 'release'
}

/**
 * The port as a Node stream in object mode: each chunk is one frame, a `Uint8Array` of its own.
 *
 * - The stream owns the port (`owner` is `stream`) until it is destroyed or the port ends.
 * - Frames written together go out as one batch. A frame that the device refuses is counted in the port's
 *   `sentDropped` and is no error of the stream.
 * - `end()` ends the writing only. When the port ends the readable side ends; if it failed, the stream is
 *   destroyed with its error.
 *
 * @throws NetloomError `ERR_PORT_LOCKED` when the port has a reader
 */
export function toDuplex<L extends LinkType>(port: FramePort<L>, options?: DuplexOptions): Duplex {
  requirePort(port)
  const { highWaterMark = 64, onDestroy = 'close' } = requireOptions('options', options, [
    'highWaterMark',
    'onDestroy',
  ])
  requireInteger('options.highWaterMark', highWaterMark, 1, 65536)
  if (onDestroy !== 'close' && onDestroy !== 'release') {
    throw invalidArgumentValue('options.onDestroy', onDestroy, "must be 'close' or 'release'")
  }
  return new PortDuplex(port, highWaterMark, onDestroy === 'close')
}

class PortDuplex<L extends LinkType> extends Duplex {
  readonly #port: FramePort<L>
  readonly #frames: FrameIterator<L, Uint8Array>
  readonly #closes: boolean
  readonly #destroyed = new AbortController()
  #reading = false

  constructor(port: FramePort<L>, highWaterMark: number, closes: boolean) {
    const batches = batchesAs(port, 'stream', { frames: Math.min(highWaterMark, 256) })
    super({ objectMode: true, highWaterMark })
    this.#port = port
    this.#closes = closes
    this.#frames = new FrameIterator(batches, (batch, i) => batch.copy(i), undefined)
  }

  override _read(): void {
    if (!this.#reading) this.#readUntilFull().catch(error => this.destroy(error))
  }

  override _write(frame: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send(frame, done)
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#destroyed.abort()
    this.#letGo().then(
      () => done(error),
      failure => done(error ?? failure),
    )
  }

  async #letGo(): Promise<void> {
    await this.#frames.return()
    if (this.#closes) await this.#port.close()
  }

  async #readUntilFull(): Promise<void> {
    this.#reading = true
    try {
      for (;;) {
        const step = await this.#frames.next()
        if (this.destroyed) return
        if (step.done) return await this.#endReading()
        if (!this.push(step.value)) return
      }
    } finally {
      this.#reading = false
    }
  }

  async #endReading(): Promise<void> {
    const reason = await this.#port.closed
    if (reason.type === 'error') throw reason.error
    this.push(null)
  }

  async #send(frames: Uint8Array | Uint8Array[], done: (error?: Error | null) => void): Promise<void> {
    try {
      const batch = Array.isArray(frames) ? FrameBatch.from(this.#port.linkType, frames) : frames
      await this.#port.send(batch, { signal: this.#destroyed.signal })
      done()
    } catch (error) {
      done(error as Error)
    }
  }
}
