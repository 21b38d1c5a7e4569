import { setTimeout as delay } from 'node:timers/promises'
import type { ImpairedPort } from '../../port/index.js'
import type { Screen } from './screen.js'
import type { Trace } from './trace.js'

const help = 'keys: u unplug or plug in, d delay 100 ms, l lose 20 %, q quit'

/** Keeps the network busy, a page a second, while keys disturb it. */
export async function watchKeys(
  screen: Screen,
  trace: Trace,
  plug: ImpairedPort<'ethernet'>,
  fetchPage: () => Promise<AsyncIterable<unknown>>,
): Promise<void> {
  const { stdin } = process
  let quit = false
  const keys: Record<string, () => string> = {
    u: () => {
      trace.unplugged = plug.unplugged = !plug.unplugged
      return plug.unplugged ? 'unplugged' : 'plugged in'
    },
    d: () => {
      plug.delayMs = plug.delayMs ? 0 : 100
      return plug.delayMs ? 'delay 100 ms' : 'no delay'
    },
    l: () => {
      plug.loss = plug.loss ? 0 : 0.2
      return plug.loss ? 'loss 20 %' : 'no loss'
    },
    q: () => {
      quit = true
      return 'bye'
    },
  }
  const onKey = (text: Buffer) => {
    const key = text.toString() === '\u0003' ? 'q' : text.toString()
    screen.line(screen.style('yellow', `   ${keys[key]?.() ?? help}`))
  }
  trace.attention = 'all'
  screen.step(`Watching; ${help}`)
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', onKey).resume()
  try {
    while (!quit) {
      try {
        for await (const _ of await fetchPage());
      } catch (error) {
        screen.bad(error instanceof Error ? error.message : String(error))
      }
      for (let i = 0; i < 10 && !quit; i++) await delay(100)
    }
  } finally {
    stdin.off('data', onKey).pause()
    if (stdin.isTTY) stdin.setRawMode(false)
    plug.loss = plug.delayMs = 0
    trace.unplugged = plug.unplugged = false
  }
}
