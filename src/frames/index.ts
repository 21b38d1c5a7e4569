/**
 * Codecs: a view and a record per protocol, whole frames, and one-line descriptions. And what frames travel in, a
 * {@link FrameBatch}.
 *
 * A *view* (`TcpView`) reads fields in place and allocates nothing but strings; its constructor checks that the
 * header is there. A *record* (`TcpRecord`) is a plain object: `decodeTcp` makes one and `encodeTcp` takes one,
 * filling in lengths and checksums that are left out. Decoders throw a {@link FrameError} (`ERR_FRAME_TRUNCATED`,
 * `ERR_FRAME_MALFORMED`) on bad bytes and nothing else; encoders throw `TypeError` or `RangeError` on bad fields.
 * {@link decode}, {@link describe} and {@link verifyChecksums} never throw on bytes. Addresses are canonical
 * strings; byte arrays in records share memory with the frame.
 *
 * Pure; loads on any platform. May use `errors`, `bytes`, `address`.
 */
export {
  type ArpInput,
  type ArpRecord,
  ArpView,
  arpOperations,
  decodeArp,
  encodeArp,
} from './arp.js'
export type { ChecksumVerdict, IpAddressPair } from './checksum.js'
export { type FrameCodecName, frameCodecs } from './codecs.js'
export { type DecodedFrame, decode, type FrameIssue } from './decode.js'
export { type DescribeOptions, describe } from './describe.js'
export { encode, type FrameLayers } from './encode.js'
export { etherTypes } from './ether-types.js'
export {
  decodeEthernet,
  type EthernetInput,
  type EthernetRecord,
  EthernetView,
  encodeEthernet,
} from './ethernet.js'
export {
  type AllocateOptions,
  BufferBatch,
  FrameBatch,
  type FrameColumns,
  frameFlags,
  releasedBatch,
} from './frame-batch.js'
export { FrameError, type FrameErrorCode, type FrameLayer } from './frame-error.js'
export { FrameView } from './frame-view.js'
export {
  decodeIcmp,
  encodeIcmp,
  type IcmpInput,
  type IcmpRecord,
  IcmpView,
  icmpTypes,
  verifyIcmpChecksum,
} from './icmp.js'
export {
  decodeIcmpv6,
  encodeIcmpv6,
  type Icmpv6Input,
  type Icmpv6Record,
  Icmpv6View,
  icmpv6Types,
  verifyIcmpv6Checksum,
} from './icmpv6.js'
export { ipProtocols } from './ip-protocols.js'
export {
  decodeIpv4,
  encodeIpv4,
  type Ipv4Input,
  type Ipv4Record,
  Ipv4View,
  verifyIpv4Checksum,
} from './ipv4.js'
export {
  decodeIpv6,
  encodeIpv6,
  type Ipv6Extension,
  type Ipv6FragmentExtension,
  type Ipv6Input,
  type Ipv6OpaqueExtension,
  type Ipv6Record,
  Ipv6View,
} from './ipv6.js'
export { type LinkType, linkTypes } from './link-type.js'
export {
  decodeNeighborDiscovery,
  encodeNeighborDiscovery,
  type NeighborAdvertisement,
  type NeighborDiscoveryInput,
  type NeighborDiscoveryRecord,
  NeighborDiscoveryView,
  type NeighborRedirect,
  type NeighborSolicitation,
  type RouterAdvertisement,
  type RouterSolicitation,
} from './neighbor-discovery.js'
export type { NeighborDiscoveryOption, PrefixOption } from './neighbor-discovery-options.js'
export {
  decodeTcp,
  encodeTcp,
  type TcpFlag,
  type TcpInput,
  type TcpRecord,
  TcpView,
  tcpFlags,
  verifyTcpChecksum,
} from './tcp.js'
export type { TcpOption } from './tcp-options.js'
export {
  decodeUdp,
  encodeUdp,
  type UdpInput,
  type UdpRecord,
  UdpView,
  verifyUdpChecksum,
} from './udp.js'
export { type ChecksumVerdicts, verifyChecksums } from './verify.js'
export { decodeVlan, encodeVlan, type VlanInput, type VlanRecord, VlanView } from './vlan.js'
