/**
 * What comes before the network layer, by link type (https://www.tcpdump.org/linktypes.html).
 *
 *  null                      linux-sll                          linux-sll2
 *   0   4  address family     0   2  packet type                 0   2  EtherType
 *          of the capturing   2   2  ARPHRD_ type                2   2  reserved
 *          system, in its     4   2  length of the address       4   4  interface index
 *          byte order         6   8  link-layer address          8   2  ARPHRD_ type
 *                            14   2  EtherType                  10   1  packet type
 *                                                               11   1  length of the address
 *                                                               12   8  link-layer address
 */
import { readUint16, readUint32 } from '../bytes/index.js'
import { invalidArgumentType, invalidArgumentValue } from '../errors/index.js'
import { etherTypes, isVlanType } from './ether-types.js'
import { EthernetView } from './ethernet.js'
import { malformed, truncated } from './frame-error.js'
import type { LinkType } from './link-type.js'
import { VlanView } from './vlan.js'

/** A cursor: {@link nextVlan} moves it past the tags. */
export interface LinkCursor {
  readonly ethernet: EthernetView | undefined
  /** What begins at `offset`; up to 1500 for an 802.2 LLC header. */
  etherType: number
  offset: number
  readonly end: number
}

/** @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function openLink(frame: Uint8Array, linkType: LinkType): LinkCursor {
  if (!(frame instanceof Uint8Array)) throw invalidArgumentType('frame', 'an instance of Uint8Array', frame)
  const end = frame.length
  switch (linkType) {
    case 'ethernet': {
      const ethernet = new EthernetView(frame)
      const { typeOrLength: etherType, payloadOffset: offset, payloadEnd } = ethernet
      return { ethernet, etherType, offset, end: payloadEnd }
    }
    case 'ip':
      return { ethernet: undefined, etherType: etherTypeOfVersion(frame), offset: 0, end }
    case 'null': {
      requireLength(frame, 4)
      return { ethernet: undefined, etherType: etherTypeOfFamily(readUint32(frame, 0)), offset: 4, end }
    }
    case 'linux-sll':
      requireLength(frame, 16)
      return { ethernet: undefined, etherType: readUint16(frame, 14), offset: 16, end }
    case 'linux-sll2':
      requireLength(frame, 20)
      return { ethernet: undefined, etherType: readUint16(frame, 0), offset: 20, end }
    default:
      throw invalidArgumentValue('linkType', linkType, 'is not a known link type')
  }
}

/** The tag at the cursor, which moves past it; `undefined` when there is none. */
export function nextVlan(frame: Uint8Array, link: LinkCursor): VlanView | undefined {
  if (!isVlanType(link.etherType)) return undefined
  const tag = new VlanView(frame, link.offset, link.end)
  link.etherType = tag.type
  link.offset = tag.payloadOffset
  return tag
}

function requireLength(frame: Uint8Array, length: number): void {
  if (frame.length < length) throw truncated('link', length, frame.length)
}

function etherTypeOfVersion(frame: Uint8Array): number {
  requireLength(frame, 1)
  const version = frame[0]! >> 4
  if (version === 4) return etherTypes.ipv4
  if (version === 6) return etherTypes.ipv6
  throw malformed('link', `the packet is neither IPv4 nor IPv6: its version is ${version}`)
}

function etherTypeOfFamily(field: number): number {
  // No family is above 0xff, so the byte order shows.
  const family = field > 0xffff ? field >>> 24 : field
  switch (family) {
    case 2:
      return etherTypes.ipv4
    case 10: // Linux
    case 24: // NetBSD, OpenBSD
    case 28: // FreeBSD
    case 30: // macOS
      return etherTypes.ipv6
    default:
      throw malformed('link', `the address family ${family} is not known`)
  }
}
