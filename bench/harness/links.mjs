import { setTimeout as sleep } from 'node:timers/promises'

/** Sets a device of a program's up: addresses 10.99.K.1 here and, by route, 10.99.K.2 beyond it. */
export async function raise(network, name, k, { host = 1, txQueueLength = 1000 } = {}) {
  await network.links.change(name, { txQueueLength, ipv6LinkLocal: 'none', up: true })
  await network.addresses.create({ link: name, address: `10.99.${k}.${host}/24`, dad: 'skip' })
}

export const beyond = k => `10.99.${k}.2`

/** Does `work` in the middle of a flood of packets of `size` bytes that lasts a little longer. */
export async function flooded(blaster, k, size, milliseconds, work) {
  const flood = blaster.ask(`blast ${beyond(k)} ${size} 0 ${milliseconds + 200}`)
  const [result, sent] = await Promise.all([sleep(100).then(work), flood])
  return { ...result, sent }
}
