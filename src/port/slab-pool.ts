import { createSlab, report, type SlabLayout, slabLayout, slabPoolOf } from './handle.js'

/** Slabs that are kept for reuse once all their batches are released. */
const spareSlabs = 8

/**
 * @internal Frame memory of native ports, filled from front to back by one batch after the other. Views into it exist
 * only once {@link bytes} was read; before its memory is filled anew they are detached, and have length 0.
 *
 * @internal
 */
export class Slab {
  readonly #native = createSlab()
  /** Names it in native calls. */
  readonly number = this.#native.number
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly headers: Uint8Array
  /** What captures know of each frame. */
  readonly timestamps: BigInt64Array
  readonly originalLengths: Uint32Array
  readonly flags: Uint32Array
  readonly vlans: Uint32Array
  readonly interfaces: Uint32Array
  /** Where the next frame goes, and its entry in the columns; see {@link SlabPool.filled}. */
  cursor = 0
  frames = 0
  /** Batches that were not released yet. */
  live = 0
  #bytes: Uint8Array | undefined

  constructor({ frames, headerBytes }: SlabLayout) {
    const columns = this.#native.columns()
    this.offsets = new Uint32Array(columns, 0, frames)
    this.lengths = new Uint32Array(columns, 4 * frames, frames)
    this.headers = new Uint8Array(columns, 8 * frames, headerBytes * frames)
    const known = (8 + headerBytes) * frames
    this.timestamps = new BigInt64Array(columns, known, frames)
    this.originalLengths = new Uint32Array(columns, known + 8 * frames, frames)
    this.flags = new Uint32Array(columns, known + 12 * frames, frames)
    this.vlans = new Uint32Array(columns, known + 16 * frames, frames)
    this.interfaces = new Uint32Array(columns, known + 20 * frames, frames)
  }

  get bytes(): Uint8Array {
    this.#bytes ??= new Uint8Array(this.#native.expose())
    return this.#bytes
  }

  get exposed(): boolean {
    return this.#bytes !== undefined
  }

  /** To be filled from the front again. */
  reset(): void {
    if (this.#bytes) this.#native.hide(this.#bytes.buffer as ArrayBuffer)
    this.#bytes = undefined
    this.cursor = 0
    this.frames = 0
  }
}

/**
 * The slabs of this thread, shared by all its native ports: reading is synchronous, so one of them is filled
 * at a time and stays in the processor's cache.
 */
class SlabPool {
  readonly #layout = slabLayout()
  #spare: Slab[] = []
  #current: Slab | undefined
  #owned: Slab | undefined

  /** A slab with room for one more frame at least; `fresh`: the one that it gave last has not enough of it. */
  room(fresh = false): Slab {
    const current = this.#current
    if (current) {
      // Nobody has a view into it: start over where the cache is warm.
      const again = current.live === 0 && (fresh || !current.exposed || !this.#hasRoom(current))
      if (again) {
        current.reset()
        this.#offer(current)
      }
      if (this.#hasRoom(current) && (again || !fresh)) return current
    }
    let slab: Slab
    do slab = this.#spare.pop() ?? new Slab(this.#layout)
    while (!this.#hasRoom(slab))
    this.#current = slab
    this.#offer(slab)
    return slab
  }

  /** The slab that {@link room} gave last: frames that are read before JavaScript is told of them go there. */
  get current(): Slab | undefined {
    return this.#current
  }

  /** Frames were read into `slab`, up to `cursor` and to this entry of its columns. */
  filled(slab: Slab, cursor: number, frames: number): void {
    slab.cursor = cursor
    slab.frames = frames
    if (slab === this.#current) this.#offer(slab)
  }

  /** The same, of memory that is never filled twice: it goes when the last view of it goes. */
  ownedRoom(fresh = false): Slab {
    if (!this.#owned || fresh || !this.#hasRoom(this.#owned)) this.#owned = new Slab(this.#layout)
    return this.#owned
  }

  /** The last batch of `slab` was released. */
  free(slab: Slab): void {
    if (slab === this.#current || this.#spare.length >= spareSlabs) return
    slab.reset()
    this.#spare.push(slab)
  }

  /** Tells native code where it may read to. */
  #offer(slab: Slab): void {
    const told = report()
    told[16] = slab.number
    told[17] = slab.cursor
    told[18] = slab.frames
  }

  #hasRoom(slab: Slab): boolean {
    const { bytes, maxFrame } = this.#layout
    // A batch's reader may have moved the columns away (ArrayBuffer.prototype.transfer): they have length 0 then.
    return bytes - slab.cursor >= maxFrame && slab.frames < slab.offsets.length
  }
}

let pool: SlabPool | undefined

/** @internal The slabs of this thread. */
export function slabPool(): SlabPool {
  pool ??= slabPoolOf(() => new SlabPool())
  return pool
}
