#include "packet_ring.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace netloom {
namespace {

// Bits of newer kernels than the headers may be of: linux/if_packet.h.
constexpr uint32_t kStatusGsoTcp = 1 << 8;

// As kChecksumNotReady.
constexpr uint32_t kInbound = 1, kOutbound = 2;

constexpr uint32_t kSll2Header = 20, kTag = 4, kAddresses = 12;

uint32_t flags_of(const RingPacket& packet) {
  // By sll_pkttype: to us, to all, to a group, to another host, from us.
  static const uint32_t directions[] = {kInbound | 0x4, kInbound | 0xc, kInbound | 0x8, kInbound | 0x10, kOutbound};
  uint8_t type = packet.from->sll_pkttype;
  uint32_t flags = type < 5 ? directions[type] : 0;
  if (packet.status & TP_STATUS_CSUMNOTREADY) flags |= kChecksumNotReady;
  if (packet.status & TP_STATUS_CSUM_VALID) flags |= kChecksumValid;
  if (packet.status & kStatusGsoTcp) flags |= kSegmentation;
  return flags;
}

void put16(uint8_t* to, uint16_t value) {
  to[0] = static_cast<uint8_t>(value >> 8);
  to[1] = static_cast<uint8_t>(value);
}

// What is known of a frame, in the columns.
void enter(const PacketRoom& room, uint32_t i, size_t offset, const RingFrame& frame, const RingPacket& packet) {
  room.frames.offsets[i] = static_cast<uint32_t>(offset);
  room.frames.lengths[i] = frame.length;
  room.times[i] = static_cast<int64_t>(frame.time);
  room.originals[i] = frame.original;
  room.flags[i] = frame.flags;
  room.vlans[i] = frame.vlan;
  room.interfaces[i] = static_cast<uint32_t>(packet.from->sll_ifindex);
}

uint16_t tpid_of(uint32_t status, uint16_t tci, uint16_t tpid) {
  if (!(status & TP_STATUS_VLAN_VALID) && tci == 0) return 0;
  return (status & TP_STATUS_VLAN_TPID_VALID) && tpid != 0 ? tpid : ETH_P_8021Q;
}

}  // namespace

void RingMemory::drop() {
  if (--references_ > 0) return;
  munmap(data_, bytes_);
  delete this;
}

PacketRing::~PacketRing() { close(); }

Failure PacketRing::map(Fd fd, const Shape& shape, const PacketLayout& layout) {
  fd_ = static_cast<Fd&&>(fd);
  shape_ = shape;
  layout_ = layout;
  size_t bytes = static_cast<size_t>(shape.block_size) * shape.block_count;
  lent_ = static_cast<uint8_t*>(calloc(shape.block_count, 1));
  if (!lent_) return {ENOMEM, "calloc", nullptr};
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (memory == MAP_FAILED) return Failure::last("mmap", "PACKET_RX_RING");
  memory_ = static_cast<uint8_t*>(memory);
  mapping_ = new RingMemory(memory_, bytes);
  slots_ = shape.low_latency ? shape.block_size / shape.frame_size * shape.block_count : shape.block_count;
  return {};
}

void PacketRing::close() {
  if (mapping_) mapping_->drop();
  mapping_ = nullptr;
  memory_ = nullptr;
  free(lent_);
  lent_ = nullptr;
  free(spill_);
  free(tagged_);
  spill_ = tagged_ = nullptr;
  plan_ = {};
  segment_ = 0;
  left_ = 0;
  next_ = nullptr;
  spilled_ = false;
  if (fd_) count();
  fd_.reset();
}

void PacketRing::count() {
  tpacket_stats_v3 statistics = {};
  socklen_t length = sizeof statistics;
  if (getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &length) != 0) return;
  counters_.received += statistics.tp_packets;
  counters_.dropped += statistics.tp_drops;
  counters_.freezes += statistics.tp_freeze_q_cnt;
}

void PacketRing::note_empty() {
  // Only a full ring drops, so there is nothing new where nothing was in it. Lent blocks fill it, too.
  if (consumed_ == counted_at_ && !newest_lent_) return;
  counted_at_ = consumed_;
  count();
}

uint64_t PacketRing::take_dropped() {
  uint64_t dropped = counters_.dropped, fresh = dropped - told_;
  told_ = dropped;
  return fresh;
}

bool PacketRing::peek(RingPacket& packet) {
  if (!memory_) return false;
  return shape_.low_latency ? peek_slot(packet) : peek_block(packet);
}

