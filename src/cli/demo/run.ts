import { demo } from './demo.js'
import { oneTap as demonstrateTap } from './one-tap.js'
import { preflight } from './preflight.js'
import { Screen } from './screen.js'

interface Wishes {
  /** Where the capture goes. */
  file: string | undefined
  watch: boolean
  oneTap: boolean
}

/** Runs the variant that this machine allows; the exit status. */
export async function runDemo({ file, watch, oneTap }: Wishes): Promise<number> {
  const screen = new Screen()
  const options = { file: file ?? 'demo.pcapng', watch, oneTap }
  const began = performance.now()
  const verdict = await preflight(options)
  if (verdict.how === 'not-at-all') {
    screen.bad(verdict.problem, verdict.advice)
    return 1
  }
  try {
    if (verdict.how === 'one-tap') {
      screen.line(`One TAP only: ${verdict.reason}`)
      const unheard = [...(watch ? ['--watch'] : []), ...(file === undefined ? [] : ['--file'])]
      if (unheard.length > 0) screen.line(`Without effect here, as there is no cable: ${unheard.join(', ')}`)
      await demonstrateTap(screen)
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
