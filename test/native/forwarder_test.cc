#include "../../native/sys/forwarder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "check.h"
#include "socket_pair.h"

using namespace netloom;

namespace {

struct Device : SocketPair {
  using SocketPair::SocketPair;
  bool deliver(const std::string& bytes) { return write(theirs.get(), bytes.data(), bytes.size()) >= 0; }
  // Waits for it; empty: there was none for long.
  std::string taken(int patience = 5000) {
    pollfd entry = {theirs.get(), POLLIN, 0};
    if (poll(&entry, 1, patience) != 1) return {};
    std::string bytes(70000, 0);
    ssize_t n = read(theirs.get(), bytes.data(), bytes.size());
    bytes.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return bytes;
  }
  ForwardPort port(uint8_t vnet_header = 0) {
    ForwardPort port;
    port.fd = ours.get();
    port.framing.vnet_header = vnet_header;
    return port;
  }
};

struct Running {
  Forwarder forwarder;
  pthread_t thread;
  std::atomic<int> told{0};
  Fd bell_out, bell_in;
  Running() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0 || forwarder.open()) abort();
    bell_out.reset(ends[0]);
    bell_in.reset(ends[1]);
    auto run = [](void* self) -> void* {
      static_cast<Forwarder*>(self)->run();
      return nullptr;
    };
    if (pthread_create(&thread, nullptr, run, &forwarder) != 0) abort();
  }
  ~Running() {
    forwarder.stop();
    pthread_join(thread, nullptr);
  }
  void add(Forward& forward, bool paused = false) {
    auto notify = [](void* self) {
      auto* running = static_cast<Running*>(self);
      running->told++;
      CHECK(write(running->bell_in.get(), "!", 1) == 1);
    };
    CHECK(!forwarder.add(forward, notify, this, paused));
  }
  bool heard() {
    pollfd entry = {bell_out.get(), POLLIN, 0};
    char byte;
    return poll(&entry, 1, 5000) == 1 && read(bell_out.get(), &byte, 1) == 1;
  }
};

uint64_t lost(const ForwardCounters& counters) {
  return counters.incomplete + counters.too_long + counters.refused + counters.left_over;
}

// A filter: frames that begin with `letter`.
std::vector<sock_filter> begins_with(char letter) {
  return {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(letter), 0, 1),
          BPF_STMT(BPF_RET | BPF_K, 0xffffffff), BPF_STMT(BPF_RET | BPF_K, 0)};
}

const uint8_t* bytes_of(const std::vector<sock_filter>& program) {
  return reinterpret_cast<const uint8_t*>(program.data());
}

struct Taken {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(1 << 20);
  uint32_t offsets[64], lengths[64], originals[64], flags[64], vlans[64], interfaces[64];
  VnetHeader headers[64];
  int64_t times[64];
  PacketReport report;
  explicit Taken(ForwardObserver& observer) {
    PacketRoom room = {{bytes.data(), bytes.size(), 0, offsets, lengths, headers, 0}, times, originals, flags, vlans,
                       interfaces};
    report = observer.take(room, 64, bytes.size());
  }
  std::string frame(size_t i) { return {reinterpret_cast<char*>(bytes.data()) + offsets[i], lengths[i]}; }
};

}  // namespace

TEST(forwards_both_ways, "a forward passes frames both ways, whole and in order, and counts them") {
  Device a, b;
  Forward forward(a.port(), b.port());
  Running running;
  CHECK(a.deliver("there before"));
  running.add(forward);
  CHECK(b.taken() == "there before");
  for (int i = 0; i < 100; i++) {
    const std::string there(static_cast<size_t>(1 + i * 600), 'a'), back(static_cast<size_t>(2 + i), 'b');
    CHECK(a.deliver(there) && b.deliver(back));
    CHECK(b.taken() == there && a.taken() == back);
  }
  running.forwarder.remove(forward);
  CHECK(forward.counters(0).received_frames == 101 && forward.counters(0).sent_frames == 101);
  CHECK(forward.counters(1).sent_frames == 100 && forward.counters(1).sent_bytes == 200 + 99 * 50);
  CHECK(lost(forward.counters(0)) == 0 && forward.ended() == 0);
  CHECK(a.deliver("after it was taken out"));
  CHECK(b.taken(50).empty());
}

