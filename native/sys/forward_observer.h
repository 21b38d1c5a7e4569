#pragma once
#include <stddef.h>
#include <stdint.h>

#include <atomic>

#include "packet_ring.h"

namespace netloom {

// Copies of what a forward passes on, in a bounded ring: one thread adds, another takes, and neither waits.
class ForwardObserver {
 public:
  // `directions`: bit 0 for frames from the first port, bit 1 for those from the second. As many as `frames` wait, and
  // fewer where they are long.
  ForwardObserver(uint32_t directions, uint32_t snap_length, uint32_t frames);
  ForwardObserver(const ForwardObserver&) = delete;
  ForwardObserver& operator=(const ForwardObserver&) = delete;
  ~ForwardObserver();

  // False: there was no memory.
  bool ok() const { return memory_ != nullptr; }
  size_t bytes() const { return size_; }

  // From the thread that forwards. `time`: ns since 1970.
  bool sees(uint32_t from) const { return directions_ >> from & 1; }
  void add(uint32_t from, const uint8_t* frame, uint32_t length, const VnetHeader& header, int64_t time);
  // Whether the reader asked to be told of the frames that were added since; once.
  bool to_tell() { return filled_ != told_ && waited_.exchange(false) && ((told_ = filled_), true); }

  // From the other: frames are copied into the room until a bound is met, those of the first port as of interface 0,
  // those of the second as of 1. EAGAIN: there are none, and the reader will be told when there are.
  PacketReport take(PacketRoom& room, uint32_t max_frames, size_t max_bytes);
  // Frames that there was no room for.
  uint64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    uint32_t length, original, from, padding;
    int64_t time;
    VnetHeader header;
  };
  void put(uint64_t at, const void* bytes, size_t length);
  void get(uint64_t at, void* bytes, size_t length) const;

  const uint32_t directions_, snap_length_, frames_;
  size_t size_;  // a power of 2
  uint8_t* memory_;
  // Bytes and frames that were ever added, and taken.
  std::atomic<uint64_t> filled_{0}, taken_{0}, dropped_{0};
  std::atomic<uint64_t> frames_taken_{0};
  uint64_t frames_added_ = 0, told_ = 0;
  std::atomic<bool> waited_{false};
};

}  // namespace netloom
