import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'

/**
 * What waits costs nothing: this process, or another. A poll that reports the same over and over takes all of a core, however
 * little of it a busy machine grants; what else may run for a while, such as a collection of garbage, does not run three times.
 */
export async function idles(t: Test, pid = process.pid): Promise<void> {
  const shares: number[] = []
  for (let i = 0; i < 3; i++) {
    const [wall, before] = [performance.now(), usedMs(pid)]
    await delay(200)
    shares.push((usedMs(pid) - before) / (performance.now() - wall))
    if (shares.at(-1)! < 0.3) break
  }
  t.ok(shares.at(-1)! < 0.3, `idle: ${shares.map(share => share.toFixed(2))} of a core`)
}

/** Processor time of all threads; of another process in steps of 10 ms. */
function usedMs(pid: number): number {
  if (pid === process.pid) {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
  // proc_pid_stat(5): utime and stime, the 14th and 15th field, in clock ticks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
