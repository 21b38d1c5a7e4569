import { parseIpAddress } from '../address/index.js'
import { checksumSum, finishChecksum, pseudoHeaderSum } from '../bytes/index.js'
import { invalidArgumentValue, requireInteger } from '../errors/index.js'

/**
 * - `ok`, `bad`: the sum is right, or wrong. A frame that the local kernel sends may be seen before its checksum
 *   is computed; that looks `bad` unless the capture says so (`checksumNotReady`).
 * - `absent`: the sender chose to send none (UDP over IPv4, field 0; GRE).
 * - `offloaded`: a device has still to fill it in.
 * - `unverifiable`: not all bytes are there: a fragment, or a packet that was cut.
 */
export type ChecksumVerdict = 'ok' | 'bad' | 'absent' | 'offloaded' | 'unverifiable'

/** The IP addresses that the checksums of UDP, TCP and ICMPv6 cover; both of one family. */
export interface IpAddressPair {
  source: string
  destination: string
}

/**
 * The checksum of an upper-layer packet and its pseudo-header: what belongs in the field while that is 0, and 0
 * if the field holds the right checksum already.
 */
export function upperLayerChecksum(
  bytes: Uint8Array,
  protocol: number,
  addresses: IpAddressPair | undefined,
): number {
  if (addresses === undefined)
    throw invalidArgumentValue('addresses', addresses, 'must be given unless the record has a checksum')
  const source = parseIpAddress(addresses.source)
  const destination = parseIpAddress(addresses.destination)
  if (source.family !== destination.family)
    throw invalidArgumentValue('addresses', addresses, 'must be of one family')
  const sum = pseudoHeaderSum(source.bytes, destination.bytes, protocol, bytes.length)
  return finishChecksum(sum + checksumSum(bytes))
}

/**
 * The checksum after one of the 16-bit words that it covers was changed `from` one value `to` another, without looking
 * at the others: RFC 1624 equation 3. A checksum of UDP that is 0, none, must be left alone.
 */
export function updateChecksum(checksum: number, from: number, to: number): number {
  const value = requireInteger('checksum', checksum, 0, 0xffff)
  const removed = ~requireInteger('from', from, 0, 0xffff) & 0xffff
  return finishChecksum((~value & 0xffff) + removed + requireInteger('to', to, 0, 0xffff))
}
