import { setTimeout as sleep } from 'node:timers/promises'
import { finding } from '../harness/finding.mjs'
import { iperf } from '../harness/iperf.mjs'
import { raise } from '../harness/links.mjs'
import { interleave } from '../harness/rounds.mjs'

const seconds = 2
// Longer than the receiver's window, so that no frame is lost and TCP's recovery not measured.
const txQueueLength = 10_000

/**
 * Two devices in two networks, joined by a program; iperf3 (TCP, one stream) runs from one network to the other.
 * `native`: by forward(); `whole`: with super-frames; `split`: with super-frames that are cut and joined again.
 */
export async function forward({ lab, rounds }) {
  const findings = []
  for (const kind of ['tun', 'tap']) {
    const here = await lab.network()
    const there = await lab.network()
    const inherit = [there.namespace.fd]
    const floor = (name, mode) => lab.floor(here, ['forward', kind, mode, name, name, '3'], { inherit })
    const ours = (name, mode, offload) =>
      lab.node(here, 'forward', [kind, name, name, '3', mode, offload], { inherit })
    const programs = {
      c: await floor('c', 'plain'),
      cwhole: await floor('cwhole', 'whole'),
      ours: await ours('ours', 'loop', 'off'),
      whole: await ours('whole', 'loop', 'whole'),
      split: await ours('split', 'loop', 'split'),
      native: await ours('native', 'native', 'off'),
      nwhole: await ours('nwhole', 'native', 'whole'),
    }
    await lab.server(there, 'iperf3', ['-s', '--forceflush'], 'Server listening')
    const candidates = {}
    for (const [k, [name, program]] of Object.entries(programs).entries()) {
      await raise(here, name, k, { host: 1, txQueueLength })
      await raise(there, name, k, { host: 2, txQueueLength })
      candidates[name] = async () => {
        program.tell('forward')
        const { sum_received: received, sum_sent: sent } = await iperf(lab, here, `10.99.${k}.2`, [
          '-t',
          `${seconds}`,
        ])
        // What tells the server of the end is on its way yet; without it the server stays busy.
        await sleep(300)
        const result = await program.stop()
        return { ...result, bitsPerSecond: received.bits_per_second, retransmits: sent.retransmits }
      }
    }
    const results = await interleave(rounds, 1, candidates)
    const cpuPerGigabyte = result => result.cpuNs / result.bytes
    for (const [what, figures, floors, least, most] of [
      ['', results.ours, results.c, 0.97, 1.1],
      [', whole', results.whole, results.cwhole, 0.97, 1.1],
      [', split, to whole', results.split, results.whole, 0.5, undefined],
      [', split, to plain', results.split, results.ours, 2, undefined],
      [', native plain', results.native, results.c, 1, 1.03],
      [', native whole', results.nwhole, results.cwhole, 1, 1.03],
    ]) {
      findings.push(
        finding({
          measure: `${kind.toUpperCase()}${what}: throughput`,
          unit: 'Gb/s',
          figures: figures.map(result => result.bitsPerSecond / 1e9),
          floor: floors.map(result => result.bitsPerSecond / 1e9),
          least,
        }),
        finding({
          measure: `${kind.toUpperCase()}${what}: CPU per GB`,
          unit: 's',
          figures: figures.map(cpuPerGigabyte),
          floor: floors.map(cpuPerGigabyte),
          most,
        }),
      )
    }
    findings.push(
      finding({
        measure: `${kind.toUpperCase()}, whole: segments sent again`,
        unit: '',
        figures: results.whole.map(({ retransmits }) => retransmits),
        most: 0,
      }),
    )
  }
  return findings
}
