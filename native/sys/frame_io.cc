#include "frame_io.h"

#include <string.h>

#include <initializer_list>

#include "segmentation.h"
#include "system_call.h"

namespace netloom {
namespace {

struct PacketInformation {  // struct tun_pi; `protocol` is big-endian
  uint16_t flags;
  uint16_t protocol;
};

// What stands before a frame on the descriptor, in one piece.
struct Prefix {
  PacketInformation information = {};
  VnetHeader vnet = {};
};

constexpr uint16_t kStripped = 0x0001;  // TUN_PKT_STRIP: the frame was cut to our buffer

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

void swap(VnetHeader& header) {
  for (uint16_t* field : {&header.hdr_len, &header.gso_size, &header.csum_start, &header.csum_offset,
                          &header.num_buffers, &header.hash_report, &header.outer_th_offset, &header.inner_nh_offset})
    *field = __builtin_bswap16(*field);
  header.hash_value = __builtin_bswap32(header.hash_value);
}

// The piece to begin with; empty where nothing stands before a frame.
iovec prefix_of(const Framing& framing, Prefix& prefix) {
  size_t information = framing.packet_information ? sizeof prefix.information : 0;
  auto* begin = reinterpret_cast<uint8_t*>(&prefix) + (sizeof prefix.information - information);
  return {begin, information + framing.vnet_header};
}

}  // namespace

ssize_t read_frame(int fd, const Framing& framing, uint8_t* to, VnetHeader& header) {
  Prefix prefix;
  iovec parts[2] = {prefix_of(framing, prefix), {to, kMaxFrame}};
  const size_t before = parts[0].iov_len;
  ssize_t n;
  do n = before == 0 ? call_read(fd, to, kMaxFrame) : call_readv(fd, parts, 2);
  while (n == -EINTR);
  if (n < 0) return n;
  if (framing.swapped) swap(prefix.vnet);
  header = prefix.vnet;
  size_t length = static_cast<size_t>(n) < before ? 0 : static_cast<size_t>(n) - before;
  if (framing.ethernet && (header.gso_type & (kGsoTunnel4 | kGsoTunnel6))) correct_tunnel(to, length, header);
  if (framing.packet_information && (prefix.information.flags & kStripped)) length = kMaxFrame;
  return static_cast<ssize_t>(length);
}

ReadReport read_frames(int fd, const Framing& framing, FrameRoom& room, uint32_t max_frames, size_t max_bytes) {
  ReadReport report;
  const size_t begin = room.cursor, around = size_t{framing.headroom} + framing.tailroom;
  while (report.frames < max_frames && room.cursor - begin < max_bytes) {
    if (room.size - room.cursor < kMaxFrame + around) {
      report.no_room = report.frames == 0;
      break;
    }
    uint32_t i = room.first + report.frames;
    VnetHeader header;
    size_t offset = room.cursor + framing.headroom;
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
  }
  return report;
}

int write_pieces(int fd, const Framing& framing, iovec* parts, int count, const VnetHeader& header) {
  Prefix prefix;
  if (framing.packet_information)
    prefix.information.protocol =
        protocol_of(framing, static_cast<const uint8_t*>(parts[1].iov_base), parts[1].iov_len);
  prefix.vnet = header;
  if (framing.swapped) swap(prefix.vnet);
  parts[0] = prefix_of(framing, prefix);
  ssize_t n;
  do n = call_writev(fd, parts, count);
  while (n == -EINTR);
  return n < 0 ? static_cast<int>(-n) : 0;
}

int write_frame(int fd, const Framing& framing, const uint8_t* frame, size_t length, const VnetHeader* header) {
  if (framing.packet_information || framing.vnet_header) {
    static const VnetHeader none = {};
    iovec parts[2] = {{}, {const_cast<uint8_t*>(frame), length}};
    return write_pieces(fd, framing, parts, 2, header ? *header : none);
  }
  ssize_t n;
  do n = call_write(fd, frame, length);
  while (n == -EINTR);
  return n < 0 ? static_cast<int>(-n) : 0;
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
