import {
  formatIpv4,
  formatIpv4Prefix,
  formatIpv6,
  formatMacAddress,
  parseIpAddress,
  parseMacAddress,
} from '../../address/index.js'
import { invalidArgumentType, invalidArgumentValue, requireInteger, underPath } from '../../errors/index.js'
import { type AttributeCursor, malformed, type RawAttribute } from './message-reader.js'
import type { MessageWriter } from './message-writer.js'

/** How one kind of value stands in an attribute. `W` is what can be given, where that is more than what is read. */
export interface Codec<T, W = T> {
  write(writer: MessageWriter, type: number, name: string, value: W): void
  read(cursor: AttributeCursor): T
  /** What it means that a table does not have the attribute, where that means something. */
  readonly absent?: T
  /** Values that show its range: tests try them. */
  readonly examples?: readonly T[]
  /** The kernel's numbers for words, or bits. */
  readonly words?: Readonly<Record<string, number>>
  /** The rows of a nest, or of each in a list of them. */
  readonly table?: Table
}

/** One row: the kernel's number and name, which a test compares with its headers, and the form of the value. */
export interface Field<T, W = T> {
  readonly type: number
  readonly kernelName: string
  readonly codec: Codec<T, W>
  /** Reported, but not set. */
  readonly readOnly: boolean
  /** Set, but not reported. */
  readonly writeOnly?: boolean | undefined
  /** The kernel's other attribute for it, for IPv6 addresses. */
  readonly six?: { readonly type: number; readonly kernelName: string }
}

/** Attributes by the names that users know. `prefix` and a row's kernel name make a constant of the headers. */
export interface Table<F extends Fields = Fields> {
  readonly prefix: string
  readonly fields: F
  /** What the kernel puts before 64-bit values to align them, on machines that need it: no value. */
  readonly padding?: number | undefined
}

export type Fields = Record<string, Field<unknown>>

/** What a table reads; whatever the kernel left out is absent. */
export type TableValues<T extends Table> =
  T extends Table<infer F>
    ? { -readonly [K in keyof F]?: F[K] extends Field<infer V, infer _> ? V | undefined : never }
    : never

/** What a table writes: more forms of a value than it reads, where its codec takes them. */
export type TableOptions<T extends Table> =
  T extends Table<infer F>
    ? { -readonly [K in keyof F]?: F[K] extends Field<infer _, infer W> ? W | undefined : never }
    : never

export function field<T, W = T>(
  type: number,
  kernelName: string,
  codec: Codec<T, W>,
  { writeOnly }: { writeOnly?: boolean } = {},
): Field<T, W> {
  return { type, kernelName, codec, readOnly: false, writeOnly }
}

export function reported<T>(type: number, kernelName: string, codec: Codec<T>): Field<T> {
  return { type, kernelName, codec, readOnly: true }
}

/** An address with one attribute for IPv4 and another for IPv6. */
export function addressField(type: number, kernelName: string, six: number, sixName: string): Field<string> {
  const codec: Codec<string> = {
    write: (writer, four, name, value) => {
      const { bytes } = parseIpAddress(value)
      writer.bytes(bytes.length === 16 ? six : four, name, bytes)
    },
    read: readIpAddress,
    examples: ['10.0.0.1', 'fd00::1'],
  }
  return { ...field(type, kernelName, codec), six: { type: six, kernelName: sixName } }
}

/** `padding`: the number of the attribute PAD, if there is one. */
export function table<F extends Fields>(prefix: string, fields: F, padding?: number): Table<F> {
  return { prefix, fields, padding }
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
    underPath(path, () => row.codec.write(writer, row.type, name, value))
  }
}

