// Two networks, a TAP device in each, and between them a cable of JavaScript that can be spoilt while it is in use.
// Needs no root where ordinary users may create user namespaces and open /dev/net/tun.
//
//   node examples/lossy-cable.mjs
import dgram from 'node:dgram'
import { setTimeout as delay } from 'node:timers/promises'
import { impair, Network, Tap } from 'netloom'

const red = await Network.create({ userNamespace: true })
const blue = await Network.create({ userNamespace: red })
const left = await Tap.create({ in: red, addresses: ['10.0.0.1/24'] })
const right = await Tap.create({ in: blue, addresses: ['10.0.0.2/24'] })
const line = impair(right, { delayMs: 20 })

/** @param {import('netloom').FramePort} from @param {import('netloom').FramePort} to */
async function carry(from, to) {
  for await (const batch of from.batches()) await to.send(batch)
}
const cables = [carry(left, line), carry(line, left)]

let arrived = 0
const receiver = dgram.createSocket('udp4').on('message', () => arrived++)
await blue.namespace.bind(receiver, { address: '10.0.0.2', port: 5000 })
const sender = dgram.createSocket('udp4')
await red.namespace.bind(sender)

for (const loss of [0, 0.2]) {
  line.loss = loss
  arrived = 0
  for (let i = 0; i < 100; i++) sender.send('hello', 5000, '10.0.0.2')
  await delay(1000)
  console.log(`loss ${100 * loss} %: ${arrived} of 100 datagrams arrived`)
}

sender.close()
receiver.close()
await Promise.all([left.close(), right.close(), ...cables])
await Promise.all([red.close(), blue.close()])
