#pragma once
#include <sys/uio.h>

#include "frame_io.h"
#include "vnet_header.h"

// Joins frames of one flow to super-frames for the kernel, by the rules of its own generic receive offload
// (net/ipv4/tcp_offload.c, udp_offload.c, tools/testing/selftests/net/gro.c): it must be able to cut them to the same
// frames again, byte for byte.
namespace netloom {

// Bits of what may be joined.
constexpr uint8_t kJoinTcp4 = 1;
constexpr uint8_t kJoinTcp6 = 2;
constexpr uint8_t kJoinUdp4 = 4;
constexpr uint8_t kJoinUdp6 = 8;

// What goes to the kernel in one write: the headers of the first frame, edited, then the payloads of all.
struct CoalescedFrame {
  uint32_t first;          // index of its first frame in the list
  uint32_t frames;         // 1: the frame as it is, with the header that the list has for it
  VnetHeader header;       // of more than one: the segmentation to ask for
  uint32_t bytes;          // in all, without the virtio-net header
  uint8_t kind;            // the kJoin… bit
};

class Coalescer {
 public:
  static constexpr uint32_t kFrames = 256;  // most that one plan() looks at
  static constexpr uint32_t kParts = 1024;  // most pieces of memory in one write: UIO_MAXIOV

  // Groups list[from, min(end, from + kFrames)): in each flow the frames stay in order, groups are in the order of
  // their first frames, each frame is in one group. Frames outside list.size, and frames whose header in the list asks
  // for anything, are alone. `kinds` says what may be joined; `adjacent`: only frames that follow one another in
  // the list, so that a write that stops midway leaves the rest of the list and nothing else. Checksums of all that is joined were verified. Nothing is allocated.
  // Returns the number of groups.
  uint32_t plan(const FrameList& list, uint32_t end, bool ethernet, uint8_t kinds, bool adjacent);
  const CoalescedFrame& group(uint32_t i) const;
  // The index in the list of the n-th frame of a group.
  uint32_t member(uint32_t group, uint32_t n) const;
  // The pieces of group i, which has more than one frame: valid until the next call of either.
  // Returns how many.
  uint32_t gather(uint32_t i, iovec* parts);
};

}  // namespace netloom
