import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

/**
 * True when every program is in PATH. Otherwise the test is left out with a reason, or fails where everything is
 * required (`NETLOOM_REQUIRE=all`).
 */
export function requires(t: Test, ...programs: string[]): boolean {
  const missing = programs.filter(program => !isInPath(program))
  return requiresThat(t, missing.length === 0, `needs ${missing.join(', ')}`)
}

/** True for root; otherwise as {@link requires}. */
export function requiresRoot(t: Test): boolean {
  return requiresThat(t, process.getuid?.() === 0, 'needs root')
}

/**
 * True where the kernel has this module, loaded, built in or to be loaded. Otherwise the test is left out with a
 * reason, always: nobody can install what a kernel lacks.
 */
export function requiresKernel(t: Test, module: string): boolean {
  if (existsSync(`/sys/module/${module}`)) return true
  if (spawnSync('modprobe', ['-q', module]).status === 0) return true
  t.plan(0, `needs a kernel with ${module}`)
  return false
}

/** True if it is met; otherwise as {@link requires}. */
export function requiresThat(t: Test, met: boolean, reason: string): boolean {
  if (met) return true
  if (process.env.NETLOOM_REQUIRE === 'all') t.fail(reason)
  else t.plan(0, reason)
  return false
}

function isInPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some(directory => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
