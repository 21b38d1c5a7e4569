#include "forward.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "tuntap.h"

namespace netloom {
namespace {

// Frames that one direction moves before others have their turn.
constexpr uint32_t kTurn = 64;
// Bytes that are read before they are written, so that they stay in the processor's caches; more where frames may be
// joined, but no second super-frame.
constexpr size_t kWarm = 16 * 1024, kJoined = 32 * 1024;
// Longest frame of a ring that is copied to be sent together with others.
constexpr uint32_t kCopied = 2048;

int64_t real_ns() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// One thread writes: no other's addition can come between.
void count(std::atomic<uint64_t>& counter, uint64_t more) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

bool TokenBucket::open(uint64_t now) {
  if (filled_ != 0) tokens_ += static_cast<double>(now - filled_) * rate_;
  if (tokens_ > most_) tokens_ = most_;
  filled_ = now;
  return tokens_ >= 1;
}

Forward::Forward(const ForwardPort& a, const ForwardPort& b) : ports_{a, b} {}

Forward::~Forward() = default;

Forward::Progress Forward::move(uint32_t from, ForwardScratch& scratch, uint64_t now) {
  if (ended_) return Progress::kEnded;
  if (holds(from) && !deliver_held(from, scratch)) return ended_ ? Progress::kEnded : Progress::kBlocked;
  const Progress progress = ports_[from].ring ? move_ring(from, scratch, now) : move_descriptor(from, scratch, now);
  return ended_ ? Progress::kEnded : progress;
}

Forward::Progress Forward::move_descriptor(uint32_t from, ForwardScratch& scratch, uint64_t now) {
  const ForwardPort& port = ports_[from];
  Direction& direction = directions_[from];
  ForwardCounters& counters = direction.counters;
  const bool limited = direction.bucket.limited();
  const uint32_t frames = limited ? 1 : ForwardScratch::kFrames;
  const size_t bytes = ports_[1 - from].framing.join ? kJoined : kWarm;
  VnetHeader* headers = port.framing.vnet_header ? scratch.headers : nullptr;
  for (uint32_t moved = 0; moved < kTurn;) {
    if (limited && !direction.bucket.open(now)) return Progress::kWaiting;
    FrameRoom room = {scratch.data, sizeof scratch.data, 0, scratch.offsets, scratch.lengths, headers, 0};
    const ReadReport done = read_frames(port.fd, port.framing, room, frames, bytes);
    FrameList list = {scratch.data, room.cursor, scratch.offsets, scratch.lengths, headers, 0, done.frames};
    count(counters.received_frames, done.frames);
    count(counters.received_bytes, done.bytes);
    count(counters.incomplete, done.cut);
    if (!direction.filter.empty()) {
      uint32_t passed = 0;
      for (uint32_t i = 0; i < done.frames; i++) {
        const uint32_t length = scratch.lengths[i];
        if (!direction.filter.run(scratch.data + scratch.offsets[i], length, {length, false, 0, 0})) continue;
        scratch.offsets[passed] = scratch.offsets[i];
        scratch.lengths[passed] = length;
        scratch.headers[passed++] = scratch.headers[i];
      }
      count(counters.filtered, done.frames - passed);
      list.count = passed;
    }
    if (!deliver_or_hold(from, list, scratch)) return Progress::kBlocked;
    if (done.error == EAGAIN) return Progress::kEmpty;
    if (done.error) return end(from, done.error), Progress::kEnded;
    moved += done.frames + done.cut;
  }
  return Progress::kMore;
}

// Frames go out from where they lie in the ring, but for those into which a VLAN tag is put back, and short ones for a
// target to which several are sent at once.
Forward::Progress Forward::move_ring(uint32_t from, ForwardScratch& scratch, uint64_t now) {
  ForwardPort& port = ports_[from];
  const ForwardPort& target = ports_[1 - from];
  PacketRing& ring = *port.ring;
  Direction& direction = directions_[from];
  ForwardCounters& counters = direction.counters;
  const bool limited = direction.bucket.limited(), gathers = !limited && (target.ring || target.framing.join);
  VnetHeader* headers = ring.layout().vnet_header ? scratch.headers : nullptr;
  FrameList gathered = {scratch.data, 0, scratch.offsets, scratch.lengths, headers, 0, 0};
  auto flush = [&] {
    const FrameList list = gathered;
    gathered.size = gathered.count = 0;
    return deliver_or_hold(from, list, scratch);
  };
  Progress progress = Progress::kMore;
  RingPacket packet;
  for (uint32_t moved = 0; moved < kTurn; moved++) {
    if (limited && !direction.bucket.open(now)) {
      progress = Progress::kWaiting;
      break;
    }
    if (!ring.peek(packet)) {
      progress = Progress::kEmpty;
      break;
    }
    if (port.skip > 0) {
      port.skip--;
      ring.advance();
      continue;
    }
    const RingFrame frame = ring.frame_of(packet);
    const bool gather = gathers && frame.length <= kCopied;
    const bool cut = frame.length < frame.original || (frame.insert && frame.length > sizeof scratch.data);
    const bool copied = !cut && (gather || frame.insert);
    // What is gathered goes before a frame that is not, or that has no room beside it.
    const bool full = gathered.count == ForwardScratch::kFrames || (copied && frame.length > sizeof scratch.data - gathered.size);
    if ((full || (!gather && !cut)) && !flush()) return Progress::kBlocked;
    bool passes = !cut;
    const uint8_t* data = packet.data;
    if (copied) {
      uint8_t* to = scratch.data + gathered.size;
      ring.copy(packet, frame, to);
      data = to;
    }
    if (passes && !direction.filter.empty()) {
      const PacketFacts facts = {frame.original, packet.from->sll_pkttype == PACKET_OUTGOING,
                                 static_cast<uint32_t>(packet.from->sll_ifindex), frame.vlan};
      passes = direction.filter.run(data, frame.length, facts) != 0;
    }
    if (passes) {
      if (headers) headers[gathered.count] = ring.header_of(packet, frame);
      if (gather) {
        scratch.offsets[gathered.count] = static_cast<uint32_t>(gathered.size);
        scratch.lengths[gathered.count++] = frame.length;
        gathered.size += frame.length;
      } else {
        const uint32_t zero = 0;
        // It stays in the ring until there is room for it.
        if (deliver(from, {data, frame.length, &zero, &frame.length, headers, 0, 1}, scratch) == 0)
          return Progress::kBlocked;
      }
    }
    if (cut) {
      count(counters.incomplete, 1);
    } else {
      count(counters.received_frames, 1);
      count(counters.received_bytes, frame.length);
      if (!passes) count(counters.filtered, 1);
    }
    ring.advance();
    if (ended_) return Progress::kEnded;
  }
  return flush() ? progress : Progress::kBlocked;
}

uint32_t Forward::deliver(uint32_t from, const FrameList& list, ForwardScratch& scratch) {
  const uint32_t to = 1 - from;
  ForwardPort& port = ports_[to];
  Direction& direction = directions_[from];
  WriteReport done;
  if (port.ring) {
    const PacketSending how = {port.ring->layout().ip, port.ring->layout().vnet_header, port.interface,
                               port.framing.refused};
    done = direction.packet_writer.write(port.fd, how, list, UINT32_MAX, scratch.writing);
    if (done.dropped > 0 && (done.failed_error == ENETDOWN || done.failed_error == ENXIO)) {
      trouble_ |= 1u << to;
      told_ = false;
    }
  } else {
    done = direction.frame_writer.write(port.fd, port.framing, list, UINT32_MAX, scratch.writing);
  }
  if (done.refused) {
    port.framing.refused |= done.refused;
    refused_[to] |= done.refused;
    told_ = false;
  }
  count(direction.counters.sent_frames, done.sent);
  count(direction.counters.sent_bytes, done.bytes);
  count(direction.counters.too_long, done.too_long);
  count(direction.counters.refused, done.dropped - done.too_long);
  if (direction.bucket.limited()) direction.bucket.spend(done.bytes);
  if (!observers_.empty()) observe(from, list, done.next);
  if (done.error && done.error != EAGAIN) end(to, done.error);
  return done.next;
}

bool Forward::deliver_or_hold(uint32_t from, const FrameList& list, ForwardScratch& scratch) {
  if (list.count == 0) return true;
  const uint32_t next = deliver(from, list, scratch);
  if (next < list.count) hold(from, list, next);
  return next == list.count && !ended_;
}

void Forward::hold(uint32_t from, const FrameList& list, uint32_t first) {
  Direction& direction = directions_[from];
  for (uint32_t i = first; i < list.count; i++) {
    const uint8_t* frame = list.data + list.offsets[i];
    direction.held_offsets.push_back(static_cast<uint32_t>(direction.held.size()));
    direction.held_lengths.push_back(list.lengths[i]);
    direction.held.insert(direction.held.end(), frame, frame + list.lengths[i]);
    if (list.headers) direction.held_headers.push_back(list.headers[i]);
  }
}

bool Forward::deliver_held(uint32_t from, ForwardScratch& scratch) {
  Direction& direction = directions_[from];
  const FrameList list = {direction.held.data(), direction.held.size(), direction.held_offsets.data(),
                          direction.held_lengths.data(),
                          direction.held_headers.empty() ? nullptr : direction.held_headers.data(), 0,
                          static_cast<uint32_t>(direction.held_lengths.size())};
  const uint32_t next = deliver(from, list, scratch);
  const bool all = next == list.count;
  auto drop = [&](auto& column) { column.erase(column.begin(), column.begin() + next); };
  drop(direction.held_offsets);
  drop(direction.held_lengths);
  if (!direction.held_headers.empty()) drop(direction.held_headers);
  if (all) direction.held.clear();
  return all;
}

void Forward::abandon() {
  for (Direction& direction : directions_) {
    count(direction.counters.left_over, direction.held_lengths.size());
    direction.held_lengths.clear();
  }
}

bool Forward::check(uint32_t i, bool hung_up) {
  if (ended_) return true;
  if (ports_[i].ring) {
    // Down, or gone: whoever follows the interface finds out.
    if (take_packet_error(ports_[i].fd) != 0) {
      trouble_ |= 1u << i;
      told_ = false;
    }
    return false;
  }
  if (!hung_up) {
    Result<TuntapIdentity> identity = identify_tuntap(ports_[i].fd);
    if (identity.ok() || identity.failure().error == ENOTTY) return false;
  }
  end(i, ENODEV);
  return true;
}

void Forward::end(uint32_t port, int error) {
  if (ended_) return;
  error_ = error;
  ended_ = 1 + static_cast<int>(port);
  told_ = false;
}

void Forward::observe(uint32_t from, const FrameList& list, uint32_t end) {
  const int64_t time = real_ns();
  const VnetHeader plain = {};
  for (ForwardObserver* observer : observers_) {
    if (!observer->sees(from)) continue;
    for (uint32_t i = list.from; i < end; i++)
      observer->add(from, list.data + list.offsets[i], list.lengths[i], list.headers ? list.headers[i] : plain, time);
  }
}

void Forward::remove(ForwardObserver* observer) {
  for (size_t i = 0; i < observers_.size(); i++)
    if (observers_[i] == observer) observers_.erase(observers_.begin() + static_cast<ptrdiff_t>(i));
}

bool Forward::to_tell() {
  bool tell = !told_;
  told_ = true;
  for (ForwardObserver* observer : observers_) tell |= observer->to_tell();
  return tell;
}

}  // namespace netloom
