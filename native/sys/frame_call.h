#pragma once
#include <string.h>

#include <initializer_list>

#include "frame_io.h"
#include "segmentation.h"
#include "system_call.h"

// The system call for one frame. All of it is inlined into the loops that call it: see system_call.h.

namespace netloom {

// What stands before a frame on the descriptor, in one piece.
struct Prefix {
  PacketInformation information = {};
  VnetHeader vnet = {};
};

constexpr uint16_t kStripped = 0x0001;  // TUN_PKT_STRIP: the frame was cut to our buffer

// The EtherType in wire order: of the frame itself on Ethernet, by the version nibble on IP.
inline uint16_t protocol_of(const Framing& framing, const uint8_t* frame, size_t length) {
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

inline void swap(VnetHeader& header) {
  for (uint16_t* field : {&header.hdr_len, &header.gso_size, &header.csum_start, &header.csum_offset,
                          &header.num_buffers, &header.hash_report, &header.outer_th_offset, &header.inner_nh_offset})
    *field = __builtin_bswap16(*field);
  header.hash_value = __builtin_bswap32(header.hash_value);
}

// The piece to begin with; empty where nothing stands before a frame.
inline iovec prefix_of(const Framing& framing, Prefix& prefix) {
  auto* begin = reinterpret_cast<uint8_t*>(&prefix) + (framing.packet_information ? 0 : sizeof prefix.information);
  return {begin, framing.before()};
}

// Reads one frame to `to`, which has kMaxFrame bytes, and before it room for what stands before a frame: one piece costs
// less than two. Its virtio-net header, where there is one, goes to `header`. The frame's length, or negative errno;
// kMaxFrame: it is longer, and was cut.
[[gnu::always_inline]] inline ssize_t read_frame(int fd, const Framing& framing, uint8_t* to, VnetHeader& header) {
  const size_t before = framing.before();
  // Older kernels pass over what they do not know of the header.
  if (before > 0) memset(to - before, 0, before);
  ssize_t n;
  do n = call_read(fd, to - before, before + kMaxFrame);
  while (n == -EINTR);
  if (n < 0) return n;
  Prefix prefix;
  if (before > 0) memcpy(prefix_of(framing, prefix).iov_base, to - before, before);
  if (framing.swapped) swap(prefix.vnet);
  header = prefix.vnet;
  const size_t length = static_cast<size_t>(n) < before ? 0 : static_cast<size_t>(n) - before;
  correct_tunnel(to, length, framing.ethernet, header);
  const bool stripped = framing.packet_information && (prefix.information.flags & kStripped);
  return static_cast<ssize_t>(stripped ? kMaxFrame : length);
}

// Writes a frame that lies in pieces. parts[0] is free, for what stands before the frame.
[[gnu::always_inline]] inline int write_pieces(int fd, const Framing& framing, iovec* parts, int count, const VnetHeader& header) {
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

// Writes one frame, with its virtio-net header where the descriptor has one: 0 or errno.
[[gnu::always_inline]] inline int write_frame(int fd, const Framing& framing, const uint8_t* frame, size_t length, const VnetHeader* header) {
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

}  // namespace netloom
