import { cpuPerFrame, finding } from '../harness/finding.mjs'
import { interleave } from '../harness/rounds.mjs'

/** Look-ups of random addresses in a table of routes, with a Map for each length of prefix beside it. */
export async function prefix({ lab, rounds }) {
  const network = await lab.network()
  const findings = []
  for (const family of [4, 6]) {
    const program = await lab.node(network, 'prefix', [`${family}`])
    for (const [count, words] of [
      [100_000, '100 k'],
      [1_000_000, '1 M'],
    ]) {
      await program.ask(`fill ${count}`)
      const { ours, maps } = await interleave(rounds * 2, 3, {
        ours: () => program.ask('ours'),
        maps: () => program.ask('maps'),
      })
      if (ours[0].found !== maps[0].found)
        throw new Error(`found ${ours[0].found}, and ${maps[0].found} by maps`)
      findings.push(
        finding({
          measure: `IPv${family}, ${words} prefixes: CPU per look-up, to a Map for each length`,
          unit: 'ns',
          figures: ours.map(cpuPerFrame),
          floor: maps.map(cpuPerFrame),
          most: 0.5,
        }),
      )
    }
    await program.close()
  }
  return findings
}
