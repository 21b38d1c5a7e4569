import { invalidArgumentValue, requireInteger } from '../../errors/index.js'
import { attributeHeaderLength, messageHeaderLength, NLA_F } from './constants.js'
import { littleEndian, writeNative32 } from './endianness.js'

const encoder = new TextEncoder()

// Messages are cut from pieces like this: making memory for each costs more than filling it.
const chunkLength = 64 * 1024
let chunk: { bytes: Uint8Array; view: DataView; used: number } | undefined

function newChunk(length: number): NonNullable<typeof chunk> {
  const bytes = new Uint8Array(length)
  return { bytes, view: new DataView(bytes.buffer), used: 0 }
}

/** A family's fixed part, which follows the header: written at `at` into zeros. */
export interface FixedPart {
  readonly length: number
  write(view: DataView, at: number): void
}

/**
 * What stands where in a message: a name for all of it, then for each attribute where it begins, its name, and where the
 * one that it is in is in this list (0: in none). One list for all of them: most requests are a few attributes, of which
 * nobody will ask.
 */
export type Marks = readonly (number | string)[]

/** A message ready to be sent, which remembers what stands where in it. */
export interface Request {
  readonly flags: number
  readonly marks: Marks
  /** The whole message: a view. */
  readonly message: Uint8Array
  /** Of the message, in bytes. */
  readonly length: number
  /** Fills in who asks, and as which one: `nlmsg_seq` and `nlmsg_pid`. */
  stamp(sequence: number, port: number): void
  copyTo(target: Uint8Array, at: number): void
}

const markLength = 3

/** The name of the attribute that begins at this offset, from the outermost down: `link.bridge.ageingTimeMs`. */
export function pathAt(marks: Marks, offset: number): string | undefined {
  let mark = 1
  while (mark < marks.length && marks[mark] !== offset) mark += markLength
  if (mark >= marks.length) return undefined
  const names: string[] = []
  for (; mark > 0; mark = marks[mark + 2] as number) {
    const name = marks[mark + 1] as string
    if (name) names.unshift(name)
  }
  return [marks[0], ...names].join('.')
}

/**
 * Writes one netlink message: header, the family's fixed part, attributes. Every attribute is written with the name
 * that users know it by, so that an error that the kernel reports at an offset can be told in their words; an empty
 * name stays out of the path.
 */
export class MessageWriter implements Request {
  #bytes: Uint8Array
  #view: DataView
  /** Where the message begins, and where it ends by now. */
  #start: number
  #end: number
  readonly #marks: (number | string)[]
  #parent = 0
  readonly #type: number
  readonly flags: number

  constructor(options: { type: number; flags: number; header: FixedPart; name: string }) {
    this.#type = options.type
    this.flags = options.flags
    this.#marks = [options.name]
    chunk ??= newChunk(chunkLength)
    this.#bytes = chunk.bytes
    this.#view = chunk.view
    this.#start = chunk.used
    this.#end = this.#start
    this.#reserve(messageHeaderLength)
    this.#end += messageHeaderLength
    this.fixed(options.header)
  }

  flag(type: number, name: string): this {
    this.#begin(type, name, 0)
    return this
  }

