import { formatIpv4, formatIpv6, formatMacAddress } from '../address/index.js'
import { hex } from '../bytes/index.js'

/** A part of a frame: a header, a field, or bytes that are neither. */
export interface FrameNode {
  /** As in the records: `ipv4`, `source`. Parts of bytes have one name together. */
  name: string
  /** For people: `source: 10.0.0.1`. Its wording may change. */
  label: string
  /** In the frame. */
  offset: number
  /** Bytes; 0 in an empty payload. */
  length: number
  value?: number | bigint | string
  /** In order, each byte of the node in exactly one of them; or none. */
  children: FrameNode[]
}

/** How a field is read: numbers by their byte order and how they are written, addresses, bytes. */
export type FieldKind = 'number' | 'hex' | 'little' | 'mac' | 'ipv4' | 'ipv6' | 'bytes'

/** What a number means. */
export type FieldText = (value: number) => string

/** Name, length and kind of a field. */
export type Field = readonly [name: string, length: number, kind: FieldKind, text?: FieldText]

const mostShown = 16

/** Puts the fields of `bytes[start, end)` one after the other, so that none is left out or counted twice. */
export class FieldList {
  readonly nodes: FrameNode[] = []
  readonly bytes: Uint8Array
  readonly end: number
  /** Where the next field begins. */
  at: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  /** Bytes that are left. */
  get left(): number {
    return this.end - this.at
  }

  /** A field, or what there is of it. */
  add(name: string, length: number, kind: FieldKind, text?: FieldText): void {
    const there = Math.min(length, this.left)
    if (there === 0) return
    const value = readValue(this.bytes, this.at, there, kind)
    this.nodes.push({
      name,
      label: `${name}: ${typeof value === 'number' && text ? text(value) : showValue(value, kind, there)}`,
      offset: this.at,
      length: there,
      value,
      children: [],
    })
    this.at += there
  }

  addAll(fields: readonly Field[]): void {
    for (const field of fields) this.add(...field)
  }

  /** A node of `length` bytes with fields of its own; those that `fill` leaves out are `data`. */
  group(name: string, length: number, fill: (fields: FieldList) => void, label = name): void {
    const fields = new FieldList(this.bytes, this.at, Math.min(this.end, this.at + length))
    const offset = this.at
    fill(fields)
    fields.rest('data')
    this.nodes.push({ name, label, offset, length: fields.end - offset, children: fields.nodes })
    this.at = fields.end
  }

  /** What is left. */
  rest(name: string): void {
    this.add(name, this.left, 'bytes')
  }
}

function readValue(bytes: Uint8Array, at: number, length: number, kind: FieldKind): number | bigint | string {
  if (kind === 'mac' && length === 6) return formatMacAddress(bytes, at)
  if (kind === 'ipv4' && length === 4) return formatIpv4(bytes, at)
  if (kind === 'ipv6' && length === 16) return formatIpv6(bytes, at)
  if (kind === 'bytes' || kind === 'mac' || kind === 'ipv4' || kind === 'ipv6')
    return hex(bytes.subarray(at, at + length))
  let value = 0n
  for (let i = 0; i < length; i++)
    value = (value << 8n) | BigInt(bytes[kind === 'little' ? at + length - 1 - i : at + i]!)
  return length > 6 ? value : Number(value)
}

function showValue(value: number | bigint | string, kind: FieldKind, length: number): string {
  if (kind === 'hex' && typeof value === 'number') return `0x${value.toString(16).padStart(2 * length, '0')}`
  if (kind !== 'bytes' || length <= mostShown) return String(value)
  return `${String(value).slice(0, 2 * mostShown)}… (${length} bytes)`
}
