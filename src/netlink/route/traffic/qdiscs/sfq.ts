import { invalidArgumentType, requireInteger, requireOptions } from '../../../../errors/index.js'
import { type Codec, littleEndian } from '../../../core/index.js'
import { structBytes, structOf } from '../struct.js'

/** Turns among flows. struct tc_sfq_qopt_v1; 0 is the kernel's choice. */
export interface SfqSettings {
  /** Bytes of one turn. */
  quantum?: number | undefined
  /** How often flows are told apart anew; 0 never. */
  perturbSeconds?: number | undefined
  /** Packets in all. */
  limit?: number | undefined
  /** Size of the table that tells flows apart. */
  divisor?: number | undefined
  flows?: number | undefined
  /** Packets of one flow. */
  depth?: number | undefined
  /** Drops from the front of a queue. */
  headDrop?: boolean | undefined
}

const length = 72
// Where each stands in the struct.
const numbers = { quantum: 0, perturbSeconds: 4, limit: 8, divisor: 12, flows: 16, depth: 20 } as const

export const sfq: Codec<SfqSettings> = {
  write: (writer, type, name, value) => {
    const keys = Object.keys(numbers) as (keyof typeof numbers)[]
    const options = requireOptions(name, value, [...keys, 'headDrop'])
    const { headDrop = false } = options
    if (typeof headDrop !== 'boolean') throw invalidArgumentType(`${name}.headDrop`, 'a boolean', headDrop)
    const struct = structBytes(length, view => {
      for (const key of keys) {
        const number = requireInteger(`${name}.${key}`, options[key] ?? 0, 0, 0x7fff_ffff)
        view.setUint32(numbers[key], number, littleEndian)
      }
      view.setUint32(24, headDrop ? 1 : 0, littleEndian)
    })
    writer.bytes(type, name, struct)
  },
  read: cursor => {
    const view = structOf(cursor, length)
    const entries = Object.entries(numbers).map(([key, at]) => [key, view.getUint32(at, littleEndian)])
    return { ...Object.fromEntries(entries), headDrop: view.getUint32(24, littleEndian) !== 0 }
  },
  examples: [
    { quantum: 1514, perturbSeconds: 10, limit: 127, divisor: 1024, flows: 128, depth: 127, headDrop: true },
  ],
}
