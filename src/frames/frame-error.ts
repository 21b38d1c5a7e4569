import { NetloomError } from '../errors/index.js'

/** The part of a frame that an error or issue is about. */
export type FrameLayer =
  | 'link'
  | 'ethernet'
  | 'linux-sll'
  | 'linux-sll2'
  | 'loopback'
  | 'virtio-net'
  | 'vlan'
  | 'llc'
  | 'mpls'
  | 'pppoe'
  | 'arp'
  | 'lldp'
  | 'stp'
  | 'ipv4'
  | 'ipv6'
  | 'icmp'
  | 'icmpv6'
  | 'neighbor discovery'
  | 'mld'
  | 'igmp'
  | 'udp'
  | 'tcp'
  | 'gre'
  | 'vxlan'
  | 'geneve'
  | 'dhcpv4'
  | 'dhcpv6'
  | 'dns'
  | 'wireguard'

export type FrameErrorCode = 'ERR_FRAME_TRUNCATED' | 'ERR_FRAME_MALFORMED'

/** Bytes that are not a frame: `code` is `ERR_FRAME_TRUNCATED` or `ERR_FRAME_MALFORMED`. */
export class FrameError extends NetloomError {
  declare readonly code: FrameErrorCode
  readonly layer: FrameLayer

  constructor(code: FrameErrorCode, layer: FrameLayer, reason: string) {
    super(code, `${layer}: ${reason}`)
    this.layer = layer
  }
}

export function truncated(layer: FrameLayer, needed: number, available: number): FrameError {
  return new FrameError('ERR_FRAME_TRUNCATED', layer, `${needed} bytes needed, ${available} there`)
}

export function malformed(layer: FrameLayer, reason: string): FrameError {
  return new FrameError('ERR_FRAME_MALFORMED', layer, reason)
}
