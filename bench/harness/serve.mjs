import { createInterface } from 'node:readline'

/** The other side of {@link Program}: `work` has a function for each command, whose result is the answer. */
export function serve(work) {
  console.log('{"ready":true}')
  const input = createInterface({ input: process.stdin })
  input.on('line', async line => {
    const [command, ...args] = line.split(' ')
    console.log(JSON.stringify(await work[command](...args)))
  })
  input.on('close', () => process.exit())
}

/** Started; call it for the cost since then. */
export function meter() {
  const wall = process.hrtime.bigint()
  const cpu = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { wallNs: Number(process.hrtime.bigint() - wall), cpuNs: (user + system) * 1000 }
  }
}

/** Aborted by SIGUSR2, or after so many milliseconds. */
export function limit(milliseconds = 0) {
  const controller = new AbortController()
  const stop = () => controller.abort()
  process.once('SIGUSR2', stop)
  const timer = milliseconds ? setTimeout(stop, milliseconds) : undefined
  controller.signal.addEventListener('abort', () => {
    clearTimeout(timer)
    // SIGUSR2 may come again before the answer is seen; unheard, it would end the process.
    process.removeListener('SIGUSR2', stop)
  })
  return controller.signal
}

process.on('SIGUSR2', () => {})
