/**
 * Values of options that are numbered in a table: those of DHCP. Who adds an option adds a line to a table, and its
 * type follows.
 */
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../address/index.js'
import { concatBytes, readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import { byteField, noBytes, uint } from './record.js'

/** How a value stands in an option. */
export interface OptionValue<T> {
  /** `undefined` for bytes that are no such value. */
  read(bytes: Uint8Array): T | undefined
  write(name: string, value: T): Uint8Array
}

/** Options by name: their number and their value. */
export type OptionTable = Readonly<Record<string, readonly [code: number, value: OptionValue<unknown>]>>

/** An option of another number, or whose bytes are no value of its kind. */
export interface UnknownOption {
  kind: 'unknown'
  number: number
  data: Uint8Array
}

/** An option of a table, or an unknown one. */
export type OptionOf<T extends OptionTable> =
  | {
      [K in keyof T & string]: T[K][1] extends OptionValue<infer V> ? { kind: K; value: V } : never
    }[keyof T & string]
  | UnknownOption

export function readOption<T extends OptionTable>(
  table: T,
  names: ReadonlyMap<number, string>,
  number: number,
  data: Uint8Array,
): OptionOf<T> {
  const kind = names.get(number)
  const value = kind === undefined ? undefined : table[kind]![1].read(data)
  return (value === undefined ? { kind: 'unknown', number, data } : { kind, value }) as OptionOf<T>
}

/** Number and bytes of an option. @throws TypeError, RangeError */
export function writeOption<T extends OptionTable>(table: T, option: OptionOf<T>): [number, Uint8Array] {
  const { kind } = option as { kind: string }
  if (kind === 'unknown') {
    const { number, data } = option as UnknownOption
    return [uint('option.number', number, 16), byteField('option.data', data)]
  }
  const entry = Object.hasOwn(table, kind) ? table[kind] : undefined
  if (!entry) throw invalidArgumentValue('option.kind', kind, 'is not a known kind')
  return [entry[0], entry[1].write(`option.${kind}`, (option as { value: unknown }).value)]
}

/** Names by number. */
export function optionNames(table: OptionTable): ReadonlyMap<number, string> {
  return new Map(Object.entries(table).map(([name, [number]]) => [number, name]))
}

function integer(bits: 8 | 16 | 32): OptionValue<number> {
  const length = bits / 8
  return {
    read(bytes) {
      if (bytes.length !== length) return undefined
      return bits === 8 ? bytes[0] : bits === 16 ? readUint16(bytes, 0) : readUint32(bytes, 0)
    },
    write(name, value) {
      const bytes = new Uint8Array(length)
      const number = uint(name, value, bits)
      if (bits === 8) bytes[0] = number
      else if (bits === 16) writeUint16(bytes, 0, number)
      else writeUint32(bytes, 0, number)
      return bytes
    },
  }
}

/** Values of one length, one after the other; at least `least` of them. */
function listOf<T>(value: OptionValue<T>, length: number, least: 0 | 1): OptionValue<T[]> {
  return {
    read(bytes) {
      const count = bytes.length / length
      if (!Number.isInteger(count) || count < least) return undefined
      return Array.from(
        { length: count },
        (_, i) => value.read(bytes.subarray(i * length, (i + 1) * length))!,
      )
    },
    write(name, values) {
      if (!Array.isArray(values)) throw invalidArgumentType(name, 'an array', values)
      if (values.length < least) throw invalidArgumentValue(name, values, 'must not be empty')
      return concatBytes(...values.map(entry => value.write(name, entry)))
    },
  }
}

export const uint8 = integer(8)
export const uint16 = integer(16)
export const uint32 = integer(32)

export const ipv4Address: OptionValue<string> = {
  read: bytes => (bytes.length === 4 ? formatIpv4(bytes) : undefined),
  write: (_, value) => parseIpv4(value),
}

export const ipv6Address: OptionValue<string> = {
  read: bytes => (bytes.length === 16 ? formatIpv6(bytes) : undefined),
  write: (_, value) => parseIpv6(value),
}

export const uint8List = listOf(uint8, 1, 1)
export const uint16List = listOf(uint16, 2, 0)
export const ipv4List = listOf(ipv4Address, 4, 1)
export const ipv6List = listOf(ipv6Address, 16, 0)

export const rawBytes: OptionValue<Uint8Array> = { read: bytes => bytes, write: byteField }

/** Nothing but the option itself; the value is `true`. */
export const flag: OptionValue<true> = {
  read: bytes => (bytes.length === 0 ? true : undefined),
  write(name, value) {
    if (value !== true) throw invalidArgumentValue(name, value, 'must be true, or the option be left out')
    return noBytes
  },
}

/** UTF-8. */
export const utf8: OptionValue<string> = {
  read: readText,
  write(name, value) {
    if (typeof value !== 'string') throw invalidArgumentType(name, 'a string', value)
    const bytes = new TextEncoder().encode(value)
    if (readText(bytes) !== value) throw invalidArgumentValue(name, value, 'must be well-formed Unicode')
    return bytes
  },
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `undefined` for bytes that are not UTF-8. */
export function readText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Domain names without compression (RFC 1035 section 3.1), with labels of letters, digits, `-` and `_`. */
export const domainNames: OptionValue<string[]> = {
  read(bytes) {
    const names: string[] = []
    let labels: string[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = bytes[at]!
      const label = String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length))
      if (length > 63 || label.length < length || (length === 0 && labels.length === 0)) return undefined
      if (length === 0) {
        names.push(labels.join('.'))
        labels = []
      } else if (/^[\w-]+$/.test(label)) labels.push(label)
      else return undefined
      at += 1 + length
    }
    return labels.length === 0 ? names : undefined
  },
  write(name, values) {
    if (!Array.isArray(values)) throw invalidArgumentType(name, 'an array of names', values)
    return concatBytes(
      ...values.flatMap(value => {
        if (typeof value !== 'string' || !/^[\w-]{1,63}(?:\.[\w-]{1,63})*$/.test(value))
          throw invalidArgumentValue(name, value, 'must be a domain name such as example.org')
        const labels = value
          .split('.')
          .map(label => Uint8Array.of(label.length, ...new TextEncoder().encode(label)))
        return [...labels, new Uint8Array(1)]
      }),
    )
  },
}