bool PacketRing::peek_block(RingPacket& packet) {
  while (left_ == 0) {
    auto* block = reinterpret_cast<tpacket_block_desc*>(memory_ + static_cast<size_t>(at_) * shape_.block_size);
    tpacket_hdr_v1& header = block->hdr.bh1;
    uint32_t status = __atomic_load_n(&header.block_status, __ATOMIC_ACQUIRE);
    // All the way round, to a block that somebody has.
    if (!(status & TP_STATUS_USER) || lent_[at_]) return false;
    newest_lent_ = false;
    // The kernel dropped frames since they were last counted.
    if (status & TP_STATUS_LOSING) count();
    left_ = header.num_pkts;
    next_ = reinterpret_cast<tpacket3_hdr*>(reinterpret_cast<uint8_t*>(block) + header.offset_to_first_pkt);
    if (left_ > 0) break;
    // Older kernels hand over blocks with nothing in them.
    left_ = 1;
    consumed_--;
    advance();
  }
  const tpacket3_hdr* header = next_;
  const auto* start = reinterpret_cast<const uint8_t*>(header);
  __builtin_prefetch(start + header->tp_next_offset);
  packet.data = start + header->tp_mac;
  packet.captured = header->tp_snaplen;
  packet.original = header->tp_len;
  packet.status = header->tp_status;
  packet.seconds = header->tp_sec;
  packet.nanoseconds = header->tp_nsec;
  packet.tci = static_cast<uint16_t>(header->hv1.tp_vlan_tci);
  packet.tpid = tpid_of(header->tp_status, packet.tci, header->hv1.tp_vlan_tpid);
  packet.from = reinterpret_cast<const sockaddr_ll*>(start + TPACKET_ALIGN(sizeof *header));
  return true;
}

bool PacketRing::peek_slot(RingPacket& packet) {
  if (spilled_) {
    packet = spilled_packet_;
    return true;
  }
  uint32_t in_block = shape_.block_size / shape_.frame_size;
  uint8_t* start = memory_ + static_cast<size_t>(at_ / in_block) * shape_.block_size +
                   static_cast<size_t>(at_ % in_block) * shape_.frame_size;
  auto* header = reinterpret_cast<tpacket2_hdr*>(start);
  uint32_t status = __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE);
  if (!(status & TP_STATUS_USER)) return false;
  if (status & TP_STATUS_LOSING) count();
  packet.data = start + header->tp_mac;
  packet.captured = header->tp_snaplen;
  packet.original = header->tp_len;
  packet.status = status;
  packet.seconds = header->tp_sec;
  packet.nanoseconds = header->tp_nsec;
  packet.tci = header->tp_vlan_tci;
  packet.tpid = tpid_of(status, packet.tci, header->tp_vlan_tpid);
  packet.from = reinterpret_cast<const sockaddr_ll*>(start + TPACKET_ALIGN(sizeof *header));
  if (status & TP_STATUS_COPY) receive_long(packet);
  return true;
}

// A frame that is longer than its slot is in the queue of the socket, whole.
void PacketRing::receive_long(RingPacket& packet) {
  if (!spill_) spill_ = static_cast<uint8_t*>(malloc(layout_.vnet_header + layout_.snap_length));
  if (!spill_) return;
  ssize_t n;
  do n = recv(fd_.get(), spill_, layout_.vnet_header + layout_.snap_length, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n > layout_.vnet_header) {
    packet.data = spill_ + layout_.vnet_header;
    packet.captured = static_cast<uint32_t>(n) - layout_.vnet_header;
  }
  // It is taken from the queue once, however often it is looked at.
  spilled_ = true;
  spilled_packet_ = packet;
}

void PacketRing::advance() {
  if (plan_.segments > 0) plan_ = {}, segment_ = 0;
  consumed_++;
  if (shape_.low_latency) {
    uint32_t in_block = shape_.block_size / shape_.frame_size;
    auto* header = reinterpret_cast<tpacket2_hdr*>(memory_ + static_cast<size_t>(at_ / in_block) * shape_.block_size +
                                                   static_cast<size_t>(at_ % in_block) * shape_.frame_size);
    spilled_ = false;
    __atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  } else {
    if (--left_ > 0) {
      next_ = reinterpret_cast<tpacket3_hdr*>(reinterpret_cast<uint8_t*>(next_) + next_->tp_next_offset);
      return;
    }
    auto* block = reinterpret_cast<tpacket_block_desc*>(memory_ + static_cast<size_t>(at_) * shape_.block_size);
    __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  }
  if (++at_ == slots_) at_ = 0;
}

