// ticks.mjs IF: how a timer of 1 ms fares, alone or beside a TUN that is read as fast as can be.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Tun } from '../../lib/tuntap/index.js'
import { limit, serve } from '../harness/serve.mjs'
import { quantile } from '../harness/statistics.mjs'

const tun = await Tun.create({ name: process.argv[2], up: false })
let sum = 0

/** More work per frame than its sender has, so that there is always another frame. */
async function receive(signal) {
  let frames = 0
  try {
    for await (const batch of tun.batches({ signal })) {
      const { slab, offsets, lengths } = batch
      for (let i = 0; i < lengths.length; i++) {
        const end = offsets[i] + lengths[i]
        for (let at = offsets[i]; at < end; at++) sum = (sum + slab[at]) & 0xffff
      }
      frames += batch.count
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
  return frames
}

/** As busy as a reader, in pieces as long as a port's share of a turn, but with nothing of ours. */
async function spin(signal) {
  while (!signal.aborted) {
    const end = performance.now() + 0.4
    while (performance.now() < end) sum = (sum + 1) & 0xffff
    await new Promise(setImmediate)
  }
}

async function ticks(milliseconds, work) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const lateness = []
  let last = performance.now()
  const lostBefore = tun.counters().receivedDropped
  delay.enable()
  const timer = setInterval(() => {
    const now = performance.now()
    lateness.push(now - last - 1)
    last = now
  }, 1)
  const signal = limit(Number(milliseconds))
  const over = new Promise(resolve => signal.addEventListener('abort', resolve))
  const frames = await work?.(signal)
  await over
  clearInterval(timer)
  delay.disable()
  return {
    ticks: lateness.length,
    frames,
    lost: Number(tun.counters().receivedDropped - lostBefore),
    lateP99Ms: quantile(lateness, 0.99),
    lateMaxMs: Math.max(...lateness),
    delayP50Ms: delay.percentile(50) / 1e6,
    delayP99Ms: delay.percentile(99) / 1e6,
    delayMaxMs: delay.max / 1e6,
  }
}

serve({
  idle: milliseconds => ticks(milliseconds),
  spinning: milliseconds => ticks(milliseconds, spin),
  reading: milliseconds => ticks(milliseconds, receive),
})
