// A TAP device with an address. Prints each frame that the kernel sends on it, until Ctrl-C.
//
//   sudo node examples/print-frames.mjs          and in another terminal:  ping 192.0.2.2
import { describe, packets, Tap } from 'netloom'

const tap = await Tap.create({ addresses: ['192.0.2.1/24'] })
process.once('SIGINT', () => tap.close())

console.log(`${tap.name} is up`)
for await (const packet of packets(tap)) console.log(describe(packet))