RingFrame PacketRing::frame_of(const RingPacket& packet, bool inline_vlan) const {
  RingFrame frame;
  uint32_t more = layout_.cooked ? kSll2Header : 0;
  bool tagged = packet.tpid != 0;
  frame.insert = tagged && inline_vlan && !layout_.ip && (layout_.cooked || packet.captured >= kAddresses);
  if (frame.insert) more += kTag;
  frame.original = packet.original + more;
  frame.length = packet.captured + more;
  if (frame.length > layout_.snap_length) frame.length = layout_.snap_length;
  bool unknown = layout_.hardware_time && !(packet.status & TP_STATUS_TS_RAW_HARDWARE);
  frame.time = unknown ? 0 : packet.seconds * 1'000'000'000ull + packet.nanoseconds;
  frame.flags = flags_of(packet);
  frame.vlan = tagged && (!frame.insert || layout_.tell_vlan) ? static_cast<uint32_t>(packet.tpid) << 16 | packet.tci : 0;
  return frame;
}

void PacketRing::copy(const RingPacket& packet, const RingFrame& frame, uint8_t* to) const {
  uint8_t head[kSll2Header + kTag];
  uint32_t size = 0, taken = 0;
  if (layout_.cooked) {
    // LINKTYPE_LINUX_SLL2: protocol, 2 reserved, interface, ARPHRD_ type, kind of packet, address length, address.
    const sockaddr_ll& from = *packet.from;
    uint16_t protocol = ntohs(from.sll_protocol);
    put16(head, frame.insert ? packet.tpid : protocol);
    put16(head + 2, 0);
    put16(head + 4, static_cast<uint16_t>(static_cast<uint32_t>(from.sll_ifindex) >> 16));
    put16(head + 6, static_cast<uint16_t>(from.sll_ifindex));
    put16(head + 8, from.sll_hatype);
    head[10] = from.sll_pkttype;
    head[11] = from.sll_halen > 8 ? 8 : from.sll_halen;
    memcpy(head + 12, from.sll_addr, 8);
    put16(head + kSll2Header, packet.tci);
    put16(head + kSll2Header + 2, protocol);
    size = frame.insert ? kSll2Header + kTag : kSll2Header;
  } else if (frame.insert) {
    memcpy(head, packet.data, kAddresses);
    put16(head + kAddresses, packet.tpid);
    put16(head + kAddresses + 2, packet.tci);
    size = kAddresses + kTag;
    taken = kAddresses;
  }
  if (size > frame.length) size = frame.length;
  if (size > 0) memcpy(to, head, size);
  if (frame.length > size) memcpy(to + size, packet.data + taken, frame.length - size);
}

uint32_t PacketRing::block_frames() {
  RingPacket packet;
  if (!shape_.low_latency && peek(packet)) return left_;
  note_empty();
  return 0;
}

LentBlock PacketRing::lend(PacketRoom& room) {
  LentBlock block;
  block.index = at_;
  block.bytes = shape_.block_size;
  block.data = memory_ + static_cast<size_t>(at_) * shape_.block_size;
  uint8_t bytes[kSll2Header + kTag + kAddresses];
  for (; left_ > 0; left_--, consumed_++, block.frames++) {
    RingPacket packet;
    peek_block(packet);
    RingFrame frame = frame_of(packet);
    auto* data = const_cast<uint8_t*>(packet.data);
    if (layout_.cooked || frame.insert) {
      // The kernel left room before the packet (PACKET_RESERVE, and more without a link header).
      uint32_t head = layout_.cooked ? kSll2Header + (frame.insert ? kTag : 0) : kAddresses + kTag;
      uint32_t moved = layout_.cooked ? head : kTag;
      RingFrame start = frame;
      if (start.length > head) start.length = head;
      copy(packet, start, bytes);
      data -= moved;
      memcpy(data, bytes, start.length);
    }
    enter(room, room.frames.first + block.frames, static_cast<size_t>(data - block.data), frame, packet);
    next_ = reinterpret_cast<tpacket3_hdr*>(reinterpret_cast<uint8_t*>(next_) + next_->tp_next_offset);
  }
  lent_[at_] = 1;
  last_lent_ = at_;
  newest_lent_ = true;
  if (++at_ == slots_) at_ = 0;
  return block;
}

bool PacketRing::is_lent(uint32_t index, LentBlock& block) const {
  if (!memory_ || index >= shape_.block_count || !lent_[index]) return false;
  block.index = index;
  block.data = memory_ + static_cast<size_t>(index) * shape_.block_size;
  block.bytes = shape_.block_size;
  return true;
}

