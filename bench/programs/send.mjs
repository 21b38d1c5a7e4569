// send.mjs IF SIZE: sends UDP/IPv4 packets of SIZE bytes into a TUN, in batches of 64.
import { encode } from '../../lib/frames/index.js'
import { FrameBatch } from '../../lib/port/index.js'
import { Tun } from '../../lib/tuntap/index.js'
import { meter, serve } from '../harness/serve.mjs'

const [name, size] = process.argv.slice(2)
const tun = await Tun.create({ name, up: false })
// As in tun_floor.c: nobody's addresses, so the kernel drops the packet when it looks for a route.
const packet = encode({
  ipv4: { source: '198.18.0.2', destination: '198.18.0.1', identification: 1, ttl: 64 },
  udp: { sourcePort: 0x1234, destinationPort: 9 },
  payload: new Uint8Array(size - 28),
})
const batch = FrameBatch.from(
  'ip',
  Array.from({ length: 64 }, () => packet),
)

async function send(count) {
  let sent = 0
  let lost = 0
  const cost = meter()
  while (sent + lost < count) {
    const result = await tun.send(batch)
    sent += result.sent
    lost += result.dropped
  }
  return { frames: sent + lost, bytes: (sent + lost) * size, lost, ...cost() }
}

serve({ send: count => send(Number(count)) })
