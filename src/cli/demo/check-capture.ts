import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Screen } from './screen.js'

const run = promisify(execFile)

/** Has tshark or tcpdump read the file, where there is one. */
export async function checkCapture(screen: Screen, file: string): Promise<void> {
  const readers: [string, string[]][] = [
    ['tshark', ['-nr', file, '-Y', 'arp || icmpv6.type == 135 || tcp.flags.syn == 1 || http.request']],
    ['tcpdump', ['-nr', file, 'arp or icmp6 or tcp[tcpflags] & tcp-syn != 0']],
  ]
  const failures: unknown[] = []
  for (const [program, args] of readers) {
    try {
      const { stdout } = await run(program, args, { maxBuffer: 1 << 26 })
      const lines = stdout.trimEnd().split('\n')
      if (lines.length < 4) throw new Error(`${program} sees no connections in ${file}`)
      screen.good(
        `${program} reads ${file}: ${lines.length} of its frames are ARP, neighbor discovery, SYN or GET`,
      )
      screen.line(`   Look at it:  ${program} -r ${file}`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  screen.line(`   Neither tshark nor tcpdump is here to check ${file}. With one of them:  tcpdump -r ${file}`)
}
