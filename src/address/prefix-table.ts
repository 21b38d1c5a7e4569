import { invalidArgumentType, invalidArgumentValue, outOfRange, requireInteger } from '../errors/index.js'
import { parseIpAddress } from './ip-address.js'
import { formatIpPrefix, type IpPrefix, parseIpPrefix } from './ip-prefix.js'
import { PrefixTrie } from './prefix-trie.js'

/** The longest prefix that holds an address, and what it stands for. */
export interface PrefixMatch<V> {
  prefix: string
  value: V
}

/**
 * Values by IPv4 and IPv6 prefixes, found by the longest one that holds an address: the allowed addresses of a VPN's
 * peers, the routes of a router. The families are apart: an IPv4-mapped IPv6 address is an IPv6 address.
 *
 *     const peers = new PrefixTable<Peer>().set('10.0.0.0/24', a).set('10.0.0.7', b)
 *     peers.lookup('10.0.0.7') // b
 *     peers.lookupBytes(batch.slab, batch.offsets[i]! + 16, 4) // by the destination of an IPv4 packet, where it lies
 *
 * A look-up reads a line of memory for each half byte in which prefixes part, and makes no garbage.
 */
export class PrefixTable<V> implements Iterable<[prefix: string, value: V]> {
  readonly #four = new PrefixTrie(4)
  readonly #six = new PrefixTrie(16)
  readonly #values: { [F in 4 | 16]: V[] } = { 4: [], 16: [] }

  /** How many prefixes there are. */
  get size(): number {
    return this.#four.size + this.#six.size
  }

  /**
   * An address alone is a prefix of its whole length. Takes the place of what the same prefix stood for.
   * @throws TypeError for what is no prefix, or has bits after its length
   */
  set(prefix: string, value: V): this {
    const { bytes, length } = requirePrefix(prefix)
    const entry = this.#trie(bytes).insert(bytes, length)
    this.#values[bytes.length as 4 | 16][entry] = value
    return this
  }

  /** What exactly this prefix stands for. @throws TypeError */
  get(prefix: string): V | undefined {
    const { bytes, length } = requirePrefix(prefix)
    return this.#value(bytes.length, this.#trie(bytes).find(bytes, length))
  }

  /** @throws TypeError */
  has(prefix: string): boolean {
    const { bytes, length } = requirePrefix(prefix)
    return this.#trie(bytes).find(bytes, length) !== 0
  }

  /** True if it was there. @throws TypeError */
  delete(prefix: string): boolean {
    const { bytes, length } = requirePrefix(prefix)
    const entry = this.#trie(bytes).remove(bytes, length)
    // The value may be a large thing.
    if (entry !== 0) this.#values[bytes.length as 4 | 16][entry] = undefined as V
    return entry !== 0
  }

  clear(): void {
    this.#four.clear()
    this.#six.clear()
    this.#values[4] = []
    this.#values[16] = []
  }

  /** By the longest prefix that holds the address. @throws TypeError */
  lookup(address: string): V | undefined {
    const { bytes } = parseIpAddress(address)
    return this.#value(bytes.length, this.#trie(bytes).lookup(bytes, 0))
  }

  /** The same with the prefix. @throws TypeError */
  match(address: string): PrefixMatch<V> | undefined {
    const { bytes } = parseIpAddress(address)
    const trie = this.#trie(bytes)
    const entry = trie.lookup(bytes, 0)
    if (entry === 0) return undefined
    return { prefix: formatIpPrefix(trie.prefix(entry)), value: this.#value(bytes.length, entry)! }
  }

  /**
   * Of an IPv4 address as a number: 10.0.0.7 is 0x0a000007. Negative where bitwise operators made it so.
   * @throws TypeError, RangeError
   */
  lookupIpv4(address: number): V | undefined {
    requireInteger('address', address, -(2 ** 31), 2 ** 32 - 1)
    scratch[0] = address >>> 24
    scratch[1] = address >>> 16
    scratch[2] = address >>> 8
    scratch[3] = address
    return this.#value(4, this.#four.lookup(scratch, 0))
  }

  /** Of an address as it stands in a packet, from `offset` on. @throws RangeError when it is not all there; TypeError */
  lookupBytes(bytes: Uint8Array, offset: number, family: 4 | 6): V | undefined {
    if (family !== 4 && family !== 6) throw invalidArgumentValue('family', family, 'must be 4 or 6')
    if (!(bytes instanceof Uint8Array)) throw invalidArgumentType('bytes', 'an instance of Uint8Array', bytes)
    const length = family === 4 ? 4 : 16
    if (bytes.length < length) throw outOfRange('bytes.length', `>= ${length}`, bytes.length)
    if (!(offset >= 0 && offset + length <= bytes.length) || offset % 1 !== 0) {
      throw outOfRange('offset', `an integer from 0 to ${bytes.length - length}`, offset)
    }
    return this.#value(length, (family === 4 ? this.#four : this.#six).lookup(bytes, offset))
  }

  /** IPv4 first, in the order of the addresses, shorter prefixes before longer ones. */
  *[Symbol.iterator](): IterableIterator<[prefix: string, value: V]> {
    for (const trie of [this.#four, this.#six]) {
      for (const entry of trie.entries()) {
        yield [formatIpPrefix(trie.prefix(entry)), this.#value(trie.width, entry)!]
      }
    }
  }

  #trie(bytes: Uint8Array): PrefixTrie {
    return bytes.length === 4 ? this.#four : this.#six
  }

  // Of entry 0, which none is, there is no value.
  #value(width: number, entry: number): V | undefined {
    return this.#values[width as 4 | 16][entry]
  }
}

const scratch = new Uint8Array(4)

function requirePrefix(text: string): IpPrefix {
  const prefix = parseIpPrefix(text)
  const { bytes, length } = prefix
  const after = (byte: number, i: number) => byte & (0xff >> Math.min(8, Math.max(0, length - 8 * i)))
  if (bytes.some((byte, i) => after(byte, i) !== 0)) {
    throw invalidArgumentValue('prefix', text, 'has bits set after its length')
  }
  return prefix
}
