import { cpuPerFrame, finding, framesPerSecond } from '../harness/finding.mjs'
import { flooded, raise } from '../harness/links.mjs'
import { interleave } from '../harness/rounds.mjs'

const milliseconds = 400
// Twenty milliseconds' worth: what else runs on the core now and then is not what is measured.
const txQueueLength = 8192

/** How fast frames came, against how fast they were sent: unlike the former not the sender's affair. */
const shareReceived = result => framesPerSecond(result) / framesPerSecond(result.sent)

/** A TUN is read while another core sends into it without pause. */
export async function flood({ lab, rounds }) {
  const findings = []
  for (const size of [64, 1400]) {
    const network = await lab.network()
    const blaster = await lab.blaster(network)
    const programs = {
      c: await lab.floor(network, ['flood', 'tun', 'c']),
      ours: await lab.node(network, 'receive', ['pooled', 'ours']),
    }
    const candidates = {}
    for (const [k, [name, program]] of Object.entries(programs).entries()) {
      await raise(network, name, k, { txQueueLength })
      candidates[name] = () =>
        flooded(blaster, k, size, milliseconds, () => program.ask(`flood ${milliseconds}`))
    }
    const { c, ours } = await interleave(rounds * 2, 2, candidates)
    findings.push(
      finding({
        measure: `${size} B: frames per second`,
        unit: '/s',
        figures: ours.map(framesPerSecond),
        floor: c.map(framesPerSecond),
        least: 0.97,
      }),
      finding({
        measure: `${size} B: share of frames sent`,
        unit: '',
        figures: ours.map(shareReceived),
        floor: c.map(shareReceived),
      }),
      finding({
        measure: `${size} B: CPU per frame`,
        unit: 'ns',
        figures: ours.map(cpuPerFrame),
        floor: c.map(cpuPerFrame),
        most: 1.5,
      }),
    )
  }
  return findings
}
