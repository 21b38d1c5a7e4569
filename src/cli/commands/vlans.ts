import { listing } from '../listing.js'
import { link } from '../options.js'
import { word } from '../text-table.js'

export const vlans = listing({
  name: 'vlans',
  summary: 'VLANs that bridges and their ports belong to',
  options: { link },
  list: (network, { link }) => network.bridgeVlans.list({ link }),
  row: ({ link, first, last, pvid, untagged, tunnelId }, names) => [
    { text: names.of(link), style: 'cyan' },
    first === last ? String(first) : `${first}-${last}`,
    [...(pvid ? ['pvid'] : []), ...(untagged ? ['untagged'] : []), ...word('tunnel', tunnelId)].join(' '),
  ],
})
