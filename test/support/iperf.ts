import { once } from 'node:events'
import type { Network } from '../../src/network/index.js'

/**
 * What iperf3 says at its end of a stream to an address of `to`, with further options: `-n 30M`, `-u`, `-R`. It stops
 * counting when it hears of the end, which can overtake the last bytes.
 */
export async function iperf3(from: Network, to: Network, address: string, ...options: string[]) {
  const server = to.namespace.spawn('iperf3', ['-s', '-1', '--forceflush'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    for await (const text of server.stdout!) if (String(text).includes('listening')) break
    const { stdout } = await from.namespace.exec('iperf3', ['-c', address, '-J', ...options], {
      timeoutMs: 60_000,
    })
    return JSON.parse(stdout).end
  } finally {
    server.kill('SIGKILL')
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  }
}
