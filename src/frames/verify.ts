import { readUint16 } from '../bytes/index.js'
import { requireInteger, requireOptions } from '../errors/index.js'
import type { ChecksumVerdict } from './checksum.js'
import { frameFlags } from './frame-batch.js'
import { genevePort } from './geneve.js'
import { verifyGreChecksum } from './gre.js'
import { beginsPacket, headers } from './header-kinds.js'
import { type HeaderWalk, walkFrame } from './header-walk.js'
import { verifyIcmpChecksum } from './icmp.js'
import { verifyIcmpv6Checksum } from './icmpv6.js'
import { verifyIgmpChecksum } from './igmp.js'
import { Ipv4View, verifyIpv4Checksum } from './ipv4.js'
import { Ipv6View } from './ipv6.js'
import type { LinkType } from './link-type.js'
import { type LinkedFrame, linkedFrame } from './linked-frame.js'
import { verifyTcpChecksum } from './tcp.js'
import { verifyUdpChecksum } from './udp.js'
import { vxlanPort } from './vxlan.js'

/** A verdict for every layer of a frame that has a checksum. */
export interface ChecksumVerdicts {
  ipv4?: ChecksumVerdict
  icmp?: ChecksumVerdict
  icmpv6?: ChecksumVerdict
  igmp?: ChecksumVerdict
  udp?: ChecksumVerdict
  tcp?: ChecksumVerdict
  gre?: ChecksumVerdict
  /** Of the packet in a tunnel, if it has any. What ICMP errors quote is not judged: it may be cut, or rewritten. */
  inner?: ChecksumVerdicts
}

export interface VerifyOptions {
  /**
   * What is known of the frame beside its bytes, {@link frameFlags}: with `checksumNotReady`, wrong checksums of UDP
   * and TCP are `offloaded`.
   */
  flags?: number | undefined
}

/**
 * Checks all checksums of a frame, through tunnels. Those of fragments, of packets that were cut, and of packets that
 * a routing header still diverts are `unverifiable`. Never throws on bytes: layers that cannot be read have no verdict.
 * @param linkType what the bytes begin with: `ethernet` unless given; a packet says it itself, and its flags
 * @throws TypeError when `frame` is neither a Uint8Array nor a packet, or `linkType` is unknown
 */
export function verifyChecksums(
  frame: Uint8Array,
  linkType?: LinkType,
  options?: VerifyOptions,
): ChecksumVerdicts
export function verifyChecksums(packet: LinkedFrame, options?: VerifyOptions): ChecksumVerdicts
export function verifyChecksums(
  given: Uint8Array | LinkedFrame,
  second?: LinkType | VerifyOptions,
  third?: VerifyOptions,
): ChecksumVerdicts {
  const [packet, options] = linkedFrame(given, second, third)
  const { data: frame, linkType } = packet
  const { flags = packet.flags } = requireOptions('options', options, ['flags'])
  const offloaded = (requireInteger('flags', flags ?? 0, 0, 0xffffffff) & frameFlags.checksumNotReady) !== 0
  const walk = walkFrame(frame, linkType)
  const whole: ChecksumVerdicts = {}
  let level = whole
  let header: number = headers.none
  while (walk.next() && !walk.broken && !walk.quoted) {
    if (beginsPacket(header, walk.header)) {
      level.inner = {}
      level = level.inner
    }
    header = walk.header
    verify(level, walk, offloaded)
  }
  prune(whole)
  return whole
}

function verify(verdicts: ChecksumVerdicts, walk: HeaderWalk, offloaded: boolean): void {
  const { bytes, start, limit } = walk
  const partial = walk.fragment || walk.cut
  const all = () => bytes.subarray(start, limit)
  // Devices complete the sums of these two only.
  const completed = (verdict: ChecksumVerdict) => (offloaded && verdict === 'bad' ? 'offloaded' : verdict)
  switch (walk.header) {
    case headers.ipv4:
      verdicts.ipv4 = verifyIpv4Checksum(all())
      break
    case headers.tcp:
      verdicts.tcp =
        partial || walk.routed ? 'unverifiable' : completed(verifyTcpChecksum(all(), ipView(walk)))
      break
    case headers.udp:
      verdicts.udp = partial || walk.routed ? 'unverifiable' : completed(verifyUdp(walk))
      break
    case headers.icmp:
      verdicts.icmp = partial ? 'unverifiable' : verifyIcmpChecksum(all())
      break
    case headers.icmpv6:
      verdicts.icmpv6 = partial || walk.routed ? 'unverifiable' : verifyIcmpv6Checksum(all(), ipView(walk))
      break
    case headers.igmp:
      verdicts.igmp = partial ? 'unverifiable' : verifyIgmpChecksum(all())
      break
    case headers.gre: {
      const verdict = verifyGreChecksum(all())
      verdicts.gre = partial && verdict !== 'absent' ? 'unverifiable' : verdict
      break
    }
  }
}

/** Tunnels may do without over IPv6 too (RFC 6935). */
function verifyUdp(walk: HeaderWalk): ChecksumVerdict {
  const { bytes, start, limit } = walk
  const port = readUint16(bytes, start + 2)
  if ((port === vxlanPort || port === genevePort) && readUint16(bytes, start + 6) === 0) return 'absent'
  return verifyUdpChecksum(bytes.subarray(start, limit), ipView(walk))
}

function ipView({ bytes, ip, limit }: HeaderWalk): Ipv4View | Ipv6View {
  return bytes[ip]! >> 4 === 4 ? new Ipv4View(bytes, ip, limit) : new Ipv6View(bytes, ip, limit)
}

/** Drops inner packets that have no checksums. */
function prune(verdicts: ChecksumVerdicts): void {
  if (!verdicts.inner) return
  prune(verdicts.inner)
  if (Object.keys(verdicts.inner).length === 0) delete verdicts.inner
}
