#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>

#include "../../native/sys/coalescing.h"
#include "../../native/sys/segmentation.h"
#include "check.h"
#include "packets.h"

// The kernel as the other opinion: a super-frame goes into a bridge, from which one TAP takes it whole and another, which
// accepts nothing of the kind, gets what the kernel cuts it to.

using namespace netloom;

namespace {

// TUN_F_… of linux/if_tun.h, of which some are newer than the headers.
constexpr unsigned kChecksum = 0x01, kTso = 0x02 | 0x04 | 0x08, kUso = 0x20 | 0x40, kTunnels = 0x80 | 0x100;

int open_tap(const char* name, bool header, unsigned* offloads) {
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return -1;
  ifreq request = {};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | (header ? IFF_VNET_HDR : 0));
  int size = 24;
  if (ioctl(fd, TUNSETIFF, &request) != 0 || (header && ioctl(fd, TUNSETVNETHDRSZ, &size) != 0)) return close(fd), -1;
  // The kernel says no to what it does not know.
  for (unsigned refused : {0u, kTunnels, kTunnels | kUso}) {
    const unsigned wanted = *offloads & ~refused;
    if (ioctl(fd, TUNSETOFFLOAD, wanted) == 0) {
      *offloads = wanted;
      return fd;
    }
  }
  close(fd);
  return -1;
}

class Lab {
 public:
  unsigned offloads = kChecksum | kTso | kUso | kTunnels;

  Lab() {
    if (unshare(CLONE_NEWNET) != 0) return;
    unsigned none = 0;
    in_ = open_tap("in", true, &offloads);
    whole_ = open_tap("whole", true, &offloads);
    cut_ = open_tap("cut", false, &none);
    ready_ = in_ >= 0 && whole_ >= 0 && cut_ >= 0 &&
             system("ip link add name joint type bridge mcast_snooping 0 && for name in in whole cut; do "
                    "ip link set dev $name mtu 9000 txqueuelen 5000 master joint up || exit 1; done && "
                    "ip link set dev joint mtu 9000 up") == 0;
  }
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;
  ~Lab() {
    for (int fd : {in_, whole_, cut_})
      if (fd >= 0) close(fd);
    if (ready_ && system("ip link del dev joint") != 0) printf("# the bridge stays\n");
  }
  bool ready() const { return ready_; }

  bool can(const Shape& shape) const { return (shape.tcp || (offloads & kUso)) && (!shape.tunnel || (offloads & kTunnels)); }

  // 0, or why the kernel did not take it.
  int send(const VnetHeader& header, const iovec* parts, uint32_t count) {
    std::vector<iovec> all = {{const_cast<VnetHeader*>(&header), sizeof header}};
    all.insert(all.end(), parts, parts + count);
    sent++;
    return writev(in_, all.data(), static_cast<int>(all.size())) < 0 ? errno : 0;
  }
  int send(const VnetHeader& header, const Bytes& frame) {
    const iovec part = {const_cast<uint8_t*>(frame.data()), frame.size()};
    return send(header, &part, 1);
  }

  // What the kernel made of it.
  std::vector<Bytes> segments(size_t count) {
    std::vector<Bytes> frames;
    Bytes frame;
    while (frames.size() < count && receive(cut_, nullptr, frame)) frames.push_back(frame);
    return frames;
  }
  // What we make of it.
  std::vector<Bytes> cut(size_t count) {
    std::vector<Bytes> frames;
    Bytes frame;
    VnetHeader header;
    super_frame.clear();
    while (frames.size() < count && receive(whole_, &header, frame)) {
      super_frame = frame;
      super_header = header;
      SegmentPlan plan;
      if (plan_segments(frame.data(), frame.size(), header, true, plan) != 0) break;
      if (plan.segments > 1) super_frames++;
      for (uint32_t i = 0; i < plan.segments; i++) {
        frames.emplace_back(segment_length(plan, i));
        write_segment(plan, i, frames.back().data());
      }
    }
    return frames;
  }
  uint64_t sent = 0, super_frames = 0;  // and of what came
  // The last that came.
  Bytes super_frame;
  VnetHeader super_header = {};

