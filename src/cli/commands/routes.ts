import type { NextHop, Route } from '../../netlink/index.js'
import { netloomProtocol } from '../../netlink/index.js'
import type { LinkNames } from '../link-names.js'
import { listing } from '../listing.js'
import { family, integer, link, parseTable, tableNames } from '../options.js'
import { type Cell, word } from '../text-table.js'

export const routes = listing({
  name: 'routes',
  summary: 'routes, of the table main unless told otherwise',
  options: {
    table: {
      help: 'of this table: a number, main, local, default, or all',
      value: 'TABLE',
      parse: text => (text === 'all' ? 'all' : parseTable(text)),
    },
    family,
    link: { ...link, help: 'only by way of this link' },
    protocol: integer('NUMBER', `only of this protocol; Netloom's is ${netloomProtocol}`, 0, 255),
  },
  list: (network, { table, family, link, protocol }) =>
    network.routes.list({ table, family, link, protocol }),
  row: routeRow,
})

export function routeRow(route: Route, names: LinkNames): Cell[] {
  const { gateway, link, nextHops, type, table } = route
  const destination = /^(0\.0\.0\.0|::)\/0$/.test(route.destination) ? 'default' : route.destination
  const more = [
    ...word('from', route.source),
    ...word('src', route.preferredSource),
    ...word('metric', route.metric),
    ...word('nhid', route.nextHopId),
    ...word('table', table === tableNames.main ? undefined : tableName(table)),
    ...word('proto', protocolName(route.protocol)),
    ...(route.onlink ? ['onlink'] : []),
    ...(route.flags.dead ? ['dead'] : []),
    ...(route.flags.linkDown ? ['linkdown'] : []),
    ...nextHops.flatMap(hop => ['nexthop', hopText(hop, names)]),
  ]
  return [
    { text: type === 'unicast' ? destination : `${type} ${destination}`, style: 'magenta' },
    gateway === undefined ? '' : `via ${gateway}`,
    link === undefined ? '' : { text: `dev ${names.of(link)}`, style: 'cyan' },
    more.join(' '),
  ]
}

function hopText({ gateway, link, weight }: NextHop, names: LinkNames): string {
  return [...word('via', gateway), ...word('dev', names.of(link)), ...word('weight', weight)].join(' ')
}

export function tableName(table: number): string {
  return Object.entries(tableNames).find(([, number]) => number === table)?.[0] ?? String(table)
}

// The usual ones of /etc/iproute2/rt_protos.
const protocols = new Map([
  [1, 'redirect'],
  [2, 'kernel'],
  [3, 'boot'],
  [4, 'static'],
  [9, 'ra'],
  [16, 'dhcp'],
  [netloomProtocol, 'netloom'],
])

/** `undefined` for that of nobody. */
export function protocolName(protocol: number): string | undefined {
  return protocol === 0 ? undefined : (protocols.get(protocol) ?? String(protocol))
}
