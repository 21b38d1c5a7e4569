import { demo } from './demo.js'
import { oneTap } from './one-tap.js'
import { preflight } from './preflight.js'
import { Screen } from './screen.js'

/** Runs the variant that this machine allows; the exit status. */
export async function runDemo(options: { file: string; watch: boolean; oneTap: boolean }): Promise<number> {
  const screen = new Screen()
  const began = performance.now()
  const verdict = await preflight(options)
  if (verdict.how === 'not-at-all') {
    screen.bad(verdict.problem, verdict.advice)
    return 1
  }
  try {
    if (verdict.how === 'one-tap') {
      screen.line(`One TAP only: ${verdict.reason}`)
      await oneTap(screen)
    } else {
      await demo(screen, { ...options, userNamespace: verdict.userNamespace })
    }
  } catch (error) {
    screen.bad(complaint(error))
    return 1
  }
  screen.line(`\nDone in ${((performance.now() - began) / 1000).toFixed(1)} s.`)
  return 0
}

/** What the system refused says it all; anything else says where it comes from. */
function complaint(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'syscall' in error ? error.message : (error.stack ?? error.message)
}
