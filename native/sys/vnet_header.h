#pragma once
#include <stdint.h>

namespace netloom {

// struct virtio_net_hdr_v1_hash_tunnel of linux/virtio_net.h in the machine's byte order. Descriptors carry its first
// 10, 12 or 24 bytes before each frame; what is not carried is zero.
struct VnetHeader {
  uint8_t flags;
  uint8_t gso_type;
  uint16_t hdr_len;      // a hint, and not to be trusted: forwarded frames carry the whole first segment's
  uint16_t gso_size;     // bytes of payload in each segment but the last
  uint16_t csum_start;   // offset in the frame at which the checksum begins
  uint16_t csum_offset;  // offset from there at which it is put
  uint16_t num_buffers;
  uint32_t hash_value;
  uint16_t hash_report;
  uint16_t padding;
  uint16_t outer_th_offset;  // with kGsoTunnel…: the outer UDP header,
  uint16_t inner_nh_offset;  // and the inner IP header

  // Something of the frame is still to be done: by a device, or by us.
  bool asks() const { return gso_type != 0 || (flags & 1) != 0; }
};
static_assert(sizeof(VnetHeader) == 24);

constexpr uint8_t kVnetNeedsChecksum = 1;   // VIRTIO_NET_HDR_F_NEEDS_CSUM
constexpr uint8_t kVnetDataValid = 2;       // VIRTIO_NET_HDR_F_DATA_VALID
constexpr uint8_t kVnetTunnelChecksum = 8;  // VIRTIO_NET_HDR_F_UDP_TUNNEL_CSUM: the outer checksum is to be completed, too

// VIRTIO_NET_HDR_GSO_…
constexpr uint8_t kGsoNone = 0;
constexpr uint8_t kGsoTcp4 = 1;
constexpr uint8_t kGsoUdpFragment = 3;
constexpr uint8_t kGsoTcp6 = 4;
constexpr uint8_t kGsoUdp = 5;  // USO: GSO_UDP_L4
constexpr uint8_t kGsoTunnel4 = 0x20;
constexpr uint8_t kGsoTunnel6 = 0x40;
constexpr uint8_t kGsoEcn = 0x80;
constexpr uint8_t kGsoKind = 0x1f;  // mask of the first five

}  // namespace netloom
