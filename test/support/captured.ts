import type { LinkType } from '../../src/frames/index.js'
import { type FramePort, type Packet, packets } from '../../src/port/index.js'

/** Reads until `count` packets came for which `wanted` holds. */
export async function captured<L extends LinkType>(
  capture: FramePort<L>,
  count: number,
  wanted: (packet: Packet<L>) => boolean = () => true,
): Promise<Packet<L>[]> {
  const found: Packet<L>[] = []
  if (count === 0) return found
  for await (const packet of packets(capture)) {
    if (wanted(packet)) found.push(packet)
    if (found.length === count) break
  }
  return found
}

/** The frame with a VLAN tag after its addresses. */
export function tagged(frame: Uint8Array, tci: number, tpid = 0x8100): Uint8Array {
  const bytes = new Uint8Array(frame.length + 4)
  bytes.set(frame.subarray(0, 12))
  new DataView(bytes.buffer).setUint32(12, ((tpid << 16) | tci) >>> 0)
  bytes.set(frame.subarray(12), 16)
  return bytes
}
