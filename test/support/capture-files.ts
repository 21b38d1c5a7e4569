import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const names = /\.(?:pcap|pcapng|cap|ntar)(?:\.gz)?$/

/** Capture files that Debian's packages brought here, and those in the folder `NETLOOM_CAPTURES`. */
export function shippedCaptures(): string[] {
  const { stdout } = spawnSync('dpkg-query', ['-S', '*.pcap*', '*.cap', '*.ntar'], { encoding: 'utf8' })
  const shipped = (stdout ?? '').split('\n').map(line => line.slice(line.indexOf(': ') + 2))
  const folder = process.env.NETLOOM_CAPTURES
  const others =
    folder === undefined || !existsSync(folder)
      ? []
      : readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name))
  return [...shipped, ...others].filter(file => names.test(file) && existsSync(file)).sort()
}
