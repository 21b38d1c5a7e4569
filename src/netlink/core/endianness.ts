/** Netlink speaks the machine's own byte order. */
export const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

export function writeNative32(bytes: Uint8Array, offset: number, value: number): void {
  const [first, step] = littleEndian ? [offset, 1] : [offset + 3, -1]
  bytes[first] = value
  bytes[first + step] = value >>> 8
  bytes[first + 2 * step] = value >>> 16
  bytes[first + 3 * step] = value >>> 24
}
