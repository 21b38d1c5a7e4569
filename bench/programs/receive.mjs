// receive.mjs MODE IF: reads a TUN as a user would, and says what it cost.
//   released  each batch is released, and only its columns are looked at
//   pooled    the first byte of every frame is looked at
//   owned     the same, in memory that is never used again
import { Tun } from '../../lib/tuntap/index.js'
import { limit, meter, serve } from '../harness/serve.mjs'

const [mode, name] = process.argv.slice(2)
const tun = await Tun.create({ name, up: false })
const lifetime = mode === 'owned' ? 'owned' : 'pooled'
let look = 0

function releasedBytes(batch) {
  const { lengths } = batch
  let bytes = 0
  for (let i = 0; i < lengths.length; i++) bytes += lengths[i]
  batch.release()
  return bytes
}

function lookedAtBytes(batch) {
  const { slab, offsets, lengths } = batch
  let bytes = 0
  for (let i = 0; i < lengths.length; i++) {
    look ^= slab[offsets[i]]
    bytes += lengths[i]
  }
  return bytes
}

async function receive(most, signal) {
  const use = mode === 'released' ? releasedBytes : lookedAtBytes
  let frames = 0
  let bytes = 0
  let batches = 0
  const cost = meter()
  try {
    for await (const batch of tun.batches({ lifetime, signal })) {
      frames += batch.count
      bytes += use(batch)
      batches++
      if (frames >= most) break
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
  return { frames, bytes, batches, look, ...cost() }
}

serve({
  drain: count => receive(Number(count)),
  flood: milliseconds => receive(Number.POSITIVE_INFINITY, limit(Number(milliseconds))),
})
