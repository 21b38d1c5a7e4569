#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <memory>

#include "../../native/sys/fd.h"
#include "../../native/sys/frame_splitter.h"
#include "../../native/sys/frame_writer.h"
#include "../../native/sys/packet_socket.h"
#include "check.h"
#include "packets.h"
#include "socket_pair.h"

using namespace netloom;

namespace {

struct Device : SocketPair {
  using SocketPair::SocketPair;
  void deliver(const VnetHeader& header, const Bytes& frame) {
    Bytes bytes(10 + frame.size());
    memcpy(bytes.data(), &header, 10);
    memcpy(bytes.data() + 10, frame.data(), frame.size());
    CHECK(write(theirs.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  Bytes taken() {
    Bytes bytes(70000);
    ssize_t n = read(theirs.get(), bytes.data(), bytes.size());
    bytes.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return bytes;
  }
};

struct Room {
  Bytes bytes;
  std::vector<uint32_t> offsets, lengths;
  FrameRoom room;
  Room(size_t size, size_t frames) : bytes(size, 0xee), offsets(frames), lengths(frames) {
    room = {bytes.data(), size, 0, offsets.data(), lengths.data(), nullptr, 0};
  }
  Bytes frame(size_t i) const { return {bytes.begin() + offsets[i], bytes.begin() + offsets[i] + lengths[i]}; }
};

struct Frames {
  Bytes bytes;
  std::vector<uint32_t> offsets, lengths;
  std::vector<VnetHeader> headers;
  void add(const Bytes& frame, const VnetHeader& header = {}) {
    offsets.push_back(static_cast<uint32_t>(bytes.size()));
    lengths.push_back(static_cast<uint32_t>(frame.size()));
    headers.push_back(header);
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  }
  FrameList list(uint32_t from = 0) const {
    return {bytes.data(), bytes.size(), offsets.data(), lengths.data(), headers.data(), from,
            static_cast<uint32_t>(offsets.size())};
  }
};

Built super_frame(size_t payload, uint16_t size, uint32_t sequence = 1) {
  Shape shape;
  shape.sequence = sequence;
  const Bytes bytes(payload, static_cast<uint8_t>(sequence));
  Built built = build(shape, bytes.data(), bytes.size(), true);
  built.header.gso_size = size;
  return built;
}

std::vector<Bytes> segments_of(const Built& built) {
  SegmentPlan plan;
  CHECK(plan_segments(built.bytes.data(), built.bytes.size(), built.header, false, plan) == 0);
  std::vector<Bytes> segments;
  for (uint32_t i = 0; i < plan.segments; i++) {
    segments.emplace_back(segment_length(plan, i));
    write_segment(plan, i, segments.back().data());
  }
  return segments;
}

Framing with_header() {
  Framing framing;
  framing.vnet_header = 10;
  return framing;
}

// Three frames of one connection, to be joined to one.
Frames connection() {
  Frames frames;
  for (const Bytes& segment : segments_of(super_frame(2500, 1000))) frames.add(segment);
  return frames;
}

// How often a super-frame was refused, joined or whole.
int refusals = 0;

// writev() of a kernel that refuses them, by SIGSYS; other frames go out.
void refuse_super_frames(int, siginfo_t*, void* context) {
#if defined(__x86_64__)
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  auto &result = registers[REG_RAX], fd = registers[REG_RDI], parts = registers[REG_RSI], count = registers[REG_RDX];
#elif defined(__aarch64__)
  auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.regs;
  auto &result = registers[0], fd = registers[0], parts = registers[1], count = registers[2];
#else
#error "where do system calls have their arguments?"
#endif
  msghdr message = {};
  message.msg_iov = reinterpret_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<size_t>(count);
  const bool refused = count > 2 || message.msg_iov[1].iov_len > 1500;
  refusals += refused;
  result = refused ? -EINVAL : sendmsg(static_cast<int>(fd), &message, 0);
}

bool restrict_call(uint32_t number, uint32_t action) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, action),
  };
  sock_fprog filter = {sizeof program / sizeof *program, program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// In a child, which can be restricted; true if all is well.
template <typename Run>
bool in_child(Run run) {
  const pid_t child = fork();
  if (child == 0) _exit(run() ? 0 : 1);
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

template <typename Run>
bool in_child_that_refuses(Run run) {
  return in_child([&] {
    struct sigaction on_call = {};
    on_call.sa_sigaction = refuse_super_frames;
    on_call.sa_flags = SA_SIGINFO;
    return sigaction(SIGSYS, &on_call, nullptr) == 0 && restrict_call(SYS_writev, SECCOMP_RET_TRAP) && run();
  });
}

}  // namespace

TEST(splits_while_reading, "a super-frame goes on in the next room, with room around each frame") {
  Device device;
  Framing framing = with_header();
  framing.headroom = 12;
  framing.tailroom = 5;
  const Built built = super_frame(50000, 1000);
  const Bytes plain(90, 3);
  device.deliver(built.header, built.bytes);
  device.deliver({}, plain);
  std::vector<Bytes> expected = segments_of(built), found;
  expected.push_back(plain);
  auto splitter = std::make_unique<FrameSplitter>();
  for (int reads = 0; reads < 100 && found.size() < expected.size(); reads++) {
    Room room(kMaxFrame + 17 + 700, 64);
    ReadReport report = splitter->read(device.ours.get(), framing, room.room, 7, 5000);
    CHECK(report.frames > 0 && report.frames <= 7 && !report.no_room && report.cut == 0);
    uint32_t end = 0;
    for (uint32_t i = 0; i < report.frames; i++) {
      CHECK(room.offsets[i] == end + 12);
      end = room.offsets[i] + room.lengths[i] + 5;
      found.push_back(room.frame(i));
      CHECK(room.bytes[room.offsets[i] - 1] == 0xee && room.bytes[end - 1] == 0xee);
    }
    CHECK(room.room.cursor == end);
    CHECK(splitter->pending() == (found.size() < 50));
  }
  CHECK(found == expected);
  Room room(kMaxFrame + 17, 4);
  ReadReport report = splitter->read(device.ours.get(), framing, room.room, 4, 1 << 20);
  CHECK(report.frames == 0 && report.error == EAGAIN && !report.no_room);
}

TEST(splits_no_nonsense, "what can't be cut is counted and not delivered, and nothing is read without room for it") {
  Device device;
  VnetHeader nonsense = {};
  nonsense.gso_type = kGsoTcp4;
  nonsense.gso_size = 100;
  nonsense.csum_start = 60000;
  device.deliver(nonsense, Bytes(500, 1));
  device.deliver({}, Bytes(20, 2));
  auto splitter = std::make_unique<FrameSplitter>();
  Room small(kMaxFrame - 1, 4);
  CHECK(splitter->read(device.ours.get(), with_header(), small.room, 4, 1 << 20).no_room);
  Room room(kMaxFrame + 100, 4);
  ReadReport report = splitter->read(device.ours.get(), with_header(), room.room, 4, 1 << 20);
  CHECK(report.cut == 1 && report.frames == 1 && room.frame(0) == Bytes(20, 2));
}

TEST(cuts_while_writing, "a device without super-frames gets segments, each once, however often it is full") {
  Device device(4608);
  Frames frames;
  std::vector<Bytes> expected, found;
  for (uint32_t i = 0; i < 4; i++) {
    const Built built = super_frame(20000, 700, 1 + 20000 * i);
    frames.add(built.bytes, built.header);
    for (Bytes& segment : segments_of(built)) expected.push_back(segment);
    frames.add(Bytes(30, static_cast<uint8_t>(i)));
    expected.push_back(Bytes(30, static_cast<uint8_t>(i)));
  }
  FrameWriter writer;
  auto memory = std::make_unique<WritingMemory>();
  uint32_t next = 0, sent = 0, full = 0;
  for (int tries = 0; tries < 10000 && next < 8; tries++) {
    WriteReport report = writer.write(device.ours.get(), {}, frames.list(next), UINT32_MAX, *memory);
    next = report.next;
    sent += report.sent;
    full += report.error == EAGAIN;
    CHECK(report.dropped == 0 && (report.error == 0 || report.error == EAGAIN));
    for (Bytes bytes = device.taken(); !bytes.empty(); bytes = device.taken()) found.push_back(bytes);
  }
  CHECK(sent == 8 && full > 4);
  CHECK(found == expected);
}

TEST(completes_while_writing, "a checksum that is left undone is completed where the device has no header for it") {
  Device device;
  Built built = super_frame(100, 0);
  built.header.gso_type = kGsoNone;
  Frames frames;
  frames.add(built.bytes, built.header);
  FrameWriter writer;
  auto memory = std::make_unique<WritingMemory>();
  CHECK(writer.write(device.ours.get(), {}, frames.list(), 8, *memory).sent == 1);
  Bytes expected = built.bytes;
  complete_checksum(expected.data(), expected.size(), built.header);
  CHECK(device.taken() == expected && expected != built.bytes);
  CHECK(writer.write(device.ours.get(), with_header(), frames.list(), 8, *memory).sent == 1);
  Bytes whole = device.taken();
  CHECK(memcmp(whole.data(), &built.header, 10) == 0 && Bytes(whole.begin() + 10, whole.end()) == built.bytes);
  frames.headers[0].csum_start = 60000;
  WriteReport report = writer.write(device.ours.get(), {}, frames.list(), 8, *memory);
  CHECK(report.dropped == 1 && report.failed_error == EINVAL);
}

TEST(joins_while_writing, "frames of a connection go as one; with a bound, only neighbors") {
  Device device;
  Framing framing = with_header();
  framing.join = kJoinTcp4;
  Frames frames = connection();
  FrameWriter writer;
  auto memory = std::make_unique<WritingMemory>();
  WriteReport report = writer.write(device.ours.get(), framing, frames.list(), UINT32_MAX, *memory);
  CHECK(report.sent == 3 && report.next == 3 && report.bytes == frames.bytes.size() && report.refused == 0);
  const Bytes joined = device.taken();
  VnetHeader header = {};
  memcpy(&header, joined.data(), 10);
  CHECK(header.gso_type == kGsoTcp4 && header.gso_size == 1000 && joined.size() == 10 + 40 + 2500);
  CHECK(device.taken().empty());
  // Something else in between.
  Frames mixed;
  const Frames flow = connection();
  for (uint32_t i = 0; i < 3; i++) {
    mixed.add({flow.bytes.begin() + flow.offsets[i], flow.bytes.begin() + flow.offsets[i] + flow.lengths[i]});
    mixed.add(Bytes(50, 9));
  }
  for (bool adjacent : {false, true}) {
    framing.join_adjacent = adjacent;
    CHECK(writer.write(device.ours.get(), framing, mixed.list(), UINT32_MAX, *memory).sent == 6);
    uint32_t messages = 0;
    while (!device.taken().empty()) messages++;
    CHECK(messages == (adjacent ? 6 : 4));
  }
}

TEST(falls_back, "a kernel that refuses joined frames gets them one by one, and that is told") {
  Device device;
  CHECK(in_child_that_refuses([&] {
    Framing framing = with_header();
    framing.join = kJoinTcp4 | kJoinUdp4;
    FrameWriter writer;
    auto memory = std::make_unique<WritingMemory>();
    const Frames frames = connection();
    WriteReport report = writer.write(device.ours.get(), framing, frames.list(), UINT32_MAX, *memory);
    return report.refused == kJoinTcp4 && report.sent == 3 && report.dropped == 0 && report.next == 3;
  }));
  const Frames frames = connection();
  for (uint32_t i = 0; i < 3; i++) {
    const Bytes message = device.taken();
    CHECK(message.size() == 10 + frames.lengths[i] &&
          memcmp(message.data() + 10, frames.bytes.data() + frames.offsets[i], frames.lengths[i]) == 0);
  }
}

TEST(asks_once, "a kernel that refuses super-frames is not asked again, that is told, and each segment goes out once") {
  Device device;
  const Built built = super_frame(2500, 1000);
  CHECK(in_child_that_refuses([&] {
    Framing framing = with_header();
    framing.join = kJoinTcp4;
    FrameWriter writer;
    auto memory = std::make_unique<WritingMemory>();
    Frames frames;
    for (int i = 0; i < 2; i++) frames.add(built.bytes, built.header);
    WriteReport report = writer.write(device.ours.get(), framing, frames.list(), UINT32_MAX, *memory);
    if (report.refused != kJoinTcp4 || report.sent != 2 || report.dropped != 0 || refusals != 1) return false;
    framing.refused |= report.refused;
    report = writer.write(device.ours.get(), framing, frames.list(1), UINT32_MAX, *memory);
    return report.refused == 0 && report.sent == 1 && refusals == 1;
  }));
  const std::vector<Bytes> segments = segments_of(built);
  for (size_t i = 0; i < 9; i++) {
    const Bytes message = device.taken();
    CHECK(message.size() > 10 && Bytes(message.begin() + 10, message.end()) == segments[i % 3]);
  }
  CHECK(device.taken().empty());
}

TEST(blames_the_frame, "where the kernel took a kind, one that it refuses is cut, and nothing is told") {
  Device device;
  CHECK(in_child_that_refuses([&] {
    const Built small = super_frame(1200, 600), large = super_frame(2500, 1000);
    Frames frames;
    frames.add(small.bytes, small.header);
    for (int i = 0; i < 2; i++) frames.add(large.bytes, large.header);
    FrameWriter writer;
    auto memory = std::make_unique<WritingMemory>();
    const WriteReport report = writer.write(device.ours.get(), with_header(), frames.list(), UINT32_MAX, *memory);
    return report.refused == 0 && report.sent == 3 && refusals == 2;
  }));
}

TEST(asks_a_packet_socket_once, "a packet socket that refuses super-frames is not asked again, and that is told") {
  SocketPair socket;
  Shape shape;
  shape.ethernet = true;
  shape.tcp = false;
  const Bytes payload(2500, 6);
  Built built = build(shape, payload.data(), payload.size(), true);
  built.header.gso_size = 1000;
  Frames frames;
  for (int i = 0; i < 2; i++) frames.add(built.bytes, built.header);
  CHECK(in_child([&] {
    PacketWriter writer;
    auto memory = std::make_unique<WritingMemory>();
    PacketSending how = {false, 10, 0, 0};
    // Whole frames go by sendmmsg, segments by sendmsg.
    if (!restrict_call(SYS_sendmmsg, SECCOMP_RET_ERRNO | EINVAL)) return false;
    WriteReport report = writer.write(socket.ours.get(), how, frames.list(), UINT32_MAX, *memory);
    if (report.refused != (kJoinUdp4 | kJoinUdp6) || report.sent != 2 || report.dropped != 0) return false;
    // Whoever asks from here on dies of it.
    if (!restrict_call(SYS_sendmmsg, SECCOMP_RET_KILL_PROCESS)) return false;
    how.refused = report.refused;
    report = writer.write(socket.ours.get(), how, frames.list(), UINT32_MAX, *memory);
    return report.refused == 0 && report.sent == 2;
  }));
}

TEST(cuts_for_packet_sockets, "a packet socket gets what its header can say, and segments of the rest, each with an empty header") {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
  Fd ours(pair[0]), theirs(pair[1]);
  Shape shape;
  shape.ethernet = shape.tunnel = true;
  const Bytes payload(2500, 6);
  Built tunnel = build(shape, payload.data(), payload.size(), true);
  tunnel.header.gso_size = 1000;
  shape.tunnel = false;
  Built plain = build(shape, payload.data(), payload.size(), true);
  plain.header.gso_size = 1000;
  Frames frames;
  frames.add(plain.bytes, plain.header);
  frames.add(tunnel.bytes, tunnel.header);
  PacketWriter writer;
  auto memory = std::make_unique<WritingMemory>();
  WriteReport report = writer.write(ours.get(), {false, 10, 0, 0}, frames.list(), UINT32_MAX, *memory);
  CHECK(report.sent == 2 && report.dropped == 0 && report.next == 2);
  Bytes bytes(70000);
  ssize_t n = read(theirs.get(), bytes.data(), bytes.size());
  CHECK(n == static_cast<ssize_t>(10 + plain.bytes.size()) && memcmp(bytes.data(), &plain.header, 10) == 0);
  SegmentPlan plan;
  CHECK(plan_segments(tunnel.bytes.data(), tunnel.bytes.size(), tunnel.header, true, plan) == 0 && plan.segments == 3);
  const Bytes zero(10, 0);
  for (uint32_t i = 0; i < 3; i++) {
    Bytes segment(segment_length(plan, i));
    write_segment(plan, i, segment.data());
    n = read(theirs.get(), bytes.data(), bytes.size());
    CHECK(n == static_cast<ssize_t>(10 + segment.size()) && memcmp(bytes.data(), zero.data(), 10) == 0 &&
          memcmp(bytes.data() + 10, segment.data(), segment.size()) == 0);
  }
  CHECK(read(theirs.get(), bytes.data(), bytes.size()) < 0);
}
