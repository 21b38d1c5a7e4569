// veth.mjs off|whole TAP LINK: passes batches both ways between the TAP and a packet socket on the link.
import { Capture } from '../../lib/capture/index.js'
import { Tap } from '../../lib/tuntap/index.js'
import { limit, meter, serve } from '../harness/serve.mjs'

const [offload, name, link] = process.argv.slice(2)
const tap = await Tap.create({ name, up: false, offload })
const socket = await Capture.open({ interface: link, latency: 'low', direction: 'in', offload })

async function pass(from, to, signal) {
  let frames = 0
  let lost = 0
  try {
    for await (const batch of from.batches({ signal })) {
      frames += batch.count
      lost += (await to.send(batch)).dropped
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
  return { frames, lost }
}

async function forward() {
  const bytes = () => Number(tap.counters().sentBytes + socket.counters().sentBytes)
  const before = bytes()
  const cost = meter()
  const signal = limit()
  const [there, back] = await Promise.all([pass(tap, socket, signal), pass(socket, tap, signal)])
  return {
    frames: there.frames + back.frames,
    lost: there.lost + back.lost,
    bytes: bytes() - before,
    ...cost(),
  }
}

serve({ forward })
