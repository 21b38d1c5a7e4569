#include "../../native/sys/packet_ring.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <memory>
#include <vector>

#include "../../native/sys/forward.h"
#include "../../native/sys/packet_recorder.h"
#include "../../native/sys/packet_socket.h"
#include "check.h"

using namespace netloom;

namespace {

struct Frame {
  std::vector<uint8_t> bytes;
  uint16_t tci = 0, tpid = 0;
  uint32_t status = 0;
  uint32_t original = 0;  // 0: as many as the bytes
  uint8_t type = PACKET_HOST;
};

std::vector<uint8_t> numbered(uint8_t first, size_t length) {
  std::vector<uint8_t> bytes(length);
  for (size_t i = 0; i < length; i++) bytes[i] = static_cast<uint8_t>(first + i);
  return bytes;
}

constexpr uint32_t kBlock = 8192, kBlocks = 3, kSlot = 2048;

// A ring in ordinary memory, that a test fills as the kernel would.
class FakeRing {
 public:
  PacketRing ring;

  explicit FakeRing(const PacketLayout& layout, bool low_latency = false) : low_latency_(low_latency) {
    Fd fd(memfd_create("ring", MFD_CLOEXEC));
    CHECK(ftruncate(fd.get(), kBlock * kBlocks) == 0);
    memory_ = static_cast<uint8_t*>(mmap(nullptr, kBlock * kBlocks, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
    CHECK(!ring.map(static_cast<Fd&&>(fd), {low_latency, kBlock, kBlocks, kSlot}, layout));
  }
  ~FakeRing() { munmap(memory_, kBlock * kBlocks); }

  bool is_with_kernel(uint32_t block) const {
    return reinterpret_cast<tpacket_block_desc*>(memory_ + block * kBlock)->hdr.bh1.block_status == TP_STATUS_KERNEL;
  }

  void fill(uint32_t block, const std::vector<Frame>& frames) {
    auto* head = reinterpret_cast<tpacket_block_desc*>(memory_ + block * kBlock);
    uint32_t at = sizeof *head;
    head->hdr.bh1.num_pkts = static_cast<uint32_t>(frames.size());
    head->hdr.bh1.offset_to_first_pkt = at;
    for (const Frame& frame : frames) {
      uint8_t* start = reinterpret_cast<uint8_t*>(head) + at;
      auto* header = reinterpret_cast<tpacket3_hdr*>(start);
      *header = {};
      put(*header, start, frame, sizeof *header);
      header->hv1.tp_vlan_tci = frame.tci;
      header->hv1.tp_vlan_tpid = frame.tpid;
      header->tp_next_offset = TPACKET_ALIGN(header->tp_mac + static_cast<uint32_t>(frame.bytes.size()));
      at += header->tp_next_offset;
      CHECK(at <= kBlock);
    }
    head->hdr.bh1.block_status = TP_STATUS_USER;
  }

  void fill_slot(uint32_t slot, const Frame& frame) {
    uint8_t* start = memory_ + slot / (kBlock / kSlot) * kBlock + slot % (kBlock / kSlot) * kSlot;
    auto* header = reinterpret_cast<tpacket2_hdr*>(start);
    *header = {};
    put(*header, start, frame, sizeof *header);
    header->tp_vlan_tci = frame.tci;
    header->tp_vlan_tpid = frame.tpid;
    header->tp_status |= TP_STATUS_USER;
  }

 private:
  template <typename Header>
  void put(Header& header, uint8_t* start, const Frame& frame, size_t size) {
    auto* from = reinterpret_cast<sockaddr_ll*>(start + TPACKET_ALIGN(size));
    *from = {};
    from->sll_ifindex = 0x10203;
    from->sll_protocol = htons(ETH_P_IP);
    from->sll_hatype = 1;
    from->sll_pkttype = frame.type;
    from->sll_halen = 6;
    memcpy(from->sll_addr, "abcdef", 6);
    header.tp_mac = 96;
    header.tp_snaplen = static_cast<uint32_t>(frame.bytes.size());
    header.tp_len = frame.original ? frame.original : header.tp_snaplen;
    header.tp_sec = 1;
    header.tp_nsec = 5;
    header.tp_status = frame.status | (frame.tpid ? TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID : 0u);
    if (!frame.bytes.empty()) memcpy(start + 96, frame.bytes.data(), frame.bytes.size());
  }

  bool low_latency_;
  uint8_t* memory_;
};

// Room of exactly so many bytes, for the sanitizer to watch over.
struct Room {
  std::vector<uint8_t> data;
  std::vector<VnetHeader> headers;
  std::vector<uint32_t> offsets, lengths, originals, flags, vlans, interfaces;
  std::vector<int64_t> times;
  PacketRoom room;

  explicit Room(size_t bytes, uint32_t frames = 16)
      : data(bytes), headers(frames), offsets(frames), lengths(frames), originals(frames), flags(frames), vlans(frames),
        interfaces(frames), times(frames),
        room{{data.data(), bytes, 0, offsets.data(), lengths.data(), headers.data(), 0},
             times.data(), originals.data(), flags.data(), vlans.data(), interfaces.data()} {}

  std::vector<uint8_t> frame(uint32_t i) const {
    return {data.begin() + offsets[i], data.begin() + offsets[i] + lengths[i]};
  }
};

std::vector<uint8_t> joined(std::initializer_list<std::vector<uint8_t>> parts) {
  std::vector<uint8_t> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<uint8_t> part(const std::vector<uint8_t>& bytes, size_t from, size_t to) {
  return {bytes.begin() + from, bytes.begin() + to};
}

}  // namespace

TEST(ring_blocks, "blocks are read frame by frame, and handed back when their last frame is") {
  FakeRing fake({});
  Room room(4096);
  CHECK(fake.ring.read(room.room, 16, 4096).error == EAGAIN);
  fake.fill(0, {{numbered(1, 60)}, {numbered(2, 61)}, {numbered(3, 62)}});
  fake.fill(1, {});
  fake.fill(2, {{numbered(4, 63)}});
  PacketReport report = fake.ring.read(room.room, 2, 4096);
  CHECK(report.frames == 2 && report.error == 0 && !fake.is_with_kernel(0));
  CHECK(room.frame(0) == numbered(1, 60) && room.frame(1) == numbered(2, 61));
  CHECK(room.times[0] == 1'000'000'005 && room.interfaces[0] == 0x10203 && room.flags[0] == 5);
  room.room.frames.first = 2;
  report = fake.ring.read(room.room, 14, 4096);
  CHECK(report.frames == 2 && report.error == EAGAIN);
  CHECK(room.frame(2) == numbered(3, 62) && room.frame(3) == numbered(4, 63));
  CHECK(fake.is_with_kernel(0) && fake.is_with_kernel(1) && fake.is_with_kernel(2));
  CHECK(fake.ring.consumed() == 4);
  fake.fill(0, {{numbered(9, 60)}});
  room.room.frames.first = 4;
  CHECK(fake.ring.read(room.room, 1, 4096).frames == 1 && room.frame(4) == numbered(9, 60));
}

TEST(ring_bounds, "what does not fit stays in the ring") {
  FakeRing fake({});
  fake.fill(0, {{numbered(1, 100)}, {numbered(2, 100)}});
  Room small(99);
  PacketReport report = fake.ring.read(small.room, 16, 4096);
  CHECK(report.frames == 0 && report.no_room);
  Room exact(199);
  report = fake.ring.read(exact.room, 16, 4096);
  CHECK(report.frames == 1 && !report.no_room && report.error == 0);
  Room rest(100);
  CHECK(fake.ring.read(rest.room, 16, 1).frames == 1 && rest.frame(0) == numbered(2, 100));
}

TEST(ring_tags, "tags go where they were, or beside the frame") {
  std::vector<uint8_t> bytes = numbered(0, 60);
  std::vector<uint8_t> whole = joined({part(bytes, 0, 12), {0x88, 0xa8, 0x20, 0x64}, part(bytes, 12, 60)});
  std::vector<Frame> frames = {{bytes, 0x2064, 0x88a8}, {bytes}, {numbered(0, 11), 1, 0x8100}};
  FakeRing put_back({});
  put_back.fill(0, frames);
  Room room(64 + 60 + 11);
  CHECK(put_back.ring.read(room.room, 16, 4096).frames == 3);
  CHECK(room.frame(0) == whole && room.originals[0] == 64 && room.vlans[0] == 0);
  CHECK(room.frame(1) == bytes && room.vlans[1] == 0);
  CHECK(room.frame(2) == numbered(0, 11) && room.vlans[2] == 0x81000001);
  PacketLayout beside;
  beside.inline_vlan = false;
  FakeRing metadata(beside);
  metadata.fill(0, frames);
  Room other(60 + 60 + 11);
  CHECK(metadata.ring.read(other.room, 16, 4096).frames == 3);
  CHECK(other.frame(0) == bytes && other.originals[0] == 60 && other.vlans[0] == 0x88a82064);
  PacketLayout told;
  told.tell_vlan = true;
  FakeRing both(told);
  both.fill(0, frames);
  Room third(64 + 60 + 11);
  CHECK(both.ring.read(third.room, 16, 4096).frames == 3);
  CHECK(third.frame(0) == whole && third.vlans[0] == 0x88a82064);
}

TEST(ring_snap, "frames are cut to the snap length, tag and header and all") {
  for (uint32_t snap : {64u, 70u}) {
    PacketLayout layout;
    layout.snap_length = snap;
    FakeRing fake(layout);
    fake.fill(0, {{numbered(0, 62), 5, 0x8100, 0, 1000}, {numbered(0, 500)}});
    Room room(2 * snap);
    CHECK(fake.ring.read(room.room, 16, 4096).frames == 2);
    CHECK(room.lengths[0] == (snap < 66 ? snap : 66) && room.originals[0] == 1004);
    CHECK(room.lengths[1] == snap && room.originals[1] == 500);
    layout.cooked = true;
    FakeRing cooked(layout);
    cooked.fill(0, {{numbered(0, 100), 5, 0x8100}});
    Room header(snap);
    CHECK(cooked.ring.read(header.room, 16, 4096).frames == 1 && header.lengths[0] == snap);
  }
}

TEST(ring_cooked, "the header of all interfaces") {
  PacketLayout layout;
  layout.cooked = true;
  FakeRing fake(layout);
  std::vector<uint8_t> packet = numbered(0x45, 30);
  fake.fill(0, {{packet, 0, 0, 0, 0, PACKET_OUTGOING}, {packet, 7, 0x8100}});
  Room room(50 + 54);
  CHECK(fake.ring.read(room.room, 16, 4096).frames == 2);
  std::vector<uint8_t> rest = {0, 0, 0, 1, 2, 3, 0, 1, 4, 6, 'a', 'b', 'c', 'd', 'e', 'f', 0, 0};
  CHECK(room.frame(0) == joined({{8, 0}, rest, packet}));
  rest[8] = 0;
  CHECK(room.frame(1) == joined({{0x81, 0}, rest, {0, 7, 8, 0}, packet}));
  CHECK(room.originals[1] == 54 && room.flags[0] == 2 && room.flags[1] == 5);
}

TEST(ring_slots, "slots of a ring without blocks; flags, and times of the device") {
  PacketLayout layout;
  layout.hardware_time = true;
  FakeRing fake(layout, true);
  constexpr uint32_t slots = kBlock / kSlot * kBlocks;
  constexpr uint32_t gso = 1 << 8;
  fake.fill_slot(0, {numbered(1, 60), 0, 0, TP_STATUS_CSUMNOTREADY | gso, 0, PACKET_OTHERHOST});
  fake.fill_slot(1, {numbered(2, 60), 0, 0, TP_STATUS_CSUM_VALID | TP_STATUS_TS_RAW_HARDWARE, 0, PACKET_MULTICAST});
  Room room(4096);
  CHECK(fake.ring.read(room.room, 16, 4096).frames == 2);
  CHECK(room.flags[0] == (1 | 0x10 | 0x200 | 0x800) && room.flags[1] == (1 | 0x8 | 0x400));
  CHECK(room.times[0] == 0 && room.times[1] == 1'000'000'005);
  for (uint32_t i = 2; i < 3 * slots; i++) {
    fake.fill_slot(i % slots, {numbered(static_cast<uint8_t>(i), 60)});
    Room one(60);
    CHECK(fake.ring.read(one.room, 16, 4096).frames == 1 && one.frame(0) == numbered(static_cast<uint8_t>(i), 60));
    CHECK(fake.ring.read(one.room, 16, 4096).error == EAGAIN);
  }
}

TEST(ring_blocks_lent, "a block is lent whole, with tags and headers in place, and waits for its turn") {
  std::vector<uint8_t> bytes = numbered(0, 60);
  std::vector<uint8_t> whole = joined({part(bytes, 0, 12), {0x88, 0xa8, 0x20, 0x64}, part(bytes, 12, 60)});
  for (bool cooked : {false, true}) {
    PacketLayout layout;
    layout.cooked = cooked;
    FakeRing fake(layout);
    Room room(1);
    CHECK(fake.ring.block_frames() == 0);
    fake.fill(0, {{bytes, 0x2064, 0x88a8}, {bytes}});
    fake.fill(1, {{bytes}});
    fake.fill(2, {{bytes}});
    CHECK(fake.ring.block_frames() == 2 && !fake.ring.newest_is_lent());
    LentBlock block = fake.ring.lend(room.room);
    CHECK(block.index == 0 && block.frames == 2 && fake.ring.consumed() == 2);
    auto at = [&](uint32_t i) {
      return std::vector<uint8_t>(block.data + room.offsets[i], block.data + room.offsets[i] + room.lengths[i]);
    };
    CHECK(room.lengths[0] == (cooked ? 84u : 64u) && room.lengths[1] == (cooked ? 80u : 60u));
    if (!cooked) CHECK(at(0) == whole && at(1) == bytes);
    if (cooked) CHECK(part(at(0), 24, 84) == bytes && at(0)[0] == 0x88 && at(0)[22] == 8 && part(at(1), 20, 80) == bytes);
    CHECK(fake.ring.newest_is_lent() && !fake.is_with_kernel(0));
    for (uint32_t i = 1; i < kBlocks; i++) {
      CHECK(fake.ring.block_frames() == 1);
      fake.ring.give_back(fake.ring.lend(room.room).index);
      CHECK(fake.is_with_kernel(i) && !fake.ring.newest_is_lent());
    }
    // All the way round.
    CHECK(fake.ring.block_frames() == 0);
    LentBlock same;
    CHECK(fake.ring.is_lent(0, same) && same.data == block.data && !fake.ring.is_lent(1, same));
    RingMemory* memory = fake.ring.memory();
    memory->hold();
    fake.ring.give_back(0);
    fake.ring.give_back(0);
    fake.ring.give_back(kBlocks);
    CHECK(fake.is_with_kernel(0));
    fake.ring.close();
    CHECK(block.data[room.offsets[1]] == (cooked ? 8 : 0));  // still mapped
    memory->drop();
  }
}

TEST(ring_recorder, "packets go into a file in either format, up to a bound") {
  for (bool pcapng : {true, false}) {
    FakeRing fake({});
    fake.fill(0, {{numbered(1, 61), 0, 0, 0, 90}, {numbered(2, 64)}, {numbered(3, 64)}});
    Fd file(memfd_create("file", MFD_CLOEXEC));
    RecordOptions options;
    options.pcapng = pcapng;
    options.head = "head";
    options.max_packets = 2;
    PacketRecorder recorder;
    CHECK(!recorder.prepare(fake.ring, Fd(dup(file.get())), options));
    RecordResult result = recorder.run();
    CHECK(result.reason == RecordResult::kPackets && result.packets == 2 && !result.failure);
    std::vector<uint8_t> bytes(4096);
    ssize_t n = pread(file.get(), bytes.data(), bytes.size(), 0);
    CHECK(n == static_cast<ssize_t>(result.bytes));
    CHECK(memcmp(bytes.data(), "head", 4) == 0);
    auto word = [&](size_t at) {
      uint32_t value;
      memcpy(&value, bytes.data() + at, 4);
      return value;
    };
    if (pcapng) {
      CHECK(word(4) == 6 && word(8) == 28 + 64 + 8 + 4 + 4 && word(24) == 61 && word(28) == 90);
      CHECK(word(4 + word(8) - 4) == word(8));
      CHECK(memcmp(bytes.data() + 32, numbered(1, 61).data(), 61) == 0);
      CHECK(word(4 + 2 * word(8)) == 5);
    } else {
      CHECK(word(4) == 1 && word(8) == 5 && word(12) == 61 && word(16) == 90);
      CHECK(n == 4 + 16 + 61 + 16 + 64);
    }
    // The third is still there.
    Room room(64);
    CHECK(fake.ring.read(room.room, 16, 4096).frames == 1 && room.frame(0) == numbered(3, 64));
  }
}

TEST(ring_recorder_bounds, "bytes, a stop, and what cannot be written") {
  FakeRing fake({});
  fake.fill(0, {{numbered(1, 60)}, {numbered(2, 60)}, {numbered(3, 60)}});
  Fd file(memfd_create("file", MFD_CLOEXEC));
  RecordOptions options;
  options.pcapng = false;
  options.max_bytes = 2 * 76;
  PacketRecorder bytes;
  CHECK(!bytes.prepare(fake.ring, Fd(dup(file.get())), options));
  RecordResult result = bytes.run();
  CHECK(result.reason == RecordResult::kBytes && result.packets == 2 && result.bytes == 152);
  options.max_bytes = 1;
  fake.fill(1, {{numbered(4, 60)}});
  PacketRecorder one;
  CHECK(!one.prepare(fake.ring, Fd(dup(file.get())), options));
  result = one.run();
  CHECK(result.reason == RecordResult::kBytes && result.packets == 1);
  options.max_bytes = 0;
  options.skip = 1;
  PacketRecorder stopped;
  CHECK(!stopped.prepare(fake.ring, Fd(dup(file.get())), options));
  stopped.stop(true);
  result = stopped.run();
  CHECK(result.reason == RecordResult::kStopped && result.packets == 0);
  Fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  fake.fill(2, {{numbered(1, 60)}});
  PacketRecorder failing;
  options = {};
  CHECK(!failing.prepare(fake.ring, static_cast<Fd&&>(full), options));
  result = failing.run();
  CHECK(result.reason == RecordResult::kFailed && result.failure.error == ENOSPC);
  PacketRecorder nowhere;
  CHECK(nowhere.prepare(fake.ring, Fd(), {}).error == EBADF);
}

TEST(packet_sending, "frames go out in batches; what lies outside is refused, one by one") {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
  Fd here(pair[0]), there(pair[1]);
  std::vector<uint8_t> data = numbered(0, 150);
  std::vector<VnetHeader> headers(150);
  memset(static_cast<void*>(headers.data()), 0xee, 150 * sizeof(VnetHeader));
  for (VnetHeader& header : headers) header.gso_type = kGsoNone;
  PacketWriter writer;
  auto memory = std::make_unique<WritingMemory>();
  std::vector<uint32_t> offsets(150), lengths(150, 1);
  for (uint32_t i = 0; i < 150; i++) offsets[i] = i;
  offsets[70] = 149, lengths[70] = 2;
  offsets[71] = 0xffffffff;
  FrameList list = {data.data(), data.size(), offsets.data(), lengths.data(), headers.data(), 0, 150};
  uint32_t received = 0, next = 0, dropped = 0;
  while (next < 150) {
    list.from = next;
    WriteReport report = writer.write(here.get(), {false, 10, 0}, list, UINT32_MAX, *memory);
    next = report.next;
    dropped += report.dropped;
    if (report.dropped) CHECK(report.failed_index == 70 && report.failed_error == ERANGE && report.failed_length == 2);
    uint8_t bytes[64];
    ssize_t n;
    while ((n = recv(there.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
      CHECK(n == 11 && bytes[0] == 0xee);
      received++;
    }
  }
  CHECK(received == 148 && dropped == 2);
  CHECK(writer.write(here.get(), {false, 0, 0}, list, 0, *memory).next == list.from);
}

namespace {

std::string taken(int fd) {
  std::string bytes(70000, 0);
  ssize_t n = read(fd, bytes.data(), bytes.size());
  bytes.resize(n < 0 ? 0 : static_cast<size_t>(n));
  return bytes;
}

std::string text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

TEST(forwards_a_ring, "a forward sends frames of a ring from where they lie, with their tags, and leaves out what is cut") {
  FakeRing fake({});
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
  Fd ours(pair[0]), theirs(pair[1]);
  int small = 4096;
  CHECK(setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  ForwardPort from, to;
  from.fd = fake.ring.fd();
  from.ring = &fake.ring;
  from.skip = 1;
  to.fd = ours.get();
  Forward forward(from, to);
  auto scratch = std::make_unique<ForwardScratch>();
  const auto plain = numbered(1, 60), tagged = numbered(2, 60), cut = numbered(3, 60);
  fake.fill(0, {{numbered(0, 60)}, {plain}, {tagged, 0x2005, 0x8100}, {cut, 0, 0, 0, 100}});
  CHECK(forward.move(0, *scratch, 1) == Forward::Progress::kEmpty);
  CHECK(taken(theirs.get()) == text(plain));
  std::vector<uint8_t> with_tag = tagged;
  const uint8_t tag[] = {0x81, 0, 0x20, 5};
  with_tag.insert(with_tag.begin() + 12, tag, tag + 4);
  CHECK(taken(theirs.get()) == text(with_tag));
  CHECK(taken(theirs.get()).empty() && fake.is_with_kernel(0));
  CHECK(forward.counters(0).incomplete == 1 && forward.counters(0).sent_frames == 2 && forward.counters(0).received_frames == 2);

  // What finds no room stays in the ring.
  const auto large = numbered(9, 1500);
  fake.fill(1, {{large}, {large}, {large}, {large}, {large}});
  CHECK(forward.move(0, *scratch, 1) == Forward::Progress::kBlocked && !fake.is_with_kernel(1));
  uint32_t got = 0;
  for (int i = 0; i < 20 && got < 5; i++) {
    for (std::string frame; !(frame = taken(theirs.get())).empty(); got++) CHECK(frame == text(large));
    forward.move(0, *scratch, 1);
  }
  CHECK(got == 5 && forward.counters(0).sent_frames == 7 && forward.counters(0).refused == 0);
}
