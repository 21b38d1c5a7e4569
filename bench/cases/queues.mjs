import { finding, framesPerSecond } from '../harness/finding.mjs'
import { beyond, raise } from '../harness/links.mjs'
import { interleave } from '../harness/rounds.mjs'

const flows = 64
const framesOfFlow = 200

/** The queues of a device are filled with frames of many flows, then read until they are empty: by one worker, and by two. */
export async function queues({ lab, rounds }) {
  const network = await lab.network()
  const blaster = await lab.blaster(network)
  const candidates = {}
  for (const [k, name] of ['one', 'two'].entries()) {
    const program = await lab.node(network, 'queues', [name, `${k + 1}`], { core: 'any' })
    await raise(network, name, k, { txQueueLength: flows * framesOfFlow })
    candidates[name] = async () => {
      // Each has a port of its own.
      for (let i = 0; i < flows; i++) await blaster.ask(`blast ${beyond(k)} 1400 ${framesOfFlow} 0`)
      return program.ask('drain')
    }
  }
  const { one, two } = await interleave(rounds, 2, candidates)
  return [
    finding({
      measure: 'two queues, to one: frames per second',
      unit: '/s',
      figures: two.map(framesPerSecond),
      floor: one.map(framesPerSecond),
      least: 1.5,
    }),
  ]
}
