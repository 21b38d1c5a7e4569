/**
 * Linux "cooked" captures, LINKTYPE_LINUX_SLL: what a packet socket without link headers says of a packet.
 *
 *   0   2  packet type: 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us (linux/if_packet.h)
 *   2   2  ARPHRD_ type (linux/if_arp.h)
 *   4   2  length of the sender's address
 *   6   8  the address, of which no more than 8 bytes are kept
 *  14   2  EtherType; 1 and 4 are 802.3 and 802.2 without one
 *  16      payload
 */

import { readUint16, writeUint16 } from '../bytes/index.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { formatLinkAddress, parseLinkAddress } from './link-address.js'
import { byteField, type Input, uint } from './record.js'

const headerLength = 16

export class LinuxSllView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('linux-sll', headerLength, bytes, start, end)
  }

  /** 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us. */
  get packetType(): number {
    return readUint16(this.bytes, this.start)
  }

  /** ARPHRD_: 1 is Ethernet, 772 loopback. */
  get hardwareType(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  get addressLength(): number {
    return readUint16(this.bytes, this.start + 4)
  }

  /** Of the sender; empty where the link has none. */
  get address(): string {
    return formatLinkAddress(this.bytes, this.start + 6, Math.min(8, this.addressLength))
  }

  get protocol(): number {
    return readUint16(this.bytes, this.start + 14)
  }

  get payloadOffset(): number {
    return this.start + headerLength
  }
}

export interface LinuxSllRecord {
  /** 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us. */
  packetType: number
  /** ARPHRD_: 1 is Ethernet, 772 loopback. */
  hardwareType: number
  /** Bytes; more than 8 are not kept. */
  addressLength: number
  /** Of the sender; up to 8 bytes, `02:00:00:00:00:01`. */
  address: string
  /** EtherType; 1 and 4 are 802.3 and 802.2 without one. */
  protocol: number
  payload: Uint8Array
}

/** `packetType` is 0, `hardwareType` 1, and there is no address, unless given. */
export type LinuxSllInput = Input<LinuxSllRecord, 'protocol' | 'payload'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeLinuxSll(bytes: Uint8Array): LinuxSllRecord {
  return linuxSllRecord(new LinuxSllView(bytes))
}

export function linuxSllRecord(view: LinuxSllView): LinuxSllRecord {
  const { packetType, hardwareType, addressLength, address, protocol } = view
  return { packetType, hardwareType, addressLength, address, protocol, payload: view.payload() }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeLinuxSll(record: LinuxSllInput): Uint8Array {
  const payload = byteField('payload', record.payload)
  const address = parseLinkAddress('address', record.address ?? '', 8)
  const bytes = withHeader(headerLength, payload)
  writeUint16(bytes, 0, uint('packetType', record.packetType, 16, 0))
  writeUint16(bytes, 2, uint('hardwareType', record.hardwareType, 16, 1))
  writeUint16(bytes, 4, uint('addressLength', record.addressLength, 16, address.length))
  bytes.set(address, 6)
  writeUint16(bytes, 14, uint('protocol', record.protocol, 16))
  return bytes
}
