import type { CaptureItem, CaptureSection } from './capture-items.js'
import { makeFileBatch } from './file-batch.js'
import type { FileLinkType } from './file-link-type.js'
import { PacketColumns } from './packet-columns.js'

/** No packet takes less, header included. */
const leastLength = 16

/**
 * Gathers packets that follow each other in `slab` to batches of one link type. A reader writes the columns at `at`
 * and calls `added`.
 */
export class PacketRun {
  readonly slab: Uint8Array
  readonly #out: CaptureItem[]
  /** Bytes of a packet with its header, to have columns of about the right length. */
  readonly #typical: number
  readonly #fileOffset: number
  columns: PacketColumns
  /** The next entry of the columns. */
  at = 0
  #from = 0
  #begin = 0
  #end = 0
  #linkType: FileLinkType = 0
  #timed = true
  #section: CaptureSection | undefined

  constructor(slab: Uint8Array, fileOffset: number, typical: number, out: CaptureItem[]) {
    this.slab = slab
    this.#fileOffset = fileOffset
    this.#typical = typical
    this.#out = out
    this.columns = this.#allocate(slab.length)
  }

  /** Ends the batch unless the packet at `begin` belongs to it too, and makes sure that there is an entry for it. */
  expect(section: CaptureSection, linkType: FileLinkType, timed: boolean, begin: number): void {
    const fits = linkType === this.#linkType && timed === this.#timed && this.at < this.columns.capacity
    if (this.at > this.#from && fits) return
    this.flush()
    if (this.at === this.columns.capacity) {
      this.columns = this.#allocate(this.slab.length - begin)
      this.at = 0
      this.#from = 0
    }
    this.#section = section
    this.#linkType = linkType
    this.#timed = timed
    this.#begin = begin
  }

  /** The packet whose entry has been written ends here, header, padding and options included. */
  added(end: number): void {
    this.at++
    this.#end = end
  }

  flush(): void {
    if (this.at === this.#from) return
    this.#out.push(
      makeFileBatch({
        slab: this.slab,
        columns: this.columns,
        from: this.#from,
        to: this.at,
        begin: this.#begin,
        end: this.#end,
        fileOffset: this.#fileOffset,
        section: this.#section!,
        linkType: this.#linkType,
        timed: this.#timed,
      }),
    )
    this.#from = this.at
  }

  #allocate(bytes: number): PacketColumns {
    const likely = Math.ceil((bytes / this.#typical) * 1.1) + 64
    return new PacketColumns(Math.min(likely, Math.ceil(bytes / leastLength), 1 << 16))
  }
}
