import { cpuPerFrame, finding } from '../harness/finding.mjs'
import { beyond, raise } from '../harness/links.mjs'
import { interleave } from '../harness/rounds.mjs'

const frames = 16_000
const targets = { released: 1.1, pooled: 1.2, owned: 2.0 }

/** The ring of a TUN is filled, then read until it is empty. */
export async function drain({ lab, rounds }) {
  const findings = []
  for (const size of [64, 1400]) {
    const network = await lab.network()
    const blaster = await lab.blaster(network)
    const programs = { c: await lab.floor(network, ['drain', 'tun', 'c']) }
    for (const mode of Object.keys(targets)) programs[mode] = await lab.node(network, 'receive', [mode, mode])
    const candidates = {}
    for (const [k, [name, program]] of Object.entries(programs).entries()) {
      await raise(network, name, k, { txQueueLength: 16_384 })
      candidates[name] = async () => {
        await blaster.ask(`blast ${beyond(k)} ${size} ${frames} 0`)
        return program.ask(`drain ${frames}`)
      }
    }
    candidates.direct = async () => {
      await blaster.ask(`blast ${beyond(0)} ${size} ${frames} 0`)
      return programs.c.ask(`drain-direct ${frames}`)
    }
    const { c, direct, ...ours } = await interleave(rounds * 5, 5, candidates)
    for (const [mode, most] of Object.entries(targets)) {
      findings.push(
        finding({
          measure: `${size} B, ${mode}: CPU per frame`,
          unit: 'ns',
          figures: ours[mode].map(cpuPerFrame),
          floor: c.map(cpuPerFrame),
          most,
        }),
      )
    }
    findings.push(
      finding({
        measure: `${size} B, released, against inlined system calls`,
        unit: 'ns',
        figures: ours.released.map(cpuPerFrame),
        floor: direct.map(cpuPerFrame),
      }),
    )
  }
  return findings
}
