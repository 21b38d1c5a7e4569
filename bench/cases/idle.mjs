import { setTimeout as sleep } from 'node:timers/promises'
import { finding } from '../harness/finding.mjs'

const devices = 64

/** CPU time of a process that waits for frames on many devices to which none come. */
export async function idle({ lab, rounds }) {
  const network = await lab.network()
  const program = await lab.node(network, 'idle', [`${devices}`])
  await program.ask('idle')
  // Until what the start left behind is done.
  await sleep(500)
  const figures = []
  for (let round = 0; round < rounds; round++) {
    const before = program.runTime()
    await sleep(500)
    figures.push((program.runTime() - before) / 500 / 1e6)
  }
  return [
    finding({
      measure: `${devices} waiting devices: CPU`,
      unit: '%',
      figures: figures.map(share => share * 100),
      most: 0,
    }),
  ]
}
