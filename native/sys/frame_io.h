#pragma once
#include <stddef.h>
#include <stdint.h>

namespace netloom {

// What stands before each frame on the descriptor.
struct Framing {
  uint32_t max_frame = 65535;       // longer ones are not written (EMSGSIZE)
  bool packet_information = false;  // struct tun_pi, linux/if_tun.h
  bool ethernet = false;            // where the EtherType for tun_pi is found
  uint8_t vnet_header = 0;          // bytes of struct virtio_net_hdr, linux/virtio_net.h; 0 = none
};

// Where frames are read to: columns hold one entry a frame, from `first` on.
struct FrameRoom {
  uint8_t* data;
  size_t size;
  size_t cursor;  // where the next frame goes; moved past the last one read
  uint32_t* offsets;
  uint32_t* lengths;
  uint8_t* headers;     // header_stride bytes a frame; null = virtio-net headers are discarded
  size_t header_stride;
  uint32_t first;
};

struct ReadReport {
  uint32_t frames = 0;
  uint32_t cut = 0;      // frames longer than kMaxFrame: discarded, not counted in `frames`
  int error = 0;         // EAGAIN: the queue is empty; else why reading stopped; 0: a bound was met
};

// Longest frame that a read has room for: 64 KiB and headers.
constexpr size_t kMaxFrame = 65536 + 64;

// Reads frames until the queue is empty or a bound is met. The room must have kMaxFrame bytes at the cursor
// for the first frame; reading stops by itself where less is left.
ReadReport read_frames(int fd, const Framing& framing, FrameRoom& room, uint32_t max_frames, size_t max_bytes);

// Frames to write, in one piece of memory. Columns may be any numbers: they are checked.
struct FrameList {
  const uint8_t* data;
  size_t size;
  const uint32_t* offsets;
  const uint32_t* lengths;
  const uint8_t* headers;  // virtio-net headers, header_stride bytes a frame; null = all zero
  size_t header_stride;
  uint32_t from;
  uint32_t count;
};

struct WriteReport {
  uint32_t next = 0;  // first frame not looked at
  uint32_t sent = 0;
  uint32_t dropped = 0;
  uint64_t bytes = 0;
  uint32_t failed_index = 0;  // the first refusal
  uint32_t failed_length = 0;
  int failed_error = 0;
  int error = 0;  // EAGAIN: the device is full at `next`; EBADFD and kin: it is gone; 0: all looked at
};

// Writes frames one system call each. A frame that is refused is counted and the next one tried.
WriteReport write_frames(int fd, const Framing& framing, const FrameList& list, uint32_t max_frames);

}  // namespace netloom
