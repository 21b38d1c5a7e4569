import t from 'tap'
import { compileFilter, FilterError, FilterProgram, runFilter } from '../../src/filter/index.js'
import { accepted } from '../support/filter-expressions.js'
import { packetsOn } from '../support/filter-packets.js'
import { fuzz, fuzzRuns as runs, fuzzSeed as seed } from '../support/fuzz.js'
import { Random } from '../support/random.js'

t.comment(`seed ${seed}`)
t.setTimeout(30_000 + runs)

const packets = packetsOn('ethernet')
const random = new Random(seed)
const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!

const words = [...new Set(accepted.join(' ').match(/\\?[\w.:-]+|[^\s\w]/g))]

/** Words of the language in any order, or an expression with a character changed, or characters. */
function randomText(): string {
  const length = random.below(12)
  switch (random.below(3)) {
    case 0:
      return Array.from({ length }, () => pick(words)).join(pick(['', ' ', ' ']))
    case 1: {
      const text = pick(accepted)
      const at = random.below(text.length)
      return text.slice(0, at) + String.fromCharCode(random.below(128)) + text.slice(at + random.below(3))
    }
    default:
      return String.fromCharCode(
        ...Array.from({ length }, () => random.below(random.below(8) === 0 ? 0x10000 : 128)),
      )
  }
}

t.test('any text is a program or a typed error with a place in the text', async t => {
  let programs = 0
  const passed = fuzz(t, 'texts', runs, () => {
    const text = randomText()
    try {
      const program = compileFilter(text, { live: random.below(2) === 0 })
      programs++
      program.match(pick(packets))
    } catch (error) {
      if (
        error instanceof FilterError &&
        error.offset >= 0 &&
        error.length >= 0 &&
        error.offset + error.length <= text.length
      ) {
        return undefined
      }
      return `${error} of ${JSON.stringify(text)}`
    }
    return undefined
  })
  t.ok(passed && programs > runs / 100, `${programs} of ${runs} texts are filters`)
})

const codes = [
  0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x05, 0x06, 0x16,
  0x07, 0x87, 0x84, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74,
  0x7c, 0x94, 0x9c, 0xa4, 0xac, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d,
]

t.test('any program is refused, or runs to its end within the packet', async t => {
  let checked = 0
  const passed = fuzz(t, 'programs', runs, () => {
    const length = 1 + random.below(12)
    const instructions = Array.from({ length }, (_, at) => ({
      code:
        at === length - 1 && random.below(8) > 0
          ? pick([0x06, 0x16])
          : random.below(16) === 0
            ? random.below(256)
            : pick(codes),
      jt: random.below(length - at),
      jf: random.below(length - at),
      k: pick([
        0,
        1,
        random.below(16),
        random.below(64),
        0xffffffff,
        0x80000000,
        0xfffff000 + random.below(70),
      ]),
    }))
    let program: FilterProgram
    try {
      program = new FilterProgram(instructions)
    } catch (error) {
      if (error instanceof FilterError) return undefined
      return `${error} of ${JSON.stringify(instructions)}`
    }
    checked++
    const packet = pick(packets)
    const whole = runFilter(program, packet)
    if (!Number.isInteger(whole) || whole < 0 || whole > 0xffffffff) {
      return `${whole} is no length, of ${JSON.stringify(instructions)}`
    }
    String(program)
    return undefined
  })
  t.ok(passed && checked > runs / 20, `${checked} of ${runs} programs pass the check`)
})

t.test('a list of hosts takes what its members take', async t => {
  for (let i = 0; i < Math.min(200, runs / 100); i++) {
    const count = 1 + random.below(60)
    const hosts = Array.from({ length: count }, () => `10.0.0.${random.below(64)}`)
    const list = compileFilter(`host ${hosts.join(' or ')} or net 192.168.${random.below(4)}.0/24`)
    for (let last = 0; last < 64; last++) {
      const packet = packets[0]!.slice()
      packet[29] = last
      packet.set([172, 16, 0, 1], 30)
      t.equal(list.match(packet), hosts.includes(`10.0.0.${last}`))
    }
  }
})
