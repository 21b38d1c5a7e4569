// capture.mjs MODE IF: captures an interface as a user would.
//   batch    only counts     look     reads a byte of every frame     frames   takes a view of every frame
//   tuple    reads addresses, ports and protocol of every frame
//   packets  takes a copy of every frame, with all that is known      work     spends 3 µs on every frame
//   file     writes to /dev/null
// `count`: frames and drops so far. `late`: how late a timer of 10 ms was since the last time, at p99.9, in ms.
import { Capture } from '../../lib/capture/index.js'
import { FrameCursor } from '../../lib/frames/index.js'
import { packets } from '../../lib/port/index.js'
import { serve } from '../harness/serve.mjs'
import { quantile } from '../harness/statistics.mjs'

const [mode, name] = process.argv.slice(2)
const capture = await Capture.open({ interface: name })
let frames = 0
let seen = 0
let delays = []
const cursor = new FrameCursor()

if (mode === 'work') {
  let due = performance.now() + 10
  setInterval(() => {
    const now = performance.now()
    delays.push(Math.max(0, now - due))
    due = now + 10
  }, 10)
}

const uses = {
  batch: batch => batch.count,
  look({ slab, offsets, count }) {
    for (let i = 0; i < count; i++) seen ^= slab[offsets[i] + 12]
    return count
  },
  frames(batch) {
    for (const frame of batch) seen ^= frame[12]
    return batch.count
  },
  tuple(batch) {
    cursor.open(batch)
    while (cursor.next()) {
      seen ^= cursor.protocol ^ cursor.sourceIpv4 ^ cursor.destinationIpv4
      seen ^= cursor.sourcePort ^ cursor.destinationPort
    }
    return batch.count
  },
  work(batch) {
    for (const frame of batch) {
      const until = performance.now() + 0.003
      while (performance.now() < until);
      seen ^= frame[12]
    }
    return batch.count
  },
}

async function run() {
  if (mode === 'file') return await capture.toFile('/dev/null')
  if (mode === 'packets') {
    for await (const packet of packets(capture)) {
      seen ^= packet.data[12]
      frames++
    }
    return
  }
  const use = uses[mode]
  // Small batches first, as many as a capture sees in a minute or two: V8 compiles by how often a thing is done.
  let batches = 0
  for await (const batch of capture.batches({ frames: 8 })) {
    frames += use(batch)
    if (++batches === 10_000) break
  }
  for await (const batch of capture.batches()) frames += use(batch)
}

run()
serve({
  count() {
    const { received, dropped } = capture.stats()
    if (mode === 'file') frames = Number(received - dropped)
    return { frames, dropped: Number(dropped), seen }
  },
  late() {
    const late = delays.length > 0 ? quantile(delays, 0.999) : 0
    delays = []
    return { late }
  },
})
