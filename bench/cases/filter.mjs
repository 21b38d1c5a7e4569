import { finding } from '../harness/finding.mjs'

/** Compiling a long filter: in a program that was just started, and once it is warm. */
export async function filter({ lab, rounds }) {
  const network = await lab.network()
  const first = []
  const later = []
  for (let round = 0; round < rounds; round++) {
    const program = await lab.node(network, 'filter', [])
    first.push((await program.ask('compile')).cpuNs / 1e6)
    for (let i = 0; i < 20; i++) await program.ask('compile')
    later.push((await program.ask('compile')).cpuNs / 1e6)
    await program.close()
  }
  return [
    finding({
      measure: 'a filter of 1,000 hosts is compiled, the first time',
      unit: 'ms',
      figures: first,
      most: 20,
    }),
    finding({ measure: 'the same, once the program is warm', unit: 'ms', figures: later, most: 20 }),
  ]
}
