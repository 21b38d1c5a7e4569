/**
 * Addresses and names as text and as bytes.
 *
 * `parse…` takes every usual spelling and throws a `TypeError` (`ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`)
 * for anything else; `format…` gives the canonical spelling, so that equal addresses are equal strings. Bytes are
 * in network order. Pure; loads on any platform. May use `errors`.
 */
export { checkInterfaceName } from './interface-name.js'
export {
  formatIpAddress,
  type IpAddress,
  type IpFamily,
  parseIpAddress,
} from './ip-address.js'
export { formatIpPrefix, type IpPrefix, parseIpPrefix } from './ip-prefix.js'
export { formatIpv4, formatIpv4Prefix, parseIpv4 } from './ipv4.js'
export { formatIpv6, parseIpv6 } from './ipv6.js'
export { formatMacAddress, parseMacAddress } from './mac-address.js'
export { type PrefixMatch, PrefixTable } from './prefix-table.js'
