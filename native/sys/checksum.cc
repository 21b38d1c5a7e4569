#include "checksum.h"

#include <string.h>

namespace netloom {
namespace {

// 16 bytes at a time, in the vector registers that every machine of the kind has. Their 32-bit halves are added to lanes
// of 64 bits, which leaves the carries in the lanes.
using Lanes = uint64_t __attribute__((vector_size(16)));

template <bool kCopy>
inline uint64_t sum(uint8_t* to, const uint8_t* from, size_t length) {
  Lanes low = {}, high = {};
  const Lanes mask = {0xffffffff, 0xffffffff};
  auto step = [&](size_t at) {
    Lanes lanes;
    memcpy(&lanes, from + at, sizeof lanes);
    if constexpr (kCopy) memcpy(to + at, &lanes, sizeof lanes);
    low += lanes & mask;
    high += lanes >> 32;
  };
  while (length >= 64) {
    step(0), step(16), step(32), step(48);
    from += 64, length -= 64;
    if constexpr (kCopy) to += 64;
  }
  while (length >= 16) {
    step(0);
    from += 16, length -= 16;
    if constexpr (kCopy) to += 16;
  }
  low += high;
  // Halves again, so that sums of sums do not overflow.
  uint64_t total = (low[0] & 0xffffffff) + (low[0] >> 32) + (low[1] & 0xffffffff) + (low[1] >> 32);
  auto tail = [&]<typename Word>(Word word, size_t bytes) {
    memcpy(&word, from, bytes);
    if constexpr (kCopy) memcpy(to, &word, bytes), to += bytes;
    from += bytes, length -= bytes;
    total += word;
  };
  while (length >= 4) tail(uint32_t{0}, 4);
  if (length >= 2) tail(uint16_t{0}, 2);
  if (length) tail(uint16_t{0}, 1);
  return total;
}

}  // namespace

uint64_t sum_bytes(const uint8_t* from, size_t length) { return sum<false>(nullptr, from, length); }

uint64_t copy_and_sum(uint8_t* to, const uint8_t* from, size_t length) { return sum<true>(to, from, length); }

}  // namespace netloom
