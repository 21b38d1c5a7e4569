// idle.mjs COUNT: opens so many TUNs, wait0 and so on, and waits for batches on all of them.
import { Tun } from '../../lib/tuntap/index.js'
import { serve } from '../harness/serve.mjs'

const ports = []
for (let i = 0; i < Number(process.argv[2]); i++) {
  ports.push(await Tun.create({ name: `wait${i}`, ipv6LinkLocal: 'none' }))
}
let frames = 0

async function wait(port) {
  for await (const batch of port.batches()) frames += batch.count
}

serve({
  // Answers while they wait.
  idle() {
    for (const port of ports) wait(port)
    return { waiting: ports.length }
  },
  frames: () => ({ frames }),
})
