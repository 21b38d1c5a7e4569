import { blockTypes, type CapturePacket, packetOptions } from './capture-items.js'
import type { BatchExtent } from './file-batch.js'
import { interfaceScale } from './interface-scale.js'
import { decodeOptions } from './option-table.js'

/** Bytes before the data in the blocks of pcapng, block header included. */
const enhancedHeader = 28

/** Entry `at` of the columns as a record. */
export function decodePacket(extent: BatchExtent, at: number): CapturePacket {
  const { slab, columns, section, timed, fileOffset } = extent
  const offset = columns.offsets[at]!
  const length = columns.lengths[at]!
  const number = columns.interfaces[at]!
  const packet: CapturePacket = {
    type: 'packet',
    interface: number,
    data: slab.subarray(offset, offset + length),
    originalLength: columns.originalLengths[at]!,
  }
  if (!timed) return packet
  if (section.format === 'pcap') {
    packet.timestamp = columns.timestamps[at]!
    return packet
  }
  const little = section.littleEndian
  const view = new DataView(slab.buffer, slab.byteOffset, slab.length)
  const begin = offset - enhancedHeader
  const scale = interfaceScale(section.interfaces[number]!)
  const ticks =
    (BigInt(view.getUint32(begin + 12, little)) << 32n) | BigInt(view.getUint32(begin + 16, little))
  packet.timestamp = scale.nanoseconds(ticks)
  if (!scale.isExact(ticks)) packet.ticks = ticks
  const end = begin + view.getUint32(begin + 4, little) - 4
  const options = offset + ((length + 3) & ~3)
  Object.assign(packet, decodeOptions(packetOptions, slab, options, end, little, fileOffset))
  if (view.getUint32(begin, little) === blockTypes.packet) {
    const dropped = view.getUint16(begin + 10, little)
    if (dropped !== 0 && dropped !== 0xffff) packet.dropCount ??= BigInt(dropped)
  }
  return packet
}
