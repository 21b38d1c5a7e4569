import type { Address } from '../../netlink/index.js'
import type { LinkNames } from '../link-names.js'
import { listing } from '../listing.js'
import { family, link } from '../options.js'
import { type Cell, word } from '../text-table.js'

export const addresses = listing({
  name: 'addresses',
  summary: 'IP addresses of links',
  options: { link, family },
  list: (network, { link, family }) => network.addresses.list({ link, family }),
  row: addressRow,
})

const flags = [
  'tentative',
  'optimistic',
  'duplicate',
  'secondary',
  'deprecated',
  'noPrefixRoute',
  'noDad',
  'home',
  'manageTemporary',
  'stablePrivacy',
  'autoJoin',
] as const

export function addressRow(address: Address, names: LinkNames): Cell[] {
  const name = names.of(address.link)
  const more = [
    ...word('peer', address.peer),
    ...word('label', address.label === name ? undefined : address.label),
    ...flags.filter(flag => address[flag]).map(flag => flag.toLowerCase()),
    ...word('valid', address.validSeconds === undefined ? undefined : `${address.validSeconds}s`),
    ...word('preferred', address.preferredSeconds === undefined ? undefined : `${address.preferredSeconds}s`),
  ]
  return [
    { text: name, style: 'cyan' },
    { text: `${address.address}/${address.prefixLength}`, style: 'magenta' },
    address.scope === 'universe' ? 'global' : address.scope,
    more.join(' '),
  ]
}
