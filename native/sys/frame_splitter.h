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

  // As read_frames(). Headers are not delivered. What can't be cut counts as `cut`. `rest_only`: nothing is read, what is
  // still to be delivered is.
  ReadReport read(int fd, const Framing& framing, FrameRoom& room, uint32_t max_frames, size_t max_bytes,
                  bool rest_only = false);
  // Frames of a super-frame that were not delivered, and will not be.
  uint32_t abandon() {
    const uint32_t rest = plan_.segments - next_;
    next_ = plan_.segments;
    return rest;
  }

 private:
  SegmentPlan plan_;
  uint32_t next_ = 0;
  uint8_t read_[sizeof(PacketInformation) + sizeof(VnetHeader) + kMaxFrame];
};

}  // namespace netloom
