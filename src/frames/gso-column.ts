import { outOfRange, requireObject, requireOptions } from '../errors/index.js'
import { uint } from './record.js'
import type { VirtioNetRecord } from './virtio-net.js'

/** Bytes of an entry: struct virtio_net_hdr_v1_hash_tunnel, linux/virtio_net.h. */
const entryBytes = 24

/** What is left undone in a frame, as the virtio-net header before it says; see virtio-net.ts. */
export interface Gso extends Omit<VirtioNetRecord, 'payload' | 'buffers'> {
  /** Of a UDP tunnel (segmentation bits 0x20, 0x40): offset of the outer UDP header. */
  outerTransport: number
  /** Of a UDP tunnel: offset of the inner IP header. */
  innerNetwork: number
}

const byteFields = ['flags', 'segmentation'] as const
/** In 16-bit words of an entry. */
const wordFields = {
  headersLength: 1,
  segmentSize: 2,
  checksumStart: 3,
  checksumOffset: 4,
  outerTransport: 10,
  innerNetwork: 11,
} as const

const fields = [...byteFields, ...(Object.keys(wordFields) as (keyof typeof wordFields)[])]

/**
 * What is left undone in each frame of a batch: a super-frame that stands for many frames of one flow, a checksum that is
 * yet to be completed. All zero: nothing. Ports that get such frames take them as they are, or cut and complete them.
 */
export class GsoColumn {
  /** 24 bytes a frame, struct virtio_net_hdr_v1_hash_tunnel in the machine's byte order. */
  readonly bytes: Uint8Array
  readonly #words: Uint16Array

  /** Over `bytes`, or new for so many frames. */
  constructor(frames: number | Uint8Array) {
    this.bytes = typeof frames === 'number' ? new Uint8Array(entryBytes * frames) : frames
    this.#words = new Uint16Array(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length >> 1)
  }

  get count(): number {
    return this.bytes.length / entryBytes
  }

  /** Frame `i` stands for several. */
  isSuperFrame(i: number): boolean {
    return this.bytes[this.#at(i) + 1] !== 0
  }

  /** The checksum of frame `i` is to be completed. */
  needsChecksum(i: number): boolean {
    return (this.bytes[this.#at(i)]! & 1) !== 0
  }

  /** Something is left undone in frame `i`. */
  asks(i: number): boolean {
    return this.isSuperFrame(i) || this.needsChecksum(i)
  }

  /** The same of any of the first `count` frames. */
  asksAny(count: number): boolean {
    for (let i = 0; i < count; i++) if (this.asks(i)) return true
    return false
  }

  get(i: number): Gso {
    const at = this.#at(i)
    const word = (name: keyof typeof wordFields) => this.#words[at / 2 + wordFields[name]]!
    return {
      flags: this.bytes[at]!,
      segmentation: this.bytes[at + 1]!,
      headersLength: word('headersLength'),
      segmentSize: word('segmentSize'),
      checksumStart: word('checksumStart'),
      checksumOffset: word('checksumOffset'),
      outerTransport: word('outerTransport'),
      innerNetwork: word('innerNetwork'),
    }
  }

  /** What is not given is 0, of `{}` all. @throws TypeError, RangeError for a field that does not fit */
  set(i: number, gso: Partial<Gso>): void {
    const at = this.#at(i)
    requireOptions('gso', requireObject('gso', gso), fields)
    const words = new Uint16Array(entryBytes / 2)
    const entry = new Uint8Array(words.buffer)
    byteFields.forEach((name, k) => {
      entry[k] = uint(name, gso[name], 8, 0)
    })
    for (const name of Object.keys(wordFields) as (keyof typeof wordFields)[]) {
      words[wordFields[name]] = uint(name, gso[name], 16, 0)
    }
    this.bytes.set(entry, at)
  }

  /** Entry `i` of another column. */
  copy(i: number, from: GsoColumn, j: number): void {
    const at = from.#at(j)
    this.bytes.set(from.bytes.subarray(at, at + entryBytes), this.#at(i))
  }

  /** A column of its own with those entries. */
  pick(indexes: Uint32Array): GsoColumn {
    const column = new GsoColumn(indexes.length)
    indexes.forEach((from, to) => {
      column.copy(to, this, from)
    })
    return column
  }

  /** The entries from `start` on, in the same memory. */
  slice(start: number, end: number): GsoColumn {
    return new GsoColumn(this.bytes.subarray(entryBytes * start, entryBytes * end))
  }

  #at(i: number): number {
    if (!Number.isInteger(i) || i < 0 || i >= this.count) throw outOfRange('i', `>= 0 and < ${this.count}`, i)
    return entryBytes * i
  }
}
