/**
 * The header before a frame of a virtio network device: struct virtio_net_hdr of linux/virtio_net.h. Numbers are
 * little-endian.
 *
 *   0   1  flags
 *   1   1  kind of segmentation
 *   2   2  length of the headers, as a hint
 *   4   2  bytes of payload in each segment
 *   6   2  offset in the frame at which the checksum begins
 *   8   2  offset from there at which it is put
 *  10   2  number of buffers, if the header has 12 bytes
 */
import { readUint16, writeUint16 } from '../bytes/index.js'
import { invalidArgumentValue } from '../errors/index.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, uint } from './record.js'

/** Bits of the flags (VIRTIO_NET_HDR_F_). */
export const virtioNetFlags = { needsChecksum: 1, dataValid: 2, coalesced: 4 } as const

/** Kinds of segmentation (VIRTIO_NET_HDR_GSO_). `ecn` is a bit beside the others. */
export const virtioNetSegmentation = { none: 0, tcp4: 1, udp: 3, tcp6: 4, udpL4: 5, ecn: 0x80 } as const

/** Bytes of a header: 12 with the number of buffers, which `IFF_VNET_HDR` of TUN and TAP leaves out. */
export type VirtioNetLength = 10 | 12

export class VirtioNetView extends FrameView {
  readonly headerLength: VirtioNetLength

  constructor(bytes: Uint8Array, start?: number, end?: number, headerLength: VirtioNetLength = 10) {
    super('virtio-net', requireHeaderLength(headerLength), bytes, start, end)
    this.headerLength = headerLength
  }

  /** Bits of {@link virtioNetFlags}. */
  get flags(): number {
    return this.bytes[this.start]!
  }

  /** One of {@link virtioNetSegmentation}, with or without `ecn`. */
  get segmentation(): number {
    return this.bytes[this.start + 1]!
  }

  /** Bytes of all headers, as a hint. */
  get headersLength(): number {
    return this.#uint16(2)
  }

  /** Bytes of payload in each segment. */
  get segmentSize(): number {
    return this.#uint16(4)
  }

  /** Offset in the frame at which the checksum begins. */
  get checksumStart(): number {
    return this.#uint16(6)
  }

  /** Offset from there at which it is put. */
  get checksumOffset(): number {
    return this.#uint16(8)
  }

  /** 0 in a header of 10 bytes. */
  get buffers(): number {
    return this.headerLength === 12 ? this.#uint16(10) : 0
  }

  get payloadOffset(): number {
    return this.start + this.headerLength
  }

  #uint16(offset: number): number {
    return swap16(readUint16(this.bytes, this.start + offset))
  }
}

export interface VirtioNetRecord {
  /** Bits of {@link virtioNetFlags}. */
  flags: number
  /** One of {@link virtioNetSegmentation}, with or without `ecn`. */
  segmentation: number
  headersLength: number
  segmentSize: number
  checksumStart: number
  checksumOffset: number
  /** In a header of 12 bytes. */
  buffers?: number | undefined
  /** The frame. */
  payload: Uint8Array
}

/** All is 0 unless given; with `buffers` the header has 12 bytes. */
export type VirtioNetInput = Input<VirtioNetRecord, 'payload'>

/** `headerLength` is 10 unless given. @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeVirtioNet(bytes: Uint8Array, headerLength: VirtioNetLength = 10): VirtioNetRecord {
  const view = new VirtioNetView(bytes, 0, undefined, headerLength)
  const { flags, segmentation, headersLength, segmentSize, checksumStart, checksumOffset, buffers } = view
  return {
    flags,
    segmentation,
    headersLength,
    segmentSize,
    checksumStart,
    checksumOffset,
    ...(headerLength === 12 && { buffers }),
    payload: view.payload(),
  }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeVirtioNet(record: VirtioNetInput): Uint8Array {
  const payload = byteField('payload', record.payload)
  const length = record.buffers === undefined ? 10 : 12
  const bytes = new Uint8Array(length + payload.length)
  bytes[0] = uint('flags', record.flags, 8, 0)
  bytes[1] = uint('segmentation', record.segmentation, 8, 0)
  const names = ['headersLength', 'segmentSize', 'checksumStart', 'checksumOffset', 'buffers'] as const
  names.forEach((name, i) => {
    if (2 + 2 * i < length) writeUint16(bytes, 2 + 2 * i, swap16(uint(name, record[name], 16, 0)))
  })
  bytes.set(payload, length)
  return bytes
}

function requireHeaderLength(length: number): number {
  if (length !== 10 && length !== 12) throw invalidArgumentValue('headerLength', length, 'must be 10 or 12')
  return length
}

function swap16(value: number): number {
  return (value >> 8) | ((value & 0xff) << 8)
}
