import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** CPU time of all threads of a process so far in nanoseconds, as the scheduler counts it. It is not woken for this. */
export function runTime(pid) {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).reduce(
    (sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
    0,
  )
}

/**
 * A program that is measured or makes load: it answers each line on its standard input with one line of JSON, after
 * a first one when it is ready.
 */
export class Program {
  #child
  #lines
  #failure

  constructor(child, name) {
    this.name = name
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.on('error', error => {
      this.#failure = error
    })
    // A program that has ended is noticed by the missing answer.
    child.stdin.on('error', () => {})
  }

  get pid() {
    return this.#child.pid
  }

  /** Its next answer. */
  async answer() {
    const { value, done } = await this.#lines.next()
    if (done) throw this.#failure ?? new Error(`${this.name} ended instead of answering`)
    return JSON.parse(value)
  }

  ask(command) {
    this.tell(command)
    return this.answer()
  }

  tell(command) {
    this.#child.stdin.write(`${command}\n`)
  }

  /** Ends what it is doing; its answer to that. Asked again should the signal come just before a wait. */
  async stop() {
    const again = setInterval(() => this.#child.kill('SIGUSR2'), 200)
    this.#child.kill('SIGUSR2')
    try {
      return await this.answer()
    } finally {
      clearInterval(again)
    }
  }

  runTime() {
    return runTime(this.pid)
  }

  async close() {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    const ended = once(child, 'exit')
    child.stdin.end()
    const kill = setTimeout(() => child.kill('SIGKILL'), 2000)
    await ended
    clearTimeout(kill)
  }

  /** At once, for when there is no time to wait. */
  kill() {
    this.#child.kill('SIGKILL')
  }
}
