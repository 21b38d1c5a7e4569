import {
  formatIpv4,
  formatIpv6,
  formatMacAddress,
  parseIpAddress,
  parseMacAddress,
} from '../../address/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../../errors/index.js'
import { type AttributeCursor, malformed, type RawAttribute } from './message-reader.js'
import type { MessageWriter } from './message-writer.js'

/** How one kind of value stands in an attribute. */
export interface Codec<T> {
  write(writer: MessageWriter, type: number, name: string, value: T): void
  read(cursor: AttributeCursor): T
}

/** One row: the kernel's number and name, which a test compares with its headers, and the form of the value. */
export interface Field<T> {
  readonly type: number
  readonly kernelName: string
  readonly codec: Codec<T>
  /** Reported, but not set. */
  readonly readOnly: boolean
}

/** Attributes by the names that users know. `prefix` and a row's kernel name make a constant of the headers. */
export interface Table<F extends Fields = Fields> {
  readonly prefix: string
  readonly fields: F
}

export type Fields = Record<string, Field<unknown>>

/** What a table reads; whatever the kernel left out is absent. */
export type TableValues<T extends Table> =
  T extends Table<infer F>
    ? { -readonly [K in keyof F]?: F[K] extends Field<infer V> ? V | undefined : never }
    : never

export function field<T>(type: number, kernelName: string, codec: Codec<T>): Field<T> {
  return { type, kernelName, codec, readOnly: false }
}

export function reported<T>(type: number, kernelName: string, codec: Codec<T>): Field<T> {
  return { type, kernelName, codec, readOnly: true }
}

export function table<F extends Fields>(prefix: string, fields: F): Table<F> {
  return { prefix, fields }
}

/** Writes what is set; names of options are checked. @throws TypeError, RangeError */
export function writeTable(
  writer: MessageWriter,
  { fields }: Table,
  values: Record<string, unknown>,
  path: string,
): void {
  if (typeof values !== 'object' || values === null) throw invalidArgumentType(path, 'an object', values)
  for (const [name, value] of Object.entries(values)) {
    const row = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (!row) throw invalidArgumentValue(`${path}.${name}`, value, 'is not a known option')
    if (value === undefined) continue
    if (row.readOnly) throw invalidArgumentValue(`${path}.${name}`, value, 'can be read but not set')
    row.codec.write(writer, row.type, name, value)
  }
}

/** Reads what is known, and keeps the rest. */
export function readTable<T extends Table>(
  { fields }: T,
  cursor: AttributeCursor,
): { values: TableValues<T>; unknown: RawAttribute[] } {
  const values: Record<string, unknown> = {}
  const unknown: RawAttribute[] = []
  const rows = Object.entries(fields)
  while (cursor.next()) {
    const found = rows.find(([, row]) => row.type === cursor.type)
    if (found) values[found[0]] = found[1].codec.read(cursor)
    else unknown.push(cursor.raw())
  }
  return { values: values as TableValues<T>, unknown }
}

export const u8: Codec<number> = {
  write: (writer, type, name, value) => writer.u8(type, name, value),
  read: cursor => cursor.u8(),
}

export const u16: Codec<number> = {
  write: (writer, type, name, value) => writer.u16(type, name, value),
  read: cursor => cursor.u16(),
}

/** Network byte order. */
export const u16be: Codec<number> = {
  write: (writer, type, name, value) => writer.u16be(type, name, value),
  read: cursor => cursor.u16be(),
}

export const u32: Codec<number> = {
  write: (writer, type, name, value) => writer.u32(type, name, value),
  read: cursor => cursor.u32(),
}

export const s32: Codec<number> = {
  write: (writer, type, name, value) => writer.s32(type, name, value),
  read: cursor => cursor.s32(),
}

export const u64: Codec<bigint> = {
  write: (writer, type, name, value) => writer.u64(type, name, value),
  read: cursor => cursor.u64(),
}

export const text: Codec<string> = {
  write: (writer, type, name, value) => {
    if (typeof value !== 'string') throw invalidArgumentType(name, 'a string', value)
    writer.string(type, name, value)
  },
  read: cursor => cursor.string(),
}

export const bytes: Codec<Uint8Array> = {
  write: (writer, type, name, value) => {
    if (!(value instanceof Uint8Array)) throw invalidArgumentType(name, 'a Uint8Array', value)
    writer.bytes(type, name, value)
  },
  read: cursor => cursor.bytes(),
}

/** A truth value in a byte. */
export const bool8: Codec<boolean> = {
  write: (writer, type, name, value) => writer.u8(type, name, truth(name, value)),
  read: cursor => cursor.u8() !== 0,
}

/** A truth value in 32 bits. */
export const bool32: Codec<boolean> = {
  write: (writer, type, name, value) => writer.u32(type, name, truth(name, value)),
  read: cursor => cursor.u32() !== 0,
}

function truth(name: string, value: boolean): number {
  if (typeof value !== 'boolean') throw invalidArgumentType(name, 'a boolean', value)
  return value ? 1 : 0
}

export const macAddress: Codec<string> = {
  write: (writer, type, name, value) => writer.bytes(type, name, parseMacAddress(value)),
  read: cursor => {
    if (cursor.length < 6) throw malformed('a MAC address is too short')
    return formatMacAddress(cursor.source, cursor.start)
  },
}

/** 4 or 16 bytes. */
export const ipAddress: Codec<string> = {
  write: (writer, type, name, value) => writer.bytes(type, name, parseIpAddress(value).bytes),
  read: cursor => readIpAddress(cursor),
}

export function readIpAddress(cursor: AttributeCursor): string {
  if (cursor.length === 4) return formatIpv4(cursor.source, cursor.start)
  if (cursor.length === 16) return formatIpv6(cursor.source, cursor.start)
  throw malformed(`an IP address of ${cursor.length} bytes`)
}

/** Times in hundredths of a second (USER_HZ, clock_t), 32 or 64 bits wide, that users give in milliseconds. */
export function centiseconds(width: 32 | 64): Codec<number> {
  const toTicks = (name: string, value: number) => {
    if (typeof value !== 'number') throw invalidArgumentType(name, 'a number', value)
    if (!(value >= 0 && value % 10 === 0 && value <= Number.MAX_SAFE_INTEGER)) {
      throw invalidArgumentValue(name, value, 'must be a multiple of 10 ms: the kernel counts hundredths')
    }
    return value / 10
  }
  return width === 32
    ? {
        write: (writer, type, name, value) => writer.u32(type, name, toTicks(name, value)),
        read: cursor => cursor.u32() * 10,
      }
    : {
        write: (writer, type, name, value) => writer.u64(type, name, BigInt(toTicks(name, value))),
        read: cursor => Number(cursor.u64()) * 10,
      }
}

/** A number that stands for a word. Numbers without one are read as the number in decimal. */
export function word8<W extends string>(words: Readonly<Record<W, number>>): Codec<W> {
  return {
    write: (writer, type, name, value) => {
      if (!Object.hasOwn(words, value)) {
        throw invalidArgumentValue(name, value, `must be one of ${Object.keys(words).join(', ')}`)
      }
      writer.u8(type, name, words[value])
    },
    read: cursor => wordOf(words, cursor.u8()),
  }
}

const wordTables = new WeakMap<object, Map<number, string>>()

export function wordOf<W extends string>(words: Readonly<Record<W, number>>, value: number): W {
  let byNumber = wordTables.get(words)
  if (!byNumber) {
    byNumber = new Map(Object.entries<number>(words).map(([word, number]) => [number, word]))
    wordTables.set(words, byNumber)
  }
  return (byNumber.get(value) ?? String(value)) as W
}
