import { cpuPerFrame, finding, framesPerSecond } from '../harness/finding.mjs'
import { raise } from '../harness/links.mjs'
import { interleave } from '../harness/rounds.mjs'

const frames = 64_000

/** Batches of 64 frames are sent into a TUN whose kernel side drops them. */
export async function send({ lab, rounds }) {
  const findings = []
  for (const size of [64, 1400]) {
    const network = await lab.network()
    const programs = {
      c: await lab.floor(network, ['send', 'tun', 'c', `${size}`]),
      ours: await lab.node(network, 'send', ['ours', `${size}`]),
    }
    const candidates = {}
    for (const [k, [name, program]] of Object.entries(programs).entries()) {
      await raise(network, name, k)
      candidates[name] = () => program.ask(`send ${frames}`)
    }
    candidates.direct = () => programs.c.ask(`send-direct ${frames}`)
    const { c, direct, ours } = await interleave(rounds * 4, 4, candidates)
    findings.push(
      finding({
        measure: `${size} B: frames per second`,
        unit: '/s',
        figures: ours.map(framesPerSecond),
        floor: c.map(framesPerSecond),
        least: 0.97,
      }),
      finding({
        measure: `${size} B: CPU per frame`,
        unit: 'ns',
        figures: ours.map(cpuPerFrame),
        floor: c.map(cpuPerFrame),
        most: 1.05,
      }),
      finding({
        measure: `${size} B: CPU, against inlined system calls`,
        unit: 'ns',
        figures: ours.map(cpuPerFrame),
        floor: direct.map(cpuPerFrame),
      }),
    )
  }
  return findings
}
