#include "../../native/sys/segmentation.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "packets.h"

using namespace netloom;

namespace {

int plan_of(const Shape& shape, const Built& built, SegmentPlan& plan) {
  return plan_segments(built.bytes.data(), built.bytes.size(), built.header, shape.ethernet, plan);
}

// Cuts and compares with segments that were built each by itself.
bool cuts_right(const Shape& shape, const Bytes& payload, uint16_t size) {
  Built built = build(shape, payload.data(), payload.size(), true);
  built.header.gso_size = size;
  built.header.hdr_len = 1;
  const Exact frame(built.bytes);
  SegmentPlan plan;
  if (plan_segments(frame.data(), built.bytes.size(), built.header, shape.ethernet, plan) != 0) return false;
  const uint32_t segments = payload.size() <= size ? 1 : static_cast<uint32_t>((payload.size() + size - 1) / size);
  if (plan.segments != segments || plan.headers != built.headers) return false;
  for (uint32_t n = 0; n < segments; n++) {
    const uint32_t i = segments - 1 - n;
    const size_t at = static_cast<size_t>(i) * size, length = i + 1 < segments ? size : payload.size() - at;
    const Shape one = segments == 1 ? shape : segment_shape(shape, i, segments, size);
    const Built expected = build(one, payload.data() + at, length);
    if (segment_length(plan, i) != expected.bytes.size()) return false;
    const Exact to(expected.bytes.size());
    write_segment(plan, i, to.data());
    if (memcmp(to.data(), expected.bytes.data(), expected.bytes.size()) != 0) {
      // skb_checksum_help() has the other spelling of zero.
      Bytes other = expected.bytes;
      const size_t checksum = built.header.csum_start + built.header.csum_offset;
      if (segments != 1 || !shape.tcp || other[checksum] || other[checksum + 1]) return false;
      other[checksum] = other[checksum + 1] = 0xff;
      if (!shape.outer_checksum && memcmp(to.data(), other.data(), other.size()) != 0) return false;
    }
  }
  return true;
}

}  // namespace

TEST(segments_shapes, "segments of any shape are those that are built one by one") {
  Random random(11);
  for (int run = 0; run < 20000; run++) {
    const Shape shape = random_shape(random);
    const Bytes payload = random_bytes(random, 1 + random.below(random.once_in(50) ? 60000 : 3000));
    const uint32_t least = static_cast<uint32_t>(payload.size() / 200);
    const uint16_t size = static_cast<uint16_t>(1 + least + random.below(static_cast<uint32_t>(payload.size())));
    const bool right = cuts_right(shape, payload, size);
    if (!right) printf("# run %d: %zu bytes by %u\n", run, payload.size(), size);
    CHECK(right);
  }
}

TEST(segments_flags, "FIN and PSH are on the last segment, CWR is on the first, numbers go around") {
  Shape shape;
  shape.flags = 0x10 | 0x01 | 0x08 | 0x80 | 0x40;
  shape.sequence = 0xffffff00;
  shape.id = 0xffff;
  const Bytes payload(2500, 1);
  Built built = build(shape, payload.data(), payload.size(), true);
  built.header.gso_size = 1000;
  built.header.gso_type |= kGsoEcn;
  SegmentPlan plan;
  CHECK(plan_of(shape, built, plan) == 0 && plan.segments == 3);
  const uint8_t flags[] = {0x10 | 0x80 | 0x40, 0x10 | 0x40, 0x10 | 0x01 | 0x08 | 0x40};
  const uint32_t sequences[] = {0xffffff00, 0x2e8, 0x6d0};
  const uint16_t ids[] = {0xffff, 0, 1}, lengths[] = {1040, 1040, 540};
  for (uint32_t i = 0; i < 3; i++) {
    uint8_t to[2000];
    write_segment(plan, i, to);
    CHECK(segment_length(plan, i) == lengths[i]);
    CHECK(to[33] == flags[i]);
    CHECK((to[24] << 24 | to[25] << 16 | to[26] << 8 | to[27]) == static_cast<int>(sequences[i]));
    CHECK((to[4] << 8 | to[5]) == ids[i]);
  }
}

TEST(segments_without_seed, "TCP whose checksum is not begun is summed anew") {
  const Bytes payload(3000, 7);
  for (bool ipv6 : {false, true}) {
    Shape shape;
    shape.ipv6 = ipv6;
    Built built = build(shape, payload.data(), payload.size());
    built.header.flags = 0;
    built.header.gso_size = 1400;
    SegmentPlan plan;
    CHECK(plan_of(shape, built, plan) == 0);
    for (uint32_t i = 0; i < 3; i++) {
      const Built expected = build(segment_shape(shape, i, 3, 1400), payload.data() + i * 1400, i < 2 ? 1400 : 200);
      const Exact to(expected.bytes.size());
      write_segment(plan, i, to.data());
      CHECK(memcmp(to.data(), expected.bytes.data(), expected.bytes.size()) == 0);
    }
  }
}

