import { invalidArgumentType } from '../../../errors/index.js'
import type { AttributeCursor, Codec } from '../../core/index.js'
import { BITSET, BITSET_BIT, BITSET_BITS } from './constants.js'

/** Bits by their names; those that the kernel has no name for by their numbers. */
export type NamedBits = Readonly<Record<string, boolean>>

/** Bits that the kernel names. Reading, bits that do not apply are absent; writing, those not given stay as they are. */
export interface BitsetCodec extends Codec<NamedBits> {
  /** Where the names are, when a message comes without them. */
  readonly stringSet: number
}

export function bitset(stringSet: number): BitsetCodec {
  return {
    stringSet,
    write: (writer, type, name, value) => {
      if (typeof value !== 'object' || value === null) throw invalidArgumentType(name, 'an object', value)
      writer.nested(type, name, set =>
        set.nested(BITSET.BITS, '', bits => {
          for (const [bit, on] of Object.entries<boolean | undefined>(value)) {
            if (on === undefined) continue
            if (typeof on !== 'boolean') throw invalidArgumentType(`${name}.${bit}`, 'a boolean', on)
            bits.nested(BITSET_BITS.BIT, bit, each => {
              if (/^\d+$/.test(bit)) each.u32(BITSET_BIT.INDEX, '', Number(bit))
              else each.string(BITSET_BIT.NAME, '', bit)
              if (on) each.flag(BITSET_BIT.VALUE, '')
            })
          }
        }),
      )
    },
    read: readBitset,
    examples: [{}, { first: true, second: false, 7: true }],
  }
}

function readBitset(outer: AttributeCursor): NamedBits {
  const cursor = outer.nested()
  let noMask = false
  let size = 0
  const bits: [name: string, on: boolean][] = []
  let values: Uint32Array | undefined
  let mask: Uint32Array | undefined
  while (cursor.next()) {
    if (cursor.type === BITSET.NOMASK) noMask = true
    else if (cursor.type === BITSET.SIZE) size = cursor.u32()
    else if (cursor.type === BITSET.BITS) bits.push(...readBits(cursor.nested()))
    else if (cursor.type === BITSET.VALUE) values = words(cursor)
    else if (cursor.type === BITSET.MASK) mask = words(cursor)
  }
  if (!values) return Object.fromEntries(noMask ? bits.map(([name]) => [name, true]) : bits)
  const isSet = (all: Uint32Array, i: number) => ((all[i >> 5] ?? 0) & (1 << (i & 31))) !== 0
  const end = Math.min(size, values.length * 32)
  for (let i = 0; i < end; i++) {
    const on = isSet(values, i)
    if (mask ? isSet(mask, i) : on) bits.push([String(i), on])
  }
  return Object.fromEntries(bits)
}

function* readBits(cursor: AttributeCursor): Generator<[name: string, on: boolean]> {
  while (cursor.next()) {
    if (cursor.type !== BITSET_BITS.BIT) continue
    const bit = cursor.nested()
    let name: string | undefined
    let index = 0
    let on = false
    while (bit.next()) {
      if (bit.type === BITSET_BIT.INDEX) index = bit.u32()
      else if (bit.type === BITSET_BIT.NAME) name = bit.string()
      else if (bit.type === BITSET_BIT.VALUE) on = true
    }
    yield [name || String(index), on]
  }
}

function words(cursor: AttributeCursor): Uint32Array {
  return Uint32Array.from({ length: cursor.length >> 2 }, (_, i) => cursor.u32(4 * i))
}
