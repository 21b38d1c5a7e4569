import { formatMacAddress, parseMacAddress } from '../../address/index.js'
import type { FdbEntry } from '../../netlink/index.js'
import type { LinkNames } from '../link-names.js'
import { listing } from '../listing.js'
import { integer, link } from '../options.js'
import { type Cell, word } from '../text-table.js'

export const fdb = listing({
  name: 'fdb',
  summary: 'forwarding databases: where bridges and VXLANs have MAC addresses',
  options: {
    link: { ...link, help: 'only what is behind this port, or in this device’s table' },
    bridge: { help: 'only of this bridge', value: 'LINK', parse: text => text },
    vlan: integer('VLAN', 'only of this VLAN', 1, 4094),
    mac: { help: 'only this address', value: 'MAC', parse: text => formatMacAddress(parseMacAddress(text)) },
  },
  list: (network, { link, bridge, vlan, mac }) => network.fdb.list({ link, bridge, vlan, macAddress: mac }),
  row: fdbRow,
})

function fdbRow(entry: FdbEntry, names: LinkNames): Cell[] {
  const more = [
    ...word('dst', entry.destination),
    ...word('port', entry.port),
    ...word('vni', entry.vni),
    ...word('src_vni', entry.sourceVni),
    ...word('via', entry.via === undefined ? undefined : names.of(entry.via)),
    ...word('nhid', entry.nextHopId),
    ...(entry.externallyLearned ? ['extern_learn'] : []),
    ...(entry.sticky ? ['sticky'] : []),
    ...(entry.locked ? ['locked'] : []),
    ...(entry.offloaded ? ['offload'] : []),
  ]
  return [
    { text: entry.macAddress, style: 'magenta' },
    { text: `dev ${names.of(entry.link)}`, style: 'cyan' },
    entry.bridge === undefined ? 'self' : `bridge ${names.of(entry.bridge)}`,
    entry.vlan === undefined ? '' : `vlan ${entry.vlan}`,
    entry.state,
    more.join(' '),
  ]
}
