import { netloomProtocol } from '../../netlink/index.js'
import { listing } from '../listing.js'
import { integer, link } from '../options.js'
import { word } from '../text-table.js'
import { protocolName } from './routes.js'

export const nexthops = listing({
  name: 'nexthops',
  summary: 'nexthop objects and their groups',
  options: {
    link,
    protocol: integer('NUMBER', `only of this protocol; Netloom's is ${netloomProtocol}`, 0, 255),
  },
  list: (network, { link, protocol }) => network.nexthops.list({ link, protocol }),
  row: (hop, names) => [
    { text: `id ${hop.id}`, style: 'magenta' },
    hop.blackhole ? 'blackhole' : hop.gateway === undefined ? '' : `via ${hop.gateway}`,
    hop.link === undefined ? '' : { text: `dev ${names.of(hop.link)}`, style: 'cyan' },
    [
      ...(hop.group.length > 0
        ? ['group', hop.group.map(({ id, weight }) => (weight === 1 ? id : `${id},${weight}`)).join('/')]
        : []),
      ...word('type', hop.groupType === 'mpath' ? undefined : hop.groupType),
      ...(hop.fdb ? ['fdb'] : []),
      ...(hop.onlink ? ['onlink'] : []),
      ...(hop.dead ? ['dead'] : []),
      ...word('proto', protocolName(hop.protocol)),
    ].join(' '),
  ],
})