 private:
  // Of our own frames the next: what the kernel sends by itself has other addresses.
  bool receive(int fd, VnetHeader* header, Bytes& frame) {
    for (;;) {
      frame.resize(70000);
      iovec parts[2] = {{header, header ? sizeof *header : 0}, {frame.data(), frame.size()}};
      const ssize_t n = readv(fd, header ? parts : parts + 1, header ? 2 : 1);
      if (n < 0) {
        pollfd ready = {fd, POLLIN, 0};
        if (errno != EAGAIN || poll(&ready, 1, 3000) <= 0) return false;
        continue;
      }
      frame.resize(static_cast<size_t>(n) - (header ? sizeof *header : 0));
      if (frame.size() >= 14 && frame[0] == 2 && frame[5] == 0x99) return true;
    }
  }
  int in_ = -1, whole_ = -1, cut_ = -1;
  bool ready_ = false;
};

#define NEED(lab) \
  if (!(lab).ready()) SKIP("needs to be allowed to make a network namespace, TAP devices and a bridge")

void print_difference(const Bytes& kernel, const Bytes& ours) {
  if (kernel.size() != ours.size()) printf("# %zu bytes, and %zu of ours\n", kernel.size(), ours.size());
  for (size_t i = 0; i < kernel.size() && i < ours.size(); i++)
    if (kernel[i] != ours[i]) {
      printf("# byte %zu is %02x, and %02x of ours\n", i, kernel[i], ours[i]);
      return;
    }
}

// The kernel takes a packet for a super-frame if its payload and TCP's options are longer than gso_size, and then drops
// it if the payload alone is not.
bool dropped(const Shape& shape, size_t length, uint16_t size) {
  return shape.tcp && length <= size && length + shape.tcp_options.size() > size;
}

Bytes random_payload(size_t length) {
  Random random(length);
  return random_bytes(random, length);
}

bool agree(Lab& lab, const Shape& shape, size_t length, uint16_t size, bool seed = true) {
  const Bytes payload = random_payload(length);
  Built built = build(shape, payload.data(), length, seed);
  if (!seed) built.header.flags = 0, built.header.csum_start = built.header.csum_offset = 0;
  built.header.gso_size = size;
  if (shape.tcp && (shape.flags & 0x80)) built.header.gso_type |= kGsoEcn;
  const size_t count = length <= size ? 1 : (length + size - 1) / size;
  const int error = lab.send(built.header, built.bytes);
  if (error) {
    printf("# refused: %s\n", strerror(error));
    return false;
  }
  const std::vector<Bytes> ours = lab.cut(count), kernel = lab.segments(count);
  if (ours == kernel && ours.size() == count) return true;
  printf("# %zu segments, %zu of ours, should be %zu\n", kernel.size(), ours.size(), count);
  for (size_t i = 0; i < ours.size() && i < kernel.size(); i++)
    if (ours[i] != kernel[i]) {
      printf("# segment %zu: ", i);
      print_difference(kernel[i], ours[i]);
      break;
    }
  return false;
}

