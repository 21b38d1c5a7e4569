import { Network } from '../../src/network/index.js'

/** Two networks with a cable between them, `v0` at either end, up, with these addresses. */
export async function connectedNetworks(
  redAddress?: string,
  blueAddress?: string,
): Promise<{ red: Network; blue: Network } & AsyncDisposable> {
  const red = await Network.create()
  const blue = await Network.create()
  const ipv6LinkLocal = 'none'
  await red.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v0', in: blue } })
  await Promise.all([
    red.links.change('v0', { up: true, ipv6LinkLocal }),
    blue.links.change('v0', { up: true, ipv6LinkLocal }),
  ])
  if (redAddress) await red.addresses.create({ link: 'v0', address: redAddress })
  if (blueAddress) await blue.addresses.create({ link: 'v0', address: blueAddress })
  return {
    red,
    blue,
    async [Symbol.asyncDispose]() {
      await red.close()
      await blue.close()
    },
  }
}

/** A network with `v0`, up, at 192.0.2.1/24, and the other end of its cable in it too. */
export async function wiredNetwork(): Promise<Network> {
  const network = await Network.create()
  await network.links.create({
    kind: 'veth',
    name: 'v0',
    up: true,
    addresses: ['192.0.2.1/24'],
    peer: { name: 'v1' },
  })
  await network.links.change('v1', { up: true })
  return network
}
