#include "../../native/sys/coalescing.h"

#include <string.h>

#include <map>
#include <string>
#include <vector>

#include "../../native/sys/segmentation.h"
#include "check.h"
#include "packets.h"

using namespace netloom;

namespace {

constexpr uint8_t kAll = kJoinTcp4 | kJoinTcp6 | kJoinUdp4 | kJoinUdp6;

// Frames one behind the other, in memory that is exactly as long.
struct Frames {
  std::vector<Bytes> frames;
  std::vector<VnetHeader> headers;
  std::vector<uint32_t> offsets, lengths;
  Exact memory{0};

  uint32_t add(const Bytes& bytes) {
    frames.push_back(bytes);
    return static_cast<uint32_t>(frames.size() - 1);
  }
  uint32_t add(const Shape& shape, size_t payload, uint8_t fill = 1) {
    const Bytes bytes(payload, fill);
    return add(build(shape, bytes.data(), payload).bytes);
  }
  FrameList list(uint32_t from = 0) {
    size_t size = 0;
    offsets.clear(), lengths.clear();
    for (const Bytes& frame : frames) {
      offsets.push_back(static_cast<uint32_t>(size));
      lengths.push_back(static_cast<uint32_t>(frame.size()));
      size += frame.size();
    }
    memory = Exact(size);
    for (size_t i = 0; i < frames.size(); i++)
      if (!frames[i].empty()) memcpy(memory.data() + offsets[i], frames[i].data(), frames[i].size());
    headers.resize(frames.size());
    return {memory.data(), size, offsets.data(), lengths.data(), headers.data(), from, static_cast<uint32_t>(frames.size())};
  }
};

Coalescer coalescer;

// "0 1 2 | 3": the members of each group.
std::string groups(uint32_t count) {
  std::string text;
  for (uint32_t g = 0; g < count; g++) {
    if (g) text += " | ";
    for (uint32_t n = 0; n < coalescer.group(g).frames; n++) text += (n ? " " : "") + std::to_string(coalescer.member(g, n));
  }
  return text;
}

std::string joined(Frames& frames, bool ethernet = false, uint8_t kinds = kAll, bool adjacent = false) {
  const FrameList list = frames.list();
  return groups(coalescer.plan(list, list.count, ethernet, kinds, adjacent));
}

// The super-frame of a group, in one piece.
Bytes super_frame(uint32_t group) {
  iovec parts[Coalescer::kParts];
  const uint32_t count = coalescer.gather(group, parts);
  Bytes bytes;
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t* from = static_cast<uint8_t*>(parts[i].iov_base);
    bytes.insert(bytes.end(), from, from + parts[i].iov_len);
  }
  return bytes;
}

// Whether cutting gives the members of each group, but for the identification of datagrams that must not be fragmented and
// have the same as the first.
bool cuts_back(const Frames& frames, uint32_t count, bool ethernet) {
  for (uint32_t g = 0; g < count; g++) {
    const CoalescedFrame& group = coalescer.group(g);
    if (group.first != coalescer.member(g, 0)) return false;
    if (group.frames == 1) {
      if (group.bytes != frames.frames[group.first].size()) return false;
      continue;
    }
    const Bytes whole = super_frame(g);
    const Exact memory(whole);
    SegmentPlan plan;
    if (whole.size() != group.bytes) return false;
    if (plan_segments(memory.data(), whole.size(), group.header, ethernet, plan) != 0 || plan.segments != group.frames) return false;
    if (group.header.hdr_len != plan.headers || whole.size() - plan.network > 65535) return false;
    for (uint32_t n = 0; n < group.frames; n++) {
      Bytes expected = frames.frames[coalescer.member(g, n)], cut(segment_length(plan, n));
      write_segment(plan, n, cut.data());
      if (cut == expected) continue;
      const size_t ip = plan.network;
      if (plan.ipv6 || !(expected[ip + 6] & 0x40) || memcmp(&expected[ip + 4], &whole[ip + 4], 2) != 0) return false;
      for (size_t at : {4, 5, 10, 11}) expected[ip + at] = cut[ip + at];
      if (cut != expected) return false;
    }
  }
  return true;
}

