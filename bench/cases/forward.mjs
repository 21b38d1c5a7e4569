import { finding } from '../harness/finding.mjs'
import { raise } from '../harness/links.mjs'
import { interleave } from '../harness/rounds.mjs'

const seconds = 2
// Longer than the receiver's window, so that no frame is lost and TCP's recovery not measured.
const txQueueLength = 10_000

/** Two devices in two networks, joined by a program; iperf3 (TCP, one stream) runs from one network to the other. */
export async function forward({ lab, rounds }) {
  const findings = []
  for (const kind of ['tun', 'tap']) {
    const here = await lab.network()
    const there = await lab.network()
    const inherit = [there.namespace.fd]
    const programs = {
      c: await lab.floor(here, ['forward', kind, 'plain', 'c', 'c', '3'], { inherit }),
      ours: await lab.node(here, 'forward', [kind, 'ours', 'ours', '3'], { inherit }),
    }
    await lab.server(there, 'iperf3', ['-s', '--forceflush'], 'Server listening')
    const candidates = {}
    for (const [k, [name, program]] of Object.entries(programs).entries()) {
      await raise(here, name, k, { host: 1, txQueueLength })
      await raise(there, name, k, { host: 2, txQueueLength })
      candidates[name] = async () => {
        program.tell('forward')
        const report = await lab.run(here, 'iperf3', ['-c', `10.99.${k}.2`, '-t', `${seconds}`, '-J'])
        const { sum_received: received, sum_sent: sent } = JSON.parse(report).end
        const result = await program.stop()
        return { ...result, bitsPerSecond: received.bits_per_second, retransmits: sent.retransmits }
      }
    }
    const { c, ours } = await interleave(rounds, 1, candidates)
    const cpuPerGigabyte = result => result.cpuNs / result.bytes
    findings.push(
      finding({
        measure: `${kind.toUpperCase()}: throughput`,
        unit: 'Gb/s',
        figures: ours.map(result => result.bitsPerSecond / 1e9),
        floor: c.map(result => result.bitsPerSecond / 1e9),
        least: 0.97,
      }),
      finding({
        measure: `${kind.toUpperCase()}: CPU per GB`,
        unit: 's',
        figures: ours.map(cpuPerGigabyte),
        floor: c.map(cpuPerGigabyte),
        most: 1.1,
      }),
    )
  }
  return findings
}
