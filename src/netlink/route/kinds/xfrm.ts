import { field, presence, table, u32 } from '../../core/index.js'
import { linkKind } from './kind.js'
import { linkIndex } from './link-index.js'

/** The traffic of the IPsec policies of one number. include/uapi/linux/if_link.h, enum IFLA_XFRM_*. */
export const xfrm = linkKind(
  'xfrm',
  table('IFLA_XFRM_', {
    /** The link that the traffic goes through, for offload to hardware. */
    link: field(1, 'LINK', linkIndex),
    /** Number of the policies; not 0. */
    id: field(2, 'IF_ID', u32),
    /** The number comes with each packet (routes, filters), not from here. */
    collectMetadata: field(3, 'COLLECT_METADATA', presence),
  }),
  { whole: true },
)
