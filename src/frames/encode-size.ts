import type { FrameLayers } from './encode.js'
import { tcpOptionsLength } from './tcp-options.js'

/**
 * Bytes of all headers around the innermost payload. Only memory depends on it: what it does not foresee costs a copy,
 * and what is wrong with a field is for the encoders to say.
 */
export function headroom(layers: FrameLayers): number {
  try {
    const length = headersLength(layers)
    return Number.isInteger(length) ? length : 0
  } catch {
    return 0
  }
}

function headersLength(layers: FrameLayers): number {
  const { llc, inner } = layers
  return (
    linkLength(layers) +
    4 * ((layers.vlans?.length ?? 0) + (layers.mpls?.length ?? 0)) +
    (llc ? (llc.snap ? 8 : ((llc.control ?? 3) & 3) === 3 ? 3 : 4) : 0) +
    (layers.pppoe ? 8 : 0) +
    networkLength(layers) +
    transportLength(layers) +
    tunnelLength(layers) +
    (inner ? headersLength(inner) : 0)
  )
}

function linkLength({ ethernet, linuxSll, linuxSll2, loopback }: FrameLayers): number {
  return ethernet ? 14 : linuxSll ? 16 : linuxSll2 ? 20 : loopback ? 4 : 0
}

function networkLength({ ipv4, ipv6 }: FrameLayers): number {
  if (ipv4) return 20 + (ipv4.options?.length ?? 0)
  if (!ipv6) return 0
  let length = 40
  for (const extension of ipv6.extensions ?? []) length += 'body' in extension ? 2 + extension.body.length : 8
  return length
}

function transportLength({ udp, tcp, icmp, icmpv6, gre }: FrameLayers): number {
  if (tcp) return 20 + tcpOptionsLength(tcp.options ?? [])
  if (!gre) return udp || icmp || icmpv6 ? 8 : 0
  const { checksum, key, sequence, acknowledgment } = gre
  const words = [checksum === false ? undefined : checksum, key, sequence, acknowledgment].filter(
    word => word !== undefined,
  )
  return 4 + 4 * words.length
}

function tunnelLength({ vxlan, geneve }: FrameLayers): number {
  let length = vxlan || geneve ? 8 : 0
  for (const { data } of geneve?.options ?? []) length += 4 + data.length
  return length
}
