#pragma once
#include <stdint.h>

#include <atomic>
#include <string>

#include "bpf.h"
#include "packet_ring.h"

namespace netloom {

struct RecordOptions {
  bool pcapng = true;     // else pcap; both with times in nanoseconds, in the byte order of the host
  std::string head;       // what comes before the first packet
  uint64_t skip = 0;      // frames at the beginning that are left out
  BpfProgram filter;      // of the frames as the kernel had them; empty: all are taken
  // Bounds, 0 = none. The packet with which one would be exceeded stays in the ring, but a first one is always taken.
  uint64_t max_packets = 0;
  uint64_t max_bytes = 0;  // of the file, head and all
  uint64_t max_ms = 0;
};

struct RecordResult {
  enum Reason { kStopped, kPackets, kBytes, kTime, kFailed };
  Reason reason = kStopped;
  uint64_t packets = 0;
  uint64_t bytes = 0;     // written, head and all
  uint64_t dropped = 0;   // by the kernel meanwhile
  Failure failure;
};

// Writes the frames of a ring to a descriptor, on the thread that calls run().
class PacketRecorder {
 public:
  PacketRecorder() = default;
  PacketRecorder(const PacketRecorder&) = delete;
  PacketRecorder& operator=(const PacketRecorder&) = delete;
  ~PacketRecorder();

  // Owns `out`. Fails where there is no descriptor left.
  Failure prepare(PacketRing& ring, Fd out, RecordOptions options);
  // Until a bound is met, stop() is called, or writing fails.
  RecordResult run();
  // From another thread: ends once what the kernel has taken by now is written, or `at_once`.
  void stop(bool at_once);

 private:
  bool take();  // packets that are there; false: done
  bool passes(const RingPacket& packet) const;
  bool append(const RingPacket& packet);
  bool flush();
  bool write_all(const uint8_t* data, size_t length);
  bool finish_statistics();
  bool wait();
  bool done();

  PacketRing* ring_ = nullptr;
  Fd out_, wake_;
  RecordOptions options_;
  RecordResult result_;
  std::atomic<int> stop_{0};  // 1: drain, 2: at once
  bool draining_ = false, ended_ = false, regular_ = false;
  uint64_t drain_until_ = 0;     // consumed() of the ring
  uint64_t deadline_ = 0;        // ms, of CLOCK_MONOTONIC
  uint64_t drain_deadline_ = 0;
  uint64_t lost_ = 0;            // not yet said of in a packet
  uint64_t received_before_ = 0;
  uint8_t* buffer_ = nullptr;
  size_t used_ = 0;
};

}  // namespace netloom
