#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

inline uint16_t load_word(const uint8_t* from) {
  uint16_t word;
  memcpy(&word, from, sizeof word);
  return word;
}
inline void store_word(uint8_t* to, uint16_t word) { memcpy(to, &word, sizeof word); }

inline void store_checksum(uint8_t* to, uint64_t sum) { store_word(to, static_cast<uint16_t>(~fold_sum(sum))); }

// Zero is written as 0xffff, which is its other spelling: to UDP zero is none (RFC 768).
inline void store_udp_checksum(uint8_t* to, uint64_t sum) {
  store_checksum(to, sum);
  if (load_word(to) == 0) store_word(to, 0xffff);
}

// What takes the term away from a sum.
inline uint64_t minus(uint16_t term) { return static_cast<uint16_t>(~term); }

}  // namespace netloom