  u8(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xff)
    const at = this.#begin(type, name, 1)
    this.#bytes[at] = value
    return this
  }

  u16(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xffff)
    const at = this.#begin(type, name, 2)
    this.#view.setUint16(at, value, littleEndian)
    return this
  }

  /** Network byte order. */
  u16be(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xffff)
    const at = this.#begin(type, name, 2)
    this.#view.setUint16(at, value)
    return this
  }

  u32(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xffff_ffff)
    const at = this.#begin(type, name, 4)
    this.#view.setUint32(at, value, littleEndian)
    return this
  }

  /** Network byte order. */
  u32be(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xffff_ffff)
    const at = this.#begin(type, name, 4)
    this.#view.setUint32(at, value)
    return this
  }

  s32(type: number, name: string, value: number): this {
    requireInteger(name, value, -0x8000_0000, 0x7fff_ffff)
    const at = this.#begin(type, name, 4)
    this.#view.setInt32(at, value, littleEndian)
    return this
  }

  u64(type: number, name: string, value: bigint): this {
    if (typeof value !== 'bigint' || value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      throw invalidArgumentValue(name, value, 'must be a bigint that fits 64 bits')
    }
    const at = this.#begin(type, name, 8)
    this.#view.setBigUint64(at, value, littleEndian)
    return this
  }

  /** Network byte order. */
  u64be(type: number, name: string, value: bigint): this {
    const at = this.#begin(type, name, 8)
    this.#view.setBigUint64(at, value)
    return this
  }

  /** Ends in a zero byte, as the kernel's own strings do. */
  string(type: number, name: string, value: string): this {
    const text = encoder.encode(value)
    if (text.includes(0)) throw invalidArgumentValue(name, value, 'must not contain a zero byte')
    const at = this.#begin(type, name, text.length + 1)
    this.#bytes.set(text, at)
    return this
  }

  bytes(type: number, name: string, value: Uint8Array): this {
    const at = this.#begin(type, name, value.length)
    this.#bytes.set(value, at)
    return this
  }

  /** Attributes within an attribute. Strict checking wants the flag on all but those from before it existed. */
  nested(type: number, name: string, write: (writer: this) => void): this {
    const at = this.#end - this.#start
    this.#begin(type | NLA_F.NESTED, name, 0)
    const outer = this.#parent
    this.#parent = this.#marks.length - markLength
    try {
      write(this)
    } finally {
      this.#parent = outer
    }
    this.#setLength(this.#start + at, name, this.#end - this.#start - at)
    return this
  }

  /** A struct that stands before the attributes of a nest, such as another message's fixed part. */
  fixed(part: FixedPart): this {
    this.#reserve(part.length)
    part.write(this.#view, this.#end)
    this.#end += aligned(part.length)
    return this
  }

  /** A struct whose 16-bit length, its first member, counts the attributes that follow it: struct rtnexthop. */
  counted(part: FixedPart, write: () => void): this {
    const at = this.#end - this.#start
    this.fixed(part)
    write()
    this.#view.setUint16(this.#start + at, this.#end - this.#start - at, littleEndian)
    return this
  }

  /** Ends the message: nothing more can be written. */
  finish(): Request {
    const start = this.#start
    this.#view.setUint32(start, this.#end - start, littleEndian)
    this.#view.setUint16(start + 4, this.#type, littleEndian)
    this.#view.setUint16(start + 6, this.flags, littleEndian)
    // Thousands may wait at once: another object, or a view of its bytes, would be most of what each weighs.
    return this
  }

  get length(): number {
    return this.#end - this.#start
  }

  get marks(): Marks {
    return this.#marks
  }

  get message(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end)
  }

  stamp(sequence: number, port: number): void {
    writeNative32(this.#bytes, this.#start + 8, sequence)
    writeNative32(this.#bytes, this.#start + 12, port)
  }

  copyTo(target: Uint8Array, at: number): void {
    const bytes = this.#bytes
    for (let from = this.#start, to = at; from < this.#end; from++, to++) target[to] = bytes[from]!
  }

  /** Writes an attribute's header and gives the offset of its value, which is zero. The memory may be another then. */
  #begin(type: number, name: string, length: number): number {
    this.#reserve(attributeHeaderLength + length)
    const at = this.#end
    this.#marks.push(at - this.#start, name, this.#parent)
    this.#view.setUint16(at + 2, type, littleEndian)
    this.#setLength(at, name, attributeHeaderLength + length)
    this.#end = at + aligned(attributeHeaderLength + length)
    return at + attributeHeaderLength
  }

  #setLength(at: number, name: string, length: number): void {
    if (length > 0xffff) throw invalidArgumentValue(name, length, 'is too long for a netlink attribute')
    this.#view.setUint16(at, length, littleEndian)
  }

  /** Room for more, in the chunk if it is still ours to the end, else in a larger or a new one. */
  #reserve(more: number): void {
    const needed = this.#end - this.#start + aligned(more)
    if (
      chunk?.bytes === this.#bytes &&
      chunk.used <= this.#end &&
      this.#start + needed <= this.#bytes.length
    ) {
      chunk.used = this.#start + needed
      return
    }
    const larger = newChunk(Math.max(chunkLength, 2 * needed))
    larger.bytes.set(this.#bytes.subarray(this.#start, this.#end))
    this.#end -= this.#start
    this.#start = 0
    this.#bytes = larger.bytes
    this.#view = larger.view
    larger.used = needed
    chunk = larger
  }
}

function aligned(length: number): number {
  return (length + 3) & ~3
}
