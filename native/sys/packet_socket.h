#pragma once
#include <stdint.h>

#include "frame_io.h"
#include "frame_writer.h"
#include "netns.h"
#include "result.h"

// Packet sockets: packet(7), linux/if_packet.h, Documentation/networking/packet_mmap.rst and net/packet/af_packet.c.
namespace netloom {

struct PacketOptions {
  int32_t interface;         // index; 0 = all interfaces
  uint16_t protocol;         // EtherType, ETH_P_ALL for all
  bool cooked;               // without link header (SOCK_DGRAM)
  bool low_latency;          // TPACKET_V2: a frame is there at once. Else TPACKET_V3: blocks of frames
  uint32_t block_size;       // bytes, a multiple of the page size
  uint32_t block_count;
  uint32_t frame_size;       // TPACKET_V2: bytes of a slot; longer frames go by way of the socket's queue
  uint32_t timeout_ms;       // TPACKET_V3: a block that is not full is handed over after so long
  bool promiscuous, all_multicast;
  const uint8_t* multicast;  // addresses of six bytes
  uint32_t multicast_count;
  bool ignore_outgoing, hardware_time, qdisc_bypass;
  bool vnet_header;          // struct virtio_net_hdr before each frame, both ways
  bool join_fanout;
  uint32_t fanout;           // group and, from bit 16 on, mode and flags, as PACKET_FANOUT takes them
  const uint8_t* fanout_program;  // PACKET_FANOUT_CBPF: struct sock_filter, eight bytes each
  uint16_t fanout_instructions;
  int32_t fanout_descriptor; // PACKET_FANOUT_EBPF: a loaded program; -1 = none
  const uint8_t* filter;     // struct sock_filter; the kernel may refuse it, and takes `fallback` then
  uint16_t filter_instructions;
  const uint8_t* fallback;
  uint16_t fallback_instructions;
};

struct PacketIdentity {
  int32_t filter_error;  // errno for which `filter` was refused, 0 = it is in force
  int32_t fanout_group;  // -1 = none
  bool down;             // the interface is there, and down
};

// Room that the kernel leaves before each frame of the ring: for a VLAN tag that is put back in place.
constexpr uint32_t kPacketReserve = 4;

// For open_in_namespace: `argument` is a PacketOptions; brings back the descriptor and a PacketIdentity. No frame is
// in the ring that the filter did not see: all are refused until it is attached.
void open_packet_socket(const void* argument, Opened& out);

// SO_ATTACH_FILTER: replaces the filter in one step.
Failure attach_packet_filter(int fd, const uint8_t* program, uint16_t instructions);

// The pending error of the socket, which is taken: ENETDOWN when the interface went down, or 0.
int take_packet_error(int fd);

// Whether the interface that the socket is bound to is deleted, or in another namespace.
bool packet_interface_is_gone(int fd);

struct PacketSending {
  bool cooked;
  uint8_t vnet_header;
  int32_t interface;
  uint8_t refused;  // as in Framing
};

// Sends frames in batches of one system call. A frame that is refused is counted and the next one tried; super-frames are
// cut where the socket has no virtio-net header, and told of where the kernel refuses them, as FrameWriter does.
class PacketWriter {
 public:
  WriteReport write(int fd, const PacketSending& how, const FrameList& list, uint32_t max_frames, WritingMemory& memory);

 private:
  FrameCutter cutter_;
  uint8_t taken_ = 0;
};

}  // namespace netloom
