// Forwards very many frames between two namespaces and fails when memory or descriptors grow:
//
//   node scripts/soak.mjs [--frames 1e8] [--modes plain,split,whole,forward] [--every SECONDS]
//
// Two TUN devices are joined by this process; a child in either namespace sends UDP to the other one, 1400 bytes a datagram.
// Modes: batches in JavaScript with plain frames (`plain`), with super-frames cut as they are read and joined as they are
// sent (`split`), with super-frames passed on (`whole`); and `forward`, in native code, with super-frames. Frames are counted
// as they would be on a cable: a super-frame is as many as it stands for; `units` are what was handled, so that both are seen.
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FrameBatch, forward, Network, Tun } from '../lib/index.js'
import { UdpSocket } from '../lib/udp/index.js'

const datagramBytes = 1400
const headerBytes = 28 // IPv4, UDP
const port = 7000
// What a process may hold more at the end than after the first fifth: pages that the allocators keep, code compiled late.
const mayGrow = { heap: 4 << 20, outside: 8 << 20, resident: 32 << 20 }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

const { values: options } = parseArgs({
  options: {
    frames: { type: 'string', default: '1e8' },
    modes: { type: 'string', default: 'plain,split,whole,forward' },
    every: { type: 'string', default: '10' },
    source: { type: 'string' },
  },
})

if (options.source) await send(options.source.split(','))
else {
  for (const mode of options.modes.split(',')) await soak(mode, Number(options.frames))
}

/** The child: floods until its standard input ends, which it does with the parent at the latest. */
async function send([address, remote]) {
  process.stdin.resume().once('end', () => process.exit())
  // What comes in return is never read: once the buffer is full the kernel drops it.
  const socket = await UdpSocket.open({ address, port, remote: { address: remote, port } })
  const batch = FrameBatch.from('user0', Array(184).fill(new Uint8Array(datagramBytes)))
  for (;;) {
    socket.trySend(batch)
    await turn()
  }
}

async function soak(mode, frames) {
  const networks = [await Network.create(), await Network.create()]
  const addresses = ['10.0.0.1', '10.0.0.2']
  const tuns = []
  const children = []
  for (const [i, network] of networks.entries()) {
    tuns.push(
      await Tun.create({
        in: network,
        offload: mode === 'plain' ? 'off' : mode === 'split' ? 'split' : 'whole',
        addresses: [`${addresses[i]}/24`],
        ipv6LinkLocal: 'none',
      }),
    )
    const args = [fileURLToPath(import.meta.url), '--source', `${addresses[i]},${addresses[1 - i]}`]
    children.push(network.namespace.spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'] }))
  }
  const count = mode === 'forward' ? forwardNatively(tuns) : forwardHere(tuns)
  await watch(mode, frames, count)
  for (const child of children) {
    const ended = once(child, 'exit')
    child.stdin.end()
    await ended
  }
  for (const tun of tuns) await tun.close()
  for (const network of networks) await network.delete()
}

/** Both return what tells units, bytes and drops so far. */
function forwardHere([a, b]) {
  const total = { units: 0, bytes: 0, dropped: 0 }
  const pass = async (from, to) => {
    for await (const batch of from.batches()) {
      const { lengths, count } = batch
      for (let i = 0; i < count; i++) total.bytes += lengths[i]
      total.units += count
      total.dropped += (await to.send(batch)).dropped
    }
  }
  for (const [from, to] of [
    [a, b],
    [b, a],
  ]) {
    pass(from, to).catch(error => {
      if (error.code !== 'ERR_PORT_CLOSED') throw error
    })
  }
  return () => ({ ...total })
}

function forwardNatively([a, b]) {
  const running = forward(a, b)
  return () => {
    const { aToB, bToA } = running.counters()
    const sum = name => Number(aToB[name] + bToA[name])
    return { units: sum('frames'), bytes: sum('bytes'), dropped: sum('dropped') }
  }
}

async function watch(mode, frames, count) {
  const started = performance.now()
  let after
  for (let next = started; ; await sleep(20)) {
    const { units, bytes, dropped } = count()
    const passed = Math.round((bytes - headerBytes * units) / datagramBytes)
    const last = passed >= frames
    const due = performance.now() >= next
    if (!last && !due && !(after === undefined && passed >= frames / 5)) continue
    if (due) next += Number(options.every) * 1000
    const now = measure()
    if (passed >= frames / 5) after ??= now
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const { heap, outside, resident, descriptors } = now
    const sizes = [heap, outside, resident].map(size => (size / 2 ** 20).toFixed(1))
    console.log(
      `${mode}: ${seconds} s, ${passed} frames in ${units} units, ${dropped} dropped; ` +
        `heap ${sizes[0]}, outside ${sizes[1]}, resident ${sizes[2]} MiB, ${descriptors} descriptors`,
    )
    if (!last) continue
    for (const [what, most] of Object.entries({ ...mayGrow, descriptors: 0 })) {
      const growth = now[what] - after[what]
      if (growth <= most) continue
      console.error(`${mode}: ${what} grew by ${growth}`)
      process.exitCode = 1
    }
    return
  }
}

function measure() {
  collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    heap: heapUsed,
    outside: external,
    resident: rss,
    descriptors: readdirSync('/proc/self/fd').length,
  }
}
