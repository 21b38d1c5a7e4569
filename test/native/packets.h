#pragma once
#include <stdint.h>
#include <string.h>

#include <memory>
#include <vector>

#include "../../native/sys/vnet_header.h"
#include "random.h"

using Bytes = std::vector<uint8_t>;

// Memory that is exactly as long as what is in it, so that the sanitizer sees one byte too many.
struct Exact {
  std::unique_ptr<uint8_t[]> bytes;
  explicit Exact(size_t length) : bytes(new uint8_t[length]) {}
  explicit Exact(const Bytes& from) : bytes(new uint8_t[from.size()]) {
    if (!from.empty()) memcpy(bytes.get(), from.data(), from.size());
  }
  uint8_t* data() const { return bytes.get(); }
};

inline Bytes random_bytes(Random& random, size_t length) {
  Bytes bytes(length);
  for (uint8_t& byte : bytes) byte = random.byte();
  return bytes;
}

// A packet of TCP or UDP in words. build() makes its bytes from them, with sums by the definition of RFC 1071 and no code
// in common with what is tested.
struct Shape {
  bool ethernet = false, ipv6 = false, tcp = true;
  uint8_t station = 1;          // last byte of the MAC address
  std::vector<uint16_t> vlans;
  uint8_t host = 1;             // last byte of the source address
  uint8_t traffic_class = 0, hop_limit = 64;
  uint32_t flow_label = 0;
  uint16_t id = 1000;
  uint16_t fragment = 0x4000;   // flags and offset
  Bytes ip_options;             // of IPv4
  std::vector<Bytes> extensions;  // of IPv6; the first byte of each is its own type, and becomes that of the next
  uint16_t source = 40000, destination = 443;
  uint32_t sequence = 7000, acknowledgment = 9000;
  uint8_t flags = 0x10, reserved = 0;
  uint16_t window = 500, urgent = 0;
  Bytes tcp_options;
  bool no_checksum = false;     // UDP

  bool tunnel = false, outer_ipv6 = false, outer_checksum = false, inner_ethernet = true;
  uint16_t outer_id = 3000;
  Bytes tunnel_header = {8, 0, 0, 0, 0, 0, 42, 0};
};

using namespace netloom;

struct Built {
  Bytes bytes;
  VnetHeader header = {};  // of a super-frame, but for gso_size
  size_t headers = 0;
};

