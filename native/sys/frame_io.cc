#include "frame_io.h"

#include "frame_call.h"

namespace netloom {

ReadReport read_frames(int fd, const Framing& framing, FrameRoom& room, uint32_t max_frames, size_t max_bytes) {
  ReadReport report;
  const size_t before = framing.room_before(), around = before + framing.tailroom;
  while (report.frames < max_frames && report.bytes < max_bytes) {
    if (room.size - room.cursor < kMaxFrame + around) {
      report.no_room = report.frames == 0;
      break;
    }
    uint32_t i = room.first + report.frames;
    VnetHeader header;
    size_t offset = room.cursor + before;
    ssize_t n = read_frame(fd, framing, room.data + offset, header);
    if (n < 0) {
      report.error = static_cast<int>(-n);
      break;
    }
    if (n == kMaxFrame) {
      if (++report.cut >= max_frames) break;
      continue;
    }
    if (room.headers && framing.vnet_header) room.headers[i] = header;
    room.offsets[i] = static_cast<uint32_t>(offset);
    room.lengths[i] = static_cast<uint32_t>(n);
    room.cursor += static_cast<size_t>(n) + around;
    report.frames++;
    report.bytes += static_cast<size_t>(n);
  }
  return report;
}

WriteReport write_frames(int fd, const Framing& framing, const FrameList& list, uint32_t max_frames) {
  WriteReport report;
  const uint32_t end = list.count - list.from > max_frames ? list.from + max_frames : list.count;
  uint32_t i = list.from;
  for (; i < end; i++) {
    const size_t length = list.lengths[i];
    int error = !list.holds(i)               ? ERANGE
                : length > framing.max_frame ? EMSGSIZE
                                             : write_frame(fd, framing, list.data + list.offsets[i], length,
                                                           list.headers ? &list.headers[i] : nullptr);
    if (stops_writing(error)) {
      report.error = error;
      break;
    }
    if (error == 0) {
      report.sent++;
      report.bytes += length;
    } else {
      report.refuse(i, list.lengths[i], error);
    }
  }
  report.next = i;
  return report;
}

}  // namespace netloom
