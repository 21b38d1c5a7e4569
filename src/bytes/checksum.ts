/**
 * The Internet checksum: the complement of the one's complement sum of 16-bit words (RFC 1071).
 *
 * A sum here is a plain number that has not been folded to 16 bits yet. Sums of parts may be added up with
 * `+` as long as every part but the last has an even length, and stay exact up to 2^53.
 */

// Below this many bytes, a loop over byte pairs beats the cost of making a DataView.
const wideFrom = 256

/** The unfolded sum of the words in `bytes[start, end)`; an odd last byte counts as followed by a zero. */
export function checksumSum(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return end - start < wideFrom ? sumPairs(bytes, start, end) : sumWide(bytes, start, end)
}

/** Folds a sum to 16 bits and complements it: what belongs in a checksum field. */
export function finishChecksum(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = Math.floor(folded / 0x10000) + (folded % 0x10000)
  return ~folded & 0xffff
}

/**
 * The checksum of `bytes`, 0 to 0xffff. Over bytes that hold a correct checksum it is 0.
 * `initial` is the unfolded sum of what comes before, such as {@link pseudoHeaderSum}.
 */
export function internetChecksum(bytes: Uint8Array, initial = 0): number {
  return finishChecksum(initial + checksumSum(bytes))
}

/**
 * The unfolded sum of the pseudo-header of an upper-layer protocol (RFC 9293 section 3.1 for IPv4, RFC 8200
 * section 8.1 for IPv6). Both layouts add up to the same number, so 4-byte and 16-byte addresses are taken alike.
 * `length` is that of the upper-layer header and payload, in bytes.
 */
export function pseudoHeaderSum(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): number {
  return checksumSum(source) + checksumSum(destination) + protocol + length
}

function sumPairs(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0
  let i = start
  for (const stop = end - 1; i < stop; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
  return i < end ? sum + (bytes[i]! << 8) : sum
}

// 2^32 is 1 modulo 2^16 - 1, so 32-bit words may be added in place of pairs of 16-bit words; two sums keep
// the additions independent of each other. Measured at a third of the time of pairs for 1500 bytes.
function sumWide(bytes: Uint8Array, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  const wide = (end - start) & ~7
  let even = 0
  let odd = 0
  for (let i = 0; i < wide; i += 8) {
    even += view.getUint32(i)
    odd += view.getUint32(i + 4)
  }
  return even + odd + sumPairs(bytes, start + wide, end)
}
