// rival.mjs FOLDER IF: appium-ios-tuntap as installed in FOLDER. It reads one frame a call and has no event for
// frames that came, so it is asked in each turn of the loop.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { limit, meter, serve } from '../harness/serve.mjs'

const [folder, name] = process.argv.slice(2)
const found = createRequire(join(folder, 'package.json')).resolve('appium-ios-tuntap')
const { TunTap } = await import(pathToFileURL(found))
const device = new TunTap(name)
device.open()
let look = 0

async function receive(most, signal) {
  let frames = 0
  let bytes = 0
  const cost = meter()
  while (frames < most && !signal?.aborted) {
    for (let i = 0; i < 256; i++) {
      const frame = device.read(2048)
      if (frame.length === 0) break
      look ^= frame[0]
      frames++
      bytes += frame.length
    }
    await new Promise(setImmediate)
  }
  return { frames, bytes, look, ...cost() }
}

serve({
  drain: count => receive(Number(count)),
  flood: milliseconds => receive(Number.POSITIVE_INFINITY, limit(Number(milliseconds))),
})
