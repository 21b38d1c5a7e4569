import { Worker } from 'node:worker_threads'
import type { Network } from '../../network/index.js'
import type { BulkTask } from './bulk-worker.js'
import type { Screen } from './screen.js'

const seconds = 3

/** Bulk TCP from blue to red, through the cable that is there and through a veth pair made for it. */
export async function compareBulk(screen: Screen, red: Network, blue: Network): Promise<void> {
  const veth = { kind: 'veth', name: 'veth0', up: true } as const
  await red.links.create({ ...veth, addresses: ['10.78.0.1/24'], peer: { name: 'veth0', in: blue } })
  await blue.addresses.create({ link: 'veth0', address: '10.78.0.2/24' })
  await blue.links.change('veth0', { up: true })
  const between = { server: red.namespace.fd, client: blue.namespace.fd, seconds }
  const ours = await measure({ ...between, address: '10.77.0.1' })
  const kernel = await measure({ ...between, address: '10.78.0.1' })
  screen.good(
    `through JavaScript ${ours.toFixed(2)} Gb/s, through veth ${kernel.toFixed(2)} Gb/s: ${(ours / kernel).toFixed(2)} of it`,
  )
}

/** Gigabits per second between the two namespaces, measured by a thread of its own. */
function measure(task: BulkTask): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./bulk-worker.js', import.meta.url), { workerData: task })
    worker.once('message', resolve).once('error', reject)
  })
}
