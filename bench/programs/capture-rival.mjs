// capture-rival.mjs FOLDER IF: captures with npm `pcap`, with a handler that only counts.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { serve } from '../harness/serve.mjs'

const [folder, name] = process.argv.slice(2)
const pcap = createRequire(join(folder, 'package.json'))('pcap')
const session = pcap.createSession(name, { buffer_size: 32 << 20 })
let frames = 0
session.on('packet', () => {
  frames++
})
serve({ count: () => ({ frames, dropped: session.stats().ps_drop }) })
