#include "../../native/sys/checksum.h"

#include <string.h>

#include <memory>

#include "check.h"
#include "random.h"

using namespace netloom;

namespace {

// RFC 1071, word by word, in network byte order.
uint16_t by_definition(const uint8_t* bytes, size_t length) {
  uint32_t sum = 0;
  for (size_t i = 0; i < length; i++) sum += i % 2 ? bytes[i] : bytes[i] << 8;
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

uint16_t in_order(uint16_t sum) {
  uint8_t bytes[2];
  memcpy(bytes, &sum, 2);
  return static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
}

}  // namespace

TEST(checksum_example, "the example of RFC 1071 adds up") {
  const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  CHECK(in_order(fold_sum(sum_bytes(bytes, sizeof bytes))) == 0xddf2);
}

TEST(checksum_lengths, "sums of all lengths and alignments are those of the definition, copied or not") {
  Random random(1);
  for (size_t length = 0; length < 300; length++) {
    for (size_t shift = 0; shift < 17; shift++) {
      std::unique_ptr<uint8_t[]> from(new uint8_t[shift + length]), to(new uint8_t[length + shift / 2]);
      for (size_t i = 0; i < shift + length; i++) from[i] = length % 3 ? random.byte() : 0xff;
      const uint8_t* bytes = from.get() + shift;
      const uint16_t expected = by_definition(bytes, length);
      CHECK(in_order(fold_sum(sum_bytes(bytes, length))) == expected);
      CHECK(in_order(fold_sum(copy_and_sum(to.get() + shift / 2, bytes, length))) == expected);
      CHECK(memcmp(to.get() + shift / 2, bytes, length) == 0);
    }
  }
}

TEST(checksum_long, "no carry of a long sum is lost") {
  const size_t length = 1 << 20;
  std::unique_ptr<uint8_t[]> bytes(new uint8_t[length]);
  memset(bytes.get(), 0xff, length);
  uint64_t sum = 0;
  for (int i = 0; i < 64; i++) sum += sum_bytes(bytes.get(), length);
  CHECK(fold_sum(sum) == 0xffff);
  bytes[length - 1] = 0xfe;
  CHECK(in_order(fold_sum(sum + sum_bytes(bytes.get(), length))) == 0xfffe);
}

TEST(checksum_parts, "a sum can be made of parts, and parts be taken away") {
  Random random(2);
  for (int run = 0; run < 1000; run++) {
    uint8_t bytes[99];
    for (uint8_t& byte : bytes) byte = random.byte();
    const size_t at = random.below(sizeof bytes);
    const uint64_t tail = sum_bytes(bytes + at, sizeof bytes - at);
    const uint64_t head = sum_bytes(bytes, at);
    const uint64_t placed = at % 2 ? odd_sum(tail) : tail;
    const uint16_t whole = fold_sum(sum_bytes(bytes, sizeof bytes));
    CHECK(fold_sum(head + placed) == whole);
    CHECK(at == 0 || fold_sum(whole + minus(fold_sum(placed))) % 0xffff == fold_sum(head) % 0xffff);
  }
}

TEST(checksum_zero, "only zeros add up to zero") {
  const uint8_t zeros[40] = {}, cancel[4] = {0x12, 0x34, 0xed, 0xcb};
  CHECK(fold_sum(sum_bytes(zeros, sizeof zeros)) == 0);
  CHECK(fold_sum(sum_bytes(cancel, sizeof cancel)) == 0xffff);
}
