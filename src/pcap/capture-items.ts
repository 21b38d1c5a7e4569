/**
 * What capture files consist of, as plain objects: what a reader gives, a writer takes. Blocks of pcapng are those of
 * draft-ietf-opsawg-pcapng, section 4; the two headers of a pcap file (draft-ietf-opsawg-pcap) are a section with one
 * interface. Options stand in the order of the file.
 */
import type { FileBatch } from './file-batch.js'
import type { FileLinkType } from './file-link-type.js'
import {
  euiAddress,
  int32,
  int64,
  ipv4,
  ipv4Interface,
  ipv6,
  ipv6Interface,
  kindAndBytes,
  macAddress,
  processAndThread,
  resolution,
  text,
  timestampHalves,
  uint8,
  uint32,
  uint64,
} from './option-codecs.js'
import { many, type OptionValues, one, vital } from './option-table.js'

/** Numbers of blocks. */
export const blockTypes = {
  section: 0x0a0d0d0a,
  interface: 1,
  /** Obsolete; read, not written. */
  packet: 2,
  simplePacket: 3,
  names: 4,
  statistics: 5,
  enhancedPacket: 6,
  secrets: 10,
  custom: 0x00000bad,
  customNotCopied: 0x40000bad,
} as const

const comments = many(1, text)

export const sectionOptions = {
  comments,
  /** The machine that made the section. */
  hardware: one(2, text),
  operatingSystem: one(3, text),
  application: one(4, text),
}

export const interfaceOptions = {
  comments,
  name: one(2, text),
  description: one(3, text),
  /** `'192.0.2.1/255.255.255.0'` */
  ipv4Addresses: many(4, ipv4Interface),
  /** `'2001:db8::1/64'` */
  ipv6Addresses: many(5, ipv6Interface),
  macAddress: one(6, macAddress),
  euiAddress: one(7, euiAddress),
  speedBitsPerSecond: one(8, uint64),
  timestampResolution: vital(9, resolution),
  /** Obsolete, with no agreed meaning. */
  timeZone: one(10, int32),
  /** The filter of the capture: of kind 0 it is text in tcpdump's language, of kind 1 a program of BPF. */
  filter: one(11, kindAndBytes),
  operatingSystem: one(12, text),
  /** Bytes of frame check sequence at the end of each frame. */
  fcsLength: one(13, uint8),
  /** Added to every time stamp. */
  timestampOffsetSeconds: vital(14, int64),
  hardware: one(15, text),
  transmitBitsPerSecond: one(16, uint64),
  receiveBitsPerSecond: one(17, uint64),
  timeZoneName: one(18, text),
}

export const packetOptions = {
  comments,
  /** The bits of `frameFlags`. */
  flags: one(2, uint32),
  /** Of kind 2 it is a CRC32, 3 MD5, 4 SHA-1, 5 Toeplitz. */
  hashes: many(3, kindAndBytes),
  /** Packets of this interface that were lost since the one before. */
  dropCount: one(4, uint64),
  packetId: one(5, uint64),
  queue: one(6, uint32),
  /** Of kind 1 it is from Linux' TC, 2 from XDP: eight bytes. */
  verdicts: many(7, kindAndBytes),
  process: one(8, processAndThread),
}

export const statisticsOptions = {
  comments,
  /** In units of the interface, as are those of the packets. */
  startTicks: one(2, timestampHalves),
  endTicks: one(3, timestampHalves),
  received: one(4, uint64),
  /** Lost for want of room. */
  dropped: one(5, uint64),
  filterAccepted: one(6, uint64),
  droppedBySystem: one(7, uint64),
  delivered: one(8, uint64),
}

export const namesOptions = {
  comments,
  serverName: one(2, text),
  serverIpv4: one(3, ipv4),
  serverIpv6: one(4, ipv6),
}

export const secretsOptions = { comments }

