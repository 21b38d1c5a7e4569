// Tells who asked for DNS in a capture file, pcap or pcapng, also in gzip.
//
//   node examples/read-capture.mjs trace.pcapng
import { createReadStream } from 'node:fs'
import { describe, readCapture } from 'netloom'
import { compileFilter } from 'netloom/filter'
import { isFrameBatch } from 'netloom/pcap'

const [path = 'tap.pcapng'] = process.argv.slice(2)
const capture = readCapture(createReadStream(path))
const question = compileFilter('udp dst port 53')
let packets = 0

for await (const batch of capture) {
  packets += batch.count
  if (!isFrameBatch(batch) || batch.linkType !== 'ethernet') continue
  for (let i = 0; i < batch.count; i++) {
    const frame = batch.frame(i)
    if (question.match(frame)) console.log(describe(frame, batch.linkType))
  }
}
console.log(`${packets} packets`)
if (capture.cut) console.log(`the file ends within a packet, at byte ${capture.cut.offset}`)
