/**
 * ARP for IPv4 over Ethernet: RFC 826.
 *
 *   0   2  hardware type: 1 is Ethernet
 *   2   2  protocol type: 0x0800
 *   4   1  length of a hardware address: 6
 *   5   1  length of a protocol address: 4
 *   6   2  operation
 *   8   6  sender's MAC address
 *  14   4  sender's IPv4 address
 *  18   6  target's MAC address, zero in a request
 *  24   4  target's IPv4 address
 */
import { formatIpv4, formatMacAddress, parseIpv4, parseMacAddress } from '../address/index.js'
import { readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { malformed } from './frame-error.js'
import { FrameView } from './frame-view.js'
import { type Input, uint } from './record.js'

const arpLength = 28

export const arpOperations = { request: 1, reply: 2 } as const

export class ArpView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('arp', 8, bytes, start, end)
    // Addresses of other kinds have other lengths: there is nothing to show at the offsets above.
    if (readUint32(bytes, this.start) !== 0x00010800 || readUint16(bytes, this.start + 4) !== 0x0604)
      throw malformed('arp', 'only Ethernet and IPv4 addresses are understood')
    this.require('arp', arpLength)
  }

  /** One of {@link arpOperations}, or another number. */
  get operation(): number {
    return readUint16(this.bytes, this.start + 6)
  }

  get senderMacAddress(): string {
    return formatMacAddress(this.bytes, this.start + 8)
  }

  get senderIpAddress(): string {
    return formatIpv4(this.bytes, this.start + 14)
  }

  get targetMacAddress(): string {
    return formatMacAddress(this.bytes, this.start + 18)
  }

  get targetIpAddress(): string {
    return formatIpv4(this.bytes, this.start + 24)
  }

  get payloadOffset(): number {
    return this.start + arpLength
  }

  override get payloadEnd(): number {
    return this.payloadOffset
  }
}

export interface ArpRecord {
  operation: number
  senderMacAddress: string
  senderIpAddress: string
  targetMacAddress: string
  targetIpAddress: string
}

/** `targetMacAddress` is all zeros unless given. */
export type ArpInput = Input<
  ArpRecord,
  'operation' | 'senderMacAddress' | 'senderIpAddress' | 'targetIpAddress'
>

/** What follows the 28 bytes is padding. @throws NetloomError `ERR_FRAME_TRUNCATED`, `ERR_FRAME_MALFORMED` */
export function decodeArp(bytes: Uint8Array): ArpRecord {
  const view = new ArpView(bytes)
  return {
    operation: view.operation,
    senderMacAddress: view.senderMacAddress,
    senderIpAddress: view.senderIpAddress,
    targetMacAddress: view.targetMacAddress,
    targetIpAddress: view.targetIpAddress,
  }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeArp(record: ArpInput): Uint8Array {
  const bytes = new Uint8Array(arpLength)
  writeUint32(bytes, 0, 0x00010800)
  writeUint16(bytes, 4, 0x0604)
  writeUint16(bytes, 6, uint('operation', record.operation, 16))
  bytes.set(parseMacAddress(record.senderMacAddress), 8)
  bytes.set(parseIpv4(record.senderIpAddress), 14)
  if (record.targetMacAddress !== undefined) bytes.set(parseMacAddress(record.targetMacAddress), 18)
  bytes.set(parseIpv4(record.targetIpAddress), 24)
  return bytes
}