/** The head of a file, or of one part of a pcapng file. */
export interface CaptureSection extends OptionValues<typeof sectionOptions> {
  type: 'section'
  format: 'pcap' | 'pcapng'
  littleEndian: boolean
  version: readonly [major: number, minor: number]
  /** Of pcap: what its packets are preceded by; other than `'standard'` is long gone. */
  variant?: PcapVariant | undefined
  /** Of pcapng: bytes of the section without its header, where it says. */
  length?: bigint | undefined
  /** Those that have been met so far. */
  interfaces: CaptureInterface[]
}

/**
 * Headers of packets: 16 bytes; 24 with interface, protocol and direction (Kuznetzov's); the same with the usual
 * magic number (Red Hat 6.1), or with 28 (SuSE 6.3); 20 (Nokia).
 */
export type PcapVariant = 'standard' | 'modified' | 'red-hat-6.1' | 'suse-6.3' | 'nokia'

/** Where packets were captured. */
export interface CaptureInterface extends OptionValues<typeof interfaceOptions> {
  type: 'interface'
  linkType: FileLinkType
  /** Most bytes that were kept of a packet; 0 is no limit. */
  snapLength: number
}

/** A packet with all that the file says of it. */
export interface CapturePacket extends OptionValues<typeof packetOptions> {
  type: 'packet'
  /** Number of the interface in its section. */
  interface: number
  /**
   * Nanoseconds since 1970-01-01 UTC, rounded down where the file is finer. A simple packet, a kind of block that says
   * nothing but the bytes, has none.
   */
  timestamp?: bigint | undefined
  /** The time stamp in units of the interface, where nanoseconds do not say it. */
  ticks?: bigint | undefined
  data: Uint8Array
  /** Bytes that it had on the wire. */
  originalLength: number
}

/** What an interface had counted at some time. */
export interface InterfaceStatistics extends OptionValues<typeof statisticsOptions> {
  type: 'statistics'
  /** Number of the interface in its section. */
  interface: number
  /** In units of the interface; see `interfaces` of the section. */
  ticks: bigint
}

export interface CaptureName {
  kind: 'ipv4' | 'ipv6' | 'mac' | 'eui64'
  /** In the usual spelling; an EUI-64 as eight bytes with colons. */
  address: string
  names: readonly string[]
}

/** Names of addresses. */
export interface CaptureNames extends OptionValues<typeof namesOptions> {
  type: 'names'
  records: readonly (CaptureName | RawNameRecord)[]
}

/** A record of names of a kind that is not known, or whose names are not texts of UTF-8. */
export interface RawNameRecord {
  kind: number
  value: Uint8Array
}

/** Keys for what is encrypted in the packets, for example a TLS key log. */
export interface CaptureSecrets extends OptionValues<typeof secretsOptions> {
  type: 'secrets'
  /** One of {@link secretsKinds}, or another number. */
  kind: number
  data: Uint8Array
}

/** Numbers of `secrets_type`: four letters each. */
export const secretsKinds = {
  tlsKeyLog: 0x544c534b,
  sshKeyLog: 0x5353484b,
  wireguardKeyLog: 0x57474b4c,
  zigbeeNwkKey: 0x5a4e574b,
  zigbeeApsKey: 0x5a415053,
  opcUaKeyLog: 0x55414b4c,
} as const

/** A block of somebody's own. */
export interface CustomBlock {
  type: 'custom'
  /** False for a block that programs which change the file must leave out. */
  copy: boolean
  /** Private enterprise number (IANA) of who says what is in it. */
  enterprise: number
  /** All after the number: data, padding and options. A multiple of 4 bytes. */
  data: Uint8Array
}

/** A block of a kind that is not known, as it stands in the file. */
export interface UnknownBlock {
  type: 'unknown'
  blockType: number
  /** Without the two lengths around it. A multiple of 4 bytes. */
  body: Uint8Array
}

/** The file ends within a header, block or packet, which is left out. */
export interface CaptureCut {
  type: 'cut'
  /** Where it begins, in bytes from the beginning of the file. */
  offset: number
  /** Bytes that are there. */
  length: number
}

/** One thing after the other, in the order of the file. */
export type CaptureItem =
  | CaptureSection
  | CaptureInterface
  | FileBatch
  | InterfaceStatistics
  | CaptureNames
  | CaptureSecrets
  | CustomBlock
  | UnknownBlock
  | CaptureCut