// The n-th segment of a train.
Shape nth(Shape shape, uint32_t n, uint32_t size) {
  shape.id = static_cast<uint16_t>(shape.id + n);
  shape.sequence += n * size;
  return shape;
}

Shape plain(bool ipv6, bool tcp) {
  Shape shape;
  shape.ipv6 = ipv6;
  shape.tcp = tcp;
  return shape;
}

const Shape kTcpShape = plain(false, true), kUdpShape = plain(false, false);

// What becomes of three segments when the second is changed.
template <typename Change>
std::string changed(Shape shape, Change change) {
  Frames frames;
  for (uint32_t n = 0; n < 3; n++) {
    Shape one = nth(shape, n, 100);
    if (n == 1) change(one);
    frames.add(one, 100);
  }
  return joined(frames, shape.ethernet);
}

}  // namespace

TEST(joins_trains, "trains of TCP and UDP over IPv4 and IPv6 are joined, with a last one that is shorter") {
  for (bool ethernet : {false, true})
    for (bool ipv6 : {false, true})
      for (bool tcp : {false, true}) {
        Frames frames;
        Shape shape = plain(ipv6, tcp);
        shape.ethernet = ethernet;
        if (ethernet) shape.vlans = {100, 200};
        if (tcp) shape.tcp_options = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
        for (uint32_t n = 0; n < 5; n++) frames.add(nth(shape, n, 1000), n < 4 ? 1000 : 300, static_cast<uint8_t>(n));
        frames.add(nth(shape, 5, 1000), 1000);
        CHECK(joined(frames, ethernet) == "0 1 2 3 4 | 5");
        CHECK(cuts_back(frames, 2, ethernet));
        const CoalescedFrame& group = coalescer.group(0);
        CHECK(group.header.gso_size == 1000 && group.header.flags == kVnetNeedsChecksum);
        CHECK(group.header.gso_type == (!tcp ? kGsoUdp : ipv6 ? kGsoTcp6 : kGsoTcp4));
        CHECK(group.kind == (tcp ? (ipv6 ? kJoinTcp6 : kJoinTcp4) : (ipv6 ? kJoinUdp6 : kJoinUdp4)));
        CHECK(coalescer.group(1).kind == 0 && coalescer.group(1).frames == 1);
        const uint8_t kind = group.kind;
        CHECK(joined(frames, ethernet, kAll & ~kind) == "0 | 1 | 2 | 3 | 4 | 5");
        CHECK(joined(frames, ethernet, kind, true) == "0 1 2 3 4 | 5");
      }
}

TEST(joins_flows, "flows that are mixed are told apart, unless only neighbors may be joined") {
  Frames frames;
  Shape other = kTcpShape;
  other.source++;
  for (uint32_t n = 0; n < 3; n++) {
    frames.add(nth(kTcpShape, n, 100), 100);
    frames.add(nth(other, n, 100), 100);
    frames.add(nth(kUdpShape, n, 100), 100);
  }
  CHECK(joined(frames) == "0 3 6 | 1 4 7 | 2 5 8");
  CHECK(cuts_back(frames, 3, false));
  CHECK(joined(frames, false, kAll, true) == "0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8");
  CHECK(joined(frames, false, kJoinTcp4) == "0 3 6 | 1 4 7 | 2 | 5 | 8");
}

TEST(joins_many, "more flows than the table has room for keep their order") {
  Frames frames;
  for (uint32_t n = 0; n < 2; n++)
    for (uint32_t flow = 0; flow < 128; flow++) {
      Shape shape = nth(kTcpShape, n, 100);
      shape.source = static_cast<uint16_t>(flow);
      frames.add(shape, 100);
    }
  const FrameList list = frames.list();
  const uint32_t count = coalescer.plan(list, list.count, false, kAll, false);
  CHECK(count >= 128 && count < 140);
  CHECK(cuts_back(frames, count, false));
}

