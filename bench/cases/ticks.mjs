import { finding } from '../harness/finding.mjs'
import { flooded as inFlood, raise } from '../harness/links.mjs'
import { interleave } from '../harness/rounds.mjs'

const milliseconds = 1500

/** A 1 ms timer in a process that reads a TUN to which more frames come than it can look at. */
export async function ticks({ lab, rounds }) {
  const network = await lab.network()
  const blaster = await lab.blaster(network)
  const program = await lab.node(network, 'ticks', ['ours'])
  await raise(network, 'ours', 0)
  let lost = 0
  const { alone, flooded } = await interleave(rounds, 1, {
    alone: () => program.ask(`alone ${milliseconds}`),
    flooded: async () => {
      const result = await inFlood(blaster, 0, 1400, milliseconds, () =>
        program.ask(`flooded ${milliseconds}`),
      )
      // A flood that could be exhausted would say little about the timer.
      if (result.lost <= lost) throw new Error('the flood could be exhausted: no frame was lost')
      lost = result.lost
      return result
    },
  })
  const pick = key => ({
    figures: flooded.map(result => result[key]),
    floor: alone.map(result => result[key]),
  })
  const only = key => ({ figures: flooded.map(result => result[key]) })
  return [
    finding({ measure: 'ticks, against those without a flood', unit: '', ...pick('ticks'), least: 0.9 }),
    finding({ measure: 'event-loop delay p99 (with its 1 ms)', unit: 'ms', ...only('delayP99Ms'), most: 2 }),
    finding({ measure: '… without a flood', unit: 'ms', figures: alone.map(result => result.delayP99Ms) }),
    finding({ measure: 'ticks late by, p99', unit: 'ms', ...only('lateP99Ms') }),
    finding({ measure: '… without a flood', unit: 'ms', figures: alone.map(result => result.lateP99Ms) }),
  ]
}
