#include "../../native/sys/frame_io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "../../native/sys/fd.h"
#include "check.h"
#include "socket_pair.h"

using namespace netloom;

namespace {

struct Device : SocketPair {
  using SocketPair::SocketPair;
  void deliver(const std::string& bytes) { CHECK(write(theirs.get(), bytes.data(), bytes.size()) >= 0); }
  std::string taken() {
    std::string bytes(70000, 0);
    ssize_t n = read(theirs.get(), bytes.data(), bytes.size());
    bytes.resize(n < 0 ? 0 : n);
    return bytes;
  }
};

// Exactly as large as asked for, so that the sanitizer sees a byte too many.
struct Room {
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> offsets, lengths;
  std::vector<VnetHeader> headers;
  FrameRoom room;
  Room(size_t size, size_t frames) : bytes(size), offsets(frames), lengths(frames), headers(frames) {
    room = {bytes.data(), size, 0, offsets.data(), lengths.data(), headers.data(), 0};
  }
  std::string frame(size_t i) { return {reinterpret_cast<char*>(bytes.data()) + offsets[i], lengths[i]}; }
};

struct Frames {
  std::string bytes;
  std::vector<uint32_t> offsets, lengths;
  void add(const std::string& frame) {
    offsets.push_back(bytes.size());
    lengths.push_back(frame.size());
    bytes += frame;
  }
  FrameList list(uint32_t from = 0) {
    return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), offsets.data(), lengths.data(), nullptr, from,
            static_cast<uint32_t>(offsets.size())};
  }
};

}  // namespace

TEST(reads_until_empty, "reads all there is, packed, and says that the queue is empty") {
  Device device;
  for (const char* frame : {"one", "three", "x"}) device.deliver(frame);
  Room room(3 * kMaxFrame, 8);
  ReadReport report = read_frames(device.ours.get(), {}, room.room, 8, 1 << 20);
  CHECK(report.frames == 3 && report.error == EAGAIN && report.cut == 0);
  CHECK(room.frame(0) == "one" && room.frame(1) == "three" && room.frame(2) == "x");
  CHECK(room.offsets[1] == 3 && room.room.cursor == 9);
}

TEST(keeps_bounds, "stops at the frame bound, the byte bound and the end of the room") {
  Device device;
  for (int i = 0; i < 6; i++) device.deliver(std::string(1000, 'a' + i));
  Room room(kMaxFrame + 1500, 8);
  CHECK(read_frames(device.ours.get(), {}, room.room, 1, 1 << 20).frames == 1);
  room.room.first = 1;
  ReadReport report = read_frames(device.ours.get(), {}, room.room, 7, 1 << 20);
  CHECK(report.frames == 1 && report.error == 0);  // less than kMaxFrame is left
  CHECK(room.frame(1) == std::string(1000, 'b'));
  Room other(3 * kMaxFrame, 8);
  CHECK(read_frames(device.ours.get(), {}, other.room, 8, 1001).frames == 2);
}

TEST(fills_columns_from_first, "appends to columns that hold frames already") {
  Device device;
  device.deliver("later");
  Room room(2 * kMaxFrame, 3);
  room.room.cursor = 100;
  room.room.first = 2;
  CHECK(read_frames(device.ours.get(), {}, room.room, 1, 1 << 20).frames == 1);
  CHECK(room.offsets[2] == 100 && room.frame(2) == "later" && room.offsets[0] == 0);
}

TEST(strips_packet_information, "takes off the packet information header and drops frames it says are cut") {
  Device device;
  Framing framing;
  framing.packet_information = true;
  device.deliver(std::string("\0\0\x08\0whole", 9));
  device.deliver(std::string("\x01\0\x08\0cut", 7));
  device.deliver(std::string("\0\0\x86\xdd", 4));
  device.deliver(std::string("\0\0\0", 3));  // shorter than the header
  Room room(2 * kMaxFrame, 4);
  ReadReport report = read_frames(device.ours.get(), framing, room.room, 4, 1 << 20);
  CHECK(report.frames == 3 && report.cut == 1);
  CHECK(room.frame(0) == "whole" && room.lengths[1] == 0 && room.lengths[2] == 0);
}

TEST(splits_vnet_header, "puts virtio-net headers into their column, or nowhere") {
  Device device;
  Framing framing;
  framing.vnet_header = 12;
  device.deliver("HEADER--0123frame");
  device.deliver("header--4567other");
  Room room(3 * kMaxFrame, 4);
  room.room.first = 1;
  CHECK(read_frames(device.ours.get(), framing, room.room, 1, 1 << 20).frames == 1);
  CHECK(room.frame(1) == "frame" && memcmp(&room.headers[1], "HEADER--0123\0\0\0\0\0\0\0\0\0\0\0", 24) == 0);
  room.room.headers = nullptr;
  CHECK(read_frames(device.ours.get(), framing, room.room, 1, 1 << 20).frames == 1);
  CHECK(room.frame(1) == "other" && memcmp(&room.headers[1], "HEADER--0123", 12) == 0);
}

