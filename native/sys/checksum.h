#pragma once
#include <stddef.h>
#include <stdint.h>

// Ones'-complement sums of 16-bit words (RFC 1071). Words are added as they lie in memory, so that a folded sum is
// stored without a change of byte order, and what is added to one by hand is in network byte order. Sums are 64 bits
// wide and unfolded: dozens of them, of 64 KiB each, can be added without a carry being lost.
namespace netloom {

uint64_t sum_bytes(const uint8_t* from, size_t length);

// The same of what it copies. The two do not overlap.
uint64_t copy_and_sum(uint8_t* to, const uint8_t* from, size_t length);

// 16 bits. 0 only if everything that was added was.
inline uint16_t fold_sum(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  uint32_t half = (static_cast<uint32_t>(sum) & 0xffff) + (static_cast<uint32_t>(sum) >> 16);
  return static_cast<uint16_t>((half & 0xffff) + (half >> 16));
}

// Of bytes that stand at an odd offset in what they are a part of.
inline uint64_t odd_sum(uint64_t sum) { return __builtin_bswap16(fold_sum(sum)); }

// What takes the term away from a sum.
inline uint64_t minus(uint16_t term) { return static_cast<uint16_t>(~term); }

}  // namespace netloom