TEST(joins_windows, "a list is grouped in portions, from any frame and to any") {
  Frames frames;
  for (uint32_t n = 0; n < 600; n++) frames.add(nth(kTcpShape, n, 10), 10);
  FrameList list = frames.list(100);
  CHECK(coalescer.plan(list, list.count, false, kAll, false) == 1);
  CHECK(coalescer.group(0).frames == 256 && coalescer.member(0, 255) == 355);
  CHECK(cuts_back(frames, 1, false));
  CHECK(coalescer.plan(list, 103, false, kAll, false) == 1 && coalescer.group(0).frames == 3);
  CHECK(coalescer.plan(list, 100, false, kAll, false) == 0);
  CHECK(coalescer.plan(list, 50, false, kAll, false) == 0);
  list.from = 590;
  CHECK(coalescer.plan(list, 10000, false, kAll, false) == 1 && coalescer.group(0).frames == 10);
}

TEST(joins_bounds, "a packet stays within 64 KiB, and one of UDP within 64 datagrams") {
  Frames frames;
  for (uint32_t n = 0; n < 50; n++) frames.add(nth(kTcpShape, n, 1448), 1448);
  const FrameList list = frames.list();
  CHECK(coalescer.plan(list, 50, false, kAll, false) == 2);
  CHECK(coalescer.group(0).frames == 45 && coalescer.group(0).bytes == 45 * 1448 + 40);
  CHECK(cuts_back(frames, 2, false));
  Frames datagrams;
  for (uint32_t n = 0; n < 130; n++) datagrams.add(nth(kUdpShape, n, 9), 9);
  const FrameList small = datagrams.list();
  CHECK(coalescer.plan(small, 130, false, kAll, false) == 3);
  CHECK(coalescer.group(0).frames == 64 && coalescer.group(2).frames == 2);
  CHECK(cuts_back(datagrams, 3, false));
}

TEST(joins_ends, "PSH and FIN end a group, with their frame in it") {
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.flags |= 0x08; }) == "0 1 | 2");
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.flags |= 0x01; }) == "0 1 | 2");
  Frames frames;
  Shape shape = kTcpShape;
  shape.flags |= 0x09;
  frames.add(shape, 100);
  frames.add(nth(kTcpShape, 1, 100), 100);
  shape = nth(kTcpShape, 2, 100);
  shape.flags |= 0x09;
  frames.add(shape, 100);
  CHECK(joined(frames) == "0 | 1 2");
  CHECK(cuts_back(frames, 2, false));
  CHECK(super_frame(1)[33] == 0x19);
}

TEST(joins_ecn, "CWR begins a group and ECE is on all of it") {
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.flags |= 0x80; }) == "0 | 1 2");
  CHECK(coalescer.group(1).header.gso_type == (kGsoTcp4 | kGsoEcn));
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.flags |= 0x40; }) == "0 | 1 | 2");
  Shape shape = kTcpShape;
  shape.flags |= 0x40;
  CHECK(changed(shape, [](Shape&) {}) == "0 1 2");
  CHECK(coalescer.group(0).header.gso_type == kGsoTcp4);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.traffic_class = 3; }) == "0 | 1 | 2");
  CHECK(changed(plain(true, true), [](Shape& shape) { shape.traffic_class = 3; }) == "0 | 1 | 2");
  CHECK(changed(kUdpShape, [](Shape& shape) { shape.traffic_class = 3; }) == "0 | 1 | 2");
}

