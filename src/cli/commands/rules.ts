import type { NumberRange, Rule } from '../../netlink/index.js'
import { netloomProtocol } from '../../netlink/index.js'
import { listing } from '../listing.js'
import { family, integer, parseTable } from '../options.js'
import { type Cell, word } from '../text-table.js'
import { protocolName, tableName } from './routes.js'

export const rules = listing({
  name: 'rules',
  summary: 'rules of policy routing, in their order',
  options: {
    table: { help: 'only those that look up this table', value: 'TABLE', parse: parseTable },
    family,
    priority: integer('NUMBER', 'only of this priority', 0, 0xffff_ffff),
    protocol: integer('NUMBER', `only of this protocol; Netloom's is ${netloomProtocol}`, 0, 255),
  },
  list: (network, { table, family, priority, protocol }) =>
    network.rules.list({ table, family, priority, protocol }),
  row: ruleRow,
})

export function ruleRow(rule: Rule): Cell[] {
  const mark = rule.mark === undefined ? undefined : `0x${rule.mark.toString(16)}`
  const mask =
    rule.markMask === undefined || rule.markMask === 0xffff_ffff ? '' : `/0x${rule.markMask.toString(16)}`
  const selector = [
    ...(rule.not ? ['not'] : []),
    'from',
    rule.from ?? 'all',
    ...word('to', rule.to),
    ...word('iif', rule.inputLink),
    ...word('oif', rule.outputLink),
    ...word('fwmark', mark === undefined ? undefined : mark + mask),
    ...word('tos', rule.tos),
    ...word('dscp', rule.dscp),
    ...word('ipproto', rule.ipProtocol),
    ...word('sport', range(rule.sourcePorts)),
    ...word('dport', range(rule.destinationPorts)),
    ...word('uidrange', range(rule.uids)),
    ...word('tun_id', rule.tunnelId),
  ]
  const action =
    rule.action === 'lookup'
      ? `lookup ${rule.l3mdev ? 'l3mdev' : tableName(rule.table ?? 0)}`
      : [rule.action, ...(rule.target === undefined ? [] : [rule.target])].join(' ')
  const more = [
    ...word('suppress_prefixlength', rule.suppressPrefixLength),
    ...word('suppress_ifgroup', rule.suppressGroup),
    ...(rule.unresolved ? ['unresolved'] : []),
    ...(rule.inputDetached || rule.outputDetached ? ['detached'] : []),
    ...word('proto', protocolName(rule.protocol)),
  ]
  return [
    `IPv${rule.family}`,
    { text: `${rule.priority}:`, style: 'cyan' },
    selector.join(' '),
    action,
    more.join(' '),
  ]
}

function range(range: NumberRange | undefined): string | undefined {
  if (!range) return undefined
  return range.low === range.high ? String(range.low) : `${range.low}-${range.high}`
}
