import fc from 'fast-check'
import t from 'tap'
import { formatIpAddress, formatIpPrefix, PrefixTable, parseIpPrefix } from '../../src/address/index.js'

const runs = { numRuns: Math.min(Number(process.env.NETLOOM_FUZZ_RUNS ?? 500), 20_000) }

/** Few bytes, so that prefixes fall together. */
const byte = fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xfe, 0xff)
const address = fc.oneof(
  fc.array(byte, { minLength: 4, maxLength: 4 }),
  fc.array(byte, { minLength: 16, maxLength: 16 }),
)
const prefix = address.chain(bytes =>
  fc.nat(8 * bytes.length).map(length => {
    const cut = bytes.map((each, i) => each & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))))
    return formatIpPrefix({ bytes: Uint8Array.from(cut.map(each => each & 0xff)), length })
  }),
)
const step = fc.record({ keep: fc.boolean(), prefix })

function holds(prefix: string, bytes: Uint8Array): boolean {
  const { bytes: network, length } = parseIpPrefix(prefix)
  if (network.length !== bytes.length) return false
  for (let bit = 0; bit < length; bit++) {
    const mask = 0x80 >> (bit & 7)
    if ((network[bit >> 3]! & mask) !== (bytes[bit >> 3]! & mask)) return false
  }
  return true
}

t.test('it finds what a search of a list finds', async t => {
  let found = 0
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.array(address, { maxLength: 20 }),
      (steps, addresses) => {
        const table = new PrefixTable<number>()
        const list = new Map<string, number>()
        for (const [i, { keep, prefix }] of steps.entries()) {
          if (keep) {
            table.set(prefix, i)
            list.set(prefix, i)
          } else if (table.delete(prefix) !== list.delete(prefix)) throw new Error(`delete ${prefix}`)
        }
        if (table.size !== list.size) throw new Error('size')
        const all = new Map(table)
        if (all.size !== list.size) throw new Error('entries')
        for (const [prefix, value] of list) {
          if (table.get(prefix) !== value || all.get(prefix) !== value) throw new Error(prefix)
        }
        for (const each of addresses) {
          const bytes = Uint8Array.from(each)
          const [best] = [...list]
            .filter(([prefix]) => holds(prefix, bytes))
            .sort(([a], [b]) => parseIpPrefix(b).length - parseIpPrefix(a).length)
          const match = table.match(formatIpAddress(bytes))
          if (match?.prefix !== best?.[0] || match?.value !== best?.[1]) throw new Error(`match ${bytes}`)
          const padded = Uint8Array.from([9, ...bytes, 9])
          if (table.lookupBytes(padded, 1, bytes.length === 4 ? 4 : 6) !== best?.[1])
            throw new Error(`${bytes}`)
          if (best) found++
        }
      },
    ),
    runs,
  )
  t.ok(found > runs.numRuns / 10, `${found} found`)
})
