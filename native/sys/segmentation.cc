#include "segmentation.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "checksum.h"
#include "ip_headers.h"

namespace netloom {
namespace {

// Completes one whose place holds the sum of the pseudo-header. skb_checksum_help() writes zero as 0xffff for all
// protocols.
void complete(uint8_t* frame, size_t length, size_t start, size_t checksum) {
  store_udp_checksum(frame + checksum, sum_bytes(frame + start, length - start));
}

// The sum of an IPv4 header without what differs in segments.
uint64_t network_sum(const uint8_t* ip) {
  if (ip[0] >> 4 == 6) return 0;
  return sum_bytes(ip, (ip[0] & 15) * 4u) + minus(load_word(ip + 2)) + minus(load_word(ip + 4)) + minus(load_word(ip + 10));
}

// What differs in the IP header of segment i, which has `length` bytes from there on. `ip` is the super-frame's: what was
// just written is slow to read.
void edit_network(uint8_t* to, const uint8_t* ip, uint64_t sum, uint32_t length, uint32_t i) {
  if (ip[0] >> 4 == 6) return put16(to + 4, length - 40);
  const uint16_t total = htons(static_cast<uint16_t>(length)), id = htons(static_cast<uint16_t>(read16(ip + 4) + i));
  store_word(to + 2, total);
  store_word(to + 4, id);
  store_checksum(to + 10, sum + total + id);
}

}  // namespace

void correct_tunnel(const uint8_t* frame, size_t length, VnetHeader& header) {
  const uint32_t network = find_network(frame, length, true);
  if (network == kNoHeader || network == 14) return;
  const uint32_t transport = find_transport(frame, length, network, kUdp);
  if (transport == kNoHeader || transport != header.outer_th_offset + 4u) return;
  header.outer_th_offset += 4;
  header.inner_nh_offset += 4;
}

int plan_segments(const uint8_t* frame, size_t length, const VnetHeader& given, bool ethernet, SegmentPlan& plan) {
  VnetHeader header = given;
  const uint8_t kind = header.gso_type & kGsoKind;
  const uint8_t tunnel = header.gso_type & (kGsoTunnel4 | kGsoTunnel6);
  plan = {};
  plan.frame = frame;
  plan.length = length;
  plan.partial = header.flags & kVnetNeedsChecksum;
  if (length > UINT32_MAX) return EINVAL;
  if (kind == kGsoNone) {
    // Linux writes the bit of a tunnel for a single frame, too, whose outer checksum is done.
    plan.transport = header.csum_start;
    plan.checksum = static_cast<uint32_t>(header.csum_start) + header.csum_offset;
    if (plan.partial && plan.checksum + 2 > length) return EINVAL;
    plan.segments = 1;
    return 0;
  }
  if (kind != kGsoTcp4 && kind != kGsoTcp6 && kind != kGsoUdp) return EOPNOTSUPP;
  if (header.gso_size == 0 || tunnel == (kGsoTunnel4 | kGsoTunnel6)) return EINVAL;
  plan.size = header.gso_size;
  plan.tcp = kind != kGsoUdp;

  plan.network = find_network(frame, length, ethernet);
  if (plan.network == kNoHeader) return EINVAL;
  const uint32_t outermost = plan.network;
  if (tunnel) {
    plan.outer_network = plan.network;
    plan.outer_transport = find_transport(frame, length, plan.outer_network, kUdp);
    // Its version is that of the bytes: behind two VLAN tags Linux says IPv4 of any tunnel.
    if (ethernet) correct_tunnel(frame, length, header);
    plan.network = header.inner_nh_offset;
    if (plan.outer_transport != header.outer_th_offset || plan.network < plan.outer_transport + 8) return EINVAL;
    plan.outer_checksum = header.flags & kVnetTunnelChecksum;
    if (plan.network > length || find_network(frame + plan.network, length - plan.network, false) == kNoHeader) return EINVAL;
  }
  plan.ipv6 = frame[plan.network] >> 4 == 6;
  if (plan.tcp && plan.ipv6 != (kind == kGsoTcp6)) return EINVAL;
  plan.transport = find_transport(frame, length, plan.network, plan.tcp ? kTcp : kUdp);
  if (plan.transport == kNoHeader || length - plan.transport < (plan.tcp ? 20 : 8)) return EINVAL;
  const uint8_t* transport = frame + plan.transport;
  const uint32_t own = plan.tcp ? (transport[12] >> 4) * 4u : 8;
  plan.headers = plan.transport + own;
  if (own < (plan.tcp ? 20 : 8) || plan.headers > length) return EINVAL;
  plan.checksum = plan.transport + (plan.tcp ? kTcpChecksum : kUdpChecksum);
  if (plan.partial) {
    if (header.csum_start != plan.transport || header.csum_start + header.csum_offset != static_cast<int>(plan.checksum)) return EINVAL;
  } else if (!plan.tcp || tunnel) {
    return EINVAL;  // virtio_net_hdr_to_skb() wants it for these
  }
  const size_t payload = length - plan.headers;
  plan.segments = payload <= plan.size ? 1 : static_cast<uint32_t>((payload + plan.size - 1) / plan.size);
  if (plan.segments == 1) return 0;
  if (plan.headers - outermost + plan.size > UINT16_MAX) return EINVAL;

  // The sum of the pseudo-header stands in the frame, with the length of it all: taken from there it is right behind a
  // routing header, too, where the address that counts is another.
  if (plan.partial) {
    plan.sum = load_word(frame + plan.checksum) + minus(plan.tcp ? length_sum(length - plan.transport) : load_word(transport + 4));
  } else {
    plan.sum = pseudo_header_sum(frame + plan.network, kTcp, 0);
  }
  // Ports, and of TCP all but the sequence number, the flags and the checksum.
  plan.sum += sum_bytes(transport, 4);
  if (plan.tcp) plan.sum += sum_bytes(transport + 8, 4) + load_word(transport + 14) + sum_bytes(transport + 18, own - 18);
  plan.network_sum = network_sum(frame + plan.network);
  if (tunnel) plan.outer_network_sum = network_sum(frame + plan.outer_network);
  if (plan.outer_checksum) {
    plan.outer_sum = load_word(frame + plan.outer_transport + kUdpChecksum) + minus(length_sum(length - plan.outer_transport));
  }
  return 0;
}

void write_segment(const SegmentPlan& plan, uint32_t i, uint8_t* to) {
  const uint32_t length = segment_length(plan, i);
  if (plan.segments == 1) {
    // No super-frame to the kernel, which leaves it as it is but for the checksum.
    memcpy(to, plan.frame, length);
    if (plan.partial) complete(to, length, plan.transport, plan.checksum);
    if (plan.outer_checksum) complete(to, length, plan.outer_transport, plan.outer_transport + kUdpChecksum);
    return;
  }
  memcpy(to, plan.frame, plan.headers);
  const uint64_t payload = copy_and_sum(to + plan.headers, plan.frame + plan.headers + static_cast<size_t>(i) * plan.size,
                                        length - plan.headers);
  const uint32_t own = length - plan.transport;
  edit_network(to + plan.network, plan.frame + plan.network, plan.network_sum, length - plan.network, i);
  uint8_t* transport = to + plan.transport;
  uint64_t sum = plan.sum + length_sum(own) + payload;
  if (plan.tcp) {
    const uint8_t* given = plan.frame + plan.transport;
    uint8_t flags = given[13];
    if (i + 1 < plan.segments) flags &= ~(kFin | kPush);
    if (i > 0) flags &= ~kCwr;
    const uint32_t sequence = read32(given + 4) + i * plan.size;
    put32(transport + 4, sequence);
    transport[13] = flags;
    sum += htonl(sequence);
    sum += htons(static_cast<uint16_t>(given[12] << 8 | flags));
    store_checksum(transport + kTcpChecksum, sum);
  } else {
    put16(transport + 4, own);
    store_udp_checksum(transport + kUdpChecksum, sum + htons(static_cast<uint16_t>(own)));
  }
  if (plan.outer_transport == 0) return;
  edit_network(to + plan.outer_network, plan.frame + plan.outer_network, plan.outer_network_sum, length - plan.outer_network, i);
  uint8_t* outer = to + plan.outer_transport;
  const uint32_t between = plan.headers - plan.outer_transport;
  put16(outer + 4, length - plan.outer_transport);
  if (!plan.outer_checksum) return;
  store_word(outer + kUdpChecksum, 0);
  store_udp_checksum(outer + kUdpChecksum, plan.outer_sum + length_sum(length - plan.outer_transport) +
                                          sum_bytes(outer, between) + (between % 2 ? odd_sum(payload) : payload));
}

int complete_checksum(uint8_t* frame, size_t length, const VnetHeader& header) {
  if (!(header.flags & kVnetNeedsChecksum)) return 0;
  if (static_cast<size_t>(header.csum_start) + header.csum_offset + 2 > length) return EINVAL;
  complete(frame, length, header.csum_start, static_cast<size_t>(header.csum_start) + header.csum_offset);
  return 0;
}

}  // namespace netloom
