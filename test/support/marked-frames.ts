import { FrameBatch, type FramePort } from '../../src/port/index.js'

/**
 * Ethernet frames that tests tell from whatever else a real device carries (router solicitations, …): the
 * local experimental EtherType 0x88b5, then a sequence number, then bytes that follow from it.
 */
export function markedFrame(sequence: number, length = 60): Uint8Array {
  const frame = new Uint8Array(length)
  frame.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0x4e, 0x4c, 0x88, 0xb5])
  new DataView(frame.buffer).setUint32(14, sequence)
  for (let i = 18; i < length; i++) frame[i] = (sequence * 31 + i) & 0xff
  return frame
}

export function isMarked(frame: Uint8Array): boolean {
  return frame.length >= 60 && frame[12] === 0x88 && frame[13] === 0xb5
}

/** The sequence number of a marked frame. */
export function sequenceOf(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getUint32(14)
}

export function markedBatch(first: number, count: number, length = 60): FrameBatch<'ethernet'> {
  return FrameBatch.from(
    'ethernet',
    Array.from({ length: count }, (_, i) => markedFrame(first + i, length)),
  )
}

/** Reads until `count` marked frames came, and copies them. */
export async function readMarked(port: FramePort<'ethernet'>, count: number): Promise<Uint8Array[]> {
  const found: Uint8Array[] = []
  for await (const batch of port.batches()) {
    for (const frame of batch) if (isMarked(frame)) found.push(frame.slice())
    if (found.length >= count) break
  }
  return found
}
