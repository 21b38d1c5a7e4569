import fc from 'fast-check'
import t from 'tap'
import { compileFilter, FilterProgram } from '../../../src/filter/index.js'
import { native } from '../../../src/native.js'
import { accepted } from '../../support/filter-expressions.js'
import { packetsOn } from '../../support/filter-packets.js'
import { requires } from '../../support/requires.js'
import { tcpdumpPrograms } from '../../support/tcpdump-filter.js'

/** What the machine of forwards and files says, which is to be what that of `filter` says. */
function runNatively(program: FilterProgram, packet: Uint8Array, facts: Facts): number {
  const { length, direction, interface: index, vlan, protocol } = facts
  const tag = vlan ? vlan.protocol * 65536 + vlan.tci : 0
  return native().Forward.runFilter(
    program.bytes(),
    packet,
    length,
    direction === 'outbound',
    index ?? 0,
    tag,
    protocol ?? 0,
  )
}

interface Facts {
  length: number
  direction: 'inbound' | 'outbound'
  interface: number | undefined
  vlan: { tci: number; protocol: number } | undefined
  protocol?: number
}

for (const linkType of ['ethernet', 'ip'] as const) {
  t.test(`${linkType}: tcpdump's programs, run by both machines`, async t => {
    if (!requires(t, 'tcpdump')) return
    const packets = packetsOn(linkType)
    let passed = 0
    let differ = 0
    for (const program of tcpdumpPrograms(linkType, accepted)) {
      if (!(program instanceof FilterProgram)) continue
      for (const packet of packets) {
        for (const vlan of [undefined, { tci: 0x3005, protocol: 0x8100 }]) {
          const facts: Facts = { length: packet.length + 4, direction: 'outbound', interface: 3, vlan }
          const wanted = program.run(packet, facts)
          if (wanted !== runNatively(program, packet, facts)) differ++
          if (wanted > 0) passed++
        }
      }
    }
    t.equal(differ, 0)
    t.ok(passed > 1000, `${passed} packets pass`)
  })
}

t.test('programs of ours, live and not, with facts that are not known', t => {
  let differ = 0
  for (const expression of accepted) {
    for (const live of [false, true]) {
      const program = attempt(() =>
        compileFilter(expression, { linkType: 'ethernet', live, netmask: '0.0.0.0' }),
      )
      if (!program) continue
      for (const packet of packetsOn('ethernet')) {
        const facts: Facts = {
          length: packet.length,
          direction: 'inbound',
          interface: undefined,
          vlan: undefined,
        }
        if (program.run(packet, facts) !== runNatively(program, packet, facts)) differ++
      }
    }
  }
  t.equal(differ, 0)
  t.end()
})

t.test('live programs for packets without a link header', t => {
  let passed = 0
  let differ = 0
  for (const expression of accepted) {
    const program = attempt(() =>
      compileFilter(expression, { linkType: 'linux-sll2', live: true, netmask: '0.0.0.0' }),
    )
    if (!program) continue
    for (const packet of packetsOn('ip')) {
      const protocol = packet[0]! >> 4 === 6 ? 0x86dd : 0x0800
      const facts = {
        length: packet.length,
        direction: 'inbound',
        interface: 2,
        vlan: undefined,
        protocol,
      } as const
      const wanted = program.run(packet, facts)
      if (wanted !== runNatively(program, packet, facts)) differ++
      if (wanted > 0) passed++
    }
  }
  t.equal(differ, 0)
  t.ok(passed > 1000, `${passed} packets pass`)
  t.end()
})

t.test('random programs: the same are refused, and the same is said', t => {
  const code = fc.oneof(
    fc.constantFrom(
      0x00,
      0x01,
      0x02,
      0x03,
      0x05,
      0x06,
      0x07,
      0x16,
      0x20,
      0x28,
      0x30,
      0x40,
      0x48,
      0x50,
      0x60,
      0x61,
    ),
    fc.constantFrom(
      0x80,
      0x81,
      0x84,
      0x87,
      0xb1,
      0x04,
      0x0c,
      0x14,
      0x1c,
      0x24,
      0x2c,
      0x34,
      0x3c,
      0x44,
      0x4c,
      0x54,
    ),
    fc.constantFrom(
      0x5c,
      0x64,
      0x6c,
      0x74,
      0x7c,
      0x94,
      0x9c,
      0xa4,
      0xac,
      0x15,
      0x1d,
      0x25,
      0x2d,
      0x35,
      0x3d,
      0x45,
    ),
    fc.integer({ min: 0, max: 0x1ff }),
  )
  const k = fc.oneof(
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 0xfffff000, max: 0xfffff040 }),
    fc.integer({ min: 0, max: 0xffffffff }),
  )
  const branch = fc.integer({ min: 0, max: 3 })
  const instruction = fc.record({ code, jt: branch, jf: branch, k })
  const answer = fc.constantFrom({ code: 0x16, jt: 0, jf: 0, k: 0 }, { code: 0x06, jt: 0, jf: 0, k: 7 })
  let ran = 0
  fc.assert(
    fc.property(
      fc.array(instruction, { maxLength: 12 }),
      answer,
      fc.uint8Array({ maxLength: 40 }),
      fc.boolean(),
      (body, last, packet, outbound) => {
        const instructions = [...body, last]
        const program = attempt(() => new FilterProgram(instructions))
        const facts: Facts = {
          length: 1500,
          direction: outbound ? 'outbound' : 'inbound',
          interface: outbound ? 7 : undefined,
          vlan: outbound ? { tci: 0xfff, protocol: 0x88a8 } : undefined,
        }
        if (program) {
          ran++
          return program.run(packet, facts) === runNatively(program, packet, facts)
        }
        const raw = { bytes: () => rawBytes(instructions) } as FilterProgram
        return attempt(() => runNatively(raw, packet, facts)) === undefined
      },
    ),
    { numRuns: 20_000 },
  )
  t.ok(ran > 500, `${ran} programs are valid`)
  t.end()
})

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}

function rawBytes(instructions: { code: number; jt: number; jf: number; k: number }[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * 8))
  for (const [i, { code, jt, jf, k }] of instructions.entries()) {
    view.setUint16(8 * i, code, true)
    view.setUint8(8 * i + 2, jt)
    view.setUint8(8 * i + 3, jf)
    view.setUint32(8 * i + 4, k, true)
  }
  return new Uint8Array(view.buffer)
}
