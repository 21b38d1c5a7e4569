/** The values of options: draft-ietf-opsawg-pcapng section 3.5 and the blocks of section 4. */
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
import { decodeText, encodeText } from './text.js'
import type { TimestampResolution } from './timestamp-scale.js'

/** The value of an option as bytes and as JavaScript has it. `decode` gives `undefined` for what is kept raw. */
export interface OptionCodec<T> {
  /** The lengths that a value may have. */
  fits(length: number): boolean
  decode(value: Uint8Array, view: DataView, little: boolean): T | undefined
  encode(value: T, name: string, little: boolean): Uint8Array
}

export const text: OptionCodec<string> = {
  fits: () => true,
  decode: decodeText,
  encode(value, name) {
    if (typeof value !== 'string') throw invalidArgumentType(name, 'a string', value)
    const bytes = encodeText(value)
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
