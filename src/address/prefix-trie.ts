/**
 * Words of a node, two for each half byte: what is below, and the longest prefix that ends here and holds it. Side by
 * side, since where a table is large each line of memory that is touched is the price of a look-up.
 */
const nodeWords = 32
/** Of a prefix: its length, the next one of its node, and its address. */
const lengthWord = 0
const nextWord = 1
const addressWord = 2

/**
 * Which prefix of one family is the longest that holds an address: a trie with a node for each half byte in which
 * prefixes part, all of them in one array. Prefixes are numbered; 0 is none.
 *
 * A prefix belongs to the node of the half byte in which it ends, where it stands in all the places that it holds; a
 * longer one in the same node takes places from it. Where only one prefix is below a place, its number stands there,
 * negative, in the place of the nodes that would lead to it.
 */
export class PrefixTrie {
  /** Bytes of an address. */
  readonly width: 4 | 16
  #nodes = new Int32Array(4 * nodeWords)
  /** Words in use, and the first of the nodes that are not any more: each has the next in its first word. */
  #used = nodeWords
  #freeNode = 0
  /** By node: the first of the prefixes that end in it. */
  #first = new Int32Array(4)
  readonly #entryWords: 4 | 8
  #entries: Int32Array<ArrayBuffer>
  /** Numbers of prefixes that were given, and the first one to be given again: its next one is too. */
  #numbers = 1
  #freeNumber = 0
  #size = 0

  constructor(width: 4 | 16) {
    this.width = width
    this.#entryWords = width === 4 ? 4 : 8
    this.#entries = new Int32Array(8 * this.#entryWords)
  }

  get size(): number {
    return this.#size
  }

  clear(): void {
    this.#nodes = new Int32Array(4 * nodeWords)
    this.#used = nodeWords
    this.#freeNode = 0
    this.#first = new Int32Array(4)
    this.#entries = new Int32Array(8 * this.#entryWords)
    this.#numbers = 1
    this.#freeNumber = 0
    this.#size = 0
  }

