#pragma once
#include <stddef.h>
#include <stdint.h>

#include "vnet_header.h"

// Cuts super-frames to the frames that they stand for, as net/ipv4/af_inet.c, tcp_offload.c, udp_offload.c and
// net/ipv6/ip6_offload.c do it, byte for byte. One whose payload is not longer than gso_size is one segment, and so is
// a frame that asks for no cutting; its segment differs from it in nothing but completed checksums.
namespace netloom {

// As Linux reads a frame to us it puts the VLAN tag into it, and counts the tag in csum_start but not in the two offsets of a
// tunnel. Adds it to these where it is missing, so that the frame can be sent on. `frame` begins with an Ethernet header.
void correct_tunnel(const uint8_t* frame, size_t length, VnetHeader& header);

// A super-frame, looked at: what its segments have in common.
struct SegmentPlan {
  const uint8_t* frame = nullptr;
  size_t length = 0;
  uint32_t headers = 0;   // bytes that every segment begins with
  uint32_t size = 0;      // bytes of payload in each segment but the last
  uint32_t segments = 0;
  uint32_t network = 0;   // offset of the IP header that belongs to the transport header
  uint32_t transport = 0;
  uint32_t checksum = 0;  // offset of the transport checksum
  uint32_t outer_network = 0, outer_transport = 0;  // of a tunnel; 0, 0 = none
  bool ipv6 = false, tcp = false;
  bool partial = false;         // the transport checksum is left to us,
  bool outer_checksum = false;  // and the tunnel's
  // What is the same in all segments of the sums of the transport header and its pseudo-header, of the IP header, and
  // of a tunnel's pseudo-header and IP header.
  uint64_t sum = 0, network_sum = 0, outer_sum = 0, outer_network_sum = 0;
};

// 0, or EINVAL for a frame whose bytes contradict its header, EOPNOTSUPP for a kind that is not cut here. `ethernet`:
// the frame begins with an Ethernet header, with or without VLAN tags; else with IP. Reads only the frame's bytes.
int plan_segments(const uint8_t* frame, size_t length, const VnetHeader& header, bool ethernet, SegmentPlan& plan);

inline uint32_t segment_length(const SegmentPlan& plan, uint32_t i) {
  return i + 1 < plan.segments ? plan.headers + plan.size
                               : static_cast<uint32_t>(plan.length) - i * plan.size;
}

// Writes segment i, all checksums in it complete, to `to`, which has room for segment_length() bytes and does not
// overlap the frame. Segments can be written in any order.
void write_segment(const SegmentPlan& plan, uint32_t i, uint8_t* to);

// Fills in the checksum that the header leaves to us (kVnetNeedsChecksum); nothing where it leaves none. 0, or EINVAL
// where the header points outside the frame.
int complete_checksum(uint8_t* frame, size_t length, const VnetHeader& header);

}  // namespace netloom
