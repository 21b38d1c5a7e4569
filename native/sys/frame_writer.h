#pragma once
#include <string.h>

#include "coalescing.h"
#include "frame_io.h"
#include "segmentation.h"

namespace netloom {

// Working memory for joining and cutting frames, which keep nothing in it between calls: one for each thread.
struct WritingMemory {
  Coalescer coalescer;
  iovec parts[Coalescer::kParts + 1];
  uint8_t segment[kMaxFrame];
};

// Cuts one super-frame after the other for a sink that takes none, and remembers where one was left when the sink was
// full: the same frame, tried again, goes on there.
class FrameCutter {
 public:
  // Hands the frame's segments, or the frame with its checksum completed, to `write(bytes, length)`, which returns 0 or
  // errno. 0 when one at least was taken; EAGAIN and kin when it stopped; else why all were refused. What the frame's
  // bytes contradict is EINVAL.
  template <typename Write>
  int cut(const uint8_t* frame, size_t length, const VnetHeader& header, bool ethernet, WritingMemory& memory, Write write) {
    if (length > kMaxFrame) return EMSGSIZE;
    if (header.gso_type == kGsoNone) {
      memcpy(memory.segment, frame, length);
      int error = complete_checksum(memory.segment, length, header);
      return error ? error : write(memory.segment, length);
    }
    SegmentPlan plan;
    if (int error = plan_segments(frame, length, header, ethernet, plan)) return error;
    int refusal = 0;
    bool taken = false;
    for (uint32_t i = resume(frame, length, header); i < plan.segments; i++) {
      write_segment(plan, i, memory.segment);
      int error = write(memory.segment, segment_length(plan, i));
      if (stops_writing(error)) {
        remember(frame, length, header, i);
        return error;
      }
      if (error) refusal = error;
      taken |= error == 0;
    }
    return taken ? 0 : refusal;
  }

 private:
  // Headers, and with them sequence numbers and identification, tell frames apart.
  static constexpr size_t kHead = 128;

  uint32_t resume(const uint8_t* frame, size_t length, const VnetHeader& header);
  void remember(const uint8_t* frame, size_t length, const VnetHeader& header, uint32_t next);

  uint32_t next_ = 0;
  size_t length_ = 0;
  VnetHeader header_ = {};
  uint8_t head_[kHead];
};

// Writes frames to a TUN or TAP: joins those that can be joined where the framing says so, and cuts those that the
// device does not take.
class FrameWriter {
 public:
  // As write_frames(). A kind of super-frames that the kernel refuses is told of in `refused`, and written one by one;
  // the caller adds it to framing.refused. Where the kernel took one whole before, it is the frame that it refuses.
  WriteReport write(int fd, const Framing& framing, const FrameList& list, uint32_t max_frames, WritingMemory& memory);

 private:
  FrameCutter cutter_;
  uint8_t taken_ = 0;  // kinds that the kernel took whole
};

}  // namespace netloom
