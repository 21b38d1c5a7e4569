// echo.mjs tun|tap IF: answers ICMP echo, UDP and, on TAP, ARP requests, as tun_floor.c does.
import { Tap, Tun } from '../../lib/tuntap/index.js'
import { limit, meter, serve } from '../harness/serve.mjs'

const [kind, name] = process.argv.slice(2)
const tap = kind === 'tap'
const port = await (tap ? Tap : Tun).create({ name, up: false })
const mac = [2, 0, 0, 0, 0, 0x77]

function swap(frame, a, b, length) {
  for (let i = 0; i < length; i++) {
    const byte = frame[a + i]
    frame[a + i] = frame[b + i]
    frame[b + i] = byte
  }
}

function addressBack(frame) {
  frame.copyWithin(0, 6, 12)
  frame.set(mac, 6)
}

/** Turns a request into its answer, in place; false: nothing to answer. */
function turn(frame) {
  let ip = 0
  if (tap) {
    if (frame.length < 14) return false
    ip = 14
    if (frame.length >= 42 && frame[12] === 8 && frame[13] === 6 && frame[ip + 7] === 1) {
      frame[ip + 7] = 2
      swap(frame, ip + 8, ip + 18, 10)
      frame.set(mac, ip + 8)
      addressBack(frame)
      return true
    }
    if (frame[12] !== 8 || frame[13] !== 0) return false
  }
  if (frame.length < ip + 28 || frame[ip] !== 0x45) return false
  if (frame[ip + 9] === 1) {
    if (frame[ip + 20] !== 8) return false
    frame[ip + 20] = 0
    let sum = ((frame[ip + 22] << 8) | frame[ip + 23]) + 0x0800
    sum = (sum & 0xffff) + (sum >> 16)
    frame[ip + 22] = sum >> 8
    frame[ip + 23] = sum
  } else if (frame[ip + 9] === 17) {
    swap(frame, ip + 20, ip + 22, 2)
  } else {
    return false
  }
  swap(frame, ip + 12, ip + 16, 4)
  if (tap) addressBack(frame)
  return true
}

async function echo() {
  let frames = 0
  const cost = meter()
  try {
    for await (const batch of port.batches({ signal: limit() })) {
      for (const frame of batch) {
        if (!turn(frame)) continue
        port.trySend(frame)
        frames++
      }
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
  return { frames, ...cost() }
}

serve({ echo })
