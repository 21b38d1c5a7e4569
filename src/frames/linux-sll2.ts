/**
 * Linux "cooked" captures with the interface, LINKTYPE_LINUX_SLL2.
 *
 *   0   2  EtherType; 1 and 4 are 802.3 and 802.2 without one
 *   2   2  reserved
 *   4   4  interface index
 *   8   2  ARPHRD_ type (linux/if_arp.h)
 *  10   1  packet type: 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us (linux/if_packet.h)
 *  11   1  length of the sender's address
 *  12   8  the address, of which no more than 8 bytes are kept
 *  20      payload
 */

import { readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { formatLinkAddress, parseLinkAddress } from './link-address.js'
import type { LinuxSllRecord } from './linux-sll.js'
import { byteField, type Input, uint } from './record.js'

const headerLength = 20

export class LinuxSll2View extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('linux-sll2', headerLength, bytes, start, end)
  }

  get protocol(): number {
    return readUint16(this.bytes, this.start)
  }

  get interfaceIndex(): number {
    return readUint32(this.bytes, this.start + 4)
  }

  /** ARPHRD_: 1 is Ethernet, 772 loopback. */
  get hardwareType(): number {
    return readUint16(this.bytes, this.start + 8)
  }

  /** 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us. */
  get packetType(): number {
    return this.bytes[this.start + 10]!
  }

  get addressLength(): number {
    return this.bytes[this.start + 11]!
  }

  /** Of the sender; empty where the link has none. */
  get address(): string {
    return formatLinkAddress(this.bytes, this.start + 12, Math.min(8, this.addressLength))
  }

  get payloadOffset(): number {
    return this.start + headerLength
  }
}

export interface LinuxSll2Record extends LinuxSllRecord {
  interfaceIndex: number
}

/** `packetType` is 0, `hardwareType` 1, and there is no address, unless given. */
export type LinuxSll2Input = Input<LinuxSll2Record, 'protocol' | 'interfaceIndex' | 'payload'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeLinuxSll2(bytes: Uint8Array): LinuxSll2Record {
  return linuxSll2Record(new LinuxSll2View(bytes))
}

export function linuxSll2Record(view: LinuxSll2View): LinuxSll2Record {
  const { interfaceIndex, packetType, hardwareType, addressLength, address, protocol } = view
  const payload = view.payload()
  return { interfaceIndex, packetType, hardwareType, addressLength, address, protocol, payload }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeLinuxSll2(record: LinuxSll2Input): Uint8Array {
  const payload = byteField('payload', record.payload)
  const address = parseLinkAddress('address', record.address ?? '', 8)
  const bytes = withHeader(headerLength, payload)
  writeUint16(bytes, 0, uint('protocol', record.protocol, 16))
  writeUint32(bytes, 4, uint('interfaceIndex', record.interfaceIndex, 32))
  writeUint16(bytes, 8, uint('hardwareType', record.hardwareType, 16, 1))
  bytes[10] = uint('packetType', record.packetType, 8, 0)
  bytes[11] = uint('addressLength', record.addressLength, 8, address.length)
  bytes.set(address, 12)
  return bytes
}