  prefix(number: number): { bytes: Uint8Array; length: number } {
    const bytes = new Uint8Array(this.width)
    const view = new DataView(bytes.buffer)
    const at = number * this.#entryWords + addressWord
    for (let i = 0; i < this.width; i += 4) view.setInt32(i, this.#entries[at + (i >> 2)]!)
    return { bytes, length: this.#length(number) }
  }

  /** The longest one that holds the address at `offset`, all of which must be there. */
  lookup(bytes: Uint8Array, offset: number): number {
    const nodes = this.#nodes
    let node = 0
    let found = 0
    for (let depth = 0; ; depth++) {
      const byte = bytes[offset + (depth >> 1)]!
      const place = node + 2 * ((depth & 1) === 0 ? byte >> 4 : byte & 15)
      const below = nodes[place]!
      const best = nodes[place + 1]!
      if (best !== 0) found = best
      if (below <= 0) return below !== 0 && this.#holds(-below, bytes, offset) ? -below : found
      node = below
    }
  }

  /** Exactly this one. */
  find(bytes: Uint8Array, length: number): number {
    const end = depthOf(length)
    let node = 0
    for (let depth = 0; depth < end; depth++) {
      const below = this.#nodes[node + 2 * nibble(bytes, depth)]!
      if (below <= 0) return this.#is(-below, bytes, length) ? -below : 0
      node = below
    }
    let number = this.#first[node / nodeWords]!
    while (number !== 0 && !this.#is(number, bytes, length)) number = this.#next(number)
    return number
  }

  /** Gives its number, which it may have had before. */
  insert(bytes: Uint8Array, length: number): number {
    const there = this.find(bytes, length)
    if (there !== 0) return there
    const number = this.#number(bytes, length)
    this.#place(number, 0, 0)
    this.#size++
    return number
  }

  /** Gives the number that it had. */
  remove(bytes: Uint8Array, length: number): number {
    const number = this.find(bytes, length)
    if (number === 0) return 0
    const path: number[] = [0]
    let leaf = false
    for (let depth = 0; depth < depthOf(length) && !leaf; depth++) {
      const below = this.#nodes[path.at(-1)! + 2 * nibble(bytes, depth)]!
      leaf = below < 0
      if (!leaf) path.push(below)
    }
    const node = path.at(-1)!
    if (leaf) this.#nodes[node + 2 * nibble(bytes, path.length - 1)] = 0
    else this.#takeOut(number, node)
    // Nodes that hold nothing any more, from below; the root stays.
    for (let depth = path.length - 1; depth > 0 && this.#isEmpty(path[depth]!); depth--) {
      this.#nodes[path[depth - 1]! + 2 * nibble(bytes, depth - 1)] = 0
      this.#nodes[path[depth]!] = this.#freeNode
      this.#freeNode = path[depth]!
    }
    this.#setNext(number, this.#freeNumber)
    this.#freeNumber = number
    this.#size--
    return number
  }

  /** In the order of the addresses, shorter ones before longer ones. */
  *entries(node = 0, depth = 0): IterableIterator<number> {
    const here: number[] = []
    for (let number = this.#first[node / nodeWords]!; number !== 0; number = this.#next(number)) {
      here.push(number)
    }
    here.sort((a, b) => this.#length(a) - this.#length(b))
    for (let place = 0; place < 16; place++) {
      for (const number of here) {
        if (nibble(this.prefix(number).bytes, depth) === place) yield number
      }
      const below = this.#nodes[node + 2 * place]!
      if (below < 0) yield -below
      else if (below > 0) yield* this.entries(below, depth + 1)
    }
  }

  /** Into a node, or below it. */
  #place(number: number, start: number, from: number): void {
    const { bytes, length } = this.prefix(number)
    let node = start
    for (let depth = from; depth < depthOf(length); depth++) {
      const place = node + 2 * nibble(bytes, depth)
      const below = this.#nodes[place]!
      if (below === 0) {
        this.#nodes[place] = -number
        return
      }
      node = below
      if (below < 0) {
        node = this.#node()
        this.#nodes[place] = node
        this.#place(-below, node, depth + 1)
      }
    }
    this.#setNext(number, this.#first[node / nodeWords]!)
    this.#first[node / nodeWords] = number
    this.#spread(number, node)
  }

  /** Over the places of a node that it holds, but for those of longer ones. */
  #spread(number: number, node: number): void {
    const { bytes, length } = this.prefix(number)
    const depth = depthOf(length)
    const first = nibble(bytes, depth)
    for (let half = first; half < first + (1 << (4 * depth + 4 - length)); half++) {
      const best = node + 2 * half + 1
      const there = this.#nodes[best]!
      if (there === 0 || this.#length(there) < length) this.#nodes[best] = number
    }
  }

  #takeOut(number: number, node: number): void {
    const index = node / nodeWords
    if (this.#first[index] === number) this.#first[index] = this.#next(number)
    else {
      let before = this.#first[index]!
      while (this.#next(before) !== number) before = this.#next(before)
      this.#setNext(before, this.#next(number))
    }
    for (let best = node + 1; best < node + nodeWords; best += 2) this.#nodes[best] = 0
    for (let each = this.#first[index]!; each !== 0; each = this.#next(each)) this.#spread(each, node)
  }

  #isEmpty(node: number): boolean {
    for (let word = node; word < node + nodeWords; word++) if (this.#nodes[word] !== 0) return false
    return true
  }

  #length(number: number): number {
    return this.#entries[number * this.#entryWords + lengthWord]!
  }

  #next(number: number): number {
    return this.#entries[number * this.#entryWords + nextWord]!
  }

  #setNext(number: number, next: number): void {
    this.#entries[number * this.#entryWords + nextWord] = next
  }

  #holds(number: number, bytes: Uint8Array, offset: number): boolean {
    let at = number * this.#entryWords + addressWord
    let from = offset
    let left = this.#length(number)
    for (; left > 0; left -= 32, at++, from += 4) {
      const differ = this.#entries[at]! ^ word(bytes, from)
      if ((left >= 32 ? differ : differ >>> (32 - left)) !== 0) return false
    }
    return true
  }

  #is(number: number, bytes: Uint8Array, length: number): boolean {
    return number !== 0 && this.#length(number) === length && this.#holds(number, bytes, 0)
  }

  /** An empty node. */
  #node(): number {
    const free = this.#freeNode
    if (free !== 0) {
      this.#freeNode = this.#nodes[free]!
      this.#nodes[free] = 0
      return free
    }
    const node = this.#used
    this.#used += nodeWords
    if (this.#used > this.#nodes.length) {
      this.#nodes = grown(this.#nodes)
      this.#first = grown(this.#first)
    }
    return node
  }

  #number(bytes: Uint8Array, length: number): number {
    let number = this.#freeNumber
    if (number !== 0) this.#freeNumber = this.#next(number)
    else {
      number = this.#numbers++
      if (this.#numbers * this.#entryWords > this.#entries.length) this.#entries = grown(this.#entries)
    }
    const at = number * this.#entryWords
    this.#entries[at + lengthWord] = length
    for (let i = 0; i < this.width; i += 4) this.#entries[at + addressWord + (i >> 2)] = word(bytes, i)
    return number
  }
}

/** How many half bytes come before the one in which a prefix ends. */
function depthOf(length: number): number {
  return length === 0 ? 0 : (length - 1) >> 2
}

function nibble(bytes: Uint8Array, depth: number): number {
  const byte = bytes[depth >> 1]!
  return (depth & 1) === 0 ? byte >> 4 : byte & 15
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length)
  larger.set(array)
  return larger
}
