import type { ChecksumVerdict } from './checksum.js'
import { etherTypes } from './ether-types.js'
import { FrameError } from './frame-error.js'
import { verifyIcmpChecksum } from './icmp.js'
import { verifyIcmpv6Checksum } from './icmpv6.js'
import { ipProtocols } from './ip-protocols.js'
import { Ipv4View, verifyIpv4Checksum } from './ipv4.js'
import { Ipv6View } from './ipv6.js'
import { nextVlan, openLink } from './link-layer.js'
import type { LinkType } from './link-type.js'
import { verifyTcpChecksum } from './tcp.js'
import { verifyUdpChecksum } from './udp.js'

/** A verdict for every layer of a frame that has a checksum. */
export interface ChecksumVerdicts {
  ipv4?: ChecksumVerdict
  icmp?: ChecksumVerdict
  icmpv6?: ChecksumVerdict
  udp?: ChecksumVerdict
  tcp?: ChecksumVerdict
}

/**
 * Checks all checksums of a frame. Those of fragments, of packets that were cut, and of packets that a routing
 * header still diverts are `unverifiable`. Never throws on bytes: layers that cannot be read have no verdict.
 */
export function verifyChecksums(frame: Uint8Array, linkType: LinkType = 'ethernet'): ChecksumVerdicts {
  const verdicts: ChecksumVerdicts = {}
  try {
    const link = openLink(frame, linkType)
    while (nextVlan(frame, link));
    if (link.etherType === etherTypes.ipv4) {
      const view = new Ipv4View(frame, link.offset, link.end)
      verdicts.ipv4 = verifyIpv4Checksum(frame.subarray(view.start, view.end))
      if (view.fragmentOffset === 0) verifyTransport(verdicts, view, view.isFragment || view.isCut)
    } else if (link.etherType === etherTypes.ipv6) {
      const view = new Ipv6View(frame, link.offset, link.end)
      const partial = view.isFragment || view.isCut || view.isRouted
      if (view.fragmentOffset === 0) verifyTransport(verdicts, view, partial)
    }
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
  }
  return verdicts
}

function verifyTransport(verdicts: ChecksumVerdicts, ip: Ipv4View | Ipv6View, partial: boolean): void {
  const bytes = ip.payload()
  switch (ip.protocol) {
    case ipProtocols.tcp:
      verdicts.tcp = partial ? 'unverifiable' : verifyTcpChecksum(bytes, ip)
      break
    case ipProtocols.udp:
      verdicts.udp = partial ? 'unverifiable' : verifyUdpChecksum(bytes, ip)
      break
    case ipProtocols.icmp:
      if (ip instanceof Ipv4View) verdicts.icmp = partial ? 'unverifiable' : verifyIcmpChecksum(bytes)
      break
    case ipProtocols.icmpv6:
      if (ip instanceof Ipv6View) verdicts.icmpv6 = partial ? 'unverifiable' : verifyIcmpv6Checksum(bytes, ip)
      break
  }
}
