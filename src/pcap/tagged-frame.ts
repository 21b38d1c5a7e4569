import { writeUint16 } from '../bytes/index.js'
import type { FileLinkType } from './file-link-type.js'

/** Where the EtherType is, and where what it tells of begins. */
const places: Partial<Record<FileLinkType, readonly [type: number, payload: number]>> = {
  ethernet: [12, 14],
  'linux-sll': [14, 16],
  'linux-sll2': [0, 20],
}

/**
 * A copy of the frame with its VLAN tag (`tpid << 16 | tci`) in the bytes, four more than before; the frame itself when
 * there is no place for it. Files have no other place to keep a tag.
 */
export function taggedFrame(frame: Uint8Array, linkType: FileLinkType, tag: number): Uint8Array {
  const place = places[linkType]
  if (place === undefined || frame.length < place[1]) return frame
  const [type, payload] = place
  const tagged = new Uint8Array(frame.length + 4)
  tagged.set(frame.subarray(0, payload))
  writeUint16(tagged, type, tag >>> 16)
  writeUint16(tagged, payload, tag & 0xffff)
  tagged.set(frame.subarray(type, type + 2), payload + 2)
  tagged.set(frame.subarray(payload), payload + 4)
  return tagged
}
