/** Columns for the packets of one or more batches that lie in one piece of memory. */
export class PacketColumns {
  readonly capacity: number
  /** The halves of `timestamps`. */
  readonly timestampWords: Uint32Array
  readonly timestamps: BigInt64Array
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
  readonly originalLengths: Uint32Array
  readonly flags: Uint32Array
  readonly interfaces: Uint32Array

  constructor(capacity: number) {
    this.capacity = capacity
    const buffer = new ArrayBuffer(capacity * 28)
    this.timestamps = new BigInt64Array(buffer, 0, capacity)
    this.timestampWords = new Uint32Array(buffer, 0, capacity * 2)
    const column = (index: number) => new Uint32Array(buffer, capacity * (8 + 4 * index), capacity)
    this.offsets = column(0)
    this.lengths = column(1)
    this.originalLengths = column(2)
    this.flags = column(3)
    this.interfaces = column(4)
  }
}
