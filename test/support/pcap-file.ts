/**
 * The packets of a pcap file of this machine's byte order; see draft-ietf-opsawg-pcap. What captures and files of ours are
 * held against: it shares nothing with `pcap`, so that a mistake there is not made on both sides.
 */
export function readPcapFile(bytes: Uint8Array): { linkType: number; packets: PcapPacket[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const unit = view.getUint32(0, true) === 0xa1b23c4d ? 1n : 1000n
  if (unit === 1000n && view.getUint32(0, true) !== 0xa1b2c3d4) throw new Error('no pcap file')
  const packets: PcapPacket[] = []
  for (let at = 24; at < bytes.length; ) {
    const [seconds, fraction, length, originalLength] = [0, 4, 8, 12].map(i => view.getUint32(at + i, true))
    const timestamp = BigInt(seconds!) * 1_000_000_000n + BigInt(fraction!) * unit
    at += 16
    packets.push({ timestamp, data: plain.slice(at, at + length!), originalLength: originalLength! })
    at += length!
  }
  return { linkType: view.getUint32(20, true), packets }
}

export interface PcapPacket {
  timestamp: bigint
  data: Uint8Array
  originalLength: number
}
