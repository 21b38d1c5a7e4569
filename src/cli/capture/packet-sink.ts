import type { Writable } from 'node:stream'
import type { FrameBatch } from '../../frames/index.js'
import {
  CaptureEncoder,
  type CaptureFileOptions,
  type CaptureItem,
  type FileBatch,
  isFileBatch,
} from '../../pcap/index.js'
import { SelectedBatch } from '../../port/index.js'
import { Output } from './output.js'
import { PacketText, type PacketTextOptions } from './packet-text.js'
import type { Traffic } from './traffic.js'

/** Where packets go. */
export interface PacketSink {
  /** These frames of the batch; `undefined` is all of them. */
  take(batch: FrameBatch | FileBatch, frames: readonly number[] | undefined): Promise<void>
  /** What else is in a file. */
  item?(item: Exclude<CaptureItem, FileBatch>): Promise<void>
  end(): Promise<void>
  /** Nobody wants more. */
  readonly closed: boolean
}

/** Prints packets. */
export class TextSink implements PacketSink {
  readonly #output = new Output(process.stdout)
  readonly #text: PacketText
  readonly #nameOf: (batch: FrameBatch | FileBatch, i: number) => string | undefined

  constructor(
    options: PacketTextOptions,
    nameOf: (batch: FrameBatch | FileBatch, i: number) => string | undefined,
  ) {
    this.#text = new PacketText(options)
    this.#nameOf = nameOf
  }

  get closed(): boolean {
    return this.#output.closed
  }

  async take(batch: FrameBatch | FileBatch, frames: readonly number[] | undefined): Promise<void> {
    const { linkType, timestamps, originalLengths, lengths, flags } = batch
    let text = ''
    for (const i of frames ?? Array.from(lengths, (_, i) => i)) {
      text += this.#text.of({
        linkType,
        data: batch.frame(i),
        originalLength: originalLengths?.[i] ?? lengths[i]!,
        timestamp: timestamps?.[i],
        flags: flags?.[i] ?? 0,
        interface: this.#nameOf(batch, i),
        comments:
          isFileBatch(batch) && batch.section.format === 'pcapng' ? batch.packet(i).comments : undefined,
      })
    }
    await this.#output.write(text)
  }

  end(): Promise<void> {
    return this.#output.end()
  }
}

/** Writes packets to a capture file. */
export class FileSink implements PacketSink {
  readonly #output: Output
  readonly #encoder: CaptureEncoder

  constructor(stream: Writable, options: CaptureFileOptions) {
    this.#output = new Output(stream)
    this.#encoder = new CaptureEncoder(options)
  }

  get closed(): boolean {
    return this.#output.closed
  }

  async take(batch: FrameBatch | FileBatch, frames: readonly number[] | undefined): Promise<void> {
    if (frames === undefined) return await this.#write(this.#encoder.encode(batch))
    if (!isFileBatch(batch)) {
      const some = new SelectedBatch(batch, Uint32Array.from(frames))
      return await this.#write(this.#encoder.encode(some))
    }
    for (const i of frames) await this.#write(this.#encoder.encode(batch.packet(i)))
  }

  async item(item: Exclude<CaptureItem, FileBatch>): Promise<void> {
    await this.#write(this.#encoder.encode(item))
  }

  async end(): Promise<void> {
    await this.#write(this.#encoder.end())
    await this.#output.end()
  }

  async #write(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) await this.#output.write(part)
  }
}

/** Counts packets. */
export class TrafficSink implements PacketSink {
  readonly closed = false
  readonly #traffic: Traffic

  constructor(traffic: Traffic) {
    this.#traffic = traffic
  }

  async take(batch: FrameBatch | FileBatch, frames: readonly number[] | undefined): Promise<void> {
    const { linkType, slab, offsets, lengths, originalLengths, count } = batch
    for (let at = 0; at < (frames?.length ?? count); at++) {
      const i = frames?.[at] ?? at
      const frame = slab.subarray(offsets[i]!, offsets[i]! + lengths[i]!)
      this.#traffic.add(frame, linkType, originalLengths?.[i] ?? lengths[i]!)
    }
  }

  async end(): Promise<void> {}
}
