#pragma once
#include <stdint.h>

// xorshift64*: the same numbers in each run.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1d;
  }
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>((next() >> 32) % bound); }
  uint8_t byte() { return static_cast<uint8_t>(next() >> 56); }
  bool once_in(uint32_t times) { return below(times) == 0; }

 private:
  uint64_t state_;
};
