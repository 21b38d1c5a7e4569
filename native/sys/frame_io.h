#pragma once
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "vnet_header.h"

namespace netloom {

struct PacketInformation {  // struct tun_pi; `protocol` is big-endian
  uint16_t flags;
  uint16_t protocol;
};

// What stands around each frame on the descriptor and, for room, in memory.
struct Framing {
  uint32_t max_frame = 65535;       // longer ones are not written (EMSGSIZE)
  bool packet_information = false;  // struct tun_pi, linux/if_tun.h
  bool ethernet = false;            // frames begin with an Ethernet header; else with IP
  uint8_t vnet_header = 0;          // bytes of struct virtio_net_hdr, linux/virtio_net.h; 0 = none
  bool swapped = false;             // that header is in the other byte order
  uint8_t join = 0;                 // kJoin… of coalescing.h: frames that are written may be joined
  bool join_adjacent = false;       // the descriptor may say that it is full
  uint8_t refused = 0;              // kJoin… and kUdpTunnels of coalescing.h: what is neither joined nor written whole
  uint32_t headroom = 0;            // bytes that are free, at least, before and after each frame that is read
  uint32_t tailroom = 0;

  // Bytes before each frame on the descriptor; and before each that read_frames() gives, as they are read with it.
  size_t before() const { return (packet_information ? sizeof(PacketInformation) : 0) + vnet_header; }
  size_t room_before() const { return headroom > before() ? headroom : before(); }
};

// Where frames are read to: columns hold one entry a frame, from `first` on.
struct FrameRoom {
  uint8_t* data;
  size_t size;
  size_t cursor;  // where the room before the next frame begins; moved past the room after the last one read
  uint32_t* offsets;
  uint32_t* lengths;
  VnetHeader* headers;  // null = virtio-net headers are discarded
  uint32_t first;
};

struct ReadReport {
  uint32_t frames = 0;
  size_t bytes = 0;      // of these frames
  uint32_t cut = 0;      // frames longer than kMaxFrame: discarded, not counted in `frames`
  bool no_room = false;  // there is none for another frame at the cursor, and none was read
  int error = 0;         // EAGAIN: the queue is empty; else why reading stopped; 0: a bound was met
};

// Longest frame that a read has room for: 64 KiB and headers.
constexpr size_t kMaxFrame = 65536 + 64;

// Reads frames until the queue is empty or a bound is met; stops where less than kMaxFrame bytes are left in the room.
ReadReport read_frames(int fd, const Framing& framing, FrameRoom& room, uint32_t max_frames, size_t max_bytes);

// Frames to write, in one piece of memory. Columns may be any numbers: they are checked.
struct FrameList {
  const uint8_t* data;
  size_t size;
  const uint32_t* offsets;
  const uint32_t* lengths;
  const VnetHeader* headers;  // null = all zero
  uint32_t from;
  uint32_t count;

  bool holds(uint32_t i) const { return static_cast<uint64_t>(offsets[i]) + lengths[i] <= size; }
};

struct WriteReport {
  uint32_t next = 0;  // first frame not looked at
  uint32_t sent = 0;
  uint32_t dropped = 0;
  uint32_t too_long = 0;  // of these: longer than the descriptor takes
  uint64_t bytes = 0;
  uint32_t failed_index = 0;  // the first refusal
  uint32_t failed_length = 0;
  int failed_error = 0;
  int error = 0;  // EAGAIN: the device is full at `next`; EBADFD and kin: it is gone; 0: all looked at
  uint8_t refused = 0;  // as in Framing: what the kernel turned out to refuse

  void refuse(uint32_t index, uint32_t length, int why) {
    if (why == EMSGSIZE) too_long++;
    if (dropped++ > 0) return;
    failed_index = index;
    failed_length = length;
    failed_error = why;
  }
};

// The descriptor can't go on: its device is gone, or full for now.
inline bool stops_writing(int error) {
  return error == EAGAIN || error == EBADFD || error == EBADF || error == ENODEV;
}

// Writes frames one system call each, as they are. A frame that is refused is counted and the next one tried.
WriteReport write_frames(int fd, const Framing& framing, const FrameList& list, uint32_t max_frames);

}  // namespace netloom
