import t from 'tap'
import { compileFilter, type FilterLinkType, FilterProgram, filterLinkTypes } from '../../src/filter/index.js'
import { accepted, rejected } from '../support/filter-expressions.js'
import { packetsOn } from '../support/filter-packets.js'
import { requires } from '../support/requires.js'
import { tcpdumpPrograms } from '../support/tcpdump-filter.js'

t.setTimeout(300_000)

/** Where the two differ on purpose. */
const deviations: Record<string, { linkTypes?: FilterLinkType[]; reason: string }> = {
  'byte 0 & 2': { reason: 'libpcap 1.10 tests a register that nothing was loaded into' },
  'byte 12 | 0': { reason: 'libpcap 1.10 tests a register that nothing was loaded into' },
  '-ip[8] < 0': { reason: 'tcpdump does not see that no number is below 0' },
  'ip[-1] = 0': { linkTypes: ['ip', 'ipv4'], reason: 'the kernel refuses the program' },
  ipx: { linkTypes: ['linux-sll', 'linux-sll2'], reason: 'not supported on cooked links' },
  atalk: { linkTypes: ['linux-sll2'], reason: 'libpcap 1.10 knows no LLC there' },
  iso: { linkTypes: ['linux-sll2'], reason: 'libpcap 1.10 knows no LLC there' },
  netbeui: { linkTypes: ['linux-sll2'], reason: 'libpcap 1.10 knows no LLC there' },
  aarp: { linkTypes: ['linux-sll2'], reason: 'libpcap 1.10 knows no LLC there' },
  stp: { linkTypes: ['linux-sll2'], reason: 'libpcap 1.10 knows no LLC there' },
  'ether proto \\stp': { linkTypes: ['linux-sll2'], reason: 'libpcap 1.10 knows no LLC there' },
  'ether proto 0x42': { linkTypes: ['linux-sll2'], reason: 'libpcap 1.10 knows no LLC there' },
  'ether proto 1500': { linkTypes: ['linux-sll2'], reason: 'libpcap 1.10 knows no LLC there' },
  'ether proto 0x88cc or stp': { linkTypes: ['linux-sll2'], reason: 'libpcap 1.10 knows no LLC there' },
}

const metadata = { direction: 'outbound', interface: 3 } as const

function compile(expression: string, linkType: FilterLinkType): FilterProgram | undefined {
  try {
    return compileFilter(expression, { linkType, netmask: '0.0.0.0' })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_FILTER_INVALID') return undefined
    throw error
  }
}

function deviates(expression: string, linkType: FilterLinkType): boolean {
  const deviation = deviations[expression]
  return deviation !== undefined && (deviation.linkTypes?.includes(linkType) ?? true)
}

/** The offsets that a program loads from, as far as they are constants; what follows X is taken for any. */
function loaded(program: FilterProgram, length: number): number[] {
  const offsets = new Set<number>()
  for (const { code, k } of program.instructions) {
    const size = code === 0x20 || code === 0x40 ? 4 : code === 0x28 || code === 0x48 ? 2 : 1
    if ([0x20, 0x28, 0x30, 0xb1].includes(code)) for (let i = 0; i < size; i++) offsets.add(k + i)
    if ([0x40, 0x48, 0x50].includes(code)) return Array.from({ length }, (_, i) => i)
  }
  return [...offsets].filter(offset => offset < length)
}

function padded(packet: Uint8Array): Uint8Array {
  const long = new Uint8Array(packet.length + 512)
  long.set(packet)
  return long
}

for (const linkType of Object.keys(filterLinkTypes) as FilterLinkType[]) {
  t.test(`${linkType}: the same packets pass as with tcpdump`, async t => {
    if (!requires(t, 'tcpdump')) return
    const packets = packetsOn(linkType)
    const programs = tcpdumpPrograms(linkType, accepted)
    const lengths = { ours: 0, theirs: 0 }
    let compared = 0
    let cut = 0
    let verdicts = 0
    for (const [index, expression] of accepted.entries()) {
      if (deviates(expression, linkType)) continue
      const theirs = programs[index]
      const ours = compile(expression, linkType)
      // Programs of tcpdump that no kernel would take have no verdicts.
      if (theirs === 'unsafe' && ours !== undefined) continue
      if (linkType === 'ethernet' && ours === undefined) t.fail(`${expression} is refused`)
      if (ours === undefined || !(theirs instanceof FilterProgram)) {
        if (ours !== undefined || theirs !== undefined) t.fail(`only one accepts ${expression}`)
        continue
      }
      compared++
      lengths.ours += ours.instructions.length
      lengths.theirs += theirs.instructions.length
      const compare = (packet: Uint8Array, what: string) => {
        verdicts++
        const verdict = ours.match(packet, metadata)
        if (verdict === theirs.match(packet, metadata)) return
        // One of the two looked at a byte that is not there. With all bytes there, they agree.
        const long = padded(packet)
        const whole = { ...metadata, length: packet.length }
        if (ours.match(long, whole) === theirs.match(long, whole)) cut++
        else t.fail(`${expression}: ${what}`, { packet: Buffer.from(packet).toString('hex'), verdict })
      }
      for (const [number, packet] of packets.entries()) {
        compare(packet, `packet ${number}`)
        for (let length = 0; length < packet.length; length++) {
          compare(packet.subarray(0, length), `packet ${number}, cut to ${length}`)
        }
        for (const offset of loaded(theirs, packet.length)) {
          const changed = packet.slice()
          for (const value of [0, 1, 4, 0x11, 0xff, packet[offset]! ^ 1, packet[offset]! ^ 0x80]) {
            changed[offset] = value
            compare(changed, `packet ${number}, byte ${offset} is ${value}`)
          }
        }
      }
    }
    t.ok(compared > (linkType === 'ethernet' ? 380 : 150), `${compared} expressions, ${verdicts} verdicts`)
    t.ok(cut < verdicts / 1000, `${cut} of them on cut packets only`)
    t.ok(lengths.ours < lengths.theirs * 1.1, `${lengths.ours} instructions, tcpdump's ${lengths.theirs}`)
  })
}

t.test('what tcpdump refuses is refused', async t => {
  if (!requires(t, 'tcpdump')) return
  const programs = tcpdumpPrograms('ethernet', rejected)
  for (const [index, expression] of rejected.entries()) {
    t.equal(programs[index], undefined, `tcpdump refuses ${expression}`)
    t.equal(compile(expression, 'ethernet'), undefined, expression)
  }
  t.ok(rejected.length >= 150)
})

t.test('tcpdump reads and prints programs as they are printed here', async t => {
  if (!requires(t, 'tcpdump')) return
  const expressions = ['tcp port 80', 'ip[2:2] > 60', 'icmp6', 'len > 5', 'ip6 host ::1']
  for (const [index, program] of tcpdumpPrograms('ethernet', expressions).entries()) {
    if (!(program instanceof FilterProgram)) throw new Error(expressions[index])
    t.equal(program.toDecimal(), compileFilter(expressions[index]!).toDecimal(), expressions[index]!)
  }
})