TEST(carries_headers, "virtio-net headers go along where both sides have them") {
  Device a, b;
  Forward forward(a.port(10), b.port(12));
  Running running;
  running.add(forward);
  const std::string header("\1\1\x36\0\0\5\x22\0\6\0", 10);
  CHECK(a.deliver(header + "whole"));
  CHECK(b.taken() == header + std::string(2, 0) + "whole");
  running.forwarder.remove(forward);
}

TEST(waits_for_room, "a target that is full holds its source up, and nothing is lost") {
  Device a, b(4096);
  Forward forward(a.port(), b.port());
  Running running;
  running.add(forward);
  std::vector<std::string> sent;
  for (int i = 0; i < 2000; i++) {
    const std::string frame = std::to_string(i) + std::string(static_cast<size_t>(i % 900), '.');
    if (!a.deliver(frame)) break;
    sent.push_back(frame);
  }
  CHECK(sent.size() > 10 && sent.size() < 2000);
  for (const std::string& frame : sent) CHECK(b.taken() == frame);
  CHECK(a.deliver("and on") && b.taken() == "and on");
  running.forwarder.remove(forward);
  CHECK(lost(forward.counters(0)) == 0);
}

TEST(counts_what_is_held, "what waits for room when the forward ends is counted as dropped") {
  Device a, b(4096);
  Forward forward(a.port(), b.port());
  Running running;
  running.add(forward);
  const ForwardCounters& counters = forward.counters(0);
  // Until the thread, which may be late, reads nothing more.
  for (int full = 0; full < 100 || counters.received_frames == counters.sent_frames;) {
    if (a.deliver(std::string(500, 'x'))) {
      full = 0;
    } else {
      usleep(1000);
      if (++full > 20000) break;
    }
  }
  running.forwarder.remove(forward);
  CHECK(counters.left_over > 0 && counters.received_frames == counters.sent_frames + lost(counters));
}

TEST(drops_refused, "a frame that is refused is counted, and the next one goes on") {
  Device a, b;
  ForwardPort to = b.port();
  to.framing.max_frame = 100;
  Forward forward(a.port(), to);
  Running running;
  running.add(forward);
  CHECK(a.deliver(std::string(101, 'x')) && a.deliver("short"));
  CHECK(b.taken() == "short");
  running.forwarder.remove(forward);
  const ForwardCounters& counters = forward.counters(0);
  CHECK(counters.too_long == 1 && counters.refused == 0 && counters.sent_frames == 1);
}

TEST(filters_by_direction, "each direction has its own filter") {
  Device a, b;
  Forward forward(a.port(), b.port());
  const auto program = begins_with('y');
  CHECK(!forward.set_filter(0, bytes_of(program), 8));
  CHECK(forward.set_filter(0, bytes_of(program), program.size() * 8));
  Running running;
  running.add(forward);
  for (const char* frame : {"no", "yes", "not", "y"}) CHECK(a.deliver(frame) && b.deliver(frame));
  CHECK(b.taken() == "yes" && b.taken() == "y");
  CHECK(a.taken() == "no" && a.taken() == "yes" && a.taken() == "not" && a.taken() == "y");
  running.forwarder.remove(forward);
  CHECK(forward.counters(0).filtered == 2 && forward.counters(1).filtered == 0);
}

