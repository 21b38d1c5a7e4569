import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

const root = new URL('../../', import.meta.url).pathname

// The built package, as its users have it: it loads many times faster than the sources do.
function wrap(source: string): string {
  return `import(${JSON.stringify(`${root}lib/index.js`)}).then(async ({ Capture, forward, FrameBatch, Namespace, Network, Tap, Tun }) => {\n${source}\n})`
}

/** For programs that the test runner shall not follow into; the sanitizers shall. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { PATH, LD_PRELOAD, ASAN_OPTIONS, UBSAN_OPTIONS } = process.env
  return { PATH, LD_PRELOAD, ASAN_OPTIONS, UBSAN_OPTIONS }
}

/** Command line of a Node process that runs code, as {@link runChild} does. */
export function childCommand(source: string): [command: string, args: string[]] {
  return [process.execPath, ['-e', wrap(source)]]
}

/**
 * Runs code in a Node process of its own, with `Capture`, `forward`, `FrameBatch`, `Namespace`, `Network`, `Tap` and `Tun` at hand.
 * @returns what it printed and how it ended
 */
export async function runChild(
  source: string,
): Promise<{ stdout: string; stderr: string; code: number | null; signal: string | null }> {
  const child = spawn(...childCommand(source), {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Without the test runner's own hooks.
    env: plainEnvironment(),
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const [code, signal] = await once(child, 'close')
  return { stdout, stderr, code, signal }
}

/** The same in a worker, which also has `parentPort` and `workerData`. */
export function startWorker(source: string, workerData?: unknown): Worker {
  const threads = `const { parentPort, workerData } = require('node:worker_threads')\n`
  return new Worker(threads + wrap(source), { eval: true, workerData, execArgv: [] })
}

/** The worker's next message; rejects when the worker fails first. */
export function messageOf(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', code => reject(new Error(`the worker ended with ${code}`)))
  })
}
