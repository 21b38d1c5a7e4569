#pragma once
#include <uv.h>

namespace netloom {

// A port's share of one loop turn. Half a millisecond keeps a 1 ms timer on time beside an endless flood.
class TurnBudget {
 public:
  // Ends with the next readiness callback, when the loop's time moves on, or when JavaScript says so (an immediate).
  void renew() { start_ = 0; }
  void add(uint32_t frames) { frames_ += frames; }

  bool spent(uv_loop_t* loop) {
    uint64_t time = uv_now(loop), now = uv_hrtime();
    if (start_ == 0 || time != time_) {
      start_ = now;
      time_ = time;
      frames_ = 0;
      return false;
    }
    return frames_ >= kFrames || now - start_ > kNanoseconds;
  }

 private:
  static constexpr uint64_t kNanoseconds = 400'000;
  static constexpr uint32_t kFrames = 4096;

  uint64_t time_ = 0;   // uv_now at the turn's start, ms
  uint64_t start_ = 0;  // uv_hrtime at its start, ns
  uint32_t frames_ = 0;
};

}  // namespace netloom