const Bytes kTimestamps = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
const Bytes kHopByHop = {0, 0, 1, 4, 0, 0, 0, 0}, kDestination = {60, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

struct Named {
  std::string name;
  Shape shape;
};

std::vector<Named> well_formed() {
  std::vector<Named> all;
  for (bool ipv6 : {false, true})
    for (bool tcp : {false, true}) {
      const std::string name = std::string(tcp ? "TCP" : "UDP") + (ipv6 ? "6" : "4");
      Shape plain;
      plain.ethernet = true;
      plain.ipv6 = ipv6;
      plain.tcp = tcp;
      if (tcp) plain.tcp_options = kTimestamps;
      auto add = [&](const char* what, auto change) {
        Shape shape = plain;
        change(shape);
        all.push_back({name + " " + what, shape});
      };
      add("plain", [](Shape&) {});
      add("VLAN", [](Shape& shape) { shape.vlans = {7}; });
      add("ECN, congestion experienced", [](Shape& shape) { shape.traffic_class = 3; });
      if (tcp) {
        add("no options", [](Shape& shape) { shape.tcp_options.clear(); });
        add("most options", [](Shape& shape) { shape.tcp_options = Bytes(40, 1); });
        add("CWR", [](Shape& shape) { shape.flags |= 0x80 | 0x40; });
        add("FIN, PSH", [](Shape& shape) { shape.flags |= 0x09; });
        add("CWR, FIN, PSH, sequence goes around", [](Shape& shape) { shape.flags |= 0x89, shape.sequence = 0xfffffa00; });
        add("URG", [](Shape& shape) { shape.flags |= 0x20, shape.urgent = 5; });
      }
      if (ipv6) {
        add("flow label", [](Shape& shape) { shape.flow_label = 0xabcde; });
        add("extension headers", [](Shape& shape) { shape.extensions = {kHopByHop, kDestination}; });
      } else {
        add("may be fragmented", [](Shape& shape) { shape.fragment = 0; });
        add("IP options", [](Shape& shape) { shape.ip_options = {1, 1, 1, 1, 1, 1, 1, 0}; });
        add("identification goes around", [](Shape& shape) { shape.id = 0xfffe; });
        add("identification 0", [](Shape& shape) { shape.id = 0; });
      }
      for (bool outer_ipv6 : {false, true})
        for (bool checksum : {false, true}) {
          add(outer_ipv6 ? (checksum ? "VXLAN over IPv6, summed" : "VXLAN over IPv6") : (checksum ? "VXLAN, summed" : "VXLAN"), [=](Shape& shape) {
            shape.tunnel = true;
            shape.outer_ipv6 = outer_ipv6;
            shape.outer_checksum = checksum;
          });
        }
    }
  return all;
}

}  // namespace

TEST(kernel_shapes, "the kernel cuts every shape to the same bytes") {
  Lab lab;
  NEED(lab);
  for (const auto& [name, shape] : well_formed()) {
    if (!lab.can(shape)) continue;
    for (size_t length : {1400u * 3, 1400u * 4 + 1, 1401u, 1400u, 1300u, 1u, 40000u}) {
      if (dropped(shape, length, 1400)) continue;
      const bool same = agree(lab, shape, length, 1400);
      if (!same) printf("# %s, %zu bytes\n", name.c_str(), length);
      CHECK(same);
    }
  }
  CHECK(lab.super_frames * 2 > lab.sent);
}

TEST(kernel_seedless, "the kernel sums TCP whose checksum is not begun to the same") {
  Lab lab;
  NEED(lab);
  for (bool ipv6 : {false, true}) {
    Shape shape;
    shape.ethernet = true;
    shape.ipv6 = ipv6;
    CHECK(agree(lab, shape, 5000, 1400, false));
    CHECK(agree(lab, shape, 1000, 1400, false));
  }
}

TEST(kernel_random, "the kernel cuts random headers to the same bytes") {
  Lab lab;
  NEED(lab);
  Random random(31);
  for (int run = 0; run < 3000; run++) {
    Shape shape = random_shape(random);
    shape.ethernet = true;
    if (shape.tunnel_header.size() % 2) shape.tunnel_header.push_back(0);  // the kernel's outer checksums are wrong where it is odd
    if (!lab.can(shape)) continue;
    const size_t length = 1 + random.below(random.once_in(20) ? 50000 : 5000);
    const uint16_t size = static_cast<uint16_t>(1 + length / 60 + random.below(1400));
    if (dropped(shape, length, size)) continue;
    const bool same = agree(lab, shape, length, size);
    if (!same) printf("# run %d: %zu bytes by %u\n", run, length, size);
    CHECK(same);
  }
  CHECK(lab.super_frames * 2 > lab.sent);
}

