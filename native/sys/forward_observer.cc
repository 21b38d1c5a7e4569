#include "forward_observer.h"

#include <stdlib.h>
#include <string.h>

namespace netloom {
namespace {

// Room that is planned for a frame; the whole holds some super-frames in any case.
constexpr size_t kPlanned = 2048, kLeast = 256 * 1024, kBeside = 64;

size_t size_for(uint32_t snap_length, uint32_t frames) {
  const size_t each = snap_length + kBeside < kPlanned ? snap_length + kBeside : kPlanned;
  size_t size = kLeast;
  while (size < each * frames) size *= 2;
  return size;
}

size_t padded(size_t length) { return (length + 7) & ~size_t{7}; }

}  // namespace

ForwardObserver::ForwardObserver(uint32_t directions, uint32_t snap_length, uint32_t frames)
    : directions_(directions),
      snap_length_(snap_length),
      frames_(frames),
      size_(size_for(snap_length, frames)),
      memory_(static_cast<uint8_t*>(malloc(size_))) {}

ForwardObserver::~ForwardObserver() { free(memory_); }

void ForwardObserver::put(uint64_t at, const void* bytes, size_t length) {
  const size_t start = at & (size_ - 1), first = length < size_ - start ? length : size_ - start;
  memcpy(memory_ + start, bytes, first);
  memcpy(memory_, static_cast<const uint8_t*>(bytes) + first, length - first);
}

void ForwardObserver::get(uint64_t at, void* bytes, size_t length) const {
  const size_t start = at & (size_ - 1), first = length < size_ - start ? length : size_ - start;
  memcpy(bytes, memory_ + start, first);
  memcpy(static_cast<uint8_t*>(bytes) + first, memory_, length - first);
}

void ForwardObserver::add(uint32_t from, const uint8_t* frame, uint32_t length, const VnetHeader& header, int64_t time) {
  static_assert(sizeof(Entry) + 8 <= kBeside);
  const Entry entry = {length < snap_length_ ? length : snap_length_, length, from, 0, time, header};
  const uint64_t filled = filled_;
  const size_t needed = sizeof entry + padded(entry.length);
  if (frames_added_ - frames_taken_ >= frames_ || size_ - (filled - taken_) < needed) {
    dropped_++;
    return;
  }
  put(filled, &entry, sizeof entry);
  put(filled + sizeof entry, frame, entry.length);
  frames_added_++;
  filled_ = filled + needed;
}

PacketReport ForwardObserver::take(PacketRoom& room, uint32_t max_frames, size_t max_bytes) {
  PacketReport report;
  FrameRoom& frames = room.frames;
  const size_t begin = frames.cursor;
  uint64_t at = taken_;
  while (report.frames < max_frames && frames.cursor - begin < max_bytes) {
    if (at == filled_) {
      // Asked first and looked again after: what is added in between is seen by one of the two.
      waited_ = true;
      if (at == filled_) {
        report.error = EAGAIN;
        break;
      }
    }
    Entry entry;
    get(at, &entry, sizeof entry);
    if (entry.length > frames.size - frames.cursor) {
      report.no_room = report.frames == 0;
      break;
    }
    get(at + sizeof entry, frames.data + frames.cursor, entry.length);
    const uint32_t i = frames.first + report.frames++;
    frames.offsets[i] = static_cast<uint32_t>(frames.cursor);
    frames.lengths[i] = entry.length;
    room.times[i] = entry.time;
    room.originals[i] = entry.original;
    room.flags[i] = (entry.header.flags & kVnetNeedsChecksum ? kChecksumNotReady : 0) |
                    (entry.header.gso_type != kGsoNone ? kSegmentation : 0);
    frames.headers[i] = entry.header;
    room.vlans[i] = 0;
    room.interfaces[i] = entry.from;
    frames.cursor += entry.length;
    at += sizeof entry + padded(entry.length);
    frames_taken_++;
    taken_ = at;
  }
  return report;
}

}  // namespace netloom