TEST(joins_differences, "what cutting would not give back is not joined, and nothing of its flow overtakes it") {
  const std::string apart = "0 | 1 | 2";
  for (uint8_t flag : {0x02, 0x04, 0x20, 0x80 | 0x02}) CHECK(changed(kTcpShape, [=](Shape& shape) { shape.flags |= flag; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.flags = 0; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.window++; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.acknowledgment++; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.urgent++; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.reserved = 1; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.tcp_options = {1, 1, 1, 0}; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.sequence++; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.sequence--; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.hop_limit--; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.fragment = 0; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.fragment |= 0x8000; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.id += 2; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.ip_options = {1, 1, 1, 0}; }) == apart);
  CHECK(changed(kUdpShape, [](Shape& shape) { shape.no_checksum = true; }) == apart);
  CHECK(changed(kUdpShape, [](Shape& shape) { shape.hop_limit--; }) == apart);
  for (bool tcp : {false, true}) {
    CHECK(changed(plain(true, tcp), [](Shape& shape) { shape.flow_label++; }) == apart);
    CHECK(changed(plain(true, tcp), [](Shape& shape) { shape.hop_limit--; }) == apart);
    CHECK(changed(plain(true, tcp), [](Shape& shape) { shape.extensions = {{60, 0, 1, 4, 0, 0, 0, 0}}; }) == apart);
    CHECK(changed(plain(false, tcp), [](Shape& shape) { shape.ip_options = {1, 1, 1, 0}; }) == apart);
  }
  Shape options = kTcpShape, extension = plain(true, true), ethernet = kTcpShape;
  options.ip_options = {1, 1, 1, 0};
  extension.extensions = {{60, 0, 1, 4, 0, 0, 0, 0}};
  ethernet.ethernet = true;
  CHECK(changed(options, [](Shape&) {}) == apart);
  CHECK(changed(extension, [](Shape&) {}) == apart);
  // Of another flow: the first and the third have a gap.
  CHECK(changed(ethernet, [](Shape& shape) { shape.station++; }) == apart);
  CHECK(changed(ethernet, [](Shape& shape) { shape.vlans = {5}; }) == apart);
  CHECK(changed(kTcpShape, [](Shape& shape) { shape.host++; }) == apart);
}

TEST(joins_others_between, "what is of no flow, or of another, stays between and holds nobody up") {
  auto between = [](const Bytes& frame, bool ethernet) {
    Frames frames;
    Shape shape = kTcpShape;
    shape.ethernet = ethernet;
    frames.add(shape, 100);
    frames.add(frame);
    frames.add(nth(shape, 1, 100), 100);
    return joined(frames, ethernet);
  };
  CHECK(between({}, false) == "0 2 | 1");
  CHECK(between({0x45}, false) == "0 2 | 1");
  CHECK(between(Bytes(60, 0), true) == "0 2 | 1");
  Shape other = kTcpShape;
  other.host++;
  other.fragment = 0x2000;
  CHECK(between(build(other, nullptr, 0).bytes, false) == "0 2 | 1");
  Bytes ping = build(kTcpShape, nullptr, 0).bytes;
  ping[9] = 1;
  CHECK(between(ping, false) == "0 2 | 1");
}

TEST(joins_fragments, "a fragment between the same addresses ends what was joined before it") {
  for (uint16_t fragment : {0x2000, 0x2001, 0x0001}) CHECK(changed(kUdpShape, [=](Shape& shape) { shape.fragment = fragment; }) == "0 | 1 | 2");
  Frames frames;
  Shape shape = plain(true, false);
  for (uint32_t n = 0; n < 2; n++) frames.add(shape, 100);
  Bytes fragment = build(shape, nullptr, 0).bytes;
  fragment[6] = 44;
  frames.add(fragment);
  for (uint32_t n = 0; n < 2; n++) frames.add(shape, 100);
  CHECK(joined(frames) == "0 1 | 2 | 3 4");
}

TEST(joins_sizes, "a longer one begins a group, and one without payload is alone") {
  auto sizes = [](const Shape& shape, std::vector<size_t> lengths) {
    Frames frames;
    Shape one = shape;
    for (size_t length : lengths) {
      frames.add(one, length);
      one.sequence += static_cast<uint32_t>(length);
      one.id++;
    }
    std::string text = joined(frames);
    CHECK(cuts_back(frames, 1, false));
    return text;
  };
  for (bool tcp : {false, true}) {
    CHECK(sizes(plain(false, tcp), {100, 101, 101}) == "0 | 1 2");
    CHECK(sizes(plain(false, tcp), {100, 99, 99}) == "0 1 | 2");
    CHECK(sizes(plain(false, tcp), {100, 0, 100, 100}) == "0 | 1 | 2 3");
    CHECK(sizes(plain(true, tcp), {0, 0}) == "0 | 1");
    CHECK(sizes(plain(true, tcp), {1, 1}) == "0 1");
  }
}

