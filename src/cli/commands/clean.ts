import {
  type Link,
  NetlinkError,
  type Nexthop,
  netloomAlias,
  netloomProtocol,
  type Route,
  type Rule,
} from '../../netlink/index.js'
import type { Network } from '../../network/index.js'
import type { Command } from '../command.js'
import { LinkNames } from '../link-names.js'
import { inNamespace } from '../options.js'
import { openNetwork } from '../place.js'
import { type Cell, formatRow } from '../text-table.js'
import { linkRow } from './links.js'
import { routeRow } from './routes.js'
import { ruleRow } from './rules.js'

const options = {
  in: inNamespace,
  'dry-run': { help: 'only list; the default' },
  yes: { help: 'remove them' },
} as const

export const clean: Command<typeof options> = {
  name: 'clean',
  summary: 'what a program that crashed left: all that carries Netloom’s mark',
  options,
  notes: `Routes, rules and nexthops of protocol ${netloomProtocol}, and links whose alias is '${netloomAlias}'; also those of programs
that still run. Namespaces are yours: ip netns delete NAME. Without --yes nothing is removed.`,
  async run({ in: place, yes, 'dry-run': dryRun }) {
    await using network = await openNetwork(place)
    const remains = await findMarked(network)
    const remove = yes && !dryRun
    for (const { row, take } of remains) {
      const said = remove ? ((await take().catch(passGone)) ?? 'removed') : 'would remove'
      process.stdout.write(`${formatRow([said, ...row])}\n`)
    }
    if (!remove && remains.length > 0) process.stdout.write('Nothing was removed; --yes removes these.\n')
    return 0
  },
}

interface Remains {
  row: Cell[]
  take(): Promise<void>
}

/** In an order in which they can be removed: what refers to another comes before it. */
async function findMarked(network: Network): Promise<Remains[]> {
  const links = await network.links.list()
  const names = new LinkNames(links)
  const protocol = netloomProtocol
  const rules = await network.rules.list({ protocol })
  const routes = await network.routes.list({ protocol, table: 'all' })
  const nexthops = await network.nexthops.list({ protocol })
  return [
    ...rules.map(rule => ({ row: ['rule', ...ruleRow(rule)], take: () => deleteRule(network, rule) })),
    ...routes.map(route => ({
      row: ['route', ...routeRow(route, names)],
      take: () => deleteRoute(network, route),
    })),
    ...nexthops
      // A member takes itself out of its groups.
      .map((hop: Nexthop) => ({
        row: ['nexthop', `id ${hop.id}`],
        take: () => network.nexthops.delete(hop.id),
      })),
    ...links
      .filter(({ alias }) => alias === netloomAlias)
      .map((link: Link) => ({
        row: ['link', ...linkRow(link, names)],
        take: () => network.links.delete(link),
      })),
  ]
}

function deleteRule(network: Network, rule: Rule): Promise<void> {
  const { raw, unresolved, inputDetached, outputDetached, not, l3mdev, ...described } = rule
  return network.rules.delete({
    ...described,
    ...(not && { not }),
    ...(l3mdev && { l3mdev, table: undefined }),
  })
}

function deleteRoute(network: Network, route: Route): Promise<void> {
  const { destination, family, source, type, table, protocol, metric, gateway, link, nextHopId, tos } = route
  const way = nextHopId === undefined ? { gateway, link } : { nextHopId }
  return network.routes.delete({ destination, family, source, type, table, protocol, metric, tos, ...way })
}

/** The other end of a pair, or a route of a link, goes along. */
function passGone(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ERR_LINK_NOT_FOUND') return 'gone'
  if (error instanceof NetlinkError && ['ENOENT', 'ESRCH', 'ENODEV'].includes(error.code)) return 'gone'
  throw error
}
