import { setTimeout as sleep } from 'node:timers/promises'

/** What iperf3 tells at its end, of one run to `address`. A server may still be busy with the end of the run before. */
export async function iperf(lab, network, address, args, options) {
  for (let attempt = 0; ; attempt++) {
    const command = ['-c', address, '-J', ...args]
    const { error, end } = JSON.parse(
      await lab.run(network, 'iperf3', command, { ...options, reject: false }),
    )
    if (!error) return end
    if (attempt === 10 || !error.includes('busy')) throw new Error(`iperf3: ${error}`)
    await sleep(100)
  }
}
