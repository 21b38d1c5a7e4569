import { Network } from '../../src/network/index.js'

/** Two networks with a cable between them, `v0` at either end, up. */
export async function connectedNetworks(): Promise<{ red: Network; blue: Network } & AsyncDisposable> {
  const red = await Network.create()
  const blue = await Network.create()
  const ipv6LinkLocal = 'none'
  await red.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v0', in: blue } })
  await Promise.all([
    red.links.change('v0', { up: true, ipv6LinkLocal }),
    blue.links.change('v0', { up: true, ipv6LinkLocal }),
  ])
  return {
    red,
    blue,
    async [Symbol.asyncDispose]() {
      await red.close()
      await blue.close()
    },
  }
}
