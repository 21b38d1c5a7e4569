#include "segmentation.h"

#include <errno.h>
#include <string.h>

#include "checksum.h"
#include "ip_headers.h"

namespace netloom {
namespace {

// Completes one whose place holds the sum of the pseudo-header. skb_checksum_help() writes zero as 0xffff for all
// protocols.
void complete(uint8_t* frame, size_t length, size_t start, size_t offset) {
  store_udp_checksum(frame + start + offset, sum_bytes(frame + start, length - start));
}

// What differs in the IP header of segment i, which has `length` bytes from there on.
void edit_network(uint8_t* ip, bool ipv6, uint32_t length, uint32_t i) {
  if (ipv6) return put16(ip + 4, length - 40);
  put16(ip + 2, length);
  put16(ip + 4, read16(ip + 4) + i);
  sum_ipv4_header(ip);
}

}  // namespace

int plan_segments(const uint8_t* frame, size_t length, const VnetHeader& header, bool ethernet, SegmentPlan& plan) {
  const uint8_t kind = header.gso_type & kGsoKind;
  const uint8_t tunnel = header.gso_type & (kGsoTunnel4 | kGsoTunnel6);
  if (kind != kGsoTcp4 && kind != kGsoTcp6 && kind != kGsoUdp) return kind == kGsoNone ? EINVAL : EOPNOTSUPP;
  if (header.gso_size == 0 || length > UINT32_MAX || tunnel == (kGsoTunnel4 | kGsoTunnel6)) return EINVAL;
  plan = {};
  plan.frame = frame;
  plan.length = length;
  plan.size = header.gso_size;
  plan.tcp = kind != kGsoUdp;
  plan.partial = header.flags & kVnetNeedsChecksum;

  plan.network = find_network(frame, length, ethernet);
  if (plan.network == kNoHeader) return EINVAL;
  const uint32_t outermost = plan.network;
  if (tunnel) {
    plan.outer_ipv6 = frame[plan.network] >> 4 == 6;
    plan.outer_network = plan.network;
    plan.outer_transport = find_transport(frame, length, plan.outer_network, kUdp);
    if (plan.outer_ipv6 != (tunnel == kGsoTunnel6) || plan.outer_transport != header.outer_th_offset) return EINVAL;
    if (header.inner_nh_offset < plan.outer_transport + 8 || header.inner_nh_offset > length) return EINVAL;
    plan.outer_checksum = header.flags & kVnetTunnelChecksum;
    const uint32_t inner = find_network(frame + header.inner_nh_offset, length - header.inner_nh_offset, false);
    if (inner == kNoHeader) return EINVAL;
    plan.network = header.inner_nh_offset;
  }
  plan.ipv6 = frame[plan.network] >> 4 == 6;
  if (plan.tcp && plan.ipv6 != (kind == kGsoTcp6)) return EINVAL;
  plan.transport = find_transport(frame, length, plan.network, plan.tcp ? kTcp : kUdp);
  if (plan.transport == kNoHeader || length - plan.transport < (plan.tcp ? 20 : 8)) return EINVAL;
  const uint8_t* transport = frame + plan.transport;
  const uint32_t own = plan.tcp ? (transport[12] >> 4) * 4u : 8;
  plan.headers = plan.transport + own;
  if (own < (plan.tcp ? 20 : 8) || plan.headers > length) return EINVAL;
  const uint32_t checksum = plan.tcp ? kTcpChecksum : kUdpChecksum;
  if (plan.partial) {
    if (header.csum_start != plan.transport || header.csum_offset != checksum) return EINVAL;
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
    plan.sum = load_word(transport + checksum) + minus(plan.tcp ? length_sum(length - plan.transport) : load_word(transport + 4));
  } else {
    plan.sum = pseudo_header_sum(frame + plan.network, kTcp, 0);
  }
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
    if (plan.partial) complete(to, length, plan.transport, plan.tcp ? kTcpChecksum : kUdpChecksum);
    if (plan.outer_checksum) complete(to, length, plan.outer_transport, kUdpChecksum);
    return;
  }
  memcpy(to, plan.frame, plan.headers);
  const uint64_t payload = copy_and_sum(to + plan.headers, plan.frame + plan.headers + static_cast<size_t>(i) * plan.size,
                                        length - plan.headers);
  edit_network(to + plan.network, plan.ipv6, length - plan.network, i);
  uint8_t* transport = to + plan.transport;
  uint64_t sum = plan.sum + length_sum(length - plan.transport) + payload;
  if (plan.tcp) {
    put32(transport + 4, read32(transport + 4) + i * plan.size);
    if (i + 1 < plan.segments) transport[13] &= ~(kFin | kPush);
    if (i > 0) transport[13] &= ~kCwr;
    store_word(transport + kTcpChecksum, 0);
    sum += sum_bytes(transport, plan.headers - plan.transport);
    store_checksum(transport + kTcpChecksum, sum);
  } else {
    put16(transport + 4, length - plan.transport);
    store_word(transport + kUdpChecksum, 0);
    store_udp_checksum(transport + kUdpChecksum, sum + sum_bytes(transport, 8));
  }
  if (plan.outer_transport == 0) return;
  edit_network(to + plan.outer_network, plan.outer_ipv6, length - plan.outer_network, i);
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
  complete(frame, length, header.csum_start, header.csum_offset);
  return 0;
}

}  // namespace netloom
