/**
 * The VLAN tag: IEEE 802.1Q clause 9.6. The type before it says which tag it is: 0x8100 or, in 802.1ad, 0x88a8.
 *
 *   0   2  priority (3 bits), drop eligible (1), VLAN identifier (12)
 *   2   2  EtherType of what follows, or its length
 *   4      payload
 */

import { readUint16, writeUint16 } from '../bytes/index.js'
import { withHeader } from './frame-room.js'
import { FrameView } from './frame-view.js'
import { byteField, type Input, uint } from './record.js'

export class VlanView extends FrameView {
  constructor(bytes: Uint8Array, start?: number, end?: number) {
    super('vlan', 4, bytes, start, end)
  }

  /** 0 to 7. */
  get priority(): number {
    return this.bytes[this.start]! >> 5
  }

  get dropEligible(): boolean {
    return (this.bytes[this.start]! & 0x10) !== 0
  }

  /** 0 (priority only) to 4095. */
  get id(): number {
    return readUint16(this.bytes, this.start) & 0xfff
  }

  get type(): number {
    return readUint16(this.bytes, this.start + 2)
  }

  get payloadOffset(): number {
    return this.start + 4
  }
}

export interface VlanRecord {
  priority: number
  dropEligible: boolean
  id: number
  /** EtherType of the payload. */
  type: number
  payload: Uint8Array
}

export type VlanInput = Input<VlanRecord, 'id' | 'type' | 'payload'>

/** Decodes what follows the type 0x8100 or 0x88a8. @throws NetloomError `ERR_FRAME_TRUNCATED` */
export function decodeVlan(bytes: Uint8Array): VlanRecord {
  return vlanRecord(new VlanView(bytes))
}

export function vlanRecord(view: VlanView): VlanRecord {
  const { priority, dropEligible, id, type } = view
  return { priority, dropEligible, id, type, payload: view.payload() }
}

/** @throws TypeError, RangeError for a field that does not fit */
export function encodeVlan(record: VlanInput): Uint8Array {
  const payload = byteField('payload', record.payload)
  const bytes = withHeader(4, payload)
  const priority = uint('priority', record.priority, 3, 0)
  writeUint16(bytes, 0, (priority << 13) | (record.dropEligible ? 0x1000 : 0) | uint('id', record.id, 12))
  writeUint16(bytes, 2, uint('type', record.type, 16))
  return bytes
}
