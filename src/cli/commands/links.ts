import type { Link } from '../../netlink/index.js'
import type { LinkNames } from '../link-names.js'
import { listing } from '../listing.js'
import { link } from '../options.js'
import type { Style } from '../style.js'
import { type Cell, word } from '../text-table.js'

export const links = listing({
  name: 'links',
  summary: 'network devices: state, kind, MAC address, master',
  options: {
    link: { ...link, help: 'only this one' },
    kind: { help: 'only of this kind: veth, bridge, …', value: 'KIND', parse: text => text },
    master: { help: 'only ports of this bridge, bond or VRF', value: 'LINK', parse: text => text },
    up: { help: 'only those that are up' },
  },
  async list(network, { link, kind, master, up }) {
    const index = link === undefined ? undefined : (await network.links.get(link)).index
    const links = await network.links.list({ kind, master })
    return links.filter(found => (index === undefined || found.index === index) && (!up || found.up))
  },
  row: linkRow,
})

export function linkRow(link: Link, names: LinkNames): Cell[] {
  const state = stateOf(link)
  const style: Style | undefined = state === 'UP' ? 'green' : state === 'DOWN' ? 'red' : undefined
  const more = [
    ...word('master', link.master === undefined ? undefined : names.of(link.master)),
    ...word('alias', link.alias),
    ...link.altNames.flatMap(name => ['altname', name]),
  ]
  const address = link.macAddress ?? link.tunnelLocal ?? '-'
  return [
    { text: link.name + beneath(link, names), style: 'cyan' },
    { text: state, style },
    link.kind ?? (link.loopback ? 'loopback' : '-'),
    address,
    `mtu ${link.mtu}`,
    more.join(' '),
  ]
}

/** What decides whether packets go: switched on, and with what the driver says of its carrier. */
function stateOf({ up, operState }: Link): string {
  if (!up) return 'DOWN'
  // Links that have no carrier to speak of.
  if (operState === 'up' || operState === 'unknown') return 'UP'
  return operState === 'down' ? 'NO-CARRIER' : operState.toUpperCase()
}

function beneath({ lower, lowerNamespaceId }: Link, names: LinkNames): string {
  if (lower === undefined || lower === 0) return ''
  return lowerNamespaceId === undefined ? `@${names.of(lower)}` : `@if${lower}`
}