TEST(joins_identification, "datagrams that must not be fragmented may all have one identification") {
  auto identified = [](uint16_t fragment, std::vector<uint16_t> ids) {
    Frames frames;
    for (uint16_t id : ids) {
      Shape shape = kUdpShape;
      shape.fragment = fragment;
      shape.id = id;
      frames.add(shape, 100);
    }
    std::string text = joined(frames);
    CHECK(cuts_back(frames, 1, false));
    return text;
  };
  CHECK(identified(0, {65535, 0, 1}) == "0 1 2");
  CHECK(identified(0, {0, 0, 0}) == "0 | 1 | 2");
  CHECK(identified(0x4000, {65535, 0, 1}) == "0 1 2");
  CHECK(identified(0x4000, {0, 0, 0}) == "0 1 2");
  CHECK(identified(0x4000, {7, 99, 100}) == "0 | 1 2");
}

TEST(joins_bad_checksums, "a frame with a bad checksum is alone, in its place") {
  for (size_t at : {10u, 30u, 45u}) {
    for (uint32_t bad = 0; bad < 4; bad++) {
      Frames frames;
      for (uint32_t n = 0; n < 4; n++) frames.add(nth(kTcpShape, n, 100), 100);
      frames.frames[bad][at] ^= at == 30 ? 0 : 1;
      frames.frames[bad][36] ^= at == 30 ? 1 : 0;  // the checksum itself
      const char* expected[] = {"0 | 1 2 3", "0 | 1 | 2 3", "0 1 | 2 | 3", "0 1 2 | 3"};
      CHECK(joined(frames) == expected[bad]);
      CHECK(cuts_back(frames, 1, false));
    }
  }
}

TEST(joins_lengths, "a frame that is longer or shorter than its packet is alone") {
  for (bool ipv6 : {false, true})
    for (int by : {-1, 1}) {
      Frames frames;
      Shape shape = plain(ipv6, false);
      for (uint32_t n = 0; n < 3; n++) frames.add(nth(shape, n, 100), 100);
      frames.frames[1].resize(frames.frames[1].size() + by);
      CHECK(joined(frames) == "0 | 1 | 2");
    }
}

TEST(joins_headers, "a frame whose header asks for something is alone") {
  Frames frames;
  for (uint32_t n = 0; n < 4; n++) frames.add(nth(kTcpShape, n, 100), 100);
  frames.headers.resize(4);
  frames.headers[1].flags = kVnetDataValid;
  CHECK(joined(frames) == "0 1 2 3");
  frames.headers[1].flags = kVnetNeedsChecksum;
  CHECK(joined(frames) == "0 | 1 | 2 3");
  frames.headers[1] = {};
  frames.headers[2].gso_type = kGsoTcp4;
  CHECK(joined(frames) == "0 1 | 2 | 3");
  FrameList list = frames.list();
  list.headers = nullptr;
  CHECK(groups(coalescer.plan(list, 4, false, kAll, false)) == "0 1 2 3");
}

TEST(joins_outside, "a frame outside the memory is alone") {
  Frames frames;
  for (uint32_t n = 0; n < 3; n++) frames.add(nth(kTcpShape, n, 100), 100);
  const FrameList list = frames.list();
  frames.offsets[1] = static_cast<uint32_t>(list.size - 3);
  CHECK(groups(coalescer.plan(list, 3, false, kAll, false)) == "0 | 1 | 2");
  frames.offsets[1] = UINT32_MAX;
  CHECK(groups(coalescer.plan(list, 3, false, kAll, false)) == "0 | 1 | 2");
}