TEST(segments_one, "a frame that is one segment already keeps its padding and its lengths") {
  Shape shape;
  shape.ethernet = true;
  const Bytes payload(3, 5);
  Built built = build(shape, payload.data(), payload.size(), true);
  built.bytes.resize(60);
  built.header.gso_size = 1000;
  SegmentPlan plan;
  CHECK(plan_of(shape, built, plan) == 0 && plan.segments == 1 && segment_length(plan, 0) == 60);
  uint8_t to[60];
  write_segment(plan, 0, to);
  Bytes expected = build(shape, payload.data(), payload.size()).bytes;
  expected.resize(60);
  CHECK(memcmp(to, expected.data(), 60) == 0);
}

TEST(segments_none, "a frame that asks for no cutting is one segment, whatever is in it") {
  const Bytes payload(300, 7);
  Shape shape;
  const Built built = build(shape, payload.data(), payload.size(), true);
  Bytes frame = built.bytes;
  VnetHeader header = {};
  SegmentPlan plan;
  auto written = [&] {
    CHECK(plan_segments(frame.data(), frame.size(), header, true, plan) == 0 && plan.segments == 1);
    CHECK(segment_length(plan, 0) == frame.size());
    Bytes to(frame.size());
    write_segment(plan, 0, to.data());
    return to;
  };
  CHECK(written() == frame);
  header = built.header;
  header.gso_type = kGsoTunnel4;
  CHECK(written() == build(shape, payload.data(), payload.size()).bytes);
  header.csum_start = static_cast<uint16_t>(frame.size() - 17);
  CHECK(plan_segments(frame.data(), frame.size(), header, true, plan) == EINVAL);
  header.flags = 0;
  frame.clear();
  CHECK(plan_segments(frame.data(), 0, header, true, plan) == 0 && segment_length(plan, 0) == 0);
}

TEST(segments_tagged, "offsets of a tunnel that do not count the VLAN tag are understood") {
  Shape shape;
  shape.ethernet = shape.tunnel = shape.outer_checksum = true;
  shape.vlans = {7};
  const Bytes payload(2000, 7);
  Built built = build(shape, payload.data(), payload.size(), true);
  built.header.gso_size = 1000;
  built.header.outer_th_offset -= 4;
  built.header.inner_nh_offset -= 4;
  SegmentPlan plan;
  CHECK(plan_of(shape, built, plan) == 0 && plan.segments == 2);
  for (uint32_t i = 0; i < 2; i++) {
    Bytes to(segment_length(plan, i));
    write_segment(plan, i, to.data());
    CHECK(to == build(segment_shape(shape, i, 2, 1000), payload.data() + i * 1000, 1000).bytes);
  }
}

TEST(segments_refused, "what contradicts its header is refused, and what is not cut here is told apart") {
  const Bytes payload(3000, 7);
  auto result = [&](Shape shape, auto change) {
    Built built = build(shape, payload.data(), payload.size(), true);
    built.header.gso_size = 1000;
    change(built);
    SegmentPlan plan;
    return plan_of(shape, built, plan);
  };
  Shape tcp, tcp6, udp, ethernet, tunnel;
  tcp6.ipv6 = true;
  udp.tcp = false;
  ethernet.ethernet = true;
  tunnel.tunnel = tunnel.ethernet = true;
  auto none = [](Built&) {};
  CHECK(result(tcp, none) == 0 && result(tcp6, none) == 0 && result(udp, none) == 0 && result(ethernet, none) == 0 && result(tunnel, none) == 0);
  CHECK(result(tcp, [](Built& built) { built.header.gso_size = 0; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.header.gso_type = kGsoTcp6; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.header.gso_type = kGsoUdp; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.header.gso_type = kGsoUdpFragment; }) == EOPNOTSUPP);
  CHECK(result(tcp, [](Built& built) { built.header.gso_type = 7; }) == EOPNOTSUPP);
  CHECK(result(tcp, [](Built& built) { built.header.csum_start++; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.header.csum_offset = 6; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.bytes.resize(39); }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.bytes.clear(); }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.bytes[0] = 0x55; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.bytes[0] = 0x44; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.bytes[6] = 0x20; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.bytes[7] = 1; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.bytes[32] = 0x40; }) == EINVAL);
  CHECK(result(tcp, [](Built& built) { built.bytes.resize(79); built.bytes[32] = 0xf0; }) == EINVAL);
  CHECK(result(tcp6, [](Built& built) { built.bytes[6] = 44; }) == EINVAL);
  CHECK(result(udp, [](Built& built) { built.header.flags = 0; }) == EINVAL);
  CHECK(result(ethernet, [](Built& built) { built.bytes[12] = 0x86, built.bytes[13] = 0xdd; }) == EINVAL);
  CHECK(result(tunnel, [](Built& built) { built.header.outer_th_offset -= 4; }) == EINVAL);
  CHECK(result(tunnel, [](Built& built) { built.header.inner_nh_offset = built.header.outer_th_offset + 7; }) == EINVAL);
  CHECK(result(tunnel, [](Built& built) { built.header.inner_nh_offset = 65000; }) == EINVAL);
  CHECK(result(tunnel, [](Built& built) { built.header.gso_type |= kGsoTunnel6; }) == EINVAL);
  CHECK(result(tunnel, [](Built& built) { built.header.flags = 0; }) == EINVAL);
}

