import { finding, framesPerCpuSecond } from '../harness/finding.mjs'
import { beyond, flooded, raise } from '../harness/links.mjs'
import { install } from '../harness/rivals.mjs'
import { interleave } from '../harness/rounds.mjs'

const name = 'appium-ios-tuntap'
const version = '2.0.5'
const milliseconds = 700
const frames = 16_000

/** The other TUN package on npm, read as it can be read: one frame a call, asked in each turn of the loop. */
export async function rival({ lab, rounds, say }) {
  const network = await lab.network()
  const blaster = await lab.blaster(network)
  let other
  try {
    // What it compiles needs g++, make, pkg-config and libssl-dev.
    const folder = await install(name, version, say)
    other = await lab.node(network, 'rival', [folder, 'other'])
  } catch (error) {
    const [reason] = `${error.stderr || error.message}`.trim().split('\n')
    return [{ measure: `${name} ${version}`, note: `not measured: ${reason}` }]
  }
  const programs = { other, ours: await lab.node(network, 'receive', ['pooled', 'ours']) }
  const floods = {}
  const drains = {}
  for (const [k, [device, program]] of Object.entries(programs).entries()) {
    await raise(network, device, k, { txQueueLength: 16_384 })
    floods[device] = async () => {
      const result = await flooded(blaster, k, 1400, milliseconds, () => program.ask(`flood ${milliseconds}`))
      // What the flood left is not the next measurement's.
      await program.ask('flood 50')
      return result
    }
    drains[device] = async () => {
      await blaster.ask(`blast ${beyond(k)} 1400 ${frames} 0`)
      return program.ask(`drain ${frames}`)
    }
  }
  const compare = (measure, results) =>
    finding({
      measure: `${measure}, 1400 B: frames per CPU second`,
      unit: '/s',
      figures: results.ours.map(framesPerCpuSecond),
      floor: results.other.map(framesPerCpuSecond),
      least: 2,
    })
  const full = await interleave(rounds * 4, 4, drains)
  const live = await interleave(rounds, 1, floods)
  return [compare('full ring', full), compare('flood', live)]
}