TEST(verifies_programs, "programs that could fail to end are refused") {
  BpfProgram program;
  auto loads = [&](std::vector<sock_filter> code) { return program.load(bytes_of(code), code.size() * 8); };
  CHECK(loads({BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(!loads({}));
  CHECK(!loads({BPF_STMT(BPF_LD | BPF_IMM, 1)}));
  CHECK(!loads({BPF_STMT(BPF_JMP | BPF_JA, 1), BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(!loads({BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(!loads({BPF_JUMP(BPF_JMP | BPF_JEQ, 0, 0, 1), BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(!loads({BPF_STMT(BPF_ALU | BPF_DIV, 0), BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(!loads({BPF_STMT(BPF_ALU | BPF_LSH, 32), BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(!loads({BPF_STMT(BPF_LD | BPF_MEM, 0), BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(!loads({BPF_STMT(BPF_ST, 16), BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(!loads({BPF_STMT(0xff, 0), BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(!loads({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0xfffff001), BPF_STMT(BPF_RET | BPF_K, 1)}));
  CHECK(loads({BPF_STMT(BPF_ST, 15), BPF_STMT(BPF_LD | BPF_MEM, 15), BPF_STMT(BPF_RET | BPF_A, 0)}));
  CHECK(loads({BPF_STMT(BPF_LDX | BPF_IMM, 0xffffffff), BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0xfffff000),
               BPF_STMT(BPF_RET | BPF_K, 1)}));
  const uint8_t packet[4] = {};
  CHECK(program.run(packet, sizeof packet, {4, false, 0, 0}) == 0);
}

TEST(limits_rate, "tokens let through a burst and what the rate gives, and one frame more") {
  TokenBucket bucket;
  CHECK(!bucket.limited());
  bucket.limit(1000, 500);
  const uint64_t second = 1'000'000'000;
  CHECK(bucket.open(second));
  bucket.spend(1500);
  CHECK(!bucket.open(second) && bucket.opens() > 2 * second && bucket.opens() < 2 * second + second / 10);
  CHECK(!bucket.open(2 * second) && bucket.open(2 * second + second / 100));
  // However long nothing came: a burst.
  CHECK(bucket.open(100 * second));
  bucket.spend(500);
  CHECK(!bucket.open(100 * second));

  Device a, b;
  Forward forward(a.port(), b.port());
  forward.set_rate(0, 1, 2500);
  Running running;
  running.add(forward);
  for (int i = 0; i < 5; i++) CHECK(a.deliver(std::string(1000, static_cast<char>('a' + i))));
  for (int i = 0; i < 3; i++) CHECK(b.taken() == std::string(1000, static_cast<char>('a' + i)));
  // The other way there is no limit, and a frame that came back says that the thread is at rest.
  CHECK(b.deliver("back") && a.taken() == "back");
  running.forwarder.remove(forward);
  CHECK(forward.counters(0).sent_bytes == 3000 && forward.counters(0).received_frames == 3);
}

TEST(pauses, "a paused forward reads nothing, and goes on where it was") {
  Device a, b;
  Forward forward(a.port(), b.port());
  Running running;
  running.add(forward, true);
  CHECK(a.deliver("early"));
  running.forwarder.set_paused(forward, true);
  CHECK(forward.counters(0).received_frames == 0);
  running.forwarder.set_paused(forward, false);
  CHECK(b.taken() == "early");
  running.forwarder.set_paused(forward, true);
  CHECK(a.deliver("meanwhile"));
  running.forwarder.set_paused(forward, true);
  CHECK(forward.counters(0).received_frames == 1);
  running.forwarder.set_paused(forward, false);
  CHECK(b.taken() == "meanwhile");
  running.forwarder.remove(forward);
}

TEST(ends_with_its_ports, "a port that is gone ends its forward, and no other on the thread") {
  for (bool paused : {false, true}) {
    Device a, b, c, d;
    Forward first(a.port(), b.port()), second(c.port(), d.port());
    Running running;
    running.add(first, paused);
    running.add(second);
    b.theirs.reset();
    CHECK(running.heard());
    CHECK(first.ended() == 2 && first.error() == ENODEV && second.ended() == 0);
    CHECK(c.deliver("on") && d.taken() == "on");
    running.forwarder.remove(first);
    running.forwarder.remove(second);
    CHECK(running.told == 1);
  }
}

TEST(removes_in_any_order, "forwards come and go on a thread that works for others") {
  Device a, b;
  Forward lasting(a.port(), b.port());
  Running running;
  running.add(lasting);
  for (int i = 0; i < 200; i++) {
    Device c, d;
    Forward one(c.port(), d.port()), other(d.port(), c.port());
    CHECK(a.deliver("busy"));
    running.add(one);
    CHECK(c.deliver("x"));
    if (i % 2) CHECK(d.taken() == "x");
    running.forwarder.remove(one);
    running.forwarder.remove(one);
    CHECK(b.taken() == "busy");
  }
  running.forwarder.remove(lasting);
  CHECK(running.told == 0);
}

TEST(observes, "an observer gets copies, bounded, and counts what it lost") {
  Device a, b;
  Forward forward(a.port(), b.port());
  ForwardObserver all(3, 4, 1024), few(1, 65535, 2);
  Running running;
  running.add(forward);
  running.forwarder.observe(forward, all, true);
  running.forwarder.observe(forward, few, true);
  CHECK(Taken(all).report.error == EAGAIN);
  CHECK(a.deliver("there") && b.taken() == "there" && running.heard());
  CHECK(b.deliver("back") && a.taken() == "back");
  for (const char* frame : {"one", "two", "three"}) CHECK(a.deliver(frame) && b.taken() == frame);
  // Taken out, so that nothing of it is still being copied.
  running.forwarder.observe(forward, all, false);
  running.forwarder.observe(forward, few, false);
  Taken taken(all);
  CHECK(taken.report.frames == 5 && taken.report.error == EAGAIN && all.dropped() == 0);
  CHECK(taken.frame(0) == "ther" && taken.originals[0] == 5 && taken.interfaces[0] == 0 && taken.times[0] > 0);
  CHECK(taken.frame(1) == "back" && taken.interfaces[1] == 1);
  CHECK(Taken(few).report.frames == 2 && few.dropped() == 2);
  CHECK(a.deliver("unseen") && b.taken() == "unseen");
  running.forwarder.remove(forward);
  CHECK(Taken(all).report.frames == 0);
}

TEST(observes_what_is_left_undone, "an observer sees the virtio-net header of each frame") {
  Device a, b;
  Forward forward(a.port(10), b.port(12));
  ForwardObserver observer(3, 65535, 64);
  Running running;
  running.add(forward);
  running.forwarder.observe(forward, observer, true);
  CHECK(a.deliver(std::string("\1\1\x36\0\0\5\x22\0\6\0whole", 15)) && b.taken().size() == 17);
  CHECK(b.deliver(std::string(12, 0) + "plain") && a.taken().size() == 15);
  running.forwarder.observe(forward, observer, false);
  Taken taken(observer);
  CHECK(taken.report.frames == 2 && taken.frame(0) == "whole" && taken.frame(1) == "plain");
  const VnetHeader& header = taken.headers[0];
  CHECK(header.gso_type == kGsoTcp4 && header.gso_size == 0x500 && header.csum_start == 0x22 && header.csum_offset == 6);
  CHECK(taken.flags[0] == (kChecksumNotReady | kSegmentation));
  CHECK(!taken.headers[1].asks() && taken.flags[1] == 0);
  running.forwarder.remove(forward);
}

TEST(observes_at_once, "an observer is read while frames come") {
  Device a, b;
  Forward forward(a.port(), b.port());
  ForwardObserver observer(1, 65535, 64);
  Running running;
  running.add(forward);
  running.forwarder.observe(forward, observer, true);
  uint64_t seen = 0, passed = 0;
  for (int i = 0; i < 3000; i++) {
    if (a.deliver(std::string(static_cast<size_t>(i % 3000 + 1), 'z'))) passed++;
    while (b.taken(0).size() > 0) {
    }
    if (i % 7 == 0) seen += Taken(observer).report.frames;
  }
  running.forwarder.remove(forward);
  for (uint32_t more = 1; more > 0; seen += more) more = Taken(observer).report.frames;
  CHECK(seen + observer.dropped() == forward.counters(0).sent_frames && passed >= seen && seen > 0);
}

TEST(rests, "nothing to do costs no processor time") {
  Device a, b;
  Forward forward(a.port(), b.port());
  Running running;
  running.add(forward);
  CHECK(a.deliver("x") && b.taken() == "x");
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  CHECK(a.taken(300).empty());
  getrusage(RUSAGE_SELF, &after);
  auto used = [](const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  };
  CHECK(used(after) - used(before) < 150'000);
  running.forwarder.remove(forward);
}
