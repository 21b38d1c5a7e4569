import { readUint16 } from '../bytes/index.js'
import type { FilterMetadata, FilterProgram } from '../filter/index.js'
import { frameFlags } from '../frames/index.js'
import type { Slab } from '../port/index.js'
import type { CaptureLinkType } from './link-type.js'

/** Bytes of the header of LINKTYPE_LINUX_SLL2, which the kernel's programs do not see. */
const cookedHeader = 20

/**
 * Runs a program for live sockets on the first `some` of `count` frames in the columns of a slab, as the kernel would
 * have. Those that pass, and those after them, move to the front: how many they are.
 */
export function selectFrames(
  program: FilterProgram,
  linkType: CaptureLinkType,
  slab: Slab,
  first: number,
  count: number,
  some: number,
): number {
  const { bytes, offsets, lengths, timestamps, originalLengths, flags, vlans, interfaces, headers } = slab
  const header = linkType === 'linux-sll2' ? cookedHeader : 0
  const headerBytes = headers.length / offsets.length
  let to = first
  for (let i = first; i < first + count; i++) {
    const offset = offsets[i]!
    const direction = flags[i]! & frameFlags.directionMask
    if (i < first + some) {
      const metadata: FilterMetadata = {
        length: originalLengths[i]! - header,
        direction: direction === frameFlags.outbound ? 'outbound' : 'inbound',
        interface: interfaces[i]!,
        ...(vlans[i] && { vlan: { tci: vlans[i]! & 0xffff, protocol: vlans[i]! >>> 16 } }),
        ...(header && { protocol: readUint16(bytes, offset) }),
      }
      if (!program.match(bytes.subarray(offset + header, offset + lengths[i]!), metadata)) continue
    }
    if (to !== i) {
      offsets[to] = offset
      lengths[to] = lengths[i]!
      timestamps[to] = timestamps[i]!
      originalLengths[to] = originalLengths[i]!
      flags[to] = flags[i]!
      vlans[to] = vlans[i]!
      interfaces[to] = interfaces[i]!
      headers.copyWithin(to * headerBytes, i * headerBytes, (i + 1) * headerBytes)
    }
    to++
  }
  return to - first
}
