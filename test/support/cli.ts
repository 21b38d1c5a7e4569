import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { plainEnvironment } from './child.js'

/** The built command, as its users have it. */
export const main = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url))

export interface CliOutcome {
  status: number | null
  stdout: string
  stderr: string
}

/** Runs `netloom …` to its end. */
export function netloom(...args: string[]): CliOutcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: plainEnvironment(),
    maxBuffer: 1 << 28,
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

/** What `netloom … --json` says. @throws Error when it does not end with 0 */
export function netloomJson<T>(...args: string[]): T {
  const { status, stdout, stderr } = netloom(...args, '--json')
  if (status !== 0) throw new Error(`netloom ${args.join(' ')} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as T
}

/** A command that runs until it is told to stop. */
export interface RunningCli {
  /** The next line that matches; those before it are passed over. */
  line(pattern: RegExp): Promise<string>
  stop(signal: NodeJS.Signals): Promise<number | null>
}

export function startNetloom(...args: string[]): RunningCli {
  const child: ChildProcess = spawn(process.execPath, [main, ...args], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close') as Promise<[number | null]>
  let said = ''
  let all = ''
  let ended = false
  let wake = () => {}
  child.stdout!.setEncoding('utf8').on('data', chunk => {
    said += chunk
    all += chunk
    wake()
  })
  // Far longer than it takes: a line that never comes is a failure, not a hang.
  const hung = AbortSignal.timeout(20_000)
  hung.addEventListener('abort', () => wake())
  void closed.then(() => {
    ended = true
    wake()
  })
  return {
    async line(pattern) {
      for (;;) {
        const end = said.indexOf('\n')
        if (hung.aborted) {
          child.kill('SIGKILL')
          throw new Error(`${pattern} does not come; it said:\n${all}`)
        }
        if (end >= 0) {
          const line = said.slice(0, end)
          said = said.slice(end + 1)
          if (pattern.test(line)) return line
        } else if (ended) throw new Error(`it ended without ${pattern}`)
        else {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
      }
    },
    async stop(signal) {
      child.kill(signal)
      return (await closed)[0]
    },
  }
}