TEST(joins_property, "what was joined is cut to what it was, and each flow keeps its order") {
  Random random(21);
  uint64_t flows = 0, frames_in_all = 0, groups_in_all = 0;
  for (int run = 0; run < 9000; run++) {
    const bool ethernet = random.below(2), adjacent = random.once_in(4);
    const uint32_t count = 1 + random.below(24);
    std::vector<Shape> shapes;
    std::vector<uint32_t> sizes;
    for (uint32_t i = 0; i < count; i++) {
      Shape shape = random_shape(random);
      shape.ethernet = ethernet;
      shape.tunnel = false;
      shape.host = static_cast<uint8_t>(i);
      if (!random.once_in(6)) shape.ip_options.clear(), shape.extensions.clear();
      if (!random.once_in(6)) shape.flags = random.below(2) ? 0x10 : 0x90;
      shapes.push_back(shape);
      sizes.push_back(1 + random.below(80));
    }
    flows += count;
    Frames frames;
    std::vector<uint32_t> flow_of;
    uint32_t current = 0;
    const uint32_t length = random.below(80);
    while (frames.frames.size() < length) {
      if (random.once_in(3)) current = random.below(count);
      Shape& shape = shapes[current];
      uint32_t payload = random.once_in(20) ? random.below(100) : sizes[current];
      if (random.once_in(25)) shape.flags ^= 1 << random.below(8);
      if (random.once_in(40)) shape.sequence += random.below(3) - 1;
      if (random.once_in(40)) shape.window++;
      if (random.once_in(40)) shape.id += random.below(3) - 1;
      if (random.once_in(40)) shape.fragment ^= 0x4000;
      Shape one = shape;
      if (random.once_in(50)) one.fragment |= 0x2000;
      if (random.once_in(50)) one.no_checksum = true;
      const Bytes bytes = random_bytes(random, payload);
      Built built = build(one, bytes.data(), payload);
      // Not in what says which flow it is of.
      const size_t after_ports = built.header.csum_start + 4u;
      if (random.once_in(50)) built.bytes[after_ports + random.below(static_cast<uint32_t>(built.bytes.size() - after_ports))] ^= 1;
      frames.add(built.bytes);
      flow_of.push_back(current);
      shape.sequence += payload;
      shape.flags &= 0x7f;
      if (!random.once_in(10)) shape.id++;
    }
    const FrameList list = frames.list();
    const uint32_t made = coalescer.plan(list, list.count, ethernet, kAll, adjacent);
    bool right = cuts_back(frames, made, ethernet);
    std::map<uint32_t, uint32_t> last;
    std::vector<bool> seen(length);
    uint32_t first = 0, expected = 0;
    for (uint32_t g = 0; g < made; g++) {
      right = right && (g == 0 || coalescer.group(g).first > first);
      first = coalescer.group(g).first;
      for (uint32_t n = 0; n < coalescer.group(g).frames; n++) {
        const uint32_t i = coalescer.member(g, n);
        right = right && i < length && !seen[i] && (!adjacent || i == expected);
        if (!right) break;
        seen[i] = true;
        expected++;
        if (last.count(flow_of[i])) right = right && last[flow_of[i]] < i;
        last[flow_of[i]] = i;
      }
    }
    right = right && expected == length;
    if (!right) printf("# run %d\n", run);
    CHECK(right);
    frames_in_all += length;
    groups_in_all += made;
  }
  CHECK(flows > 100000);
  CHECK(groups_in_all * 3 < frames_in_all * 2);
}

TEST(joins_fuzz, "random bytes are grouped without a look outside") {
  Random random(22);
  for (int run = 0; run < 60000; run++) {
    Frames frames;
    const bool ethernet = random.below(2);
    for (uint32_t n = random.below(20); n > 0; n--) {
      Bytes bytes;
      if (random.below(2)) {
        Shape shape = random_shape(random);
        shape.host = shape.source = 1;
        bytes = build(shape, nullptr, 0).bytes;
        for (uint32_t flips = random.below(4); flips > 0; flips--) bytes[random.below(static_cast<uint32_t>(bytes.size()))] = random.byte();
        bytes.resize(random.below(static_cast<uint32_t>(bytes.size() + 30)));
      } else {
        bytes = random_bytes(random, random.below(80));
        if (!bytes.empty()) bytes[0] = random.below(2) ? 0x45 : 0x60;
      }
      frames.add(bytes);
    }
    const FrameList list = frames.list();
    CHECK(cuts_back(frames, coalescer.plan(list, list.count, ethernet, kAll, false), ethernet));
  }
}
