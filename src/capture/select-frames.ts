import { readUint16, readUint32, writeUint32 } from '../bytes/index.js'
import type { FilterMetadata, FilterProgram } from '../filter/index.js'
import { frameFlags } from '../frames/index.js'
import type { Slab } from '../port/index.js'
import type { CaptureLinkType } from './link-type.js'

/** Bytes of the header of LINKTYPE_LINUX_SLL2, which the kernel's programs do not see. */
const cookedHeader = 20
const tag = 4
/** Bytes before the tag of an Ethernet frame. */
const addresses = 12

/** The columns that frames are chosen from. */
export type FrameColumns = Pick<
  Slab,
  | 'bytes'
  | 'offsets'
  | 'lengths'
  | 'timestamps'
  | 'originalLengths'
  | 'flags'
  | 'vlans'
  | 'interfaces'
  | 'headers'
>

export interface FrameSelection {
  /** Made for live sockets; `undefined` takes all. */
  program: FilterProgram | undefined
  linkType: CaptureLinkType
  /** The frames' entries in the columns. */
  first: number
  count: number
  /** How many of them are to be looked at; those after them stay. */
  some: number
  /** The tags in the column `vlans` are in the bytes as well; the column is cleared. */
  inline: boolean
}

/** Runs a program on frames as the kernel had them. Those that pass move to the front: how many they are. */
export function selectFrames(slab: FrameColumns, selection: FrameSelection): number {
  const { program, first, count, some, inline } = selection
  const { offsets, lengths, timestamps, originalLengths, flags, vlans, interfaces, headers } = slab
  const headerBytes = headers.length / offsets.length
  let to = first
  for (let i = first; i < first + count; i++) {
    if (program && i < first + some && !passes(program, slab, i, selection)) continue
    if (to !== i) {
      offsets[to] = offsets[i]!
      lengths[to] = lengths[i]!
      timestamps[to] = timestamps[i]!
      originalLengths[to] = originalLengths[i]!
      flags[to] = flags[i]!
      vlans[to] = vlans[i]!
      interfaces[to] = interfaces[i]!
      headers.copyWithin(to * headerBytes, i * headerBytes, (i + 1) * headerBytes)
    }
    if (inline) vlans[to] = 0
    to++
  }
  return to - first
}

function passes(
  program: FilterProgram,
  slab: FrameColumns,
  i: number,
  { linkType, inline }: FrameSelection,
): boolean {
  const { bytes } = slab
  const cooked = linkType === 'linux-sll2'
  const vlan = slab.vlans[i]!
  const inserted = inline && vlan !== 0 ? tag : 0
  const begin = slab.offsets[i]!
  const end = begin + slab.lengths[i]!
  const before = (cooked ? cookedHeader : 0) + inserted
  const metadata: FilterMetadata = {
    length: slab.originalLengths[i]! - before,
    direction: (slab.flags[i]! & frameFlags.directionMask) === frameFlags.outbound ? 'outbound' : 'inbound',
    interface: slab.interfaces[i]!,
    ...(vlan && { vlan: { tci: vlan & 0xffff, protocol: vlan >>> 16 } }),
    // With a tag, the packet's own protocol comes after it.
    ...(cooked && { protocol: readUint16(bytes, inserted ? begin + cookedHeader + 2 : begin) }),
  }
  if (cooked || !inserted) return program.match(bytes.subarray(begin + before, end), metadata)
  // The addresses move up, in place of the tag, for as long as it takes.
  const saved = readUint32(bytes, begin + addresses)
  bytes.copyWithin(begin + tag, begin, begin + addresses)
  const passed = program.match(bytes.subarray(begin + tag, end), metadata)
  bytes.copyWithin(begin, begin + tag, begin + tag + addresses)
  writeUint32(bytes, begin + addresses, saved)
  return passed
}
