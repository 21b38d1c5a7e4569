import { NetloomError } from '../../errors/index.js'
import { attributeHeaderLength, messageHeaderLength, NLA_TYPE_MASK } from './constants.js'
import { littleEndian } from './endianness.js'
import type { Request } from './message-writer.js'

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
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #start: number
  readonly length: number

  /** Without a view: all of `bytes`. */
  constructor(bytes: Uint8Array, view?: DataView, start = 0, length = bytes.length) {
    this.#bytes = bytes
    this.#view = view ?? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#start = start
    this.length = length
  }

  /** Lent, as all of it. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#start + this.length)
  }

  u8(offset: number): number {
    return this.#bytes[this.#at(offset, 1)]!
  }

  u16(offset: number): number {
    return this.#view.getUint16(this.#at(offset, 2), littleEndian)
  }

  u32(offset: number): number {
    return this.#view.getUint32(this.#at(offset, 4), littleEndian)
  }

  s32(offset: number): number {
    return this.#view.getInt32(this.#at(offset, 4), littleEndian)
  }

  /** The attributes from `offset` on: after the family's fixed part. */
  attributes(offset: number): AttributeCursor {
    return new AttributeCursor(this.#bytes, this.#view, this.#at(offset, 0), this.#start + this.length)
  }

  #at(offset: number, length: number): number {
    if (offset + length > this.length) throw malformed('a message is too short')
    return this.#start + offset
  }
}

/** Steps through attributes: `while (cursor.next()) switch (cursor.type) …`. Longer values than known are accepted. */
export class AttributeCursor {
  /** What it steps through, lent. */
  readonly source: Uint8Array
  readonly #view: DataView
  #next: number
  readonly #end: number
  /** Without the flag bits. */
  type = 0
  /** Where the value is in {@link source}. */
  start = 0
  /** Bytes of the value. */
  length = 0

  constructor(bytes: Uint8Array, view: DataView, start: number, end: number) {
    this.source = bytes
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
    return this.source[this.start]!
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

  /** Network byte order. */
  u64be(): bigint {
    this.#need(8)
    return this.#view.getBigUint64(this.start)
  }

  /** Up to the first zero byte. */
  string(): string {
    let end = this.start
    while (end < this.start + this.length && this.source[end] !== 0) end++
    return decoder.decode(this.source.subarray(this.start, end))
  }

  /** A copy. */
  bytes(): Uint8Array {
    return this.source.slice(this.start, this.start + this.length)
  }

  /** The attributes within this one, after `skip` bytes of another kind. */
  nested(skip = 0): AttributeCursor {
    this.#need(skip)
    return new AttributeCursor(this.source, this.#view, this.start + skip, this.start + this.length)
  }

  /** Of a cursor that has not stepped yet: only the first `length` bytes. */
  until(length: number): AttributeCursor {
    return new AttributeCursor(this.source, this.#view, this.#next, Math.min(this.#next + length, this.#end))
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

/** Hands over the messages in a datagram, in order. @throws NetloomError `ERR_NETLINK_PROTOCOL` */
export function readMessages(datagram: Uint8Array, take: (message: Message) => void): void {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  let at = 0
  while (datagram.length - at >= messageHeaderLength) {
    const length = view.getUint32(at, littleEndian)
    if (length < messageHeaderLength || length > datagram.length - at) {
      throw malformed(`a message claims ${length} bytes where there are ${datagram.length - at}`)
    }
    take({
      type: view.getUint16(at + 4, littleEndian),
      flags: view.getUint16(at + 6, littleEndian),
      sequence: view.getUint32(at + 8, littleEndian),
      port: view.getUint32(at + 12, littleEndian),
      payload: new Payload(datagram, view, at + messageHeaderLength, length - messageHeaderLength),
    })
    at += (length + 3) & ~3
  }
}

/** What a request says, to be read as the kernel's own messages are. */
export function payloadOf({ message }: Pick<Request, 'message'>): Payload {
  return new Payload(message.subarray(messageHeaderLength))
}

export function malformed(message: string): NetloomError {
  return new NetloomError('ERR_NETLINK_PROTOCOL', message)
}
