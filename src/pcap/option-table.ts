import {
  formatIpv4,
  formatIpv6,
  formatMacAddress,
  parseIpv4,
  parseIpv6,
  parseMacAddress,
} from '../address/index.js'
import { hex } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue, outOfRange, requireInteger } from '../errors/index.js'
import { CaptureFileError } from './capture-error.js'
import type { TimestampResolution } from './timestamp-scale.js'

/** An option of a block that no name is known for: its code, and its value as it stands in the file. */
export interface RawOption {
  code: number
  value: Uint8Array
}

/** The value of an option as bytes and as JavaScript has it. `decode` gives `undefined` for what is kept raw. */
interface OptionCodec<T> {
  /** The lengths that a value may have. */
  fits(length: number): boolean
  decode(value: Uint8Array, view: DataView, little: boolean): T | undefined
  encode(value: T, name: string, little: boolean): Uint8Array
}

export interface OneOption<T> {
  code: number
  codec: OptionCodec<T>
  many: false
  /** A value of another length makes the block unusable; otherwise it is kept raw. */
  vital: boolean
}

export interface ManyOptions<T> {
  code: number
  codec: OptionCodec<T>
  many: true
}

export type OptionTable = Readonly<Record<string, OneOption<unknown> | ManyOptions<unknown>>>

/** The values of a block's options; those in `options` have no name here. */
export type OptionValues<T> = {
  [K in keyof T]?:
    | (T[K] extends ManyOptions<infer V> ? readonly V[] : T[K] extends OneOption<infer V> ? V : never)
    | undefined
} & { options?: readonly RawOption[] | undefined }

export function one<T>(code: number, codec: OptionCodec<T>): OneOption<T> {
  return { code, codec, many: false, vital: false }
}

/** One without which the rest would be misread. */
export function vital<T>(code: number, codec: OptionCodec<T>): OneOption<T> {
  return { code, codec, many: false, vital: true }
}

