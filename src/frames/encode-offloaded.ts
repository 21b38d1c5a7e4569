import { checksumSum, finishChecksum, writeUint16 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { encode, type FrameLayers } from './encode.js'
import { headers } from './header-kinds.js'
import { walkFrame } from './header-walk.js'
import { ipProtocols } from './ip-protocols.js'
import type { LinkType } from './link-type.js'

/** A frame whose transport checksum a device has still to fill in: what a virtio-net header says of it. */
export interface OffloadedFrame {
  frame: Uint8Array
  /** Offset in the frame at which the sum begins: that of the UDP or TCP header. */
  checksumStart: number
  /** Offset from there at which it is put. */
  checksumOffset: number
}

/**
 * As {@link encode}, but the checksum of the innermost UDP or TCP header holds the sum of its pseudo-header only, as
 * Linux leaves it to devices (`CHECKSUM_PARTIAL`). Checksums of what is around it are those of the finished frame.
 * @throws TypeError, RangeError for a field that does not fit, or without UDP and TCP
 */
export function encodeOffloaded(layers: FrameLayers): OffloadedFrame {
  const frame = encode(layers)
  const walk = walkFrame(frame, linkTypeOf(layers))
  let found: OffloadedFrame | undefined
  let pseudoHeader = 0
  while (walk.next() && !walk.broken && !walk.quoted) {
    const isUdp = walk.header === headers.udp
    if (!isUdp && walk.header !== headers.tcp) continue
    const { start, ip, limit } = walk
    const version = frame[ip]! >> 4
    const addresses =
      version === 4 ? checksumSum(frame, ip + 12, ip + 20) : checksumSum(frame, ip + 8, ip + 40)
    const protocol = isUdp ? ipProtocols.udp : ipProtocols.tcp
    pseudoHeader = ~finishChecksum(addresses + protocol + (limit - start)) & 0xffff
    found = { frame, checksumStart: start, checksumOffset: isUdp ? 6 : 16 }
  }
  if (!found) throw invalidArgumentValue('layers', layers, 'must have a whole UDP or TCP header')
  writeUint16(frame, found.checksumStart + found.checksumOffset, pseudoHeader)
  return found
}

function linkTypeOf(layers: FrameLayers): LinkType {
  if (layers.ethernet) return 'ethernet'
  if (layers.linuxSll) return 'linux-sll'
  if (layers.linuxSll2) return 'linux-sll2'
  return layers.loopback ? 'null' : 'ip'
}
