#pragma once
#include <sys/uio.h>

#include "frame_io.h"
#include "vnet_header.h"

// Joins frames of one flow to super-frames for the kernel, by the rules of its own generic receive offload
// (net/ipv4/tcp_offload.c, udp_offload.c, tools/testing/selftests/net/gro.c): it must be able to cut them to the same
// frames again, byte for byte. The one exception is the identification of IPv4 datagrams that must not be fragmented:
// many senders give all of them the same one, mostly 0, and cutting counts it up. It means nothing there, and whoever
// looks at it must ignore it (RFC 6864 section 4.1).
namespace netloom {

// Bits of what may be joined.
constexpr uint8_t kJoinTcp4 = 1;
constexpr uint8_t kJoinTcp6 = 2;
constexpr uint8_t kJoinUdp4 = 4;
constexpr uint8_t kJoinUdp6 = 8;
// And of super-frames beside them that a kernel may refuse.
constexpr uint8_t kUdpTunnels = 16;

// The bits of a super-frame; 0: it is none. USO is one for both versions of IP.
inline uint8_t kinds_of(const VnetHeader& header) {
  if (header.gso_type & (kGsoTunnel4 | kGsoTunnel6)) return kUdpTunnels;
  switch (header.gso_type & kGsoKind) {
    case kGsoTcp4: return kJoinTcp4;
    case kGsoTcp6: return kJoinTcp6;
    case kGsoUdp: return kJoinUdp4 | kJoinUdp6;
    default: return 0;
  }
}

// What goes to the kernel in one write: the headers of the first frame, edited, then the payloads of all.
struct CoalescedFrame {
  uint32_t first;          // index of its first frame in the list
  uint32_t frames;         // 1: the frame as it is, with the header that the list has for it
  VnetHeader header;       // of more than one: the segmentation to ask for
  uint32_t bytes;          // in all, without the virtio-net header
  uint8_t kind;            // the kJoin… bit; of one frame 0
};

// What the list points to must stay as it is from plan() to the last gather().
class Coalescer {
 public:
  static constexpr uint32_t kFrames = 256;  // most that one plan() looks at
  static constexpr uint32_t kParts = 1024;  // most pieces of memory in one write: UIO_MAXIOV

  // Groups list[from, min(end, from + kFrames)): in each flow the frames stay in order, groups are in the order of
  // their first frames, each frame is in one group. Frames outside list.size, and frames whose header in the list asks
  // for anything, are alone. `kinds` says what may be joined; `adjacent`: only frames that follow one another in
  // the list, so that a write that stops midway leaves the rest of the list and nothing else. Checksums of all that is
  // joined were verified. Nothing is allocated. Returns the number of groups.
  uint32_t plan(const FrameList& list, uint32_t end, bool ethernet, uint8_t kinds, bool adjacent);
  const CoalescedFrame& group(uint32_t i) const;
  // The index in the list of the n-th frame of a group.
  uint32_t member(uint32_t group, uint32_t n) const;
  // The pieces of group i, which has more than one frame: valid until the next call of either.
  // Returns how many.
  uint32_t gather(uint32_t i, iovec* parts);

 private:
  struct Packet;
  // What the next frame of a group is compared with.
  struct Group {
    const uint8_t* frame;  // the first
    uint64_t addresses, flow;  // hashes: of them, and with ports
    uint32_t bytes;        // of payload
    uint16_t size;         // of payload in each frame but the last
    uint16_t start, filled;  // of its members in members_
    uint16_t last;         // its last frame
    uint16_t next;         // in its chain: group + 1, 0 at the end
    uint8_t network, transport, headers, kind;
    bool open;
    bool verified;
  };
  static constexpr uint32_t kChains = 512;
  static constexpr uint32_t kDepth = 8;  // groups in a chain: the oldest is closed for another
  static constexpr size_t kHeaders = 192;  // Ethernet with tags, IPv6, TCP with options

  static Packet parse(const uint8_t* frame, size_t length, bool ethernet);
  static bool same_flow(const Group& group, const Packet& packet);
  static bool continues(const Group& group, const CoalescedFrame& joined, const Packet& packet);
  void place(uint32_t i, const Packet* packet, bool adjacent);
  void close_addresses(uint64_t addresses);

  FrameList list_ = {};
  uint32_t from_ = 0, groups_ = 0;
  CoalescedFrame joined_[kFrames];
  Group group_[kFrames];
  uint16_t group_of_[kFrames];
  uint16_t members_[kFrames];
  uint16_t chains_[kChains];
  uint8_t headers_[kHeaders];
};

}  // namespace netloom
