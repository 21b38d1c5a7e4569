import { NetloomError } from '../../errors/index.js'
import { attributeHeaderLength, messageHeaderLength, NLA_TYPE_MASK } from './constants.js'
import { littleEndian } from './endianness.js'

const decoder = new TextDecoder()

/** An attribute that nobody here knows, kept so that it can be sent back as it was. */
export interface RawAttribute {
  readonly type: number
  readonly bytes: Uint8Array
}

/** One received message. Its bytes are lent: whoever keeps something of them copies it. */
export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly port: number
  /** What follows the header. */
  readonly payload: Payload
}

/** A stretch of received bytes in the machine's byte order; reads outside of it are protocol errors. */
export class Payload {
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(bytes: Uint8Array, view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)) {
    this.bytes = bytes
    this.view = view
  }

  get length(): number {
    return this.bytes.length
  }

  u8(offset: number): number {
    this.#check(offset, 1)
    return this.bytes[offset]!
  }

  u16(offset: number): number {
    this.#check(offset, 2)
    return this.view.getUint16(offset, littleEndian)
  }

  u32(offset: number): number {
    this.#check(offset, 4)
    return this.view.getUint32(offset, littleEndian)
  }

  s32(offset: number): number {
    this.#check(offset, 4)
    return this.view.getInt32(offset, littleEndian)
  }

  /** The attributes from `offset` on: after the family's fixed part. */
  attributes(offset: number): AttributeCursor {
    this.#check(offset, 0)
    return new AttributeCursor(this.bytes, this.view, offset, this.bytes.length)
  }

  #check(offset: number, length: number): void {
    if (offset + length > this.bytes.length) throw malformed('a message is too short')
  }
}

/** Steps through attributes: `while (cursor.next()) switch (cursor.type) …`. Longer values than known are accepted. */
export class AttributeCursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #next: number
  readonly #end: number
  /** Without the flag bits. */
  type = 0
  /** Where the value is in the payload. */
  start = 0
  /** Bytes of the value. */
  length = 0

  constructor(bytes: Uint8Array, view: DataView, start: number, end: number) {
    this.#bytes = bytes
    this.#view = view
    this.#next = (start + 3) & ~3
    this.#end = end
  }

  next(): boolean {
    const at = this.#next
    if (this.#end - at < attributeHeaderLength) return false
    const length = this.#view.getUint16(at, littleEndian)
    if (length < attributeHeaderLength || length > this.#end - at) {
      throw malformed(`an attribute claims ${length} bytes where there are ${this.#end - at}`)
    }
    this.type = this.#view.getUint16(at + 2, littleEndian) & NLA_TYPE_MASK
    this.start = at + attributeHeaderLength
    this.length = length - attributeHeaderLength
    this.#next = (at + length + 3) & ~3
    return true
  }

  u8(): number {
    this.#need(1)
    return this.#bytes[this.start]!
  }

  u16(): number {
    this.#need(2)
    return this.#view.getUint16(this.start, littleEndian)
  }

  /** Network byte order. */
  u16be(): number {
    this.#need(2)
    return this.#view.getUint16(this.start)
  }

  u32(offset = 0): number {
    this.#need(offset + 4)
    return this.#view.getUint32(this.start + offset, littleEndian)
  }

  /** Network byte order. */
  u32be(): number {
    this.#need(4)
    return this.#view.getUint32(this.start)
  }

  s32(): number {
    this.#need(4)
    return this.#view.getInt32(this.start, littleEndian)
  }

  /** At `offset` in a struct; 0 where an older kernel's struct ends. */
  u64(offset = 0): bigint {
    if (offset > 0 && offset + 8 > this.length) return 0n
    this.#need(offset + 8)
    return this.#view.getBigUint64(this.start + offset, littleEndian)
  }

  /** Up to the first zero byte. */
  string(): string {
    let end = this.start
    while (end < this.start + this.length && this.#bytes[end] !== 0) end++
    return decoder.decode(this.#bytes.subarray(this.start, end))
  }

  /** A copy. */
  bytes(): Uint8Array {
    return this.#bytes.slice(this.start, this.start + this.length)
  }

  /** The attributes within this one, after `skip` bytes of another kind. */
  nested(skip = 0): AttributeCursor {
    this.#need(skip)
    return new AttributeCursor(this.#bytes, this.#view, this.start + skip, this.start + this.length)
  }

  raw(): RawAttribute {
    return { type: this.type, bytes: this.bytes() }
  }

  #need(length: number): void {
    if (this.length < length) {
      throw malformed(`attribute ${this.type} has ${this.length} bytes where ${length} were expected`)
    }
  }
}

/** The messages in a datagram. @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function* readMessages(datagram: Uint8Array): Generator<Message> {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  let at = 0
  while (datagram.length - at >= messageHeaderLength) {
    const length = view.getUint32(at, littleEndian)
    if (length < messageHeaderLength || length > datagram.length - at) {
      throw malformed(`a message claims ${length} bytes where there are ${datagram.length - at}`)
    }
    yield {
      type: view.getUint16(at + 4, littleEndian),
      flags: view.getUint16(at + 6, littleEndian),
      sequence: view.getUint32(at + 8, littleEndian),
      port: view.getUint32(at + 12, littleEndian),
      payload: new Payload(datagram.subarray(at + messageHeaderLength, at + length)),
    }
    at += (length + 3) & ~3
  }
}

export function malformed(message: string): NetloomError {
  return new NetloomError('ERR_NETLINK_PROTOCOL', message)
}