TEST(checksum_completed, "the checksum that was left is completed, and nothing where none was") {
  Random random(12);
  for (int run = 0; run < 2000; run++) {
    Shape shape = random_shape(random);
    shape.tunnel = false;
    const Bytes payload = random_bytes(random, random.below(200));
    const Built built = build(shape, payload.data(), payload.size(), true);
    const Bytes expected = build(shape, payload.data(), payload.size()).bytes;
    Exact frame(built.bytes);
    VnetHeader header = built.header;
    header.gso_type = kGsoNone;
    header.flags = kVnetDataValid;
    CHECK(complete_checksum(frame.data(), built.bytes.size(), header) == 0);
    CHECK(memcmp(frame.data(), built.bytes.data(), built.bytes.size()) == 0);
    header.flags = kVnetNeedsChecksum;
    CHECK(complete_checksum(frame.data(), built.bytes.size(), header) == 0);
    CHECK(memcmp(frame.data(), expected.data(), expected.size()) == 0);
  }
}

TEST(checksum_zero_spelled, "a checksum of zero is written as 0xffff") {
  uint8_t frame[] = {0xff, 0xff, 0, 0};
  CHECK(complete_checksum(frame, 4, {kVnetNeedsChecksum, 0, 0, 0, 0, 2}) == 0);
  CHECK(frame[2] == 0xff && frame[3] == 0xff);
}

TEST(checksum_outside, "a checksum outside the frame is refused") {
  Exact frame(40);
  memset(frame.data(), 0, 40);
  CHECK(complete_checksum(frame.data(), 40, {kVnetNeedsChecksum, 0, 0, 0, 20, 18}) == 0);
  CHECK(complete_checksum(frame.data(), 40, {kVnetNeedsChecksum, 0, 0, 0, 20, 19}) == EINVAL);
  CHECK(complete_checksum(frame.data(), 40, {kVnetNeedsChecksum, 0, 0, 0, 65535, 65535}) == EINVAL);
  CHECK(complete_checksum(frame.data(), 0, {kVnetNeedsChecksum, 0, 0, 0, 0, 0}) == EINVAL);
}

TEST(segments_fuzz, "nothing outside the frame is read or written, whatever it and its header say") {
  Random random(13);
  uint64_t cut = 0, segments = 0;
  for (int run = 0; run < 1200000; run++) {
    Bytes bytes;
    VnetHeader header = {};
    bool ethernet = random.below(2);
    if (random.once_in(4)) {
      bytes = random_bytes(random, random.below(200));
      if (!bytes.empty() && random.below(2)) bytes[0] = random.below(2) ? 0x45 : 0x60;
    } else {
      const Shape shape = random_shape(random);
      const Bytes payload = random_bytes(random, random.below(100));
      Built built = build(shape, payload.data(), payload.size(), true);
      bytes = built.bytes;
      header = built.header;
      header.gso_size = static_cast<uint16_t>(1 + random.below(60));
      ethernet = shape.ethernet;
      for (uint32_t n = random.below(4); n > 0 && !bytes.empty(); n--) bytes[random.below(static_cast<uint32_t>(bytes.size() < 80 ? bytes.size() : 80))] = random.byte();
      if (random.once_in(3)) bytes.resize(random.below(static_cast<uint32_t>(bytes.size() + 1)));
    }
    for (uint32_t n = random.once_in(2) ? 1 + random.below(3) : 0; n > 0; n--) reinterpret_cast<uint8_t*>(&header)[random.below(sizeof header)] = random.byte();
    Exact frame(bytes);
    SegmentPlan plan;
    if (plan_segments(frame.data(), bytes.size(), header, ethernet, plan) == 0) {
      cut++;
      for (uint32_t i = 0; i < plan.segments; i++) {
        Exact to(segment_length(plan, i));
        write_segment(plan, i, to.data());
        segments++;
      }
    }
    complete_checksum(frame.data(), bytes.size(), header);
  }
  CHECK(cut > 200000);
  CHECK(segments > 2 * cut);
}
