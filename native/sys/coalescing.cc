#include "coalescing.h"

#include <string.h>

#include "checksum.h"
#include "ip_headers.h"

namespace netloom {

// A frame as far as joining looks at it.
struct Coalescer::Packet {
  enum class Part : uint8_t {
    kNone,     // of no flow that could be joined
    kUnknown,  // of some flow between these addresses: a fragment, or behind options or extension headers
    kFlow,
  };
  const uint8_t* frame;
  uint32_t length;
  uint64_t addresses, flow;  // hashes
  uint16_t payload;
  uint8_t network, transport, headers;  // offsets
  uint8_t kind;
  Part part = Part::kNone;
  bool whole = false;  // it may begin a group

  const uint8_t* ip() const { return frame + network; }
  const uint8_t* th() const { return frame + transport; }
  bool tcp() const { return kind & (kJoinTcp4 | kJoinTcp6); }
  // Nothing goes behind it.
  bool ends() const { return tcp() && (th()[13] & (kFin | kPush)); }
  bool ipv6() const { return kind & (kJoinTcp6 | kJoinUdp6); }
};

namespace {

constexpr uint16_t kMostDatagrams = 64;  // UDP_MAX_SEGMENTS, linux/udp.h, before 6.9
constexpr uint8_t kJoinable = kFin | kPush | kAck | kCwr | 0x40;  // the last is ECE

uint64_t mix(uint64_t hash, const uint8_t* from, size_t length) {
  for (size_t at = 0; at < length; at += 4) {
    uint32_t word;
    memcpy(&word, from + at, sizeof word);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return hash;
}

// The checksums, in the spelling that cutting gives them: the sum of zero is 0 in TCP's and in the header's, 0xffff in UDP's.
bool verify(const uint8_t* frame, uint32_t length, uint32_t network, uint32_t transport, bool tcp) {
  const uint8_t* ip = frame + network;
  if (ip[0] >> 4 == 4 && (fold_sum(sum_bytes(ip, 20)) != 0xffff || load_word(ip + 10) == 0xffff)) return false;
  const uint16_t checksum = load_word(frame + transport + (tcp ? kTcpChecksum : kUdpChecksum));
  if (checksum == (tcp ? 0xffff : 0)) return false;
  const uint64_t sum = sum_bytes(frame + transport, length - transport);
  return fold_sum(sum + pseudo_header_sum(ip, tcp ? kTcp : kUdp, length - transport)) == 0xffff;
}

}  // namespace

Coalescer::Packet Coalescer::parse(const uint8_t* frame, size_t length, bool ethernet) {
  Packet packet = {};
  packet.frame = frame;
  packet.length = static_cast<uint32_t>(length);
  const uint32_t network = find_network(frame, length, ethernet);
  if (network == kNoHeader) return packet;
  const uint8_t* ip = frame + network;
  const bool ipv6 = ip[0] >> 4 == 6;
  const uint8_t protocol = ip[ipv6 ? 6 : 9];
  const bool plain = protocol == kTcp || protocol == kUdp;
  if (!plain && (!ipv6 || protocol == 58)) return packet;
  packet.part = Packet::Part::kUnknown;
  packet.addresses = ipv6 ? mix(6, ip + 8, 32) : mix(4, ip + 12, 8);
  packet.network = static_cast<uint8_t>(network);
  packet.transport = static_cast<uint8_t>(network + (ipv6 ? 40 : 20));
  const bool tcp = protocol == kTcp;
  if (!plain || (!ipv6 && (ip[0] != 0x45 || (read16(ip + 6) & 0x3fff))) || length < packet.transport + (tcp ? 20u : 8u)) return packet;

  packet.part = Packet::Part::kFlow;
  packet.kind = tcp ? (ipv6 ? kJoinTcp6 : kJoinTcp4) : (ipv6 ? kJoinUdp6 : kJoinUdp4);
  const uint8_t* th = frame + packet.transport;
  packet.flow = mix(packet.addresses + protocol, th, 4);
  const uint32_t own = tcp ? (th[12] >> 4) * 4u : 8;
  const size_t stated = ipv6 ? read16(ip + 4) + 40u : read16(ip + 2);
  if (own < (tcp ? 20u : 8u) || stated != length - network || packet.transport + own >= length) return packet;
  packet.headers = static_cast<uint8_t>(packet.transport + own);
  packet.payload = static_cast<uint16_t>(length - packet.headers);
  packet.whole = tcp ? (th[13] & kAck) && !(th[13] & ~kJoinable) : read16(th + 4) == length - packet.transport && load_word(th + 6);
  return packet;
}

// Link headers, addresses and ports.
bool Coalescer::same_flow(const Group& group, const Packet& packet) {
  if (group.flow != packet.flow || group.network != packet.network || group.transport != packet.transport) return false;
  const uint8_t* first = group.frame;
  const bool ipv6 = packet.ipv6();
  const uint32_t addresses = packet.network + (ipv6 ? 8 : 12), protocol = packet.network + (ipv6 ? 6 : 9);
  return first[protocol] == packet.frame[protocol] && memcmp(first, packet.frame, packet.network) == 0 &&
         memcmp(first + addresses, packet.frame + addresses, ipv6 ? 32 : 8) == 0 &&
         memcmp(first + packet.transport, packet.th(), 4) == 0;
}

// Whether cutting would give the packet, which is of the same flow, behind what the group has.
bool Coalescer::continues(const Group& group, const CoalescedFrame& joined, const Packet& packet) {
  const uint8_t *ip = group.frame + group.network, *th = group.frame + group.transport;
  const uint8_t *next_ip = packet.ip(), *next_th = packet.th();
  if (packet.headers != group.headers || packet.payload > group.size) return false;
  if (packet.headers - packet.network + group.bytes + packet.payload > UINT16_MAX) return false;
  if (packet.ipv6()) {
    if (memcmp(ip, next_ip, 4) != 0 || ip[7] != next_ip[7]) return false;
  } else {
    if (ip[1] != next_ip[1] || memcmp(ip + 6, next_ip + 6, 3) != 0) return false;
    const uint16_t id = read16(next_ip + 4), first_id = read16(ip + 4);
    const bool atomic = ip[6] & 0x40;
    if (id != static_cast<uint16_t>(first_id + joined.frames) && !(atomic && id == first_id)) return false;
  }
  if (!packet.tcp()) return joined.frames < kMostDatagrams;
  // Acknowledgment, the lengths and reserved bits, flags, window, urgent pointer, options.
  if (read32(next_th + 4) != read32(th + 4) + group.bytes || memcmp(th + 8, next_th + 8, 5) != 0) return false;
  if ((next_th[13] & kCwr) || ((th[13] ^ next_th[13]) & ~(kCwr | kPush | kFin))) return false;
  return memcmp(th + 14, next_th + 14, 2) == 0 && memcmp(th + 18, next_th + 18, packet.headers - packet.transport - 18) == 0;
}

void Coalescer::close_addresses(uint64_t addresses) {
  for (uint32_t g = 0; g < groups_; g++) {
    if (group_[g].addresses == addresses) group_[g].open = false;
  }
}

// Puts frame i into the group that it continues, else into one of its own. Null: it is of no flow.
void Coalescer::place(uint32_t i, const Packet* packet, bool adjacent) {
  bool good = packet && packet->whole, verified = false;
  if (packet) {
    uint16_t* link = &chains_[packet->flow % kChains];
    for (uint32_t depth = 0; *link && !same_flow(group_[*link - 1], *packet); depth++) {
      if (depth == kDepth) {
        *link = 0;
        break;
      }
      link = &group_[*link - 1].next;
    }
    if (*link) {
      const uint32_t g = *link - 1u;
      Group& group = group_[g];
      CoalescedFrame& joined = joined_[g];
      if (good && group.open && (!adjacent || g + 1 == groups_) && continues(group, joined, *packet)) {
        const bool tcp = packet->tcp();
        if (!group.verified) {
          group.open = verify(group.frame, joined.bytes, group.network, group.transport, tcp);
          group.verified = true;
        }
        good = verified = verify(packet->frame, packet->length, packet->network, packet->transport, tcp);
        if (group.open && good) {
          group.bytes += packet->payload;
          group.last = static_cast<uint16_t>(i - from_);
          group.open = packet->payload == group.size && !packet->ends();
          joined.frames++;
          joined.bytes += packet->payload;
          group_of_[i - from_] = static_cast<uint16_t>(g);
          return;
        }
      }
      *link = group.next;
    }
  }
  Group& group = group_[groups_];
  group = {};
  group.last = static_cast<uint16_t>(i - from_);
  if (packet) {
    group.frame = packet->frame;
    group.flow = packet->flow;
    group.addresses = packet->addresses;
    group.bytes = group.size = packet->payload;
    group.network = packet->network;
    group.transport = packet->transport;
    group.headers = packet->headers;
    group.kind = packet->kind;
    group.open = good && !packet->ends();
    group.verified = verified;
    if (group.open) {
      group.next = chains_[packet->flow % kChains];
      chains_[packet->flow % kChains] = static_cast<uint16_t>(groups_ + 1);
    }
  }
  joined_[groups_] = {i, 1, {}, list_.lengths[i], 0};
  group_of_[i - from_] = static_cast<uint16_t>(groups_++);
}

uint32_t Coalescer::plan(const FrameList& list, uint32_t end, bool ethernet, uint8_t kinds, bool adjacent) {
  list_ = list;
  from_ = list.from;
  groups_ = 0;
  if (end > list.count) end = list.count;
  if (end > from_ && end - from_ > kFrames) end = from_ + kFrames;
  memset(chains_, 0, sizeof chains_);
  for (uint32_t i = from_; i < end; i++) {
    const size_t offset = list.offsets[i], length = list.lengths[i];
    if (kinds == 0 || offset > list.size || length > list.size - offset) {
      place(i, nullptr, adjacent);
      continue;
    }
    Packet packet = parse(list.data + offset, length, ethernet);
    if (packet.part == Packet::Part::kUnknown) close_addresses(packet.addresses);
    if (list.headers && list.headers[i].asks()) packet.whole = false;
    place(i, packet.part == Packet::Part::kFlow && (packet.kind & kinds) ? &packet : nullptr, adjacent);
  }

  uint16_t start = 0;
  for (uint32_t g = 0; g < groups_; g++) {
    Group& group = group_[g];
    CoalescedFrame& joined = joined_[g];
    group.start = group.filled = start;
    start = static_cast<uint16_t>(start + joined.frames);
    if (joined.frames == 1) continue;
    const bool tcp = group.kind & (kJoinTcp4 | kJoinTcp6);
    joined.kind = group.kind;
    joined.header.flags = kVnetNeedsChecksum;
    joined.header.gso_type = !tcp ? kGsoUdp : group.kind == kJoinTcp4 ? kGsoTcp4 : kGsoTcp6;
    if (tcp && (group.frame[group.transport + 13] & kCwr)) joined.header.gso_type |= kGsoEcn;
    joined.header.hdr_len = group.headers;
    joined.header.gso_size = group.size;
    joined.header.csum_start = group.transport;
    joined.header.csum_offset = tcp ? kTcpChecksum : kUdpChecksum;
  }
  for (uint32_t i = from_; i < end; i++) members_[group_[group_of_[i - from_]].filled++] = static_cast<uint16_t>(i - from_);
  return groups_;
}

const CoalescedFrame& Coalescer::group(uint32_t i) const { return joined_[i]; }

uint32_t Coalescer::member(uint32_t group, uint32_t n) const { return from_ + members_[group_[group].start + n]; }

uint32_t Coalescer::gather(uint32_t i, iovec* parts) {
  const Group& group = group_[i];
  const CoalescedFrame& joined = joined_[i];
  memcpy(headers_, group.frame, group.headers);
  uint8_t *ip = headers_ + group.network, *th = headers_ + group.transport;
  const uint32_t length = joined.bytes - group.transport;
  if (group.kind & (kJoinTcp6 | kJoinUdp6)) {
    put16(ip + 4, joined.bytes - group.network - 40);
  } else {
    put16(ip + 2, joined.bytes - group.network);
    sum_ipv4_header(ip);
  }
  if (group.kind & (kJoinTcp4 | kJoinTcp6)) {
    th[13] |= list_.data[list_.offsets[from_ + group.last] + group.transport + 13u] & (kFin | kPush);
    store_word(th + kTcpChecksum, fold_sum(pseudo_header_sum(ip, kTcp, length)));
  } else {
    put16(th + 4, length);
    store_word(th + kUdpChecksum, fold_sum(pseudo_header_sum(ip, kUdp, length)));
  }
  uint32_t count = 0;
  parts[count++] = {headers_, group.headers};
  for (uint32_t n = 0; n < joined.frames; n++) {
    const uint32_t m = member(i, n);
    parts[count++] = {const_cast<uint8_t*>(list_.data) + list_.offsets[m] + group.headers, list_.lengths[m] - group.headers};
  }
  return count;
}

}  // namespace netloom
