#pragma once
#include "frame_io.h"
#include "segmentation.h"

namespace netloom {

// Reads a descriptor with virtio-net headers, and delivers what its super-frames stand for: frames with complete
// checksums. A super-frame that does not fit into a room goes on in the next.
class FrameSplitter {
 public:
  // Some of a super-frame is still to be delivered: no readiness of the descriptor tells of it.
  bool pending() const { return next_ < plan_.segments; }

  // As read_frames(). Headers are not delivered. What can't be cut counts as `cut`.
  ReadReport read(int fd, const Framing& framing, FrameRoom& room, uint32_t max_frames, size_t max_bytes);

 private:
  SegmentPlan plan_;
  uint32_t next_ = 0;
  uint8_t frame_[kMaxFrame];
};

}  // namespace netloom
