// capture-rival.mjs pcap|cap FOLDER IF: captures with npm `pcap` or `cap`, with a handler that only counts.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { serve } from '../harness/serve.mjs'

const [rival, folder, name] = process.argv.slice(2)
const require = createRequire(join(folder, 'package.json'))
const ring = 32 << 20
let frames = 0
// Held, or they would be collected while packets come: `cap` writes to its buffer and does not hold it.
let session
let buffer
let dropped = () => 0
const count = () => {
  frames++
}

if (rival === 'pcap') {
  session = require('pcap').createSession(name, { buffer_size: ring })
  session.on('packet', count)
  dropped = () => session.stats().ps_drop
} else {
  // It does not tell what was dropped.
  const { Cap } = require('cap')
  session = new Cap()
  buffer = Buffer.alloc(65535)
  session.open(name, '', ring, buffer)
  session.on('packet', () => count(buffer))
}
serve({ count: () => ({ frames, dropped: dropped() }) })
