// Prints what passes an interface, or writes it into a file for Wireshark, until Ctrl-C.
//
//   sudo node examples/capture.mjs eth0 'icmp or tcp port 443'
//   sudo node examples/capture.mjs eth0 '' trace.pcapng
import { Capture, describe, packets } from 'netloom'

const [name = 'lo', filter = '', path] = process.argv.slice(2)
const capture = await Capture.open({ interface: name, filter })
process.once('SIGINT', () => capture.close())

console.log(`capturing ${capture.name}`)
if (path) await capture.toFile(path)
for await (const packet of packets(capture)) console.log(describe(packet))
console.log(capture.stats())
