#include "frame_io.h"

#include <errno.h>
#include <string.h>

#include "system_call.h"

namespace netloom {
namespace {

struct PacketInformation {  // struct tun_pi; `protocol` is big-endian
  uint16_t flags;
  uint16_t protocol;
};

constexpr uint16_t kStripped = 0x0001;  // TUN_PKT_STRIP: the frame was cut to our buffer

bool gone(int error) { return error == EBADFD || error == EBADF || error == ENODEV; }

// The EtherType in wire order: of the frame itself on Ethernet, by the version nibble on IP.
uint16_t protocol_of(const Framing& framing, const uint8_t* frame, size_t length) {
  uint8_t bytes[2] = {0, 0};
  if (framing.ethernet) {
    if (length >= 14) memcpy(bytes, frame + 12, 2);
  } else if (length > 0 && frame[0] >> 4 == 6) {
    bytes[0] = 0x86, bytes[1] = 0xdd;
  } else {
    bytes[0] = 0x08;
  }
  uint16_t protocol;
  memcpy(&protocol, bytes, 2);
  return protocol;
}

}  // namespace

ReadReport read_frames(int fd, const Framing& framing, FrameRoom& room, uint32_t max_frames, size_t max_bytes) {
  ReadReport report;
  const size_t begin = room.cursor;
  const bool plain = !framing.packet_information && framing.vnet_header == 0;
  PacketInformation information = {};
  uint8_t discarded[64];
  while (report.frames < max_frames && room.cursor - begin < max_bytes && room.size - room.cursor >= kMaxFrame) {
    uint8_t* target = room.data + room.cursor;
    ssize_t n;
    size_t before = 0;
    if (plain) {
      n = call_read(fd, target, kMaxFrame);
    } else {
      iovec parts[3];
      int count = 0;
      if (framing.packet_information) parts[count++] = {&information, sizeof information};
      if (framing.vnet_header) {
        uint8_t* header = room.headers ? room.headers + (room.first + report.frames) * room.header_stride : discarded;
        parts[count++] = {header, framing.vnet_header};
      }
      for (int i = 0; i < count; i++) before += parts[i].iov_len;
      parts[count++] = {target, kMaxFrame};
      n = call_readv(fd, parts, count);
    }
    if (n < 0) {
      if (n == -EINTR) continue;
      report.error = static_cast<int>(-n);
      return report;
    }
    size_t length = static_cast<size_t>(n) < before ? 0 : n - before;
    if (length == kMaxFrame || (framing.packet_information && (information.flags & kStripped))) {
      report.cut++;
      if (report.cut >= max_frames) return report;
      continue;
    }
    uint32_t i = room.first + report.frames++;
    room.offsets[i] = static_cast<uint32_t>(room.cursor);
    room.lengths[i] = static_cast<uint32_t>(length);
    room.cursor += length;
  }
  return report;
}

WriteReport write_frames(int fd, const Framing& framing, const FrameList& list, uint32_t max_frames) {
  static const uint8_t no_header[64] = {};
  WriteReport report;
  const bool plain = !framing.packet_information && framing.vnet_header == 0;
  const uint32_t end = list.count - list.from > max_frames ? list.from + max_frames : list.count;
  uint32_t i = list.from;
  while (i < end) {
    const size_t offset = list.offsets[i], length = list.lengths[i];
    int error = 0;
    if (offset > list.size || length > list.size - offset) {
      error = ERANGE;
    } else if (length > framing.max_frame) {
      error = EMSGSIZE;
    } else if (plain) {
      ssize_t n = call_write(fd, list.data + offset, length);
      if (n < 0) error = static_cast<int>(-n);
    } else {
      iovec parts[3];
      int count = 0;
      PacketInformation information = {0, protocol_of(framing, list.data + offset, length)};
      if (framing.packet_information) parts[count++] = {&information, sizeof information};
      if (framing.vnet_header) {
        const uint8_t* header = list.headers ? list.headers + i * list.header_stride : no_header;
        parts[count++] = {const_cast<uint8_t*>(header), framing.vnet_header};
      }
      parts[count++] = {const_cast<uint8_t*>(list.data) + offset, length};
      ssize_t n = call_writev(fd, parts, count);
      if (n < 0) error = static_cast<int>(-n);
    }
    if (error == EINTR) continue;
    if (error == 0) {
      report.sent++;
      report.bytes += length;
    } else if (error == EAGAIN || gone(error)) {
      report.error = error;
      break;
    } else {
      if (report.dropped++ == 0) {
        report.failed_index = i;
        report.failed_length = list.lengths[i];
        report.failed_error = error;
      }
    }
    i++;
  }
  report.next = i;
  return report;
}

}  // namespace netloom
