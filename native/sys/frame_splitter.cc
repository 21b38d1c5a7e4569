#include "frame_splitter.h"

#include <string.h>

#include "frame_call.h"

namespace netloom {

ReadReport FrameSplitter::read(int fd, const Framing& framing, FrameRoom& room, uint32_t max_frames,
                               size_t max_bytes, bool rest_only) {
  ReadReport report;
  uint8_t* const frame = read_ + framing.before();
  const size_t around = size_t{framing.headroom} + framing.tailroom;
  // The place of a frame of so many bytes, which is delivered; null: there is no room.
  auto place = [&](size_t length) -> uint8_t* {
    if (room.size - room.cursor < length + around) return nullptr;
    const size_t offset = room.cursor + framing.headroom;
    const uint32_t i = room.first + report.frames++;
    room.offsets[i] = static_cast<uint32_t>(offset);
    room.lengths[i] = static_cast<uint32_t>(length);
    room.cursor += length + around;
    report.bytes += length;
    return room.data + offset;
  };
  while (report.frames < max_frames && report.bytes < max_bytes) {
    if (pending()) {
      uint8_t* to = place(segment_length(plan_, next_));
      if (!to) break;
      write_segment(plan_, next_++, to);
      continue;
    }
    if (rest_only && report.frames > 0) return report;
    // Before anything is read: the longest frame that is not cut must fit.
    if (room.size - room.cursor < kMaxFrame + around) break;
    VnetHeader header;
    ssize_t n = read_frame(fd, framing, frame, header);
    if (n < 0) {
      report.error = static_cast<int>(-n);
      return report;
    }
    const size_t length = static_cast<size_t>(n);
    if (length == kMaxFrame) {
      if (++report.cut >= max_frames) return report;
    } else if (header.gso_type == kGsoNone) {
      uint8_t* to = place(length);
      memcpy(to, frame, length);
      complete_checksum(to, length, header);
    } else if (plan_segments(frame, length, header, framing.ethernet, plan_) == 0) {
      next_ = 0;
    } else {
      plan_ = {};
      if (++report.cut >= max_frames) return report;
    }
  }
  report.no_room = report.frames == 0 && report.cut == 0;
  return report;
}

}  // namespace netloom
