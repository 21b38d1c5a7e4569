import type { Neighbor } from '../../netlink/index.js'
import type { LinkNames } from '../link-names.js'
import { listing } from '../listing.js'
import { family, link } from '../options.js'
import type { Cell } from '../text-table.js'

export const neighbors = listing({
  name: 'neighbors',
  summary: 'other hosts on a link: ARP and neighbor discovery',
  options: { link, family, all: { help: 'also those of multicast and of no use (noarp)' } },
  async list(network, { link, family, all }) {
    const neighbors = await network.neighbors.list({ link, family })
    return all ? neighbors : neighbors.filter(({ state }) => state !== 'noarp')
  },
  row: neighborRow,
})

export function neighborRow(neighbor: Neighbor, names: LinkNames): Cell[] {
  const good = ['reachable', 'permanent', 'noarp'].includes(neighbor.state)
  return [
    { text: neighbor.address, style: 'magenta' },
    { text: `dev ${names.of(neighbor.link)}`, style: 'cyan' },
    neighbor.macAddress ?? '-',
    { text: neighbor.proxy ? 'proxy' : neighbor.state, style: good ? 'green' : undefined },
    neighbor.router ? 'router' : '',
  ]
}
