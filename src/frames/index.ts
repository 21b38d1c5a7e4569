/**
 * Codecs: a view and a record per protocol, whole frames, one-line descriptions and trees; cursors, edits and fragments.
 * And what frames travel in, a {@link FrameBatch}.
 *
 * A *view* (`TcpView`) reads fields in place and allocates nothing but strings; its constructor checks that the
 * header is there. A *record* (`TcpRecord`) is a plain object: `decodeTcp` makes one and `encodeTcp` takes one,
 * filling in lengths and checksums that are left out. Decoders throw a {@link FrameError} (`ERR_FRAME_TRUNCATED`,
 * `ERR_FRAME_MALFORMED`) on bad bytes and nothing else; encoders throw `TypeError` or `RangeError` on bad fields.
 * {@link decode}, {@link describe}, {@link decodeTree}, {@link verifyChecksums} and {@link FrameCursor} never throw on
 * bytes; how headers follow one another all of them have from one walk. Addresses are canonical strings; byte arrays in
 * records share memory with the frame.
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
export { type ChecksumVerdict, type IpAddressPair, updateChecksum } from './checksum.js'
export { type FrameCodecName, frameCodecs } from './codecs.js'
export { type DecodedFrame, type DecodeOptions, decode, type FrameIssue } from './decode.js'
export { decodeTree } from './decode-tree.js'
export { type DescribeOptions, describe } from './describe.js'
export {
  type Dhcpv4Input,
  type Dhcpv4Record,
  Dhcpv4View,
  decodeDhcpv4,
  dhcpv4Ports,
  encodeDhcpv4,
} from './dhcpv4.js'
export {
  type ClasslessRoute,
  type Dhcpv4Option,
  dhcpv4MessageTypes,
  dhcpv4Options,
} from './dhcpv4-options.js'
export {
  type Dhcpv6Input,
  type Dhcpv6Record,
  Dhcpv6View,
  decodeDhcpv6,
  dhcpv6Ports,
  dhcpv6Types,
  encodeDhcpv6,
} from './dhcpv6.js'
export {
  type Dhcpv6Address,
  type Dhcpv6Association,
  type Dhcpv6Option,
  type Dhcpv6Prefix,
  type Dhcpv6Status,
  type Dhcpv6TemporaryAssociation,
  dhcpv6Options,
} from './dhcpv6-options.js'
export {
  type DnsMessage,
  type DnsOpt,
  type DnsPacket,
  type DnsQuestion,
  type DnsRawType,
  type DnsResource,
  type DnsResourceOf,
  dnsPorts,
  registerDns,
} from './dns.js'
export type { DnsInput, DnsResourceInput } from './dns-input.js'
export { encode, type FrameLayers } from './encode.js'
export { encodeOffloaded, type OffloadedFrame } from './encode-offloaded.js'
export { etherTypes } from './ether-types.js'
export {
  decodeEthernet,
  type EthernetInput,
  type EthernetRecord,
  EthernetView,
  encodeEthernet,
} from './ethernet.js'
export { type FragmentIpv6Options, fragmentIpv4, fragmentIpv6 } from './fragment.js'
export {
  type AllocateOptions,
  BufferBatch,
  FrameBatch,
  type FrameColumns,
  frameFlags,
  releasedBatch,
} from './frame-batch.js'
export { FrameCursor } from './frame-cursor.js'
export { FrameEditor } from './frame-editor.js'
export { FrameError, type FrameErrorCode, type FrameLayer } from './frame-error.js'
export { FrameView } from './frame-view.js'
export {
  decodeGeneve,
  encodeGeneve,
  type GeneveInput,
  type GeneveOption,
  type GeneveRecord,
  GeneveView,
  genevePort,
} from './geneve.js'
export {
  decodeGre,
  encodeGre,
  type GreInput,
  type GreRecord,
  GreView,
  verifyGreChecksum,
} from './gre.js'
export { type Gso, GsoColumn } from './gso-column.js'
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
export {
  decodeIgmp,
  encodeIgmp,
  type IgmpInput,
  type IgmpRecord,
  IgmpView,
  igmpTypes,
  verifyIgmpChecksum,
} from './igmp.js'
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
export type { LinkedFrame } from './linked-frame.js'
export {
  decodeLinuxSll,
  encodeLinuxSll,
  type LinuxSllInput,
  type LinuxSllRecord,
  LinuxSllView,
} from './linux-sll.js'
export {
  decodeLinuxSll2,
  encodeLinuxSll2,
  type LinuxSll2Input,
  type LinuxSll2Record,
  LinuxSll2View,
} from './linux-sll2.js'
export {
  decodeLlc,
  encodeLlc,
  type LlcInput,
  type LlcRecord,
  LlcView,
  llcAccessPoints,
} from './llc.js'
export {
  decodeLldp,
  encodeLldp,
  type LldpElement,
  type LldpManagementAddress,
  type LldpRecord,
  LldpView,
  lldpCapabilities,
} from './lldp.js'
export {
  decodeLoopback,
  encodeLoopback,
  type LoopbackInput,
  type LoopbackRecord,
  LoopbackView,
} from './loopback.js'
export {
  decodeMld,
  encodeMld,
  type MldInput,
  type MldRecord,
  MldView,
} from './mld.js'
export {
  decodeMpls,
  encodeMpls,
  type MplsInput,
  type MplsRecord,
  MplsView,
} from './mpls.js'
export {
  type MulticastQuery,
  type MulticastRecord,
  multicastRecordTypes,
} from './multicast-records.js'
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
export type { OptionOf, OptionTable, OptionValue, UnknownOption } from './option-values.js'
export {
  decodePppoe,
  encodePppoe,
  type PppoeInput,
  type PppoeRecord,
  type PppoeTag,
  PppoeView,
  pppoeCodes,
  pppoeTags,
  pppProtocols,
} from './pppoe.js'
export { Reassembler, type ReassemblerCounters, type ReassemblerOptions } from './reassembler.js'
export {
  decodeStp,
  encodeStp,
  type StpBridgeId,
  type StpConfiguration,
  type StpInput,
  type StpRecord,
  StpView,
  stpFlags,
  stpTypes,
} from './stp.js'
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
export type { FrameNode } from './tree-fields.js'
export {
  decodeUdp,
  encodeUdp,
  type UdpInput,
  type UdpRecord,
  UdpView,
  verifyUdpChecksum,
} from './udp.js'
export { type ChecksumVerdicts, type VerifyOptions, verifyChecksums } from './verify.js'
export {
  decodeVirtioNet,
  encodeVirtioNet,
  type VirtioNetInput,
  type VirtioNetLength,
  type VirtioNetRecord,
  VirtioNetView,
  virtioNetFlags,
  virtioNetSegmentation,
} from './virtio-net.js'
export { decodeVlan, encodeVlan, type VlanInput, type VlanRecord, VlanView } from './vlan.js'
export {
  decodeVxlan,
  encodeVxlan,
  type VxlanInput,
  type VxlanRecord,
  VxlanView,
  vxlanPort,
} from './vxlan.js'
export {
  decodeWireguard,
  encodeWireguard,
  type WireguardCookie,
  type WireguardData,
  type WireguardInitiation,
  type WireguardRecord,
  type WireguardResponse,
  WireguardView,
  wireguardPort,
  wireguardTypes,
} from './wireguard.js'
