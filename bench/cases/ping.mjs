import { finding } from '../harness/finding.mjs'
import { beyond, raise } from '../harness/links.mjs'
import { interleave } from '../harness/rounds.mjs'

// Enough for JavaScript to be compiled, as it is in a program that runs for a while.
const warmUp = 10_000

/** `ping` at 500 a second, answered by a program behind a device. */
export async function ping({ lab, rounds }) {
  const findings = []
  for (const kind of ['tun', 'tap']) {
    const network = await lab.network()
    const programs = {
      c: await lab.floor(network, ['echo', kind, 'c']),
      ours: await lab.node(network, 'echo', [kind, 'ours']),
    }
    const candidates = {}
    for (const [k, [name, program]] of Object.entries(programs).entries()) {
      await raise(network, name, k)
      candidates[name] = async () => {
        program.tell('echo')
        const output = await lab.run(network, 'ping', ['-n', '-i', '0.002', '-c', '300', beyond(k)])
        const result = await program.stop()
        return { ...result, ...roundTrips(output) }
      }
    }
    for (const [k, program] of Object.values(programs).entries()) {
      program.tell('echo')
      await lab.run(network, 'ping', ['-n', '-q', '-f', '-c', `${warmUp}`, beyond(k)])
      await program.stop()
    }
    const { c, ours } = await interleave(rounds, 1, candidates)
    findings.push(
      finding({
        measure: `${kind.toUpperCase()}: round trip, median`,
        unit: 'us',
        figures: ours.map(result => result.medianUs),
        floor: c.map(result => result.medianUs),
        most: 1.5,
      }),
      finding({
        measure: `${kind.toUpperCase()}: round trip, p99`,
        unit: 'us',
        figures: ours.map(result => result.p99Us),
        floor: c.map(result => result.p99Us),
      }),
    )
  }
  return findings
}

function roundTrips(output) {
  const times = [...output.matchAll(/ time=([\d.]+) ms/g)].map(match => Number(match[1]) * 1000)
  if (times.length < 290) throw new Error(`only ${times.length} of 300 pings were answered`)
  times.sort((a, b) => a - b)
  return {
    answers: times.length,
    medianUs: times[times.length >> 1],
    p99Us: times[Math.floor(times.length * 0.99)],
  }
}