TEST(kernel_sent_on, "a super-frame can be sent on as it came") {
  Lab lab;
  NEED(lab);
  for (auto& [name, shape] : well_formed()) {
    if (!lab.can(shape)) continue;
    for (const std::vector<uint16_t>& vlans : {std::vector<uint16_t>{}, {9}, {9, 10}}) {
      Shape tagged = shape;
      tagged.vlans = vlans;
      const bool first = agree(lab, tagged, 3000, 1400);
      correct_tunnel(lab.super_frame.data(), lab.super_frame.size(), lab.super_header);
      const int error = lab.send(lab.super_header, lab.super_frame);
      const std::vector<Bytes> ours = lab.cut(3), kernel = lab.segments(3);
      const bool again = error == 0 && kernel.size() == 3 && ours == kernel;
      bool built = again;
      for (uint32_t i = 0; i < 3 && again; i++)
        built = built && kernel[i] == build(segment_shape(tagged, i, 3, 1400), random_payload(3000).data() + i * 1400, i < 2 ? 1400 : 200).bytes;
      if (!first || !again || !built) printf("# %s, %zu tags: %d %d %d, errno %d\n", name.c_str(), vlans.size(), first, again, built, error);
      CHECK(first && again && built);
    }
  }
}

TEST(kernel_rejoined, "the kernel cuts what was joined to what it was") {
  Lab lab;
  NEED(lab);
  Random random(32);
  static Coalescer coalescer;
  const uint8_t kinds = kJoinTcp4 | kJoinTcp6 | (lab.offloads & kUso ? kJoinUdp4 | kJoinUdp6 : 0);
  uint64_t frames_in_all = 0;
  for (int run = 0; run < 400; run++) {
    const uint32_t flows = 1 + random.below(5);
    std::vector<Shape> shapes;
    for (uint32_t i = 0; i < flows; i++) {
      Shape shape;
      shape.ethernet = true;
      shape.ipv6 = random.below(2);
      shape.tcp = random.below(2);
      shape.host = static_cast<uint8_t>(i);
      shape.traffic_class = random.byte();
      shape.fragment = random.below(2) ? 0x4000 : 0;
      shape.id = static_cast<uint16_t>(random.next());
      if (random.below(2)) shape.flags |= 0x80 | 0x40;
      if (random.below(2)) shape.tcp_options = kTimestamps;
      if (random.once_in(4)) shape.vlans = {static_cast<uint16_t>(random.below(4095))};
      shapes.push_back(shape);
    }
    Bytes memory;
    std::vector<Bytes> frames;
    std::vector<uint32_t> offsets, lengths;
    const uint32_t count = 1 + random.below(100);
    for (uint32_t i = 0; i < count; i++) {
      Shape& shape = shapes[random.below(flows)];
      const Bytes payload = random_bytes(random, random.once_in(12) ? random.below(1000) : 1000);
      Shape one = shape;
      if (random.once_in(15)) one.flags |= 0x08;
      if (random.once_in(30)) one.flags |= 0x01;
      frames.push_back(build(one, payload.data(), payload.size()).bytes);
      shape.flags &= 0x7f;
      shape.sequence += static_cast<uint32_t>(payload.size());
      if (shape.fragment == 0 || random.once_in(2)) shape.id++;
      offsets.push_back(static_cast<uint32_t>(memory.size()));
      lengths.push_back(static_cast<uint32_t>(frames.back().size()));
      memory.insert(memory.end(), frames.back().begin(), frames.back().end());
    }
    const FrameList list = {memory.data(), memory.size(), offsets.data(), lengths.data(), nullptr, 0, count};
    const uint32_t groups = coalescer.plan(list, count, true, kinds, random.once_in(4));
    bool right = true;
    for (uint32_t g = 0; g < groups && right; g++) {
      const CoalescedFrame& group = coalescer.group(g);
      if (group.frames == 1) {
        right = lab.send({}, frames[group.first]) == 0;
      } else {
        iovec parts[Coalescer::kParts];
        right = lab.send(group.header, parts, coalescer.gather(g, parts)) == 0;
      }
      const std::vector<Bytes> kernel = lab.segments(group.frames), ours = lab.cut(group.frames);
      right = right && kernel == ours && kernel.size() == group.frames;
      for (uint32_t n = 0; n < group.frames && right; n++) {
        Bytes expected = frames[coalescer.member(g, n)];
        if (kernel[n] == expected) continue;
        const size_t ip = 14 + (expected[12] == 0x81 ? 4 : 0);
        right = expected[ip] == 0x45 && (expected[ip + 6] & 0x40) && memcmp(&expected[ip + 4], &kernel[0][ip + 4], 2) == 0;
        for (size_t at : {4, 5, 10, 11}) expected[ip + at] = kernel[n][ip + at];
        right = right && kernel[n] == expected;
        if (!right) print_difference(kernel[n], expected);
      }
    }
    if (!right) printf("# run %d\n", run);
    CHECK(right);
    frames_in_all += count;
  }
  CHECK(lab.super_frames * 10 > frames_in_all);
}

