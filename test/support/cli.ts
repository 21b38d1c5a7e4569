import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
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
  /** The same of what it says on the standard error. */
  complaint(pattern: RegExp): Promise<string>
  /** Its end by itself. */
  readonly ended: Promise<number | null>
  stop(signal: NodeJS.Signals): Promise<number | null>
}

export function startNetloom(...args: string[]): RunningCli {
  const child: ChildProcess = spawn(process.execPath, [main, ...args], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close') as Promise<[number | null]>
  // Far longer than it takes: a line that never comes is a failure, not a hang.
  const hung = AbortSignal.timeout(20_000)
  const kill = () => child.kill('SIGKILL')
  const output = new Lines(child.stdout!, closed, hung, kill)
  const errors = new Lines(child.stderr!, closed, hung, kill)
  return {
    line: pattern => output.next(pattern),
    complaint: pattern => errors.next(pattern),
    ended: closed.then(([status]) => status),
    async stop(signal) {
      child.kill(signal)
      return (await closed)[0]
    },
  }
}

/** The lines of a stream, as they come. */
class Lines {
  readonly #hung: AbortSignal
  readonly #kill: () => void
  #said = ''
  #all = ''
  #ended = false
  #wake = () => {}

  constructor(stream: Readable, closed: Promise<unknown>, hung: AbortSignal, kill: () => void) {
    this.#hung = hung
    this.#kill = kill
    stream.setEncoding('utf8').on('data', chunk => {
      this.#said += chunk
      this.#all += chunk
      this.#wake()
    })
    hung.addEventListener('abort', () => this.#wake())
    void closed.then(() => {
      this.#ended = true
      this.#wake()
    })
  }

  async next(pattern: RegExp): Promise<string> {
    for (;;) {
      const end = this.#said.indexOf('\n')
      if (this.#hung.aborted) {
        this.#kill()
        throw new Error(`${pattern} does not come; it said:\n${this.#all}`)
      }
      if (end >= 0) {
        const line = this.#said.slice(0, end)
        this.#said = this.#said.slice(end + 1)
        if (pattern.test(line)) return line
      } else if (this.#ended) throw new Error(`it ended without ${pattern}; it said:\n${this.#all}`)
      else {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    }
  }
}