/** Reads what is known, and keeps the rest. */
export function readTable<T extends Table>(
  { fields, padding }: T,
  cursor: AttributeCursor,
): { values: TableValues<T>; unknown: RawAttribute[] } {
  const values: Record<string, unknown> = {}
  const unknown: RawAttribute[] = []
  const rows = Object.entries(fields)
  for (const [name, { codec }] of rows) if (codec.absent !== undefined) values[name] = codec.absent
  while (cursor.next()) {
    const found = rows.find(([, row]) => row.type === cursor.type || row.six?.type === cursor.type)
    if (found) values[found[0]] = found[1].codec.read(cursor)
    else if (cursor.type !== padding) unknown.push(cursor.raw())
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

/** Network byte order. */
export const u32be: Codec<number> = {
  write: (writer, type, name, value) => writer.u32be(type, name, value),
  read: cursor => cursor.u32be(),
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

/** A truth value that is the presence of the attribute; some kernels answer with a byte. */
export const presence: Codec<boolean> = {
  write: (writer, type, name, value) => {
    if (truth(name, value)) writer.flag(type, name)
  },
  read: cursor => cursor.length === 0 || cursor.u8() !== 0,
  absent: false,
  examples: [true, false],
}

/** Something to do now: sent, never reported. */
export const action: Codec<true> = {
  write: (writer, type, name, value) => {
    if (value !== true) throw invalidArgumentValue(name, value, 'can only be true')
    writer.flag(type, name)
  },
  read: () => true,
  examples: [true],
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

export const ipv4: Codec<string> = addressOf(4, ['0.0.0.0', '10.0.0.1'])
export const ipv6: Codec<string> = addressOf(16, ['::', 'fd00::1'])

function addressOf(length: 4 | 16, examples: readonly string[]): Codec<string> {
  return {
    write: (writer, type, name, value) => {
      const { bytes } = parseIpAddress(value)
      if (bytes.length !== length) {
        throw invalidArgumentValue(name, value, `must be an IPv${length === 4 ? 4 : 6} address`)
      }
      writer.bytes(type, name, bytes)
    },
    read: readIpAddress,
    examples,
  }
}

export function readIpAddress(cursor: AttributeCursor): string {
  if (cursor.length === 4) return formatIpv4(cursor.source, cursor.start)
  if (cursor.length === 16) return formatIpv6(cursor.source, cursor.start)
  throw malformed(`an IP address of ${cursor.length} bytes`)
}

/** The same with a length behind: `10.0.0.0/8`. */
export function readIpPrefix(cursor: AttributeCursor, length: number): string {
  if (cursor.length === 4) return formatIpv4Prefix(cursor.source, cursor.start, length)
  return `${readIpAddress(cursor)}/${length}`
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
export function word<W extends string>(number: Codec<number>, words: Readonly<Record<W, number>>): Codec<W> {
  return {
    write: (writer, type, name, value) => {
      if (!Object.hasOwn(words, value)) {
        throw invalidArgumentValue(name, value, `must be one of ${Object.keys(words).join(', ')}`)
      }
      number.write(writer, type, name, words[value])
    },
    read: cursor => wordOf(words, number.read(cursor)),
    examples: Object.keys(words) as W[],
    words,
  }
}

export type Bits<N extends string> = { readonly [K in N]?: boolean | undefined }

/** Bits with names. All are read; those not given are written as 0. */
export function bits<N extends string>(
  number: Codec<number>,
  names: Readonly<Record<N, number>>,
): Codec<Bits<N>> {
  return {
    write: (writer, type, name, value) => number.write(writer, type, name, bitsOf(names, name, value).set),
    read: cursor => namedBits(names, number.read(cursor)),
    examples: bitExamples(names),
    words: names,
  }
}

/** Bits with names in a struct of bits and mask, 32 bits each: those not given are left as they are. */
export function maskedBits<N extends string>(names: Readonly<Record<N, number>>): Codec<Bits<N>> {
  return {
    write: (writer, type, name, value) => {
      const { set, given } = bitsOf(names, name, value)
      writer.bytes(type, name, u32Pair(set, given))
    },
    read: cursor => namedBits(names, cursor.u32()),
    examples: bitExamples(names),
    words: names,
  }
}

function bitsOf<N extends string>(names: Readonly<Record<N, number>>, name: string, value: Bits<N>) {
  if (typeof value !== 'object' || value === null) throw invalidArgumentType(name, 'an object', value)
  let set = 0
  let given = 0
  for (const [key, on] of Object.entries<boolean | undefined>(value)) {
    if (!Object.hasOwn(names, key)) throw invalidArgumentValue(`${name}.${key}`, on, 'is not a known flag')
    if (on === undefined) continue
    given |= names[key as N]
    if (truth(`${name}.${key}`, on)) set |= names[key as N]
  }
  return { set, given }
}

function namedBits<N extends string>(names: Readonly<Record<N, number>>, value: number): Bits<N> {
  const entries = Object.entries<number>(names).map(([name, bit]) => [name, (value & bit) !== 0])
  return Object.fromEntries(entries) as Bits<N>
}

function bitExamples<N extends string>(names: Readonly<Record<N, number>>): Bits<N>[] {
  return [0, ...Object.values<number>(names)].map(bit => namedBits(names, bit))
}

/** Two numbers in a struct, in the machine's byte order. */
function u32Pair(first: number, second: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(first, second).buffer)
}

/** A number that becomes another: struct ifla_vlan_qos_mapping. */
export const mapping: Codec<{ from: number; to: number }> = {
  write: (writer, type, name, value) => {
    const { from, to } = value ?? {}
    requireInteger(`${name}.from`, from, 0, 0xffff_ffff)
    requireInteger(`${name}.to`, to, 0, 0xffff_ffff)
    writer.bytes(type, name, u32Pair(from, to))
  },
  read: cursor => ({ from: cursor.u32(), to: cursor.u32(4) }),
  examples: [
    { from: 0, to: 0 },
    { from: 7, to: 0xffff_ffff },
  ],
}

/** The first and the last port of a range, in network byte order. */
export const portRange: Codec<{ low: number; high: number }> = {
  write: (writer, type, name, value) => {
    const { low, high } = value ?? {}
    requireInteger(`${name}.low`, low, 0, 0xffff)
    requireInteger(`${name}.high`, high, 0, 0xffff)
    writer.bytes(type, name, Uint8Array.of(low >> 8, low & 0xff, high >> 8, high & 0xff))
  },
  read: cursor => {
    if (cursor.length < 4) throw malformed(`a range of ports of ${cursor.length} bytes`)
    const at = (i: number) => (cursor.source[cursor.start + i]! << 8) | cursor.source[cursor.start + i + 1]!
    return { low: at(0), high: at(2) }
  },
  examples: [
    { low: 0, high: 0 },
    { low: 0x1234, high: 0xffff },
  ],
}

/** Values in a nest, each an attribute of one type, or counted from 0. */
export function list<T>(itemType: number | 'counted', codec: Codec<T>): Codec<readonly T[]> {
  return {
    write: (writer, type, name, value) => {
      if (!Array.isArray(value)) throw invalidArgumentType(name, 'an array', value)
      writer.nested(type, name, nest => {
        for (const [i, item] of value.entries()) {
          codec.write(nest, itemType === 'counted' ? i : itemType, `${i}`, item)
        }
      })
    },
    read: cursor => {
      const nest = cursor.nested()
      const items: T[] = []
      while (nest.next()) items.push(codec.read(nest))
      return items
    },
    examples: [[], ...(codec.examples ?? []).map(item => [item, item])],
    ...(codec.table && { table: codec.table }),
  }
}

/** A table within a table; what is unknown in it is passed over. */
export function nest<T extends Table>(rows: T): Codec<TableValues<T>> {
  return {
    write: (writer, type, name, value) => {
      writer.nested(type, name, inner => writeTable(inner, rows, value as Record<string, unknown>, name))
    },
    read: cursor => readTable(rows, cursor.nested()).values,
    table: rows,
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
