import { listing } from '../listing.js'
import { link } from '../options.js'
import { word } from '../text-table.js'

export const qdiscs = listing({
  name: 'qdiscs',
  summary: 'qdiscs: what decides when packets leave a link',
  options: { link },
  list: (network, { link }) => network.qdiscs.list({ link }),
  row: ({ link, kind, handle, parent, statistics }, names) => [
    { text: names.of(link), style: 'cyan' },
    handle === undefined ? kind : `${kind} ${handle}`,
    parent === undefined || parent === 'root' ? (parent ?? '') : `parent ${parent}`,
    statistics
      ? [
          ...word('sent', statistics.packets),
          ...word('dropped', statistics.drops),
          ...word('waiting', statistics.backlogPackets),
        ].join(' ')
      : '',
  ],
})
