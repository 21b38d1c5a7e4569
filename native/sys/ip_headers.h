#pragma once
#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>

#include "checksum.h"

// Where the headers of a frame are: as much as cutting and joining ask for.
namespace netloom {

constexpr uint8_t kTcp = 6, kUdp = 17;                                // IPPROTO_…
constexpr uint32_t kTcpChecksum = 16, kUdpChecksum = 6;               // offsets in their headers
constexpr uint8_t kFin = 0x01, kPush = 0x08, kAck = 0x10, kCwr = 0x80;  // flags of TCP, in its byte 13

inline uint16_t read16(const uint8_t* from) { return static_cast<uint16_t>(from[0] << 8 | from[1]); }
inline uint32_t read32(const uint8_t* from) { return static_cast<uint32_t>(read16(from)) << 16 | read16(from + 2); }
inline void put16(uint8_t* to, uint32_t value) {
  to[0] = static_cast<uint8_t>(value >> 8);
  to[1] = static_cast<uint8_t>(value);
}
inline void put32(uint8_t* to, uint32_t value) { put16(to, value >> 16), put16(to + 2, value); }

// The sum of the pseudo-header of a checksum over `length` bytes. A tunnel's headers can make them more than 16 bits
// have room for.
inline uint16_t length_sum(size_t length) { return fold_sum(htonl(static_cast<uint32_t>(length))); }
inline uint64_t pseudo_header_sum(const uint8_t* ip, uint8_t protocol, size_t length) {
  const uint64_t addresses = ip[0] >> 4 == 4 ? sum_bytes(ip + 12, 8) : sum_bytes(ip + 8, 32);
  return addresses + htons(protocol) + length_sum(length);
}

// The checksum of an IPv4 header, made anew.
inline void sum_ipv4_header(uint8_t* ip) {
  store_word(ip + 10, 0);
  store_checksum(ip + 10, sum_bytes(ip, (ip[0] & 15) * 4u));
}

constexpr uint32_t kNoHeader = UINT32_MAX;

// Offset of the IP header: behind Ethernet and its VLAN tags (802.1Q, 802.1ad; as many as the kernel follows), or 0.
// kNoHeader: it is not there, or not as long as the shortest of its version.
inline uint32_t find_network(const uint8_t* frame, size_t length, bool ethernet) {
  uint32_t at = 0;
  uint16_t type = 0;
  if (ethernet) {
    at = 14;
    if (length < at) return kNoHeader;
    type = read16(frame + 12);
    for (int tags = 0; (type == 0x8100 || type == 0x88a8) && tags < 8; tags++) {
      at += 4;
      if (length < at) return kNoHeader;
      type = read16(frame + at - 2);
    }
    if (type != 0x0800 && type != 0x86dd) return kNoHeader;
  }
  if (length <= at) return kNoHeader;
  const uint8_t version = frame[at] >> 4;
  if (ethernet && version != (type == 0x0800 ? 4 : 6)) return kNoHeader;
  if (version != 4 && version != 6) return kNoHeader;
  return length - at < (version == 4 ? 20 : 40) ? kNoHeader : at;
}

// Offset of the header of `protocol` in the packet whose IP header, looked at by find_network(), is at `network`; options and
// the extension headers that may precede a segment (hop-by-hop, routing, destination) are passed over. kNoHeader: it is
// another protocol, or a fragment, or the headers do not fit in the frame.
inline uint32_t find_transport(const uint8_t* frame, size_t length, uint32_t network, uint8_t protocol) {
  const uint8_t* ip = frame + network;
  size_t at;
  if (ip[0] >> 4 == 4) {
    at = network + (ip[0] & 15) * 4u;
    if ((ip[0] & 15) < 5 || ip[9] != protocol || (read16(ip + 6) & 0x3fff)) return kNoHeader;
  } else {
    at = network + 40;
    uint8_t next = ip[6];
    while (next == 0 || next == 43 || next == 60) {
      if (length < at + 8) return kNoHeader;
      next = frame[at];
      at += (frame[at + 1] + 1) * 8u;
    }
    if (next != protocol) return kNoHeader;
  }
  return length < at ? kNoHeader : static_cast<uint32_t>(at);
}

}  // namespace netloom
