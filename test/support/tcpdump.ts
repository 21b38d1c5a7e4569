import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Network } from '../../src/network/index.js'
import { type PcapPacket, readPcapFile } from './pcap-file.js'

/**
 * Has tcpdump capture `count` packets, from when this resolves on.
 * @returns what gives the packets once they are there
 */
export async function startTcpdump(
  network: Network,
  link: string,
  count: number,
  ...more: string[]
): Promise<() => Promise<{ linkType: number; packets: PcapPacket[] }>> {
  const folder = await mkdtemp(join(tmpdir(), 'netloom-tcpdump-'))
  const file = join(folder, 'out.pcap')
  const child = network.namespace.spawn(
    'tcpdump',
    ['-i', link, '-w', file, '-c', String(count), '-B', '16384', '-Z', 'root', ...more],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = once(child, 'close')
  const lines = createInterface({ input: child.stderr! })
  for await (const line of lines) if (line.includes('listening on')) break
  child.stderr!.resume()
  return async () => {
    try {
      await ended
      return readPcapFile(await readFile(file))
    } finally {
      await rm(folder, { recursive: true })
    }
  }
}
