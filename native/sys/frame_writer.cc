#include "frame_writer.h"

#include <string.h>

#include "frame_call.h"

namespace netloom {

uint32_t FrameCutter::resume(const uint8_t* frame, size_t length, const VnetHeader& header) {
  const bool same = next_ > 0 && length == length_ && memcmp(&header, &header_, sizeof header) == 0 &&
                    memcmp(frame, head_, length < kHead ? length : kHead) == 0;
  const uint32_t next = same ? next_ : 0;
  next_ = 0;
  return next;
}

void FrameCutter::remember(const uint8_t* frame, size_t length, const VnetHeader& header, uint32_t next) {
  header_ = header;
  next_ = next;
  length_ = length;
  memcpy(head_, frame, length < kHead ? length : kHead);
}

WriteReport FrameWriter::write(int fd, const Framing& framing, const FrameList& list, uint32_t max_frames,
                               WritingMemory& memory) {
  const uint32_t end = list.count - list.from > max_frames ? list.from + max_frames : list.count;
  if (!list.headers && (!framing.join || end - list.from < 2)) return write_frames(fd, framing, list, max_frames);

  WriteReport report;
  report.next = list.from;
  uint8_t refused = framing.refused, joins = framing.join & static_cast<uint8_t>(~refused);
  auto refuse = [&](uint8_t kinds) {
    report.refused |= kinds;
    refused |= kinds;
    joins &= static_cast<uint8_t>(~kinds);
  };
  // Frames that are joined leave their order, so that there is no place to go on from. A device without a bound for what is
  // in flight is never full; if one is nevertheless, that is a refusal.
  const bool may_wait = !joins || framing.join_adjacent;
  auto stops = [&](int error) {
    if (!stops_writing(error) || (error == EAGAIN && !may_wait)) return false;
    report.error = error;
    return true;
  };
  auto write_alone = [&](const uint8_t* frame, size_t length) {
    return length > framing.max_frame ? EMSGSIZE : write_frame(fd, framing, frame, length, nullptr);
  };
  // One frame as it is, or cut; false: the device can't go on.
  auto put = [&](uint32_t i) {
    const size_t length = list.lengths[i];
    const uint8_t* frame = list.data + list.offsets[i];
    const VnetHeader* header = list.headers ? &list.headers[i] : nullptr;
    int error = ERANGE;
    if (list.holds(i)) {
      const uint8_t kinds = header ? kinds_of(*header) : 0;
      // Of a tunnel's places a shorter header has none.
      const bool whole = framing.vnet_header && !(kinds & refused) &&
                         (!(kinds & kUdpTunnels) || framing.vnet_header == sizeof(VnetHeader));
      if (whole || !header || !header->asks()) {
        error = length > framing.max_frame ? EMSGSIZE : write_frame(fd, framing, frame, length, header);
        if (error == 0) taken_ |= kinds;
        // Kernels before 6.2 do not know USO; some know kinds and refuse them.
        if (error == EINVAL && kinds) {
          error = cutter_.cut(frame, length, *header, framing.ethernet, memory, write_alone);
          if (error == 0 && !(kinds & taken_)) refuse(kinds);
        }
      } else {
        error = cutter_.cut(frame, length, *header, framing.ethernet, memory, write_alone);
      }
    }
    if (stops(error)) return false;
    if (error == 0) {
      report.sent++;
      report.bytes += length;
    } else {
      report.refuse(i, list.lengths[i], error);
    }
    return true;
  };
  auto put_group = [&](uint32_t g) {
    const CoalescedFrame& group = memory.coalescer.group(g);
    if (group.frames > 1 && (joins & group.kind)) {
      const int count = static_cast<int>(memory.coalescer.gather(g, memory.parts + 1)) + 1;
      const int error = write_pieces(fd, framing, memory.parts, count, group.header);
      if (stops(error)) return false;
      if (error == 0) {
        taken_ |= group.kind;
        report.sent += group.frames;
        for (uint32_t n = 0; n < group.frames; n++) report.bytes += list.lengths[memory.coalescer.member(g, n)];
        return true;
      }
      if (error == EINVAL) refuse(group.kind);
    }
    for (uint32_t n = 0; n < group.frames; n++) {
      const uint32_t i = memory.coalescer.member(g, n);
      if (!put(i)) {
        if (framing.join_adjacent) report.next = i;
        return false;
      }
    }
    return true;
  };

  FrameList rest = list;
  while (report.next < end) {
    if (!joins) {
      if (!put(report.next)) break;
      report.next++;
      continue;
    }
    rest.from = report.next;
    const uint32_t groups = memory.coalescer.plan(rest, end, framing.ethernet, joins, framing.join_adjacent);
    const uint32_t looked_at = end - rest.from < Coalescer::kFrames ? end - rest.from : Coalescer::kFrames;
    for (uint32_t g = 0; g < groups; g++) {
      if (framing.join_adjacent) report.next = memory.coalescer.group(g).first;
      if (!put_group(g)) return report;
    }
    report.next = rest.from + looked_at;
  }
  return report;
}

}  // namespace netloom
