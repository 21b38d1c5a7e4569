import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'

/** The core of what is measured, and that of whatever makes load for it. The same one where there is only one. */
export const measuredCore = 0
export const loadCore = Math.min(1, availableParallelism() - 1)

/** What figures depend on. */
export function describeMachine() {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    kernel: release(),
    architecture: process.arch,
    node: process.version,
    v8: process.versions.v8,
    compiler: execFileSync('cc', ['--version'], { encoding: 'utf8' }).split('\n')[0],
    netloom: version,
  }
}
