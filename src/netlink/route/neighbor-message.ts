import { type FixedPart, littleEndian } from '../core/index.js'

/** Bytes of struct ndmsg, include/uapi/linux/neighbour.h. */
export const neighborHeaderLength = 12

/** struct ndmsg: of IP neighbors and, with family AF_BRIDGE, of forwarding databases. */
export function neighborHeader(options: {
  family: number
  link?: number
  state?: number
  flags?: number
}): FixedPart {
  return {
    length: neighborHeaderLength,
    write(view, at) {
      view.setUint8(at, options.family)
      view.setInt32(at + 4, options.link ?? 0, littleEndian)
      view.setUint16(at + 8, options.state ?? 0, littleEndian)
      view.setUint8(at + 10, options.flags ?? 0)
    },
  }
}
