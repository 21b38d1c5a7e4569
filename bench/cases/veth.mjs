import { finding } from '../harness/finding.mjs'
import { iperf } from '../harness/iperf.mjs'
import { interleave } from '../harness/rounds.mjs'

const seconds = 2

/**
 * A TAP is joined with a link by a packet socket, as a virtual machine is with a network; iperf3 (TCP, one stream) runs from
 * behind the TAP to the link's far end, and back. Plain frames, and super-frames with virtio-net headers.
 */
export async function veth({ lab, rounds }) {
  const findings = []
  for (const [k, offload] of ['off', 'whole'].entries()) {
    const there = await lab.network()
    await lab.server(there, 'iperf3', ['-s', '--forceflush'], 'Server listening')
    const candidates = {}
    for (const [i, name] of ['c', 'ours'].entries()) {
      const here = await lab.network()
      const subnet = `10.9${k}.${i}`
      await here.links.create({ kind: 'veth', name: 'v', up: true, peer: { name, in: there } })
      await there.links.change(name, { up: true })
      // A plain frame is whole: nothing is left to be done to it.
      if (offload === 'off') await there.ethtool.features.set(name, { tx: false, tso: false, gso: false })
      const program =
        name === 'c'
          ? await lab.floor(here, ['veth', offload === 'off' ? 'plain' : 'whole', 't', 'v'])
          : await lab.node(here, 'veth', [offload, 't', 'v'])
      await here.links.change('t', { txQueueLength: 10_000, ipv6LinkLocal: 'none', up: true })
      await here.addresses.create({ link: 't', address: `${subnet}.1/24`, dad: 'skip' })
      await there.addresses.create({ link: name, address: `${subnet}.2/24`, dad: 'skip' })
      candidates[name] = async () => {
        program.tell('forward')
        const end = await iperf(lab, here, `${subnet}.2`, ['-t', `${seconds}`, '--bidir'])
        const result = await program.stop()
        return {
          ...result,
          bitsPerSecond: end.sum_received.bits_per_second + end.sum_received_bidir_reverse.bits_per_second,
          retransmits: end.sum_sent.retransmits + end.sum_sent_bidir_reverse.retransmits,
        }
      }
    }
    const { c, ours } = await interleave(rounds, 1, candidates)
    const how = offload === 'off' ? 'plain frames' : 'super-frames'
    const cpuPerGigabyte = result => result.cpuNs / result.bytes
    findings.push(
      finding({
        measure: `${how}: throughput, both ways`,
        unit: 'Gb/s',
        figures: ours.map(result => result.bitsPerSecond / 1e9),
        floor: c.map(result => result.bitsPerSecond / 1e9),
        least: 0.97,
      }),
      finding({
        measure: `${how}: CPU per GB`,
        unit: 's',
        figures: ours.map(cpuPerGigabyte),
        floor: c.map(cpuPerGigabyte),
        most: 1.1,
      }),
      finding({ measure: `${how}: retransmits`, unit: '', figures: ours.map(result => result.retransmits) }),
      finding({ measure: `${how}: … of C`, unit: '', figures: c.map(result => result.retransmits) }),
    )
  }
  return findings
}
