import { type Codec, field, ipv4, ipv6, table, u32, u32be } from '../../core/index.js'
import { linkKind } from './kind.js'
import { linkIndex } from './link-index.js'

/** include/uapi/linux/if_tunnel.h, enum IFLA_VTI_*. */
function settings(address: Codec<string>) {
  return table('IFLA_VTI_', {
    /** The link that the tunnel goes through; by default, where the route to the other end leads. */
    link: field(1, 'LINK', linkIndex),
    /** The marks that choose the policies of IPsec. */
    inputKey: field(2, 'IKEY', u32be),
    outputKey: field(3, 'OKEY', u32be),
    local: field(4, 'LOCAL', address),
    remote: field(5, 'REMOTE', address),
    /** Routes are looked up with this mark. */
    mark: field(6, 'FWMARK', u32),
  })
}

/** A tunnel whose packets IPsec protects. */
export const vti = linkKind('vti', settings(ipv4), { whole: true })
/** The same over IPv6. */
export const vti6 = linkKind('vti6', settings(ipv6), { whole: true })
