#include "packet_recorder.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>

namespace netloom {
namespace {

// Packets are gathered in it, as a write of its own for each would cost more than the rest. Holds the longest one.
constexpr size_t kBuffer = 1 << 20;
constexpr size_t kLongestRecord = 262144 + 64;
// A write of so much to a pipe that polls as writable does not block: pipe(7), PIPE_BUF.
constexpr size_t kPipeWrite = 4096;
// An interface statistics block with two options, with which a pcapng file ends.
constexpr uint32_t kStatisticsBlock = 24 + 12 + 12 + 4;
// What the kernel holds in a block that it has not handed over yet appears within its timeout.
constexpr uint64_t kDrainMs = 1000;

uint64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

uint64_t real_ns() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

template <typename T>
void put(uint8_t*& at, T value) {
  memcpy(at, &value, sizeof value);
  at += sizeof value;
}

// An option of a pcapng block: code, length, value.
template <typename T>
void put_option(uint8_t*& at, uint16_t code, T value) {
  put(at, code);
  put<uint16_t>(at, sizeof value);
  put(at, value);
}

}  // namespace

PacketRecorder::~PacketRecorder() { free(buffer_); }

Failure PacketRecorder::prepare(PacketRing& ring, Fd out, RecordOptions options) {
  ring_ = &ring;
  out_ = static_cast<Fd&&>(out);
  options_ = std::move(options);
  wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return Failure::last("eventfd");
  struct statx status = {};
  if (statx(out_.get(), "", AT_EMPTY_PATH, STATX_TYPE, &status) != 0) return Failure::last("statx");
  regular_ = (status.stx_mode & S_IFMT) == S_IFREG;
  buffer_ = static_cast<uint8_t*>(malloc(kBuffer));
  if (!buffer_) return {ENOMEM, "malloc", nullptr};
  ring_->count();
  received_before_ = ring_->counters().received;
  // What was lost before is nothing of this file's.
  ring_->take_dropped();
  return {};
}

void PacketRecorder::stop(bool at_once) {
  int wanted = at_once ? 2 : 1;
  if (stop_.load() < wanted) stop_ = wanted;
  uint64_t one = 1;
  ssize_t n;
  do n = write(wake_.get(), &one, sizeof one);
  while (n < 0 && errno == EINTR);
}

RecordResult PacketRecorder::run() {
  if (options_.max_ms > 0) deadline_ = now_ms() + options_.max_ms;
  if (write_all(reinterpret_cast<const uint8_t*>(options_.head.data()), options_.head.size())) {
    result_.bytes = options_.head.size();
    while (take() && flush() && !done() && wait()) {
    }
  }
  if (result_.reason != RecordResult::kFailed && stop_ < 2 && flush()) {
    ring_->count();
    result_.dropped += ring_->take_dropped();
    if (options_.pcapng) finish_statistics();
  }
  out_.reset();
  return result_;
}

bool PacketRecorder::take() {
  RingPacket packet;
  for (uint32_t i = 1; ring_->peek(packet); i++) {
    if (i % 512 == 0) {
      if (done()) return flush(), false;
      // What was let through shall not wait for the end of what is not.
      if (!options_.filter.empty() && !flush()) return false;
    }
    if (options_.max_packets > 0 && result_.packets >= options_.max_packets) {
      result_.reason = RecordResult::kPackets;
      return flush(), false;
    }
    if (options_.skip > 0 || !passes(packet)) {
      if (options_.skip > 0) options_.skip--;
      ring_->advance();
      continue;
    }
    if (kBuffer - used_ < kLongestRecord && !flush()) return false;
    if (!append(packet)) {
      result_.reason = RecordResult::kBytes;
      return flush(), false;
    }
    ring_->advance();
  }
  if (options_.max_packets > 0 && result_.packets >= options_.max_packets) {
    result_.reason = RecordResult::kPackets;
    return flush(), false;
  }
  return true;
}

bool PacketRecorder::passes(const RingPacket& packet) const {
  if (options_.filter.empty()) return true;
  const sockaddr_ll& from = *packet.from;
  // A packet with a link header has its protocol in there.
  const uint32_t protocol = ring_->layout().cooked ? ntohs(from.sll_protocol) : 0;
  const PacketFacts facts = {packet.original, from.sll_pkttype == PACKET_OUTGOING, static_cast<uint32_t>(from.sll_ifindex),
                             packet.tpid != 0 ? static_cast<uint32_t>(packet.tpid) << 16 | packet.tci : 0, protocol};
  return options_.filter.run(packet.data, packet.captured, facts) != 0;
}

// True when the recording is over. A stop is over when what the kernel had taken by then is written.
bool PacketRecorder::done() {
  if (stop_ == 2) return true;
  if (stop_ == 1) {
    if (!draining_) {
      draining_ = true;
      ring_->count();
      drain_until_ = ring_->counters().received - ring_->counters().dropped;
      drain_deadline_ = now_ms() + kDrainMs;
    }
    if (ring_->consumed() >= drain_until_ || now_ms() >= drain_deadline_) return true;
  }
  if (deadline_ > 0 && now_ms() >= deadline_) {
    result_.reason = RecordResult::kTime;
    return true;
  }
  return false;
}

bool PacketRecorder::wait() {
  uint64_t until = draining_ ? drain_deadline_ : deadline_;
  uint64_t now = until > 0 ? now_ms() : 0;
  int timeout = until == 0 ? -1 : until <= now ? 0 : until - now > 3'600'000 ? 3'600'000 : static_cast<int>(until - now);
  pollfd entries[2] = {{ring_->fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  if (poll(entries, 2, timeout) <= 0) return true;
  if (entries[1].revents) {
    uint64_t value;
    ssize_t n = read(wake_.get(), &value, sizeof value);
    (void)n;
  } else if (!(entries[0].revents & POLLIN)) {
    // The interface went down: whoever watches the socket takes the error.
    poll(entries + 1, 1, 10);
  }
  return true;
}

// False if it would exceed the bound of the file.
bool PacketRecorder::append(const RingPacket& packet) {
  // Files have no place beside a frame for its VLAN tag.
  const RingFrame frame = ring_->frame_of(packet, true);
  uint64_t fresh = ring_->take_dropped();
  lost_ += fresh;
  result_.dropped += fresh;
  uint32_t padding = -frame.length & 3;
  uint32_t size = options_.pcapng ? 28 + frame.length + padding + 8 + (lost_ > 0 ? 12 : 0) + 4 + 4 : 16 + frame.length;
  if (options_.max_bytes > 0 && result_.packets > 0 &&
      result_.bytes + size + (options_.pcapng ? kStatisticsBlock : 0) > options_.max_bytes)
    return false;
  uint8_t* at = buffer_ + used_;
  if (options_.pcapng) {
    put<uint32_t>(at, 6);
    put(at, size);
    put<uint32_t>(at, 0);
    put<uint32_t>(at, static_cast<uint32_t>(frame.time >> 32));
    put<uint32_t>(at, static_cast<uint32_t>(frame.time));
    put(at, frame.length);
    put(at, frame.original);
    ring_->copy(packet, frame, at);
    at += frame.length;
    memset(at, 0, padding);
    at += padding;
    put_option<uint32_t>(at, 2, frame.flags);
    if (lost_ > 0) put_option<uint64_t>(at, 4, lost_);
    put<uint32_t>(at, 0);
    put(at, size);
  } else {
    put<uint32_t>(at, static_cast<uint32_t>(frame.time / 1'000'000'000));
    put<uint32_t>(at, static_cast<uint32_t>(frame.time % 1'000'000'000));
    put(at, frame.length);
    put(at, frame.original);
    ring_->copy(packet, frame, at);
  }
  lost_ = 0;
  used_ += size;
  result_.bytes += size;
  result_.packets++;
  return true;
}

// What the kernel counted while the file was written: an interface statistics block.
bool PacketRecorder::finish_statistics() {
  uint64_t now = real_ns();
  constexpr uint32_t size = kStatisticsBlock;
  uint8_t block[size], *at = block;
  put<uint32_t>(at, 5);
  put(at, size);
  put<uint32_t>(at, 0);
  put<uint32_t>(at, static_cast<uint32_t>(now >> 32));
  put<uint32_t>(at, static_cast<uint32_t>(now));
  put_option<uint64_t>(at, 4, ring_->counters().received - received_before_);
  put_option<uint64_t>(at, 5, result_.dropped);
  put<uint32_t>(at, 0);
  put(at, size);
  if (!write_all(block, size)) return false;
  result_.bytes += size;
  return true;
}

bool PacketRecorder::flush() {
  size_t length = used_;
  used_ = 0;
  return length == 0 || write_all(buffer_, length);
}

bool PacketRecorder::write_all(const uint8_t* data, size_t length) {
  while (length > 0) {
    size_t most = length;
    if (!regular_) {
      // A reader that does not read must not keep close() from ending this.
      if (stop_ == 2) return false;
      pollfd entries[2] = {{out_.get(), POLLOUT, 0}, {wake_.get(), POLLIN, 0}};
      // Once it is draining, the descriptor that wakes stays readable no longer than it takes to see that.
      if (poll(entries, 2, -1) < 0) continue;
      if (entries[1].revents) {
        uint64_t value;
        ssize_t n = read(wake_.get(), &value, sizeof value);
        (void)n;
        continue;
      }
      if (most > kPipeWrite) most = kPipeWrite;
    }
    ssize_t n = write(out_.get(), data, most);
    if (n < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      result_.reason = RecordResult::kFailed;
      result_.failure = Failure::last("write");
      return false;
    }
    data += n;
    length -= static_cast<size_t>(n);
  }
  return true;
}

}  // namespace netloom
