import { parseIpAddress } from '../address/index.js'
import { Unsupported } from './position.js'
import type { Qualifiers, Syntax } from './syntax.js'
import { ValueSet } from './value-set.js'

type Identifier = Extract<Syntax, { kind: 'identifier' }>

/** What an address in the text stands for: a set, or an IPv4 address under a mask that is not a prefix. */
export type AddressSet =
  | { family: 4; set: ValueSet | { address: number; mask: number } }
  | { family: 6; set: ValueSet }

/** `1.2.3.4`, `10.1`, `10.0.0.0/8`, `10.0.0.0 mask 255.0.0.0`. */
export function dottedSet({ value, prefix, mask }: Identifier, qualifiers: Qualifiers): AddressSet {
  const { address, bits } = dotted(value.text)
  if (prefix === undefined && mask === undefined) {
    if (qualifiers.type !== 'net')
      return ip4Set(leftAligned(address, bits), bits === 0 ? 0 : -1 << (32 - bits))
    return numberSet(address, qualifiers)
  }
  if (qualifiers.type !== 'net') throw new Unsupported('Only networks have a mask', 'write net')
  const start = leftAligned(address, bits)
  if (mask !== undefined) {
    const parts = dotted(mask.text)
    return ip4Set(start, leftAligned(parts.address, parts.bits))
  }
  const length = prefix!.number!
  if (length > 32) throw new Unsupported('A prefix of IPv4 has at most 32 bits')
  return ip4Set(start, length === 0 ? 0 : -1 << (32 - length))
}

/** A number alone: a whole address, or the left part of a network. */
export function numberSet(number: number, qualifiers: Qualifiers): AddressSet {
  if (qualifiers.type !== 'net' || number === 0) return ip4Set(number, -1)
  const shift = Math.clz32(number) & ~7
  return ip4Set((number << shift) >>> 0, (-1 << shift) >>> 0)
}

/** An IPv6 address or network, in bytes. */
export function ip6Set(bytes: Uint8Array, length: number | undefined, qualifiers: Qualifiers): AddressSet {
  const bits = length ?? 128
  if (bits > 128) throw new Unsupported('A prefix of IPv6 has at most 128 bits')
  if (bits !== 128 && qualifiers.type !== 'net')
    throw new Unsupported('Only networks have a mask', 'write net')
  const low = bigEndian(bytes)
  const rest = (1n << BigInt(128 - bits)) - 1n
  if ((low & rest) !== 0n) throw new Unsupported('The address has bits set behind its prefix')
  return { family: 6, set: ValueSet.of(128, low, low | rest) }
}

/** What `resolve` gave for a name. */
export function resolvedSet(text: string): AddressSet {
  const { family, bytes } = parseIpAddress(text)
  const value = bigEndian(bytes)
  const bits = family === 4 ? 32 : 128
  return { family, set: ValueSet.of(bits, value, value) }
}

export function etherSet(bytes: Uint8Array): ValueSet {
  return ValueSet.of(48, bigEndian(bytes), bigEndian(bytes))
}

function ip4Set(address: number, signedMask: number): AddressSet {
  const mask = signedMask >>> 0
  if ((address & ~mask) >>> 0 !== 0) throw new Unsupported('The address has bits set behind its mask')
  const rest = ~mask >>> 0
  if ((rest & (rest + 1)) !== 0) return { family: 4, set: { address, mask } }
  return { family: 4, set: ValueSet.of(32, BigInt(address), BigInt(address + rest)) }
}

function dotted(text: string): { address: number; bits: number } {
  const parts = text.split('.')
  let address = 0
  for (const part of parts) {
    const number = Number(part)
    if (number > 255) throw new Unsupported('A part of an IPv4 address is at most 255')
    address = address * 256 + number
  }
  return { address, bits: parts.length * 8 }
}

function leftAligned(address: number, bits: number): number {
  return (address * 2 ** (32 - bits)) >>> 0
}

function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}
