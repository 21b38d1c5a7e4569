/**
 * Fragmentation: RFC 791 section 2.3, RFC 8200 section 4.5. Packets begin at their IP header, as on links of type `ip`.
 */
import {
  checksumSum,
  concatBytes,
  finishChecksum,
  readUint16,
  writeUint16,
  writeUint32,
} from '../bytes/index.js'
import { invalidArgumentValue, NetloomError, requireInteger, requireOptions } from '../errors/index.js'
import { truncated } from './frame-error.js'
import { ipProtocols } from './ip-protocols.js'
import { Ipv4View } from './ipv4.js'
import { Ipv6View, ipv6ExtensionLength, isIpv6Extension } from './ipv6.js'

const moreFragments = 0x2000

/**
 * Cuts an IPv4 packet into fragments of up to `mtu` bytes; one that fits is returned as it is. A fragment can be cut
 * again. Checksums of the transport protocol have to be complete: see `encodeOffloaded`.
 * @throws NetloomError `ERR_FRAME_TOO_LONG` when it must not be cut, `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED`
 * @throws RangeError for an `mtu` below 68
 */
export function fragmentIpv4(packet: Uint8Array, mtu: number): Uint8Array[] {
  requireInteger('mtu', mtu, 68, 65535)
  const view = new Ipv4View(packet)
  if (view.isCut) throw truncated('ipv4', view.totalLength, packet.length)
  const { headerLength, payloadEnd, fragmentOffset } = view
  if (payloadEnd <= mtu) return [packet.subarray(0, payloadEnd)]
  if (view.dontFragment)
    throw new NetloomError('ERR_FRAME_TOO_LONG', `the packet of ${payloadEnd} bytes must not be fragmented`)
  const first = packet.subarray(0, headerLength)
  const later = headerOfLater(first)
  const fragments: Uint8Array[] = []
  for (let at = headerLength; at < payloadEnd; ) {
    const header = at === headerLength ? first : later
    const room = (mtu - header.length) & ~7
    const end = payloadEnd - at <= mtu - header.length ? payloadEnd : at + room
    const fragment = concatBytes(header, packet.subarray(at, end))
    const flags = (readUint16(packet, 6) & 0xe000) | (end < payloadEnd ? moreFragments : 0)
    writeUint16(fragment, 6, flags | ((fragmentOffset + at - headerLength) >> 3))
    finishIpv4(fragment, header.length)
    fragments.push(fragment)
    at = end
  }
  return fragments
}

/** Sets the length and checksum of an IPv4 packet. */
export function finishIpv4(packet: Uint8Array, headerLength: number): void {
  writeUint16(packet, 2, packet.length)
  writeUint16(packet, 10, 0)
  writeUint16(packet, 10, finishChecksum(checksumSum(packet, 0, headerLength)))
}

/** Only options that say so (the highest bit of their type) are in every fragment. */
function headerOfLater(header: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = []
  for (let at = 20; at < header.length && header[at] !== 0; ) {
    const length = header[at] === 1 ? 1 : (header[at + 1] ?? 0)
    if (length < 1 || at + length > header.length || (length < 2 && header[at] !== 1)) break
    if (header[at]! & 0x80) kept.push(header.subarray(at, at + length))
    at += length
  }
  const options = concatBytes(...kept)
  const later = concatBytes(header.subarray(0, 20), options, new Uint8Array(-options.length & 3))
  later[0] = 0x40 | (later.length / 4)
  return later
}

export interface FragmentIpv6Options {
  /** The same for all fragments of a packet and for no other one soon. Default a random number. */
  identification?: number | undefined
}

/**
 * Cuts an IPv6 packet into fragments of up to `mtu` bytes; one that fits is returned as it is. Hop-by-hop options and
 * the routing header, and what is before it, are in every fragment.
 * @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED`
 * @throws TypeError for a packet that has a fragment header already; only senders cut IPv6 packets
 * @throws RangeError for an `mtu` below 1280, or one that the headers leave no room in
 */
export function fragmentIpv6(packet: Uint8Array, mtu: number, options?: FragmentIpv6Options): Uint8Array[] {
  requireInteger('mtu', mtu, 1280, 65535)
  const { identification } = requireOptions('options', options, ['identification'])
  const id = requireInteger('identification', identification ?? randomUint32(), 0, 0xffffffff)
  const view = new Ipv6View(packet)
  if (view.isCut) throw truncated('ipv6', 40 + view.length, packet.length)
  const { payloadEnd } = view
  if (payloadEnd <= mtu) return [packet.subarray(0, payloadEnd)]
  const { end: head, pointer } = unfragmentable(packet, view.payloadOffset)
  const room = (mtu - head - 8) & ~7
  if (room < 8) throw invalidArgumentValue('mtu', mtu, `leaves no room beside ${head} bytes of headers`)
  const fragments: Uint8Array[] = []
  for (let at = head; at < payloadEnd; at += room) {
    const end = Math.min(payloadEnd, at + room)
    const extension = Uint8Array.of(packet[pointer]!, 0, 0, 0, 0, 0, 0, 0)
    writeUint16(extension, 2, (at - head) | (end < payloadEnd ? 1 : 0))
    writeUint32(extension, 4, id)
    const fragment = concatBytes(packet.subarray(0, head), extension, packet.subarray(at, end))
    fragment[pointer] = ipProtocols.fragment
    writeUint16(fragment, 4, fragment.length - 40)
    fragments.push(fragment)
  }
  return fragments
}

/** Where the headers end that are in every fragment, and where the type of what follows them is. */
function unfragmentable(packet: Uint8Array, end: number): { end: number; pointer: number } {
  let part = { end: 40, pointer: 6 }
  let pointer = 6
  for (let at = 40; at < end && isIpv6Extension(packet[pointer]!); ) {
    const type = packet[pointer]!
    if (type === ipProtocols.fragment)
      throw invalidArgumentValue('packet', packet, 'must not have a fragment header already')
    pointer = at
    at += ipv6ExtensionLength(packet, at, type)
    if (type === ipProtocols.hopByHop || type === ipProtocols.routing) part = { end: at, pointer }
  }
  return part
}

function randomUint32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!
}
