import { finding } from '../harness/finding.mjs'
import { flooded, raise } from '../harness/links.mjs'
import { interleave } from '../harness/rounds.mjs'

const milliseconds = 1000

/** A 1 ms timer in a process that reads a TUN to which more frames come than it can look at. */
export async function ticks({ lab, rounds }) {
  const network = await lab.network()
  const blaster = await lab.blaster(network)
  const program = await lab.node(network, 'ticks', ['ours'])
  await raise(network, 'ours', 0)
  // Nobody reads in the other two, but the sender takes its core all the same.
  const inFlood = command =>
    flooded(blaster, 0, 1400, milliseconds, () => program.ask(`${command} ${milliseconds}`))
  const { idle, spinning, reading } = await interleave(rounds, 1, {
    idle: () => inFlood('idle'),
    spinning: () => inFlood('spinning'),
    reading: async () => {
      const result = await inFlood('reading')
      // A flood that could be exhausted would say little about the timer.
      if (result.lost === 0) throw new Error('the flood could be exhausted: no frame was lost')
      return result
    },
  })
  const compare = (measure, key, results, against, bounds) =>
    finding({
      measure,
      unit: key === 'ticks' ? '' : 'ms',
      figures: results.map(result => result[key]),
      floor: against?.map(result => result[key]),
      ...bounds,
    })
  return [
    compare('ticks, against those of an idle process', 'ticks', reading, idle, { least: 0.9 }),
    compare('ticks, against a loop that spins', 'ticks', reading, spinning),
    compare('event-loop delay p99, its 1 ms included', 'delayP99Ms', reading, undefined, { most: 2 }),
    compare('… of a loop that spins', 'delayP99Ms', spinning),
    compare('… of an idle process', 'delayP99Ms', idle),
    compare('ticks late by, p99', 'lateP99Ms', reading),
    compare('… of a loop that spins', 'lateP99Ms', spinning),
    compare('… of an idle process', 'lateP99Ms', idle),
  ]
}
