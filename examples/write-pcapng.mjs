// Writes what the kernel sends on a TAP device into a file for Wireshark, until Ctrl-C.
//
//   sudo node examples/write-pcapng.mjs tap.pcapng    and in another terminal:  ping 192.0.2.2
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { captureBytes, Tap } from 'netloom'

const [path = 'tap.pcapng'] = process.argv.slice(2)
const tap = await Tap.create({ addresses: ['192.0.2.1/24'] })
process.once('SIGINT', () => tap.close())

console.log(`${tap.name} is up`)
const section = { application: 'write-pcapng.mjs' }
await pipeline(
  captureBytes(tap.batches(), { section, describe: () => ({ name: tap.name }) }),
  createWriteStream(path),
)