TEST(tshark_checksums, "tshark finds all checksums of what was cut good, and a bad one bad") {
  if (system("command -v tshark > /dev/null") != 0) SKIP("needs tshark");
  Bytes file;
  auto little = [&](uint32_t value) {
    for (int i = 0; i < 4; i++) file.push_back(static_cast<uint8_t>(value >> (8 * i)));
  };
  uint32_t count = 0;
  auto add = [&](const Bytes& frame) {
    little(0), little(0), little(static_cast<uint32_t>(frame.size())), little(static_cast<uint32_t>(frame.size()));
    file.insert(file.end(), frame.begin(), frame.end());
    count++;
  };
  for (uint32_t word : {0xa1b2c3d4u, 0x00040002u, 0u, 0u, 262144u, 1u}) little(word);
  const Bytes payload(3001, 0x5a);
  for (const auto& [name, shape] : well_formed()) {
    Built built = build(shape, payload.data(), payload.size(), true);
    built.header.gso_size = 1000;
    SegmentPlan plan;
    CHECK(plan_segments(built.bytes.data(), built.bytes.size(), built.header, true, plan) == 0);
    for (uint32_t i = 0; i < plan.segments; i++) {
      Bytes to(segment_length(plan, i));
      write_segment(plan, i, to.data());
      add(to);
    }
    built.header.gso_type = kGsoNone;
    CHECK(complete_checksum(built.bytes.data(), built.bytes.size(), built.header) == 0);
    if (!shape.outer_checksum) add(built.bytes);
  }
  const uint32_t good = count;
  Shape shape;
  shape.ethernet = true;
  Bytes bad = build(shape, payload.data(), 100).bytes;
  bad.back() ^= 1;
  add(bad);

  char name[] = "/tmp/netloom-segments-XXXXXX";
  const int fd = mkstemp(name);
  CHECK(fd >= 0 && write(fd, file.data(), file.size()) == static_cast<ssize_t>(file.size()));
  close(fd);
  auto frames = [&](const std::string& filter) {
    const std::string command = std::string("tshark -r ") + name +
                                " -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE "
                                "-T fields -e frame.number -Y '" + filter + "' 2> /dev/null";
    std::string text;
    FILE* output = popen(command.c_str(), "r");
    for (int c; output && (c = fgetc(output)) != EOF;) text += static_cast<char>(c);
    if (output) pclose(output);
    return text;
  };
  CHECK(frames("tcp.checksum.status == 0 || udp.checksum.status == 0 || ip.checksum.status == 0") == std::to_string(good + 1) + "\n");
  std::string all;
  for (uint32_t i = 1; i <= good; i++) all += std::to_string(i) + "\n";
  CHECK(frames("tcp.checksum.status == 1 || udp.checksum.status == 1") == all);
  unlink(name);
}
