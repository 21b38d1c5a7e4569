import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Network } from '../../src/network/index.js'

export const folder = fileURLToPath(new URL('../../examples/', import.meta.url))
/** Files that were run. */
export const tested = new Set<string>()

/** `node examples/<name>.mjs …`, without what the test runner puts into processes. */
export function commandLine(name: string, args: string[]): [string, string[]] {
  tested.add(`${name}.mjs`)
  return ['env', ['-u', 'NODE_OPTIONS', process.execPath, join(folder, `${name}.mjs`), ...args]]
}

export interface Running {
  readonly pid: number
  /** What it prints next, up to the first match. */
  says(pattern: RegExp): Promise<string>
  /** As Ctrl-C does, or as the signal says; the exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export function start(network: Network, name: string, ...args: string[]): Running {
  const child: ChildProcess = network.namespace.spawn(...commandLine(name, args), { stdio: 'pipe' })
  let said = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', chunk => {
      said += chunk
    })
  }
  const closed = once(child, 'close')
  return {
    pid: child.pid!,
    async says(pattern) {
      // Under load it may take a while.
      for (let i = 0; i < 3000; i++) {
        const match = pattern.exec(said)
        if (match) {
          said = said.slice(match.index + match[0].length)
          return match[0]
        }
        if (child.exitCode !== null) break
        await delay(20)
      }
      throw new Error(`${name} did not say ${pattern}, but: ${said}`)
    },
    async stop(signal = 'SIGINT') {
      child.kill(signal)
      return (await closed)[0]
    },
  }
}
