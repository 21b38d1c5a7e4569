import { setTimeout as delay } from 'node:timers/promises'
import type { Line } from './line.js'
import type { Screen } from './screen.js'
import type { Trace } from './trace.js'

const help = 'keys: u unplug or plug in, d delay 100 ms, l lose 20 % (both of red → blue), q quit'

/** Keeps the network busy, a page a second, while keys disturb it. */
export async function watchKeys(
  screen: Screen,
  trace: Trace,
  line: Line,
  fetchPage: (signal: AbortSignal) => Promise<AsyncIterable<unknown>>,
): Promise<void> {
  const { stdin } = process
  const { port } = line
  const quit = new AbortController()
  const { signal } = quit
  const keys: Record<string, () => string> = {
    u: () => {
      line.change({ unplugged: !port.unplugged })
      return port.unplugged ? 'unplugged' : 'plugged in'
    },
    d: () => {
      line.change({ delayMs: port.delayMs ? 0 : 100 })
      return port.delayMs ? 'delay 100 ms' : 'no delay'
    },
    l: () => {
      line.change({ loss: port.loss ? 0 : 0.2 })
      return port.loss ? 'loss 20 %' : 'no loss'
    },
    q: () => {
      quit.abort()
      return 'bye'
    },
  }
  const onData = (typed: Buffer) => {
    for (const character of typed.toString().trim()) {
      // In raw mode Ctrl-C is a character like any other.
      const key = character === '\u0003' ? 'q' : character
      screen.line(screen.style('yellow', `   ${keys[key]?.() ?? help}`))
    }
  }
  trace.attention = 'all'
  screen.step(`Watching; ${help}`)
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', onData).once('end', keys.q!).resume()
  try {
    while (!signal.aborted) {
      try {
        for await (const _ of await fetchPage(signal));
        await delay(1000, undefined, { signal })
      } catch (error) {
        if (!signal.aborted) screen.bad(error instanceof Error ? error.message : String(error))
      }
    }
  } finally {
    stdin.off('data', onData).off('end', keys.q!).pause()
    if (stdin.isTTY) stdin.setRawMode(false)
    line.change({ loss: 0, delayMs: 0, unplugged: false })
  }
}
