import { invalidArgumentValue, requireInteger } from '../../errors/index.js'
import { attributeHeaderLength, messageHeaderLength, NLA_F } from './constants.js'
import { littleEndian } from './endianness.js'

const encoder = new TextEncoder()

/** A message ready to be sent, which remembers what stands where in it. */
export interface Request {
  readonly type: number
  readonly flags: number
  /** The whole message; the sequence number is filled in when it is sent. */
  readonly bytes: Uint8Array
  /** The name of the attribute that begins at this offset, from the outermost down: `link.bridge.ageingTimeMs`. */
  pathAt(offset: number): string | undefined
}

interface Mark {
  offset: number
  name: string
  parent: Mark | undefined
}

/**
 * Writes one netlink message: header, the family's fixed part, attributes. Every attribute is written with the name
 * that users know it by, so that an error that the kernel reports at an offset can be told in their words; an empty
 * name stays out of the path.
 */
export class MessageWriter {
  #bytes: Uint8Array
  #view: DataView
  #length: number
  #marks: Mark[] = []
  #parent: Mark | undefined
  readonly #type: number
  readonly #flags: number
  readonly #root: string

  constructor(options: { type: number; flags: number; header: Uint8Array; name: string }) {
    this.#type = options.type
    this.#flags = options.flags
    this.#root = options.name
    this.#bytes = new Uint8Array(256)
    this.#view = new DataView(this.#bytes.buffer)
    this.#length = messageHeaderLength
    this.#reserve(options.header.length)
    this.#bytes.set(options.header, messageHeaderLength)
    this.#length = aligned(messageHeaderLength + options.header.length)
  }

  flag(type: number, name: string): this {
    this.#begin(type, name, 0)
    return this
  }

  u8(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xff)
    this.#bytes[this.#begin(type, name, 1)] = value
    return this
  }

  u16(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xffff)
    this.#view.setUint16(this.#begin(type, name, 2), value, littleEndian)
    return this
  }

  /** Network byte order. */
  u16be(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xffff)
    this.#view.setUint16(this.#begin(type, name, 2), value)
    return this
  }

  u32(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xffff_ffff)
    this.#view.setUint32(this.#begin(type, name, 4), value, littleEndian)
    return this
  }

  /** Network byte order. */
  u32be(type: number, name: string, value: number): this {
    requireInteger(name, value, 0, 0xffff_ffff)
    this.#view.setUint32(this.#begin(type, name, 4), value)
    return this
  }

  s32(type: number, name: string, value: number): this {
    requireInteger(name, value, -0x8000_0000, 0x7fff_ffff)
    this.#view.setInt32(this.#begin(type, name, 4), value, littleEndian)
    return this
  }

  u64(type: number, name: string, value: bigint): this {
    if (typeof value !== 'bigint' || value < 0n || value > 0xffff_ffff_ffff_ffffn) {
      throw invalidArgumentValue(name, value, 'must be a bigint that fits 64 bits')
    }
    this.#view.setBigUint64(this.#begin(type, name, 8), value, littleEndian)
    return this
  }

  /** Ends in a zero byte, as the kernel's own strings do. */
  string(type: number, name: string, value: string): this {
    const text = encoder.encode(value)
    if (text.includes(0)) throw invalidArgumentValue(name, value, 'must not contain a zero byte')
    this.#bytes.set(text, this.#begin(type, name, text.length + 1))
    return this
  }

  bytes(type: number, name: string, value: Uint8Array): this {
    this.#bytes.set(value, this.#begin(type, name, value.length))
    return this
  }

  /** Attributes within an attribute. Strict checking wants the flag on all but those from before it existed. */
  nested(type: number, name: string, write: (writer: this) => void): this {
    const start = this.#length
    this.#begin(type | NLA_F.NESTED, name, 0)
    const outer = this.#parent
    this.#parent = this.#marks.at(-1)
    try {
      write(this)
    } finally {
      this.#parent = outer
    }
    this.#setLength(start, name)
    return this
  }

  /** Bytes that stand before the attributes of a nest, such as another message's fixed part. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length = aligned(this.#length + value.length)
    return this
  }

  finish(): Request {
    const bytes = this.#bytes.subarray(0, this.#length)
    this.#view.setUint32(0, this.#length, littleEndian)
    this.#view.setUint16(4, this.#type, littleEndian)
    this.#view.setUint16(6, this.#flags, littleEndian)
    const [marks, root] = [this.#marks, this.#root]
    return { type: this.#type, flags: this.#flags, bytes, pathAt: offset => pathAt(marks, root, offset) }
  }

  /** Writes an attribute's header and gives the offset of its value, which is zero. */
  #begin(type: number, name: string, length: number): number {
    const start = this.#length
    this.#marks.push({ offset: start, name, parent: this.#parent })
    this.#reserve(attributeHeaderLength + length)
    this.#view.setUint16(start + 2, type, littleEndian)
    this.#length = aligned(start + attributeHeaderLength + length)
    this.#setLength(start, name, attributeHeaderLength + length)
    return start + attributeHeaderLength
  }

  #setLength(start: number, name: string, length = this.#length - start): void {
    if (length > 0xffff) throw invalidArgumentValue(name, length, 'is too long for a netlink attribute')
    this.#view.setUint16(start, length, littleEndian)
  }

  #reserve(more: number): void {
    const needed = aligned(this.#length + more)
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

function aligned(length: number): number {
  return (length + 3) & ~3
}

function pathAt(marks: readonly Mark[], root: string, offset: number): string | undefined {
  const found = marks.find(mark => mark.offset === offset)
  if (!found) return undefined
  const names: string[] = []
  for (let mark: Mark | undefined = found; mark; mark = mark.parent) if (mark.name) names.unshift(mark.name)
  return [root, ...names].join('.')
}
