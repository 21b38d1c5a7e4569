import type { Test } from 'tap'
import { hex } from '../../src/bytes/index.js'
import { type FrameCodecName, frameCodecs, type IpAddressPair } from '../../src/frames/index.js'

type Codec = {
  decode(bytes: Uint8Array): object
  encode(record: object, addresses?: IpAddressPair): Uint8Array
}

/**
 * Decodes `bytes`, compares, encodes, compares. Then leaves the `computed` fields to the encoder, which must come
 * to the same bytes.
 */
export function checkCodec(
  t: Test,
  name: FrameCodecName,
  bytes: Uint8Array,
  record: object,
  computed: string[] = [],
  addresses?: IpAddressPair,
): void {
  const codec = frameCodecs[name] as unknown as Codec
  t.strictSame(codec.decode(bytes), record, `${name}: decode`)
  t.equal(hex(codec.encode(record)), hex(bytes), `${name}: encode`)
  if (computed.length > 0) {
    const rest = Object.fromEntries(Object.entries(record).filter(([key]) => !computed.includes(key)))
    t.equal(hex(codec.encode(rest, addresses)), hex(bytes), `${name}: ${computed.join(' and ')} filled in`)
  }
}