export function many<T>(code: number, codec: OptionCodec<T>): ManyOptions<T> {
  return { code, codec, many: true }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

export const text: OptionCodec<string> = {
  fits: () => true,
  decode(value) {
    try {
      return utf8.decode(value)
    } catch {
      // Not UTF-8: kept as it is.
      return undefined
    }
  },
  encode(value, name) {
    if (typeof value !== 'string') throw invalidArgumentType(name, 'a string', value)
    const bytes = encoder.encode(value)
    if (bytes.length > 0xffff) throw outOfRange(name, 'at most 65535 bytes of UTF-8', value)
    return bytes
  },
}

export const uint8 = fixed<number>(
  1,
  view => view.getUint8(0),
  (view, value, name) => view.setUint8(0, requireInteger(name, value, 0, 0xff)),
)

export const uint32 = fixed<number>(
  4,
  (view, little) => view.getUint32(0, little),
  (view, value, name, little) => view.setUint32(0, requireInteger(name, value, 0, 0xffffffff), little),
)

export const int32 = fixed<number>(
  4,
  (view, little) => view.getInt32(0, little),
  (view, value, name, little) =>
    view.setInt32(0, requireInteger(name, value, -(2 ** 31), 2 ** 31 - 1), little),
)

export const uint64 = fixed<bigint>(
  8,
  (view, little) => view.getBigUint64(0, little),
  (view, value, name, little) => view.setBigUint64(0, requireBigint(name, value, 0n, 1n << 64n), little),
)

export const int64 = fixed<bigint>(
  8,
  (view, little) => view.getBigInt64(0, little),
  (view, value, name, little) =>
    view.setBigInt64(0, requireBigint(name, value, -(1n << 63n), 1n << 63n), little),
)

/** A time stamp: its upper, then its lower half, in units of the interface. */
export const timestampHalves = fixed<bigint>(
  8,
  (view, little) => (BigInt(view.getUint32(0, little)) << 32n) | BigInt(view.getUint32(4, little)),
  (view, value, name, little) => {
    requireBigint(name, value, 0n, 1n << 64n)
    view.setUint32(0, Number(value >> 32n), little)
    view.setUint32(4, Number(value & 0xffffffffn), little)
  },
)

/** Seven bits of exponent, the eighth set for a base of 2. */
export const resolution = fixed<TimestampResolution>(
  1,
  view => ({ base: view.getUint8(0) & 0x80 ? 2 : 10, exponent: view.getUint8(0) & 0x7f }),
  (view, value, name) => {
    if (value?.base !== 2 && value?.base !== 10) throw outOfRange(`${name}.base`, '2 or 10', value?.base)
    view.setUint8(
      0,
      (value.base === 2 ? 0x80 : 0) | requireInteger(`${name}.exponent`, value.exponent, 0, 127),
    )
  },
)

export const ipv4 = bytesAsText(4, formatIpv4, parseIpv4)
export const ipv6 = bytesAsText(16, formatIpv6, parseIpv6)
export const macAddress = bytesAsText(6, formatMacAddress, parseMacAddress)

/** Eight bytes as lower-case hexadecimal numbers with colons between them. */
export const euiAddress = bytesAsText(8, bytes => hex(bytes, ':'), parseEui)

/** An address and a mask, as `'192.0.2.1/255.255.255.0'`. */
export const ipv4Interface = bytesAsText(
  8,
  bytes => `${formatIpv4(bytes.subarray(0, 4))}/${formatIpv4(bytes.subarray(4))}`,
  value => {
    const [address, mask = '', ...rest] = value.split('/')
    if (rest.length > 0) throw invalidArgumentValue('address', value, 'must be an address and a mask')
    return Uint8Array.of(...parseIpv4(address!), ...parseIpv4(mask))
  },
)

/** An address and the length of its prefix, as `'2001:db8::1/64'`. */
export const ipv6Interface = bytesAsText(
  17,
  bytes => `${formatIpv6(bytes.subarray(0, 16))}/${bytes[16]}`,
  value => {
    const [address, length = '', ...rest] = value.split('/')
    if (rest.length > 0 || !/^\d{1,3}$/.test(length))
      throw invalidArgumentValue('address', value, 'must be an address and the length of its prefix')
    return Uint8Array.of(...parseIpv6(address!), requireInteger('prefix length', Number(length), 0, 255))
  },
)

/** A number from 0 to 255 that says of what kind some bytes are. */
export interface KindAndBytes {
  kind: number
  value: Uint8Array
}

export const kindAndBytes: OptionCodec<KindAndBytes> = {
  fits: length => length >= 1,
  decode: value => ({ kind: value[0]!, value: value.slice(1) }),
  encode(value, name) {
    requireInteger(`${name}.kind`, value?.kind, 0, 0xff)
    if (!(value.value instanceof Uint8Array))
      throw invalidArgumentType(`${name}.value`, 'an instance of Uint8Array', value.value)
    if (value.value.length > 0xfffe)
      throw outOfRange(`${name}.value`, 'at most 65534 bytes', value.value.length)
    return Uint8Array.of(value.kind, ...value.value)
  },
}

/** A process and a thread. */
export const processAndThread = fixed<{ processId: number; threadId: number }>(
  8,
  (view, little) => ({ processId: view.getUint32(0, little), threadId: view.getUint32(4, little) }),
  (view, value, name, little) => {
    view.setUint32(0, requireInteger(`${name}.processId`, value?.processId, 0, 0xffffffff), little)
    view.setUint32(4, requireInteger(`${name}.threadId`, value?.threadId, 0, 0xffffffff), little)
  },
)

/**
 * The options in `bytes[start, end)`, each: code (2), length (2), value padded to a multiple of 4; a code of 0 ends
 * them. Names are in the order in which they were met. What cannot be read is kept raw. Throws a
 * {@link CaptureFileError} when a length leads out of the block.
 */
export function decodeOptions<T extends OptionTable>(
  table: T,
  bytes: Uint8Array,
  start: number,
  end: number,
  little: boolean,
  fileOffset: number,
): OptionValues<T> {
  const values: Record<string, unknown> = {}
  const names = namesByCode(table)
  const kept = new Set<string>()
  eachOption(bytes, start, end, little, fileOffset, (code, value, at) => {
    const name = names.get(code)
    if (name !== undefined) {
      const option = table[name]!
      const { codec, many } = option
      const fits = codec.fits(value.length)
      if (!fits && !many && (option as OneOption<unknown>).vital)
        throw new CaptureFileError(fileOffset + at, `the option ${name} cannot have ${value.length} bytes`)
      const view = new DataView(value.buffer, value.byteOffset, value.length)
      const decoded = fits ? codec.decode(value, view, little) : undefined
      // Of several where there should be one the first counts, even if it is none that can be read.
      if (decoded !== undefined && (many || (!Object.hasOwn(values, name) && !kept.has(name)))) {
        if (!many) values[name] = decoded
        else if (Object.hasOwn(values, name)) (values[name] as unknown[]).push(decoded)
        else values[name] = [decoded]
        return
      }
      kept.add(name)
    }
    const option: RawOption = { code, value: value.slice() }
    if (Object.hasOwn(values, 'options')) (values.options as RawOption[]).push(option)
    else values.options = [option]
  })
  return values as OptionValues<T>
}

function eachOption(
  bytes: Uint8Array,
  start: number,
  end: number,
  little: boolean,
  fileOffset: number,
  take: (code: number, value: Uint8Array, at: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = start
  while (end - at >= 4) {
    const code = view.getUint16(at, little)
    const length = view.getUint16(at + 2, little)
    if (code === 0) return
    if (length > end - at - 4)
      throw new CaptureFileError(fileOffset + at, `an option of ${length} bytes leads out of its block`)
    take(code, bytes.subarray(at + 4, at + 4 + length), at)
    at += 4 + ((length + 3) & ~3)
  }
}

/** The options of `values` in the order of its names, without what ends them. Names not in the table are left out. */
export function encodeOptions(table: OptionTable, values: object, little: boolean): RawOption[] {
  const encoded: RawOption[] = []
  const repeated: RawOption[] = []
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    if (name === 'options') {
      const raw = checkRaw(value)
      const again = raw.findIndex(({ code }) => isNamedOnce(table, values, code))
      // Behind the one that has the name, since the first counts.
      repeated.push(...(again < 0 ? [] : raw.slice(again)))
      encoded.push(...(again < 0 ? raw : raw.slice(0, again)))
    }
    if (!Object.hasOwn(table, name)) continue
    const { code, codec, many } = table[name] as OneOption<unknown> | ManyOptions<unknown>
    if (many && !Array.isArray(value)) throw invalidArgumentType(name, 'an array', value)
    for (const one of many ? (value as unknown[]) : [value]) {
      encoded.push({ code, value: codec.encode(one, name, little) })
    }
  }
  return [...encoded, ...repeated]
}

function isNamedOnce(table: OptionTable, values: object, code: number): boolean {
  const name = namesByCode(table).get(code)
  return name !== undefined && !table[name]!.many && Object.hasOwn(values, name)
}

/** Bytes that {@link writeOptions} needs. */
export function optionsLength(options: readonly RawOption[]): number {
  let length = options.length > 0 ? 4 : 0
  for (const { value } of options) length += 4 + ((value.length + 3) & ~3)
  return length
}

/** Writes options and what ends them, over zeros; nothing where there are none. */
export function writeOptions(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  options: readonly RawOption[],
  little: boolean,
): void {
  let at = start
  for (const { code, value } of options) {
    view.setUint16(at, code, little)
    view.setUint16(at + 2, value.length, little)
    bytes.set(value, at + 4)
    at += 4 + ((value.length + 3) & ~3)
  }
}

function checkRaw(options: unknown): readonly RawOption[] {
  if (!Array.isArray(options)) throw invalidArgumentType('options', 'an array', options)
  for (const { code, value } of options as RawOption[]) {
    requireInteger('options.code', code, 1, 0xffff)
    if (!(value instanceof Uint8Array))
      throw invalidArgumentType('options.value', 'an instance of Uint8Array', value)
    if (value.length > 0xffff) throw outOfRange('options.value', 'at most 65535 bytes', value.length)
  }
  return options
}

const codes = new WeakMap<OptionTable, Map<number, string>>()

function namesByCode(table: OptionTable): Map<number, string> {
  let names = codes.get(table)
  if (names === undefined) {
    names = new Map(Object.entries(table).map(([name, { code }]) => [code, name]))
    codes.set(table, names)
  }
  return names
}

function fixed<T>(
  size: number,
  get: (view: DataView, little: boolean) => T,
  put: (view: DataView, value: T, name: string, little: boolean) => void,
): OptionCodec<T> {
  return {
    fits: length => length === size,
    decode: (_, view, little) => get(view, little),
    encode(value, name, little) {
      const bytes = new Uint8Array(size)
      put(new DataView(bytes.buffer), value, name, little)
      return bytes
    },
  }
}

function bytesAsText(
  size: number,
  format: (bytes: Uint8Array) => string,
  parse: (text: string) => Uint8Array,
): OptionCodec<string> {
  return {
    fits: length => length === size,
    decode: value => format(value),
    encode(value, name) {
      if (typeof value !== 'string') throw invalidArgumentType(name, 'a string', value)
      return parse(value)
    },
  }
}

/** Eight bytes in hexadecimal with colons between them. */
export function parseEui(text: string): Uint8Array {
  if (!/^[\da-f]{2}(?::[\da-f]{2}){7}$/i.test(text))
    throw invalidArgumentValue('address', text, 'must be eight bytes in hexadecimal')
  return Uint8Array.from(text.split(':'), byte => Number.parseInt(byte, 16))
}

export function requireBigint(name: string, value: unknown, least: bigint, beyond: bigint): bigint {
  if (typeof value !== 'bigint') throw invalidArgumentType(name, 'a bigint', value)
  if (value < least || value >= beyond) throw outOfRange(name, `>= ${least}n and < ${beyond}n`, value)
  return value
}
