// Writes what the kernel sends on a TAP device into a file for Wireshark, until Ctrl-C.
//
//   sudo node examples/write-pcapng.mjs tap.pcapng    and in another terminal:  ping 192.0.2.2
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { frames, PcapngWriter, Tap } from 'netloom'

const [path = 'tap.pcapng'] = process.argv.slice(2)
const tap = await Tap.create({ addresses: ['192.0.2.1/24'] })
process.once('SIGINT', () => tap.close())

const writer = new PcapngWriter()
const file = createWriteStream(path)
file.write(writer.header({ application: 'write-pcapng.mjs' }))
file.write(writer.interface({ name: tap.name, linkType: tap.linkType }))

console.log(`${tap.name} is up`)
for await (const data of frames(tap)) {
  const timestamp = BigInt(Date.now()) * 1_000_000n
  if (!file.write(writer.packet({ timestamp, data }))) await once(file, 'drain')
}
file.end()