TEST(reports_cut, "a frame that fills the whole read is reported as cut, never delivered") {
  Device device;
  int size = 1 << 20;
  setsockopt(device.theirs.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  device.deliver(std::string(kMaxFrame + 10, 'z'));
  device.deliver("next");
  Room room(2 * kMaxFrame, 4);
  ReadReport report = read_frames(device.ours.get(), {}, room.room, 4, 1 << 20);
  CHECK(report.cut == 1 && report.frames == 1 && room.frame(0) == "next");
}

TEST(reports_errors, "an error of the descriptor ends reading and writing") {
  Room room(kMaxFrame, 1);
  CHECK(read_frames(-1, {}, room.room, 1, 1).error == EBADF);
  Frames frames;
  frames.add("x");
  WriteReport report = write_frames(-1, {}, frames.list(), 8);
  CHECK(report.error == EBADF && report.next == 0 && report.dropped == 0);
}

TEST(writes_batch, "writes frames one message each, from the one asked for") {
  Device device;
  Frames frames;
  for (const char* frame : {"a", "bb", "ccc"}) frames.add(frame);
  WriteReport report = write_frames(device.ours.get(), {}, frames.list(1), 100);
  CHECK(report.sent == 2 && report.next == 3 && report.bytes == 5 && report.error == 0);
  CHECK(device.taken() == "bb" && device.taken() == "ccc" && device.taken().empty());
  CHECK(write_frames(device.ours.get(), {}, frames.list(), 2).next == 2);
}

TEST(refuses_bad_columns, "frames outside the memory or too long are dropped, and the others sent") {
  Device device;
  Frames frames;
  for (const char* frame : {"good", "far", "long", "max", "last"}) frames.add(frame);
  frames.offsets[1] = 1000;
  frames.lengths[2] = 0xffffffff;
  frames.lengths[3] = 9;
  frames.offsets[3] = 0;
  Framing framing;
  framing.max_frame = 8;
  WriteReport report = write_frames(device.ours.get(), framing, frames.list(), 100);
  CHECK(report.sent == 2 && report.dropped == 3 && report.next == 5);
  CHECK(report.failed_index == 1 && report.failed_error == ERANGE);
  CHECK(device.taken() == "good" && device.taken() == "last");
}

TEST(stops_when_full, "stops where the device is full, to go on from there") {
  Device device;
  Frames frames;
  for (int i = 0; i < 2000; i++) frames.add(std::string(1000, 'f'));
  WriteReport report = write_frames(device.ours.get(), {}, frames.list(), UINT32_MAX);
  CHECK(report.error == EAGAIN && report.next == report.sent && report.next > 0 && report.next < 2000);
  CHECK(report.dropped == 0);
}

TEST(adds_headers, "puts packet information and virtio-net headers before each frame") {
  Device device;
  Framing ip;
  ip.packet_information = true;
  ip.vnet_header = 10;
  Frames frames;
  frames.add("\x45 four");
  frames.add("\x60 six");
  VnetHeader headers[2] = {};
  memcpy(&headers[0], "0123456789", 10);
  memcpy(&headers[1], "abcdefghij", 10);
  FrameList list = frames.list();
  list.headers = headers;
  CHECK(write_frames(device.ours.get(), ip, list, 100).sent == 2);
  CHECK(device.taken() == std::string("\0\0\x08\0", 4) + "0123456789" + "\x45 four");
  CHECK(device.taken() == std::string("\0\0\x86\xdd", 4) + "abcdefghij" + "\x60 six");
  Framing ethernet;
  ethernet.packet_information = true;
  ethernet.ethernet = true;
  Frames arp;
  arp.add(std::string("ddddddssssss\x08\x06rest", 18));
  arp.add("short");
  CHECK(write_frames(device.ours.get(), ethernet, arp.list(), 100).sent == 2);
  CHECK(device.taken().substr(0, 4) == std::string("\0\0\x08\x06", 4));
  CHECK(device.taken().substr(0, 4) == std::string("\0\0\0\0", 4));
  Framing zero;
  zero.vnet_header = 12;
  CHECK(write_frames(device.ours.get(), zero, arp.list(1), 100).sent == 1);
  CHECK(device.taken() == std::string(12, 0) + "short");
}

TEST(header_is_zero_beyond, "of a header that came in part the rest is zero, whatever lay there") {
  Device device;
  Framing framing;
  framing.vnet_header = sizeof(VnetHeader);
  device.deliver(std::string(10, 1));
  Room room(70000, 1);
  memset(room.bytes.data(), 0xff, room.bytes.size());
  ReadReport done = read_frames(device.ours.get(), framing, room.room, 1, 1 << 20);
  CHECK(done.frames == 1);
  CHECK(room.lengths[0] == 0);
  const auto* header = reinterpret_cast<const uint8_t*>(&room.headers[0]);
  for (size_t i = 0; i < sizeof(VnetHeader); i++) CHECK(header[i] == (i < 10 ? 1 : 0));
}