namespace packets {

inline void put(Bytes& to, uint64_t value, int bytes) {
  while (bytes--) to.push_back(static_cast<uint8_t>(value >> (8 * bytes)));
}

inline void set16(Bytes& to, size_t at, uint16_t value) {
  to[at] = static_cast<uint8_t>(value >> 8);
  to[at + 1] = static_cast<uint8_t>(value);
}

inline uint16_t sum(const Bytes& bytes, size_t from, size_t to) {
  uint32_t sum = 0;
  for (size_t i = from; i < to; i++) sum += (i - from) % 2 ? bytes[i] : bytes[i] << 8;
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

// Appends the IP header of a packet with so many bytes behind it; gives the sum of the pseudo-header.
inline uint16_t network(Bytes& to, const Shape& shape, bool ipv6, bool outer, uint8_t protocol, size_t payload) {
  Bytes pseudo;
  const size_t start = to.size();
  const Bytes& options = shape.ip_options;
  const bool plain = outer;
  if (ipv6) {
    size_t extra = 0;
    if (!plain)
      for (const Bytes& extension : shape.extensions) extra += extension.size();
    put(to, 6u << 28 | shape.traffic_class << 20 | shape.flow_label, 4);
    put(to, payload + extra, 2);
    to.push_back(plain || shape.extensions.empty() ? protocol : shape.extensions[0][0]);
    to.push_back(shape.hop_limit);
    for (int end = 0; end < 2; end++) {
      Bytes address = {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<uint8_t>(outer), end ? uint8_t{200} : shape.host};
      to.insert(to.end(), address.begin(), address.end());
      pseudo.insert(pseudo.end(), address.begin(), address.end());
    }
    if (!plain)
      for (size_t i = 0; i < shape.extensions.size(); i++) {
        Bytes extension = shape.extensions[i];
        extension[0] = i + 1 < shape.extensions.size() ? shape.extensions[i + 1][0] : protocol;
        to.insert(to.end(), extension.begin(), extension.end());
      }
  } else {
    const size_t length = 20 + (plain ? 0 : options.size());
    to.push_back(static_cast<uint8_t>(0x40 | length / 4));
    to.push_back(shape.traffic_class);
    put(to, length + payload, 2);
    put(to, outer ? shape.outer_id : shape.id, 2);
    put(to, outer ? 0x4000 : shape.fragment, 2);
    to.push_back(shape.hop_limit);
    to.push_back(protocol);
    put(to, 0, 2);
    for (int end = 0; end < 2; end++) {
      Bytes address = {10, 0, static_cast<uint8_t>(outer), end ? uint8_t{200} : shape.host};
      to.insert(to.end(), address.begin(), address.end());
      pseudo.insert(pseudo.end(), address.begin(), address.end());
    }
    if (!plain) to.insert(to.end(), options.begin(), options.end());
    set16(to, start + 10, static_cast<uint16_t>(~sum(to, start, start + length)));
  }
  put(pseudo, payload, 4);
  put(pseudo, protocol, 4);
  return sum(pseudo, 0, pseudo.size());
}

// Puts the checksum of what begins at `start` to its place; `partial`: the pseudo-header's sum alone.
inline void checksum(Bytes& bytes, size_t start, size_t at, uint16_t pseudo, bool partial, bool udp) {
  if (partial) return set16(bytes, at, pseudo);
  uint32_t all = sum(bytes, start, bytes.size()) + pseudo;
  all = (all & 0xffff) + (all >> 16);
  uint16_t value = static_cast<uint16_t>(~all);
  set16(bytes, at, udp && value == 0 ? 0xffff : value);
}

inline void link(Bytes& to, const Shape& shape, bool ipv6, const std::vector<uint16_t>& vlans) {
  put(to, 0x020000000099, 6);
  put(to, 0x020000000000 | shape.station, 6);
  for (size_t i = 0; i < vlans.size(); i++) {
    put(to, i + 1 < vlans.size() ? 0x88a8 : 0x8100, 2);
    put(to, vlans[i], 2);
  }
  put(to, ipv6 ? 0x86dd : 0x0800, 2);
}

}  // namespace packets

inline Built build(const Shape& shape, const uint8_t* payload, size_t length, bool partial = false) {
  using namespace packets;
  Built built;
  Bytes& to = built.bytes;
  const size_t transport_header = shape.tcp ? 20 + shape.tcp_options.size() : 8;
  size_t network_header = shape.ipv6 ? 40 : 20 + shape.ip_options.size();
  if (shape.ipv6)
    for (const Bytes& extension : shape.extensions) network_header += extension.size();
  uint16_t outer_pseudo = 0;
  size_t outer = 0;
  if (shape.ethernet) link(to, shape, shape.tunnel ? shape.outer_ipv6 : shape.ipv6, shape.vlans);
  if (shape.tunnel) {
    const size_t inside = 8 + shape.tunnel_header.size() + (shape.inner_ethernet ? 14 : 0) + network_header + transport_header + length;
    outer_pseudo = network(to, shape, shape.outer_ipv6, true, 17, inside);
    outer = to.size();
    put(to, 55555, 2);
    put(to, 4789, 2);
    put(to, inside, 2);
    put(to, 0, 2);
    to.insert(to.end(), shape.tunnel_header.begin(), shape.tunnel_header.end());
    if (shape.inner_ethernet) link(to, shape, shape.ipv6, {});
    built.header.outer_th_offset = static_cast<uint16_t>(outer);
    built.header.inner_nh_offset = static_cast<uint16_t>(to.size());
    built.header.gso_type |= shape.outer_ipv6 ? kGsoTunnel6 : kGsoTunnel4;
    if (shape.outer_checksum) built.header.flags |= kVnetTunnelChecksum;
  }
  const uint16_t pseudo = network(to, shape, shape.ipv6, false, shape.tcp ? 6 : 17, transport_header + length);
  const size_t transport = to.size();
  put(to, shape.source, 2);
  put(to, shape.destination, 2);
  if (shape.tcp) {
    put(to, shape.sequence, 4);
    put(to, shape.acknowledgment, 4);
    to.push_back(static_cast<uint8_t>(transport_header / 4 << 4 | shape.reserved));
    to.push_back(shape.flags);
    put(to, shape.window, 2);
    put(to, 0, 2);
    put(to, shape.urgent, 2);
    to.insert(to.end(), shape.tcp_options.begin(), shape.tcp_options.end());
  } else {
    put(to, 8 + length, 2);
    put(to, 0, 2);
  }
  built.headers = to.size();
  to.insert(to.end(), payload, payload + length);
  if (shape.tcp || !shape.no_checksum) checksum(to, transport, transport + (shape.tcp ? 16 : 6), pseudo, partial, !shape.tcp);
  if (shape.tunnel && shape.outer_checksum) checksum(to, outer, outer + 6, outer_pseudo, partial, true);
  built.header.flags |= kVnetNeedsChecksum;
  built.header.gso_type |= !shape.tcp ? kGsoUdp : shape.ipv6 ? kGsoTcp6 : kGsoTcp4;
  built.header.hdr_len = static_cast<uint16_t>(built.headers);
  built.header.csum_start = static_cast<uint16_t>(transport);
  built.header.csum_offset = shape.tcp ? 16 : 6;
  return built;
}

// Any that can be cut.
inline Shape random_shape(Random& random) {
  Shape shape;
  shape.ethernet = random.below(2);
  shape.ipv6 = random.below(2);
  shape.tcp = random.below(2);
  if (shape.ethernet)
    for (uint32_t n = random.once_in(3) ? random.below(3) : 0; n > 0; n--) shape.vlans.push_back(static_cast<uint16_t>(random.below(4096)));
  shape.host = random.byte();
  shape.traffic_class = random.byte();
  shape.hop_limit = random.byte();
  shape.flow_label = random.below(1 << 20);
  shape.id = static_cast<uint16_t>(random.next());
  shape.fragment = random.below(2) ? 0x4000 : 0;
  if (random.once_in(4)) shape.ip_options = random_bytes(random, 4 * (1 + random.below(10)));
  if (random.once_in(4)) {
    const uint8_t types[] = {0, 43, 60};
    for (uint32_t n = 1 + random.below(3); n > 0; n--) {
      const uint32_t units = random.below(3);
      Bytes extension = random_bytes(random, 8 + 8 * units);
      extension[0] = types[random.below(3)];
      extension[1] = static_cast<uint8_t>(units);
      if (extension[0] == 0) extension[2] = 1, extension[3] = static_cast<uint8_t>(extension.size() - 4);  // PadN
      shape.extensions.push_back(extension);
    }
  }
  shape.source = static_cast<uint16_t>(random.next());
  shape.sequence = static_cast<uint32_t>(random.next());
  shape.acknowledgment = static_cast<uint32_t>(random.next());
  shape.flags = random.byte();
  shape.reserved = random.below(16);
  shape.window = static_cast<uint16_t>(random.next());
  shape.urgent = static_cast<uint16_t>(random.next());
  if (random.below(2)) shape.tcp_options = random_bytes(random, 4 * random.below(11));
  if (random.once_in(3)) {
    shape.tunnel = true;
    shape.outer_ipv6 = random.below(2);
    shape.outer_checksum = random.below(2);
    shape.inner_ethernet = random.below(2);
    shape.outer_id = static_cast<uint16_t>(random.next());
    shape.tunnel_header = random_bytes(random, random.once_in(8) ? random.below(40) : 8 + 4 * random.below(5));
  }
  return shape;
}

// Segment i of so many, in words.
inline Shape segment_shape(Shape shape, uint32_t i, uint32_t segments, uint32_t size) {
  shape.id = static_cast<uint16_t>(shape.id + i);
  shape.outer_id = static_cast<uint16_t>(shape.outer_id + i);
  shape.sequence += i * size;
  if (i + 1 < segments) shape.flags &= ~0x09;  // FIN, PSH
  if (i > 0) shape.flags &= 0x7f;              // CWR
  return shape;
}