void PacketRing::give_back(uint32_t index) {
  if (!memory_ || index >= shape_.block_count || !lent_[index]) return;
  lent_[index] = 0;
  if (index == last_lent_) newest_lent_ = false;
  auto* block = reinterpret_cast<tpacket_block_desc*>(memory_ + static_cast<size_t>(index) * shape_.block_size);
  __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

VnetHeader PacketRing::header_of(const RingPacket& packet, const RingFrame& frame) const {
  VnetHeader header = {};
  memcpy(&header, packet.data - layout_.vnet_header, layout_.vnet_header);
  if (frame.insert && header.asks()) {
    // Its offsets are those of the frame without the tag.
    header.csum_start += kTag;
    header.hdr_len += kTag;
  }
  return header;
}

bool PacketRing::plan(const RingPacket& packet, const RingFrame& frame, const VnetHeader& header) {
  const uint8_t* data = packet.data;
  if (frame.insert) {
    if (!tagged_) tagged_ = static_cast<uint8_t*>(malloc(layout_.snap_length));
    if (!tagged_) return false;
    copy(packet, frame, tagged_);
    data = tagged_;
  }
  segment_ = 0;
  // What is cut to the snap length stays as it is.
  if (frame.length == frame.original && plan_segments(data, frame.length, header, true, plan_) == 0) return true;
  plan_ = {};
  return false;
}

uint32_t PacketRing::abandon_segments() {
  if (segment_ == 0) return 0;
  const uint32_t rest = plan_.segments - segment_;
  advance();
  return rest;
}

PacketReport PacketRing::read(PacketRoom& room, uint32_t max_frames, size_t max_bytes) {
  PacketReport report = layout_.vnet_header ? read_super_frames(room, max_frames, max_bytes)
                                            : read_frames(room, max_frames, max_bytes);
  if (report.error == EAGAIN) note_empty();
  report.dropped = take_dropped();
  return report;
}

[[gnu::flatten]] PacketReport PacketRing::read_frames(PacketRoom& room, uint32_t max_frames, size_t max_bytes) {
  PacketReport report;
  const PacketRoom to = room;  // what is written through its columns is not itself
  const size_t begin = to.frames.cursor;
  size_t cursor = begin;
  RingPacket packet;
  while (report.frames < max_frames && cursor - begin < max_bytes) {
    if (!peek(packet)) {
      report.error = EAGAIN;
      break;
    }
    const RingFrame frame = frame_of(packet);
    if (frame.length > to.frames.size - cursor) {
      report.no_room = report.frames == 0;
      break;
    }
    copy(packet, frame, to.frames.data + cursor);
    enter(to, to.frames.first + report.frames++, cursor, frame, packet);
    cursor += frame.length;
    advance();
  }
  room.frames.cursor = cursor;
  return report;
}

PacketReport PacketRing::read_super_frames(PacketRoom& room, uint32_t max_frames, size_t max_bytes) {
  PacketReport report;
  FrameRoom& frames = room.frames;
  const size_t begin = frames.cursor;
  RingPacket packet;
  while (report.frames < max_frames && frames.cursor - begin < max_bytes) {
    if (!peek(packet)) {
      report.error = EAGAIN;
      break;
    }
    RingFrame frame = frame_of(packet);
    const VnetHeader header = header_of(packet, frame);
    // Of more than 64 KiB (IPv6 jumbograms), which nothing could take.
    if (layout_.split && header.gso_type != kGsoNone && frame.original > kMaxFrame) {
      advance();
      if (++report.cut >= max_frames) break;
      continue;
    }
    const bool cut = layout_.split && header.gso_type != kGsoNone &&
                     (segment_ < plan_.segments || plan(packet, frame, header));
    if (cut) frame.length = frame.original = segment_length(plan_, segment_);
    if (frame.length > frames.size - frames.cursor) {
      report.no_room = report.frames == 0;
      break;
    }
    const bool complete = layout_.split && header.gso_type == kGsoNone && frame.length == frame.original;
    uint8_t* to = frames.data + frames.cursor;
    if (cut) {
      write_segment(plan_, segment_++, to);
    } else {
      copy(packet, frame, to);
      if (complete) complete_checksum(to, frame.length, header);
    }
    if (cut || complete) frame.flags &= ~(kChecksumNotReady | kSegmentation);
    const uint32_t i = frames.first + report.frames++;
    if (frames.headers) frames.headers[i] = header;
    enter(room, i, frames.cursor, frame, packet);
    frames.cursor += frame.length;
    if (cut && segment_ < plan_.segments) continue;
    advance();
  }
  return report;
}

}  // namespace netloom
