#pragma once
#include <stdint.h>

#include <atomic>
#include <vector>

#include "bpf.h"
#include "forward_observer.h"
#include "frame_io.h"
#include "frame_writer.h"
#include "packet_ring.h"
#include "packet_socket.h"

namespace netloom {

// One of the two ports that a forward joins. Neither the descriptor nor the ring is the forward's.
struct ForwardPort {
  int fd = -1;
  Framing framing;             // of a descriptor of TUN or TAP; of a packet socket only what is refused
  PacketRing* ring = nullptr;  // of a packet socket; null = a descriptor
  int32_t interface = 0;       // by which a packet socket sends
  uint64_t skip = 0;           // frames in the ring that are left out
};

// A bucket of tokens, one a byte. A frame may pass while there are any, and what it takes too many of is made up for
// before the next: so a frame may be longer than the burst.
class TokenBucket {
 public:
  void limit(double bytes_per_second, double burst) { rate_ = bytes_per_second / 1e9, most_ = tokens_ = burst; }
  bool limited() const { return rate_ > 0; }
  bool open(uint64_t now);
  void spend(uint64_t bytes) { tokens_ -= static_cast<double>(bytes); }
  // When it opens, in ns of CLOCK_MONOTONIC.
  uint64_t opens() const { return filled_ + static_cast<uint64_t>((1 - tokens_) / rate_); }

 private:
  double rate_ = 0;  // bytes a nanosecond
  double most_ = 0, tokens_ = 0;
  uint64_t filled_ = 0;
};

// Read by any thread, written by that which forwards.
struct ForwardCounters {
  std::atomic<uint64_t> received_frames{0}, received_bytes{0};
  std::atomic<uint64_t> sent_frames{0}, sent_bytes{0};
  std::atomic<uint64_t> filtered{0};  // the filter did not let them pass
  // Why the others were dropped.
  std::atomic<uint64_t> incomplete{0};  // they came cut off, and were not counted as received
  std::atomic<uint64_t> too_long{0};    // for the port they were for
  std::atomic<uint64_t> refused{0};     // by that port otherwise
  std::atomic<uint64_t> left_over{0};   // they waited for room in it when the forward ended
};

// Memory that all forwards of a thread use in turn, so that it stays in the processor's cache.
struct ForwardScratch {
  static constexpr uint32_t kFrames = 64;
  static constexpr size_t kBytes = 64 * 1024;  // no frame is begun after that many
  uint8_t data[kBytes + kMaxFrame];
  uint32_t offsets[kFrames], lengths[kFrames];
  VnetHeader headers[kFrames];
  WritingMemory writing;
};

// Frames between two ports, both ways. Everything but the counters and the verdict is for one thread at a time: the one
// that runs its Forwarder, or, before it was added and after it was taken out, any.
class Forward {
 public:
  enum class Progress {
    kEmpty,    // the source has none; wait until it is readable
    kMore,     // this turn's share is used up
    kBlocked,  // the target is full; wait until it is writable
    kWaiting,  // the rate is used up; wait until wakes()
    kEnded,    // one of the ports is gone
  };

  Forward(const ForwardPort& a, const ForwardPort& b);
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;
  ~Forward();

  // Before it is added; of the frames that come from port `from`, 0 or 1.
  bool set_filter(uint32_t from, const uint8_t* program, size_t bytes) {
    return directions_[from].filter.load(program, bytes);
  }
  void set_rate(uint32_t from, double bytes_per_second, double burst) {
    directions_[from].bucket.limit(bytes_per_second, burst);
  }

  const ForwardPort& port(uint32_t i) const { return ports_[i]; }
  const ForwardCounters& counters(uint32_t from) const { return directions_[from].counters; }
  // Frames of port `from` that wait for room in the other.
  bool holds(uint32_t from) const { return !directions_[from].held_lengths.empty(); }
  uint64_t wakes(uint32_t from) const { return directions_[from].bucket.opens(); }

  // Moves a bounded number of frames that come from port `from`. `now`: ns of CLOCK_MONOTONIC.
  Progress move(uint32_t from, ForwardScratch& scratch, uint64_t now);
  // An error was reported on port `i`: true if it is gone, which ends the forward.
  bool check(uint32_t i, bool hung_up);
  // Counts as dropped what is left over.
  void abandon();

  void add(ForwardObserver* observer) { observers_.push_back(observer); }
  void remove(ForwardObserver* observer);
  // Something is there to be told of: the end, trouble, or frames for an observer that waits. Once.
  bool to_tell();

  // 0 while it goes on; else 1 + the port because of which it ended.
  int ended() const { return ended_; }
  int error() const { return error_; }  // and why: an error number
  // Bits of packet sockets whose link is down or gone: the error was taken from the socket.
  uint32_t take_trouble() { return trouble_.exchange(0); }
  // Kinds of joined frames (coalescing.h) that port `i` turned out to refuse.
  uint32_t take_refused(uint32_t i) { return refused_[i].exchange(0); }

 private:
  struct Direction {
    BpfProgram filter;
    TokenBucket bucket;
    ForwardCounters counters;
    // For the target.
    FrameWriter frame_writer;
    PacketWriter packet_writer;
    // Frames that the target had no room for.
    std::vector<uint8_t> held;
    std::vector<uint32_t> held_offsets, held_lengths;
    std::vector<VnetHeader> held_headers;
  };
  Progress move_descriptor(uint32_t from, ForwardScratch& scratch, uint64_t now);
  Progress move_ring(uint32_t from, ForwardScratch& scratch, uint64_t now);
  // The first frame that was not dealt with; less than list.count where the target is full, or the forward has ended.
  uint32_t deliver(uint32_t from, const FrameList& list, ForwardScratch& scratch);
  // The same, but for that the rest is held: false if there is any, or the forward has ended.
  bool deliver_or_hold(uint32_t from, const FrameList& list, ForwardScratch& scratch);
  bool deliver_held(uint32_t from, ForwardScratch& scratch);
  void hold(uint32_t from, const FrameList& list, uint32_t first);
  void observe(uint32_t from, const FrameList& list, uint32_t end);
  void end(uint32_t port, int error);

  ForwardPort ports_[2];
  Direction directions_[2];
  std::vector<ForwardObserver*> observers_;
  bool told_ = true;
  std::atomic<int> ended_{0}, error_{0};
  std::atomic<uint32_t> trouble_{0}, refused_[2] = {};
};

}  // namespace netloom
