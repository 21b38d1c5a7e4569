// forward.mjs tun|tap IFA IFB FD loop|native off|whole|split: passes batches both ways between IFA here and IFB in the
// namespace behind FD, in a loop of JavaScript's or natively.
import { once } from 'node:events'
import { Namespace } from '../../lib/netns/index.js'
import { forward as forwardPorts } from '../../lib/port/index.js'
import { Tap, Tun } from '../../lib/tuntap/index.js'
import { limit, meter, serve } from '../harness/serve.mjs'

const [kind, nameA, nameB, fd, mode, offload] = process.argv.slice(2)
const Device = kind === 'tap' ? Tap : Tun
const there = await Namespace.open({ fd: Number(fd) })
const a = await Device.create({ name: nameA, up: false, offload })
const c = await Device.create({ name: nameB, in: there, up: false, offload })
const total = { frames: 0, bytes: 0, lost: 0, batches: 0 }

async function pass(from, to, signal) {
  try {
    for await (const batch of from.batches({ signal })) {
      const { dropped } = await to.send(batch)
      total.frames += batch.count
      total.lost += dropped
      total.batches++
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
}

async function forward() {
  Object.assign(total, { frames: 0, bytes: 0, lost: 0, batches: 0 })
  const before = a.counters().sentBytes + c.counters().sentBytes
  const cost = meter()
  const signal = limit()
  if (mode === 'native') {
    const joined = forwardPorts(a, c)
    if (!signal.aborted) await once(signal, 'abort')
    await joined.close()
    for (const { frames, dropped } of Object.values(joined.counters())) {
      total.frames += Number(frames)
      total.lost += Number(dropped)
    }
  } else {
    await Promise.all([pass(a, c, signal), pass(c, a, signal)])
  }
  return { ...total, bytes: Number(a.counters().sentBytes + c.counters().sentBytes - before), ...cost() }
}

serve({ forward })
