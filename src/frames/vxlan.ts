/**
 * VXLAN: RFC 7348 section 5, with the group policy of draft-smith-vxlan-group-policy.
 *
 *   0   2  flags: group policy (0x8000), valid identifier (0x0800), don't learn (0x0040), policy applied (0x0008)
 *   2   2  group policy, or 0
 *   4   3  VXLAN network identifier
 *   7   1  reserved
 *   8      an Ethernet frame
 */

import { readUint16, readUint32, writeUint16, writeUint32 } from '../bytes/index.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, uint } from './record.js'

const headerLength = 8

/** The port that IANA has for it. Linux takes 8472 unless told otherwise. */
export const vxlanPort = 4789

export class VxlanView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('vxlan', headerLength, bytes, start, end)
  }

  get flags(): number {
    return readUint16(this.bytes, this.start)
  }

  get groupPolicy(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  /** Network identifier, 0 to 0xffffff. */
  get vni(): number {
    return readUint32(this.bytes, this.start + 4) >>> 8
  }

  get payloadOffset(): number {
    return this.start + headerLength
  }
}

export interface VxlanRecord {
  /** 0x0800 says that the identifier is valid. */
  flags: number
  /** With the flag 0x8000. */
  groupPolicy: number
  /** Network identifier, 0 to 0xffffff. */
  vni: number
  payload: Uint8Array
}

/** `flags` are 0x0800 unless given, `groupPolicy` 0. */
export type VxlanInput = Input<VxlanRecord, 'vni' | 'payload'>

/** @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeVxlan(bytes: Uint8Array): VxlanRecord {
  return vxlanRecord(new VxlanView(bytes))
}

export function vxlanRecord(view: VxlanView): VxlanRecord {
  const { flags, groupPolicy, vni } = view
  return { flags, groupPolicy, vni, payload: view.payload() }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeVxlan(record: VxlanInput): Uint8Array {
  const payload = byteField('payload', record.payload)
  const bytes = withHeader(headerLength, payload)
  writeUint16(bytes, 0, uint('flags', record.flags, 16, 0x0800))
  writeUint16(bytes, 2, uint('groupPolicy', record.groupPolicy, 16, 0))
  writeUint32(bytes, 4, uint('vni', record.vni, 24) << 8)
  return bytes
}
