import { demo } from './demo.js'
import { oneTap } from './one-tap.js'
import { preflight } from './preflight.js'
import { Screen } from './screen.js'

/** Runs the variant that this machine allows; the exit status. */
export async function runDemo(options: { file: string; watch: boolean; oneTap: boolean }): Promise<number> {
  const screen = new Screen()
  const began = performance.now()
  const verdict = options.oneTap ? ({ how: 'one-tap', reason: 'as you asked' } as const) : await preflight()
  try {
    if (verdict.how === 'not-at-all') {
      for (const problem of verdict.problems) screen.bad(problem)
      return 1
    }
    if (verdict.how === 'one-tap') {
      screen.line(`One TAP only: ${verdict.reason}`)
      await oneTap(screen)
    } else {
      await demo(screen, { ...options, userNamespace: verdict.userNamespace })
    }
  } catch (error) {
    screen.bad(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return 1
  }
  screen.line(`\nDone in ${((performance.now() - began) / 1000).toFixed(1)} s.`)
  return 0
}
