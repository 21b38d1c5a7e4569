#pragma once
#include <linux/if_packet.h>
#include <stdint.h>

#include <atomic>

#include "fd.h"
#include "frame_io.h"
#include "result.h"
#include "segmentation.h"

namespace netloom {

// Bits of epb_flags: draft-ietf-opsawg-pcapng, Enhanced Packet Block.
constexpr uint32_t kChecksumNotReady = 0x200, kChecksumValid = 0x400, kSegmentation = 0x800;

// How frames of the ring are delivered.
struct PacketLayout {
  bool cooked = false;         // with a header of LINKTYPE_LINUX_SLL2 before the packet
  bool ip = false;             // the packet only (cooked is false)
  bool inline_vlan = true;     // a VLAN tag that the kernel took out is put back in
  bool tell_vlan = false;      // it is told of even then, for who wants to know what the kernel had
  bool hardware_time = false;  // times are the device's, 0 for frames that it did not stamp
  uint8_t vnet_header = 0;     // bytes of struct virtio_net_hdr before each frame in the ring
  bool split = false;          // super-frames are cut, and checksums completed, by read()
  uint32_t snap_length = 262144;
};

// A frame where it lies, until advance().
struct RingPacket {
  const uint8_t* data;
  uint32_t captured;  // bytes that are there
  uint32_t original;  // bytes on the wire
  uint32_t status;    // TP_STATUS_ bits
  uint32_t seconds, nanoseconds;
  uint16_t tci, tpid;  // of the VLAN tag beside the frame; tpid 0 = none
  const sockaddr_ll* from;
};

// A RingPacket as it is delivered.
struct RingFrame {
  uint32_t length;
  uint32_t original;
  uint64_t time;   // ns since 1970
  uint32_t flags;  // as epb_flags of pcapng
  uint32_t vlan;   // tpid << 16 | tci where it is not in the bytes, else 0
  bool insert;     // the VLAN tag is put back
};

// Where frames are copied to, with what is known of them: columns of one entry a frame.
struct PacketRoom {
  FrameRoom frames;
  int64_t* times;
  uint32_t* originals;
  uint32_t* flags;
  uint32_t* vlans;
  uint32_t* interfaces;
};

struct PacketReport {
  uint32_t frames = 0;
  uint32_t cut = 0;      // frames that are too long to be cut: left out
  uint64_t dropped = 0;  // by the kernel since the last report
  bool no_room = false;  // the next frame does not fit, and none was read
  int error = 0;         // EAGAIN: the ring is empty; 0: a bound was met
};

// Sums of PACKET_STATISTICS, which starts anew with every reading. Any thread may read them.
struct PacketCounters {
  std::atomic<uint64_t> received{0};  // passed the filter, dropped ones among them
  std::atomic<uint64_t> dropped{0};   // the ring was full
  std::atomic<uint64_t> freezes{0};   // times that it became so (TPACKET_V3)
};

// The mapping of a ring, which outlives it while somebody has a block of it.
class RingMemory {
 public:
  RingMemory(uint8_t* data, size_t bytes) : data_(data), bytes_(bytes) {}
  uint8_t* data() const { return data_; }
  void hold() { references_++; }
  void drop();

 private:
  ~RingMemory() = default;
  uint8_t* data_;
  size_t bytes_;
  std::atomic<int> references_{1};
};

// A block that is not with the kernel while it is lent, so that its frames stay where they are.
struct LentBlock {
  uint32_t index = 0;
  uint32_t frames = 0;
  uint8_t* data = nullptr;
  uint32_t bytes = 0;
};

// A packet socket and the ring that the kernel fills. One thread at a time reads it.
class PacketRing {
 public:
  PacketRing() = default;
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;
  ~PacketRing();

  struct Shape {
    bool low_latency;
    uint32_t block_size, block_count, frame_size;
  };
  // Takes the socket over, also on failure.
  Failure map(Fd fd, const Shape& shape, const PacketLayout& layout);
  // Unmaps the ring and closes the socket.
  void close();

  int fd() const { return fd_.get(); }
  const PacketLayout& layout() const { return layout_; }
  void tell_vlan(bool on) { layout_.tell_vlan = on; }
  const PacketCounters& counters() const { return counters_; }
  // Frames that were handed on, or looked at and left out.
  uint64_t consumed() const { return consumed_; }

  // Whoever comes next reads whole frames: one that was delivered in part is left out. How many frames that loses.
  uint32_t abandon_segments();
  // Adds what the kernel counted since.
  void count();

  // The next frame, which is handed back by advance(); false: the ring is empty.
  bool peek(RingPacket& packet);
  void advance();

  // Copies frames until the ring is empty or a bound is met.
  PacketReport read(PacketRoom& room, uint32_t max_frames, size_t max_bytes);
  // For TPACKET_V3: frames that are left in the block that comes next, 0 = there is none.
  uint32_t block_frames();
  // Lends that block instead of copying its frames: tags and headers are put before them in place, offsets are within
  // the block. The columns have room for block_frames().
  LentBlock lend(PacketRoom& room);
  bool is_lent(uint32_t index, LentBlock& block) const;
  void give_back(uint32_t index);
  // It is lent and the newest there is: a poll would return at once, over and over.
  bool newest_is_lent() const { return newest_lent_; }
  RingMemory* memory() const { return mapping_; }

  // The kernel's drops that nobody was told of yet.
  uint64_t take_dropped();

  // What delivering `packet` comes to, and its bytes: `to` has room for frame.length.
  RingFrame frame_of(const RingPacket& packet) const { return frame_of(packet, layout_.inline_vlan); }
  RingFrame frame_of(const RingPacket& packet, bool inline_vlan) const;
  void copy(const RingPacket& packet, const RingFrame& frame, uint8_t* to) const;
  // Its virtio-net header, in rings that have them.
  VnetHeader header_of(const RingPacket& packet, const RingFrame& frame) const;

 private:
  // Prepares the segments of a super-frame; false: it can't be cut.
  bool plan(const RingPacket& packet, const RingFrame& frame, const VnetHeader& header);
  PacketReport read_frames(PacketRoom& room, uint32_t max_frames, size_t max_bytes);
  // With virtio-net headers.
  PacketReport read_super_frames(PacketRoom& room, uint32_t max_frames, size_t max_bytes);
  // What the kernel dropped before says a frame that comes after it, and there need not be one.
  void note_empty();
  bool peek_block(RingPacket& packet);
  bool peek_slot(RingPacket& packet);
  void receive_long(RingPacket& packet);

  Fd fd_;
  PacketLayout layout_;
  Shape shape_ = {};
  uint8_t* memory_ = nullptr;
  RingMemory* mapping_ = nullptr;
  uint8_t* lent_ = nullptr;   // a flag for each block
  uint32_t last_lent_ = 0;
  bool newest_lent_ = false;
  uint8_t* spill_ = nullptr;  // a frame that came by the socket's queue
  uint32_t at_ = 0;           // block or slot
  uint32_t slots_ = 0;
  uint32_t left_ = 0;         // frames of the block that were not handed back
  tpacket3_hdr* next_ = nullptr;
  SegmentPlan plan_;           // of the frame that comes next, where it is being cut
  uint32_t segment_ = 0;       // those of it that were read
  uint8_t* tagged_ = nullptr;  // a super-frame with its VLAN tag
  bool spilled_ = false;
  RingPacket spilled_packet_ = {};
  uint64_t consumed_ = 0;
  uint64_t told_ = 0;
  uint64_t counted_at_ = 0;  // consumed_ when the empty ring was last counted
  PacketCounters counters_;
};

}  // namespace netloom
