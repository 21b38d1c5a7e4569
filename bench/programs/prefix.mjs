// prefix.mjs 4|6: look-ups of random addresses, by PrefixTable and by a Map for each length of prefix.
import { PrefixTable } from '../../lib/address/index.js'
import { meter, serve } from '../harness/serve.mjs'

const family = Number(process.argv[2])
const width = family === 4 ? 4 : 16
/** Lengths as in a table of the Internet's routes: [length, parts of a hundred]. */
const lengths =
  family === 4
    ? [
        [24, 60],
        [23, 10],
        [22, 11],
        [21, 5],
        [20, 5],
        [19, 3],
        [18, 2],
        [16, 3],
        [14, 1],
      ]
    : [
        [48, 48],
        [44, 12],
        [40, 8],
        [36, 6],
        [32, 14],
        [29, 6],
        [64, 6],
      ]

/** Marsaglia's xorshift: the same each time. */
let state = 2463534242
function random() {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return state >>> 0
}

function randomLength() {
  let part = random() % 100
  for (const [length, parts] of lengths) {
    part -= parts
    if (part < 0) return length
  }
  return lengths[0][0]
}

function randomAddress() {
  const bytes = new Uint8Array(width)
  for (let i = 0; i < width; i++) bytes[i] = random() >>> 11
  // IPv6 is given out from 2000::/3 alone.
  if (family === 6) bytes[0] = 0x20
  return bytes
}

function mask(bytes, length) {
  return bytes.map((byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, length - 8 * i))) & 0xff)
}

const text = bytes =>
  family === 4
    ? bytes.join('.')
    : Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] << 8) | bytes[2 * i + 1]).toString(16)).join(':')

/** What one writes by hand: the longest length first, a number or, for IPv6, a text as the key. */
class Maps {
  #maps = new Map()
  #lengths = []

  set(bytes, length, value) {
    let map = this.#maps.get(length)
    if (!map) {
      map = new Map()
      this.#maps.set(length, map)
      this.#lengths = [...this.#maps.keys()].sort((a, b) => b - a)
    }
    map.set(this.#key(bytes, 0, length), value)
  }

  lookup(bytes, offset) {
    for (const length of this.#lengths) {
      const found = this.#maps.get(length).get(this.#key(bytes, offset, length))
      if (found !== undefined) return found
    }
    return undefined
  }

  #key(bytes, offset, length) {
    const word = at =>
      ((bytes[offset + at] << 24) |
        (bytes[offset + at + 1] << 16) |
        (bytes[offset + at + 2] << 8) |
        bytes[offset + at + 3]) >>>
      0
    const first = length >= 32 ? word(0) : (word(0) & ~(0xffffffff >>> length)) >>> 0
    if (family === 4 || length <= 32) return first
    // No prefix here is longer than 64 bits: both words fit into a bigint.
    const second = length >= 64 ? word(4) : (word(4) & ~(0xffffffff >>> (length - 32))) >>> 0
    return (BigInt(first) << 32n) | BigInt(second)
  }
}

let table
let maps
let addresses

function fill(count) {
  table = new PrefixTable()
  maps = new Maps()
  const networks = []
  while (table.size < Number(count)) {
    const length = randomLength()
    const bytes = mask(randomAddress(), length)
    table.set(`${text(bytes)}/${length}`, table.size + 1)
    maps.set(bytes, length, table.size)
    networks.push(bytes)
  }
  // Of the addresses three of four are within a prefix.
  addresses = new Uint8Array(width << 18)
  for (let i = 0; i < 1 << 18; i++) {
    const address = randomAddress()
    const within = i & 3 ? networks[random() % networks.length] : undefined
    within?.forEach((byte, k) => {
      if (byte) address[k] = byte
    })
    addresses.set(address, width * i)
  }
  return {}
}

function measured(lookup) {
  const cost = meter()
  let found = 0
  for (let i = 0; i < 1 << 18; i++) found += lookup(addresses, width * i) === undefined ? 0 : 1
  return { frames: 1 << 18, found, ...cost() }
}

serve({
  fill,
  ours: () => measured((bytes, offset) => table.lookupBytes(bytes, offset, family)),
  maps: () => measured((bytes, offset) => maps.lookup(bytes, offset)),
})
